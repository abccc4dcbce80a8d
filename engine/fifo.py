"""A queue of audio frames in memory that is allocated once."""

from math import prod
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]


class Source(Protocol):
    """What frames can be pulled out of."""

    def pull(self, out: Samples) -> None:
        """Fills `(*shape, frames)` with the next frames."""
        ...


class Fifo:
    """Frames in, frames out, in order. Audio outside has time as its last axis, `(*shape, frames)`.

    Inside, time is the first axis, so that frames that follow each other are one stretch of memory.
    The memory is twice what the queue may hold, so what is left can be moved to the front without
    overlapping itself: no copy is made behind the scenes.

    Args:
        shape: the axes before the frames, for example `(channels,)`.
        max_ready: the most frames that the queue ever holds.
    """

    def __init__(self, shape: tuple[int, ...], max_ready: int) -> None:
        self._shape = shape
        self._time_first = (len(shape), *range(len(shape)))  # axes, for `transpose`
        self._max_ready = max_ready
        self._memory: Samples = np.empty((2 * max_ready, prod(shape)), np.float32)
        self._memory.fill(0)  # touch every page now, not in the first block
        self._start = 0
        self.ready = 0
        """Frames that can be pulled."""

    def reset(self, silence: int = 0) -> None:
        """Forgets all frames and holds that many zeros."""
        self._start = self.ready = 0
        self._room(silence)[...] = 0

    def push(self, block: Samples) -> None:
        """Adds the frames of `(*shape, frames)`."""
        frames = block.shape[-1]
        room = self._room(frames).reshape(frames, *self._shape)
        room[...] = block.transpose(self._time_first)

    def pull(self, out: Samples) -> None:
        """Fills `(*shape, frames)` with the oldest frames and forgets them."""
        frames = out.shape[-1]
        oldest = self.held[:frames]
        self.drop(frames)
        out.transpose(self._time_first)[...] = oldest.reshape(frames, *self._shape)

    def drop(self, frames: int) -> None:
        """Forgets the oldest frames."""
        if frames > self.ready:
            raise OverflowError(f"{frames} frames wanted, {self.ready} there")
        self._start += frames
        self.ready -= frames

    @property
    def held(self) -> Samples:
        """All frames that are held, oldest first: `(ready, rows)`, valid until the next push."""
        return self._memory[self._start : self._start + self.ready]

    def snapshot(self) -> Samples:
        """Returns a copy of what is held."""
        return self.held.copy()

    def restore(self, held: Samples) -> None:
        """Holds just what a snapshot held."""
        self._start = self.ready = 0
        self._room(len(held))[...] = held

    def _room(self, frames: int) -> Samples:
        """Makes room for frames at the end; returns it, `(frames, rows)`."""
        if self.ready + frames > self._max_ready:
            raise OverflowError(f"{self.ready} + {frames} frames, room for {self._max_ready}")
        end = self._start + self.ready
        if end + frames > len(self._memory):
            self._memory[: self.ready] = self._memory[self._start : end]
            self._start, end = 0, self.ready
        self.ready += frames
        return self._memory[end : end + frames]
