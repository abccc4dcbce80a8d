"""What the spectrograms show is what plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import HostConfig
from engine.worker import Exchange, Session
from plugin_host.web.spectra import BANDS, HIGHEST_HZ, LOWEST_HZ, Spectra

GAINS = (0.9, 0.1, 0.0, 0.0, 0.0)


@pytest.fixture
def play(make_small_model, tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Starts a session, or plays audio (channels, frames) through the one there is."""
    model = make_small_model(tmp_path / "uneven.onnx", gains=GAINS)
    opened: list[tuple[Session, Exchange]] = []

    def run(audio: np.ndarray | None = None, block_size: int = 64) -> Session:
        if audio is None:
            config = HostConfig(44_100, block_size, 2)
            session = Session.open(model, config, fifo_priority=None, direct=True)
            opened.append((session, Exchange.attach(session.segment_path)))
        session, exchange = opened[-1]
        size = session.config.block_size
        mix, stems = np.empty((2, size), np.float32), np.empty((5, 2, size), np.float32)
        for start in range(0, 0 if audio is None else audio.shape[1], size):
            exchange.process(audio[:, start : start + size], mix, stems, wait=True)
        return session

    yield run
    for session, exchange in opened:
        exchange.close()
        session.close()


def _tone(hertz: float, frames: int) -> np.ndarray:
    wave = 0.03 * np.sin(2 * np.pi * hertz * np.arange(frames) / 44_100)
    return np.ascontiguousarray(np.stack([wave, wave]).astype(np.float32))


@pytest.mark.parametrize("block_size", [64, 1024])
@pytest.mark.parametrize("hertz", [100.0, 1_000.0, 9_000.0])
def test_a_tone_stands_in_its_band_and_in_its_stem(play, hertz, block_size):
    session = play(block_size=block_size)
    spectra = Spectra()
    column = None
    tone = _tone(hertz, 16 * 1024)
    for start in range(0, tone.shape[1], 1024):
        play(np.ascontiguousarray(tone[:, start : start + 1024]))
        column = spectra.column(session)
    assert column.shape == (6, BANDS)
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    band = int(np.searchsorted(edges, hertz)) - 1
    mix, loud, soft, silent = column[0], column[1], column[2], column[3]
    for row in (mix, loud, soft):
        assert abs(int(np.argmax(row)) - band) <= 1
    assert loud.max() > soft.max() > 0
    assert silent.max() == 0
    decibels = (float(loud.max()) - float(soft.max())) / 255 * 72
    assert decibels == pytest.approx(19.1, abs=0.7)  # the stems' gains are 0.9 and 0.1
    spectra.close()


def test_nothing_new_is_no_column(play):
    session = play()
    spectra = Spectra()
    assert spectra.column(None) is None
    assert spectra.column(session) is None, "nothing has been played"
    play(_tone(500.0, 4_096))
    assert spectra.column(session) is not None
    assert spectra.column(session) is None
    spectra.close()


def test_another_session_takes_over_and_one_that_has_ended_does_no_harm(play):
    spectra = Spectra()
    first = play()
    play(_tone(500.0, 4_096))
    assert spectra.column(first) is not None
    second = play(block_size=128)
    play(_tone(500.0, 4_096))
    assert spectra.column(second) is not None
    first.close()
    assert spectra.column(first) is None, "its memory is gone"
    assert spectra.column(second) is not None
    spectra.close()
    spectra.close()
