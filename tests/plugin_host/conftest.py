"""The command line and the songs that its tests give it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from plugin_host.cli import app

_FADE = 1_000  # frames


@pytest.fixture
def stemwire() -> Callable[..., Result]:
    """Runs the command in this process: `stemwire("models", "--json")`."""

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def make_song(tmp_path: Path) -> Callable[..., Path]:
    """Writes noise up to 10 kHz, other in every channel: `make_song("a.wav", channels=1)`."""

    def make(
        name: str = "song.wav",
        *,
        frames: int = 20_000,
        channels: int = 2,
        sample_rate: int = 44_100,
        peak: float = 0.5,
        subtype: str | None = None,
    ) -> Path:
        noise = np.random.default_rng(frames).standard_normal((frames, channels))
        if frames:
            spectrum = np.fft.rfft(noise, axis=0)
            spectrum[np.fft.rfftfreq(frames, 1 / sample_rate) > 10_000] = 0.0
            noise = np.fft.irfft(spectrum, frames, axis=0)
            noise *= peak / np.abs(noise).max()
        if frames > 4 * _FADE:  # what starts at once is not below 10 kHz
            fade = np.sin(np.linspace(0, np.pi / 2, _FADE))[:, None] ** 2
            noise[:_FADE] *= fade
            noise[-_FADE:] *= fade[::-1]
        soundfile.write(tmp_path / name, noise, sample_rate, subtype=subtype)
        return tmp_path / name

    return make


@pytest.fixture
def read_stems() -> Callable[..., np.ndarray]:
    """Reads files into one array (stems, channels, frames)."""

    def read(paths: list[Path]) -> np.ndarray:
        return np.stack(
            [soundfile.read(path, dtype="float32", always_2d=True)[0].T for path in paths]
        )

    return read
