"""Bundles that come before their time, held until the block that they are for.

A timetag is a time of the wall clock; what it means is a frame: the one that comes in at that
time. The change begins with the block that this frame lies in, and is heard with that frame, the
session's latency later, whatever the engine is doing at the moment. Here blocks have 4 frames, the
model is 2 late, and the timetag falls on frame 9, which the engine mixes together with 6..8:

    frames in      0 1 2 3 | 4 5 6 7 | 8 9 . . |
    mixed                  |  (..1)  |  2..5   |  6..9   |
    set                                 ^^^^^^

It is set as soon as the engine is done with the block before (5 is out), and well before it begins
with the one it is for, as that one is not even in. The ramp of 10 ms begins where the block does.

The frame is worked out anew each time from the block that came last, so however far the clock of
the sound card and that of the wall drift apart, it never adds up.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from engine.worker import Session
from engine.worker.layout import SLOTS, Engine, Host, engine_word
from engine.worker.segment import Segment
from plugin_host.errors import MessageError
from plugin_host.osc.peers import Peer

MAX_BUNDLES = 256
MAX_HELD_MESSAGES = 8_192
MAX_SECONDS_AHEAD = 60.0
LATE_SECONDS = 0.05
"""A bundle that comes so long after its time tells of clocks that do not agree."""

_NTP_TO_UNIX = 2_208_988_800  # seconds from 1900 to 1970
_NEAR_SECONDS = 0.0005  # between two looks when the time has nearly come


def seconds_of(timetag: int) -> float:
    """Returns a timetag as seconds of the wall clock, since 1970."""
    return timetag / 2**32 - _NTP_TO_UNIX


def timetag_of(seconds: float) -> int:
    """Returns the timetag of a time of the wall clock."""
    return round((seconds + _NTP_TO_UNIX) * 2**32)


class EngineClock:
    """Tells from a session's shared memory how far its audio has come.

    Args:
        session: that plays.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._segment = Segment.attach(session.segment_path)
        self._sample_rate = session.config.sample_rate
        self._block_size = session.config.block_size
        self._deadline = session.config.deadline
        # What the engine's output lags behind its input.
        self._lag = sum(frames for what, frames in session.ledger if what != "worker")

    def opens(self, due: float) -> float:
        """Returns from when on to ask `is_time`, both on the clock of `time.perf_counter`."""
        return due + self._lag / self._sample_rate - self._deadline

    def is_time(self, due: float) -> bool:
        """Whether what is set now is heard with the block of frames that come in at a time.

        Args:
            due: seconds, on the clock of `time.perf_counter`.
        """
        now = time.perf_counter()
        opens = self.opens(due)
        if now < opens:
            return False
        if now >= opens + 2 * self._deadline:
            return True  # no audio plays, or the engine is late
        words, size = self._segment.words, self._block_size
        slot = words[Host.PLAYING]
        if slot not in range(SLOTS):
            return now >= opens + self._deadline
        posted = words[Host.POSTED_NS] * 1e-9
        frame = words[Host.IN_END] + int((due - posted) * self._sample_rate)
        block = (frame + self._lag) // size * size
        done: int = words[engine_word(slot) + Engine.OUT_END] + self._lag
        return done >= block

    def close(self) -> None:
        """Lets go of the memory."""
        self._segment.close()


@dataclass(order=True)
class Held:
    """What waits for its time."""

    timetag: int
    number: int
    messages: Sequence[bytes] = field(compare=False)
    peer: Peer = field(compare=False)


class Schedule:
    """Bundles in the order of their times."""

    def __init__(self) -> None:
        self._held: list[Held] = []
        self._messages = 0
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, timetag: int, messages: Sequence[bytes], peer: Peer) -> float:
        """Holds messages until their time; what is late is due at once.

        Returns:
            Seconds that they come too late; negative while there is time.

        Raises:
            MessageError: if they are too far ahead, or too many wait already.
        """
        late = time.time() - seconds_of(timetag)
        if -late > MAX_SECONDS_AHEAD:
            raise MessageError(
                f"A bundle is for {-late:.0f} s ahead of this machine's clock: give at most "
                f"{MAX_SECONDS_AHEAD:.0f} s, or set the clocks by each other."
            )
        if len(self._held) >= MAX_BUNDLES or self._messages + len(messages) > MAX_HELD_MESSAGES:
            raise MessageError(
                f"{len(self._held)} bundles wait for their time already: send them later."
            )
        heapq.heappush(self._held, Held(timetag, next(self._numbers), messages, peer))
        self._messages += len(messages)
        return late

    def due(self, clock: EngineClock | None) -> Held | None:
        """Returns what is to be done now, one bundle at a time; None if there is nothing."""
        if not self._held:
            return None
        due = self._monotonic(self._held[0].timetag)
        if not (time.perf_counter() >= due if clock is None else clock.is_time(due)):
            return None
        held = heapq.heappop(self._held)
        self._messages -= len(held.messages)
        return held

    def seconds_to_next(self, clock: EngineClock | None) -> float | None:
        """Returns how long to wait before `due` is asked again; None while nothing waits."""
        if not self._held:
            return None
        due = self._monotonic(self._held[0].timetag)
        opens = due if clock is None else clock.opens(due)
        return max(opens - time.perf_counter(), _NEAR_SECONDS)

    def _monotonic(self, timetag: int) -> float:
        """The time of a timetag on the clock that never jumps, as the wall clock stands now."""
        return time.perf_counter() + seconds_of(timetag) - time.time()
