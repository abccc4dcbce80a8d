"""A host to play with: it hands blocks to a session and keeps what it heard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import HostConfig, Separator
from engine.worker import Exchange, Session

STEMS = 5


class Player:
    """Plays audio block by block through an exchange.

    Attributes:
        played: input so far, `(channels, frames)`.
        mix: what was heard of the mix, the same shape.
        stems: what was heard of the stems, `(stems, channels, frames)`.
        late: per block, whether it was an underrun.
    """

    def __init__(self, exchange: Exchange, audio: np.ndarray) -> None:
        self.exchange = exchange
        self._audio = audio
        self._heard: list[np.ndarray] = []
        self._stems: list[np.ndarray] = []
        self._next = time.perf_counter()
        self.position = 0
        self.late: list[bool] = []

    def play(self, frames: int, *, wait: bool = False) -> None:
        """Plays one block of that many frames at once."""
        exchange, channels = self.exchange, self.exchange.config.channels
        block = np.ascontiguousarray(self._audio[:, self.position : self.position + frames])
        assert block.shape == (channels, frames), "the test's audio is too short"
        mix = np.full((channels, frames), np.nan, np.float32)
        stems = np.full((len(exchange.stems), channels, frames), np.nan, np.float32)
        before = exchange.underruns
        exchange.process(block, mix, stems, wait=wait)
        self.late.append(exchange.underruns > before)
        self._heard.append(mix)
        self._stems.append(stems)
        self.position += frames

    def play_paced(self, seconds: float) -> None:
        """Plays blocks at the audio clock for a while."""
        config = self.exchange.config
        self._next = max(self._next, time.perf_counter())
        for _ in range(round(seconds / config.deadline)):
            time.sleep(max(0.0, self._next - time.perf_counter()))
            self.play(config.block_size)
            self._next = max(self._next + config.deadline, time.perf_counter() - config.deadline)

    def play_until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Plays at the audio clock until a condition holds; fails if it does not in time."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it did not happen in time"
            self.play_paced(self.exchange.config.deadline)

    @property
    def played(self) -> np.ndarray:
        return self._audio[:, : self.position]

    @property
    def mix(self) -> np.ndarray:
        return np.concatenate(self._heard, axis=-1)

    @property
    def stems(self) -> np.ndarray:
        return np.concatenate(self._stems, axis=-1)

    @property
    def delayed(self) -> np.ndarray:
        """The input, as late as the session says."""
        return _delayed(self.played, self.exchange.latency)


def _delayed(audio: np.ndarray, frames: int) -> np.ndarray:
    return np.concatenate([np.zeros((*audio.shape[:-1], frames), np.float32), audio], axis=-1)[
        ..., : audio.shape[-1]
    ]


@pytest.fixture
def delayed() -> Callable[[np.ndarray, int], np.ndarray]:
    return _delayed


@pytest.fixture
def noise() -> np.ndarray:
    """Stereo noise, a minute of it."""
    frames = 60 * 44_100
    return np.random.default_rng(3).uniform(-0.5, 0.5, (2, frames)).astype(np.float32)


@pytest.fixture
def sine() -> np.ndarray:
    """A stereo sine of 441 Hz at half of full scale, a minute of it."""
    time_ = np.arange(60 * 44_100) / 44_100
    wave = 0.5 * np.sin(2 * np.pi * 441 * time_)
    return np.stack([wave, wave]).astype(np.float32)


@pytest.fixture
def open_session(small_model: Path) -> Iterator[Callable[..., Session]]:
    """Opens sessions with the small model, and closes them at the end of the test."""
    opened: list[Session] = []

    def open_one(
        block_size: int = 256, model: Path = small_model, sample_rate: int = 44_100, **options: Any
    ) -> Session:
        config = HostConfig(sample_rate, block_size, options.pop("channels", 2))
        opened.append(Session.open(model, config, **options))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


@pytest.fixture
def attach() -> Iterator[Callable[[Session], Exchange]]:
    """Attaches exchanges, and closes them at the end of the test."""
    attached: list[Exchange] = []

    def attach_one(session: Session) -> Exchange:
        attached.append(Exchange.attach(session.segment_path))
        return attached[-1]

    yield attach_one
    for exchange in attached:
        exchange.close()


@pytest.fixture
def player(attach: Callable[[Session], Exchange]) -> Callable[[Session, np.ndarray], Player]:
    """Makes a player of audio for a session."""
    return lambda session, audio: Player(attach(session), audio)


@pytest.fixture
def offline(small_model: Path) -> Callable[..., np.ndarray]:
    """The stems of a live stream in one process, as late as that is."""

    def separate(audio: np.ndarray, config: HostConfig, model: Path = small_model) -> np.ndarray:
        separator = Separator.load(model)
        separator.prepare(config)
        size = config.block_size
        blocks = audio.shape[-1] // size
        stems = np.zeros((len(separator.stems), config.channels, blocks * size), np.float32)
        for start in range(0, blocks * size, size):
            part = slice(start, start + size)
            out = np.zeros((*stems.shape[:2], size), np.float32)
            separator.process(np.ascontiguousarray(audio[:, part]), out)
            stems[..., part] = out
        return stems

    return separate
