"""A pool of rendered excerpts that a run draws its batches from (WaveNet report, section IV).

Rendering is far cheaper than training, but not free: excerpts stay in the pool and are cut anew
and remixed several times before fresh ones, rendered by other processes, take their places.

Everything is a function of the seed: excerpt number `i` is always the same music, batch number
`step` always uses the same excerpts in the same way. So a run that resumes at a step goes on
exactly as if it had never stopped.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from training.config import DataConfig
from training.data.augment import SILENCE_RMS, apply_effects, draw_voicing, mix, rms
from training.data.midi import STEMS, Song, find_midi, read_song
from training.data.render import Renderer

_log = logging.getLogger(__name__)

_TRIES = 20
_EXCERPT, _BATCH = 0, 1  # streams of chance


@dataclass(frozen=True)
class Excerpt:
    """Stems at 16 bits, each scaled to its own peak: a quarter of the memory of two floats.

    Attributes:
        stems: int16 (stems, channels, frames).
        scales: float32 (stems,), full scale of each stem.
        levels: float (stems,), RMS of each stem over the whole excerpt.
    """

    stems: np.ndarray
    scales: np.ndarray
    levels: tuple[float, ...]

    def cut(self, stem: int, start: int, frames: int) -> np.ndarray:
        """float32 (channels, frames) of one stem."""
        return self.stems[stem, :, start : start + frames] * self.scales[stem]


def pack(stems: np.ndarray) -> Excerpt:
    """Turn float32 (stems, channels, frames) into an excerpt."""
    peaks = np.max(np.abs(stems), axis=(1, 2))
    scales = (np.maximum(peaks, 1e-9) / 32767.0).astype(np.float32)
    integers = np.round(stems / scales[:, None, None]).astype(np.int16)
    return Excerpt(integers, scales, tuple(rms(stem) for stem in stems))


class ExcerptMaker:
    """Renders excerpt number `i` of a run (one per worker process)."""

    def __init__(
        self, songs: Sequence[Path], drums: Sequence[Path], soundfonts: Sequence[Path], seed: int
    ) -> None:
        self._songs = list(songs)
        self._drums = list(drums)
        self._seed = seed
        self._renderer = Renderer(list(soundfonts))
        self._read = lru_cache(maxsize=256)(read_song)

    def make(self, number: int, frames: int) -> Excerpt:
        """Render excerpt `number`, of `frames` frames, with effects.

        Songs with fewer than two sounding stems are passed over; in one of five excerpts the drums
        come from a human drum take, if there are any.

        Raises:
            ValueError: None of the songs that were tried can be read.
        """
        rng = np.random.default_rng((self._seed, _EXCERPT, number))
        stems = np.zeros((len(STEMS), 2, frames), np.float32)
        for _ in range(_TRIES):
            stems = self._render(rng, self._songs, frames)
            if sum(rms(stem) >= SILENCE_RMS for stem in stems) >= 2:
                break
        if self._drums and rng.random() < 0.2:
            stems[0] = self._render(rng, self._drums, frames)[0]
        return pack(apply_effects(rng, stems, self._renderer.sample_rate))

    def _render(self, rng: np.random.Generator, songs: Sequence[Path], frames: int) -> np.ndarray:
        song = self._draw(rng, songs)
        start = int(rng.integers(max(1, song.frames - frames)))
        return self._renderer.render(song, start, frames, draw_voicing(rng, self._renderer, song))

    def _draw(self, rng: np.random.Generator, songs: Sequence[Path]) -> Song:
        """A song that can be read; one that cannot be is named and passed over."""
        for _ in range(_TRIES):
            try:
                return self._read(songs[rng.integers(len(songs))])
            except ValueError as error:
                _log.warning("%s", error)
        raise ValueError(f"{_TRIES} songs in a row could not be read; look at {songs[0].parent}.")


_maker: ExcerptMaker | None = None


def _start_worker(*arguments: object) -> None:
    global _maker  # one per process: soundfonts take seconds to load
    _maker = ExcerptMaker(*arguments)  # type: ignore[arg-type]


def _make(number: int, frames: int) -> Excerpt:
    assert _maker is not None
    return _maker.make(number, frames)


class ExcerptPool:
    """The excerpts that are at hand at a step, and the batches cut from them."""

    def __init__(self, config: DataConfig, seed: int, step: int = 0) -> None:
        """Start the workers and render what the pool holds at `step`.

        Raises:
            ValueError: A folder of the configuration holds nothing usable.
        """
        self._config = config
        self._seed = seed
        songs = find_midi(Path(config.midi))
        drums = find_midi(Path(config.drums)) if config.drums else []
        soundfonts = find_soundfonts(Path(config.soundfonts))
        self.sample_rate = 44100
        self._frames = round(config.excerpt_seconds * self.sample_rate)
        self._executor = ProcessPoolExecutor(
            config.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(songs, drums, soundfonts, seed),
        )
        self._slots: list[Excerpt | None] = [None] * config.pool_size
        self._pending: deque[tuple[int, Future[Excerpt]]] = deque()
        self._next = max(0, self._newest(step) - config.pool_size)  # the next to be asked for
        self._filled = self._next
        self._advance(step)

    def _newest(self, step: int) -> int:
        """How many excerpts have ever been in the pool when batch `step` is drawn."""
        return self._config.pool_size + int(step * self._config.fresh_per_step)

    def _advance(self, step: int) -> None:
        newest = self._newest(step)
        ahead = newest + 4 * self._config.workers
        while self._next < ahead:
            self._pending.append(
                (self._next, self._executor.submit(_make, self._next, self._frames))
            )
            self._next += 1
        while self._filled < newest:
            number, future = self._pending.popleft()
            self._slots[number % self._config.pool_size] = future.result()
            self._filled = number + 1

    def batch(self, step: int) -> np.ndarray:
        """References of batch `step`; their sum over the stems is the mixture.

        Returns:
            float32 (batch, stems, channels=2, frames).
        """
        self._advance(step)
        frames = round(self._config.seconds * self.sample_rate)
        rng = np.random.default_rng((self._seed, _BATCH, step))
        return np.stack([self._example(rng, frames) for _ in range(self._config.batch_size)])

    def _example(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        coherent = rng.random() < self._config.coherent
        picks = rng.integers(len(self._slots), size=len(STEMS))
        starts = rng.integers(self._frames - frames + 1, size=len(STEMS))
        if coherent:
            picks[:], starts[:] = picks[0], starts[0]
        stems, levels = [], []
        for stem, (pick, start) in enumerate(zip(picks, starts, strict=True)):
            excerpt = self._slots[pick]
            assert excerpt is not None
            stems.append(excerpt.cut(stem, int(start), frames))
            levels.append(excerpt.levels[stem])
        return mix(rng, stems, levels)

    def close(self) -> None:
        """Stop the workers."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def find_soundfonts(folder: Path) -> list[Path]:
    """All soundfonts (.sf2, .sf3) in a folder, or the file itself, sorted.

    Raises:
        ValueError: There are none.
    """
    if folder.is_file():
        return [folder]
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".sf2", ".sf3"))
    if not paths:
        raise ValueError(f"No .sf2 or .sf3 files in {folder}; point --soundfonts at some.")
    return paths
