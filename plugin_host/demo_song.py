"""The bundled demo song, and what `stemwire demo` does with it.

The song is `demo/song.flac`; how it was made stands in `demo/README.md`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plugin_host.separate import Job, Progress, Report, separate_file
from plugin_host.spectrogram import can_draw, draw_spectrograms

SONG = Path(__file__).with_name("demo") / "song.flac"
PICTURE = "spectrograms.png"


def run_demo(
    folder: Path,
    model: str = "default",
    on_start: Progress | None = None,
    on_frames: Progress | None = None,
) -> Report:
    """Separates the demo song in the blocks of a live stream and draws what came out.

    Args:
        folder: Where stems and picture go.
        model: A model's name or path.
        on_start: See `separate_file`.
        on_frames: See `separate_file`.

    Returns:
        The separation's report; the picture, where matplotlib could draw one, is among its outputs.

    Raises:
        StemwireError: As `separate_file`.
    """
    job = Job(input=SONG, folder=folder, model=model, live=True)
    report = separate_file(job, on_start, on_frames)
    if not can_draw():
        return report
    picture = folder / PICTURE
    draw_spectrograms([("mixture", SONG), *report.outputs.items()], picture)
    return replace(report, outputs={**report.outputs, "picture": picture})
