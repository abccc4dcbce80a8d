"""A picture of a separation: the spectrograms of the mixture and its stems, one below the other.

Needs matplotlib (the extra `demo`), which is imported when a picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from plugin_host.audio_files import AudioSource
from plugin_host.staging import StagedFiles, write_failure

_WINDOW = 2048  # frames
_RANGE_DB = 80.0
_LOWEST_HZ = 40.0
_COLUMNS = 1200  # about one per pixel


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw_spectrograms(rows: Sequence[tuple[str, Path]], picture: Path) -> None:
    """Draws one spectrogram per audio file, on shared axes and one colour scale.

    Args:
        rows: (title, audio file) from top to bottom, all of one length.
        picture: The png file to write; its folder must exist.

    Raises:
        AudioError: If a file cannot be read.
        OutputError: If the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    levels = [_levels(path) for _, path in rows]
    top = max(level.max() for level, _, _ in levels)
    figure = Figure(figsize=(11, 1.5 * len(rows) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, (title, _), (level, times, frequencies) in zip(axes, rows, levels, strict=True):
        image = axis.pcolormesh(
            times,
            frequencies,
            level - top,
            vmin=-_RANGE_DB,
            vmax=0.0,
            cmap="magma",
            shading="nearest",
            rasterized=True,
        )
        axis.set_yscale("log")
        axis.set_ylim(_LOWEST_HZ, frequencies[-1])
        axis.set_yticks([100, 1000, 10000], ["100", "1k", "10k"])
        axis.set_ylabel("Hz")
        axis.set_title(title, loc="left", fontsize=10, pad=2)
    axes[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=list(axes), label="dB", aspect=40)
    with StagedFiles(picture.parent) as staged:
        temporary = staged.path(picture.name)
        try:
            figure.savefig(temporary, format="png", dpi=110)
        except OSError as error:
            raise write_failure(temporary, picture, error) from error
        staged.commit()


Levels = npt.NDArray[np.float32]


def _levels(path: Path) -> tuple[Levels, Levels, Levels]:
    """Returns dB (bins, columns), the columns' times in seconds and the bins' frequencies in Hz."""
    with AudioSource(path) as source:
        audio = np.concatenate(list(source.blocks(1 << 16)), axis=1)
        sample_rate = source.sample_rate
    mono = audio.mean(axis=0)  # (channels, frames) -> (frames,)
    mono = np.pad(mono, _WINDOW // 2)
    hop = max(_WINDOW // 4, len(mono) // _COLUMNS)
    windows = np.lib.stride_tricks.sliding_window_view(mono, _WINDOW)[::hop]
    spectrum = np.fft.rfft(windows * np.hanning(_WINDOW).astype(np.float32), axis=1)
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
    level = 20 * np.log10(np.abs(spectrum.T) + 1e-7)  # (columns, bins) -> (bins, columns)
    times = np.arange(len(windows)) * hop / sample_rate
    audible = frequencies >= _LOWEST_HZ / 2
    return (
        level[audible].astype(np.float32),
        times.astype(np.float32),
        frequencies[audible].astype(np.float32),
    )
