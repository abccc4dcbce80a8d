"""A queue of blocks of any lengths, cut anew when they are taken. Allocates: for files only."""

from collections import deque

import numpy as np

from engine.fifo import Samples


class BlockQueue:
    """Audio `(channels, frames)` in, in any portions; audio out, in any other portions."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()

    def push(self, block: Samples) -> None:
        """Adds a block; its memory must stay as it is until it was taken."""
        self._blocks.append(block)

    def take(self, frames: int) -> Samples:
        """Gives the oldest frames, `(channels, frames)`, and forgets them."""
        taken: list[Samples] = []
        while frames:
            block = self._blocks.popleft()
            taken.append(block[:, :frames])
            if block.shape[1] > frames:
                self._blocks.appendleft(block[:, frames:])
            frames -= taken[-1].shape[1]
        return np.concatenate(taken, axis=1)
