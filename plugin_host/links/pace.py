"""The clock of a link that has no device: it says when the next block is due."""

from __future__ import annotations

import time
from collections.abc import Callable

RealClock = Callable[[], float]


class Pace:
    """Waits from block to block, at the pace of a clock that may stall or jump.

    Blocks that are late by less than one block are caught up with. After more than that, whether
    the process was stopped or the clock has jumped, time begins anew: there is never a burst, and
    never a wait longer than one block.

    Attributes:
        jumps: How often time began anew.
    """

    def __init__(
        self,
        period: float,
        clock: RealClock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begins at this moment.

        Args:
            period: Seconds per block.
            clock: Seconds since some moment.
            sleep: Waits for seconds.
        """
        self.jumps = 0
        self._period = period
        self._clock = clock
        self._sleep = sleep
        self._due = clock()

    def wait(self) -> None:
        """Returns when the next block is due: one period after the last one was."""
        self._due += self._period
        early = self._due - self._clock()
        if not -self._period <= early <= 1.5 * self._period:
            self.jumps += 1
            self._due -= early
            early = 0.0
        if early > 0:
            self._sleep(early)
