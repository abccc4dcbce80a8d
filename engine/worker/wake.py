"""How one process wakes another that waits for a block, without a socket and without a lock.

A bell is a counter in shared memory. Who rings it counts it up and, only if somebody has said that
he waits, asks the system to wake him; who waits says so, looks at the counter once more, and sleeps
until it moves:

    ringer      data ... counter += 1 ... fence ... waiting? -> wake
    waiter      waiting = 1 ... fence ... counter still as seen? -> sleep

Linux sleeps on the counter itself (futex). Other systems with timed POSIX semaphores use those,
named after the segment. Where there is neither (macOS and Windows know no such wait), the waiter
looks every 0.2 ms.
"""

import ctypes
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Protocol

from engine.worker.layout import SLOTS, Engine, Host, engine_word
from engine.worker.segment import Segment

_FUTEX_CALLS = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "armv7l": 240, "i686": 240}
_FUTEX_WAIT, _FUTEX_WAKE = 0, 1
_EVERYBODY = 2**31 - 1
_LOOK_SECONDS = 0.0002


class _Barrier(threading.local):
    """A lock of each thread's own, always held."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()


_barrier = _Barrier()


def fence() -> None:
    """Lets no write before it be seen after a write behind it, nor a read the other way round.

    Letting go of a lock is a release and taking it is an acquire; one after the other they are a
    full barrier on every processor that Python runs on, and cost 0.1 us.
    """
    lock = _barrier.lock
    lock.release()
    lock.acquire()


class Sleeper(Protocol):
    """How one waiter sleeps on a counter, and how he is woken."""

    def sleep(self, seen: int, seconds: float) -> None:
        """Sleeps until woken, for a while at most; may return at once if not as `seen`."""
        ...

    def wake(self) -> None:
        """Wakes him. Short; never waits."""
        ...


class Bell:
    """A counter that can be waited for.

    Args:
        segment: that holds it.
        count: its word; one side alone rings it.
        waiters: a word for each waiter, in which he says that he waits.
        sleeper: makes, from segment, counter and waiter, what they sleep with; by default the best
            that this system has.
    """

    def __init__(
        self,
        segment: Segment,
        count: int,
        waiters: Sequence[int],
        sleeper: Callable[[Segment, int, int], Sleeper] | None = None,
    ) -> None:
        make = sleeper or best_sleeper()
        self._words = segment.words
        self._count = count
        self._waiters = tuple(waiters)
        self._sleepers = tuple(make(segment, count, waiter) for waiter in waiters)

    @property
    def count(self) -> int:
        """How often it rang; to be read before looking whether there is anything to do."""
        return self._words[self._count]

    def ring(self) -> None:
        """Counts up, and wakes who waits."""
        words = self._words
        words[self._count] = (words[self._count] + 1) & 0x7FFFFFFF
        fence()
        for waiter, sleeper in zip(self._waiters, self._sleepers, strict=True):
            if words[waiter]:
                sleeper.wake()

    def wait(self, waiter: int, seen: int, seconds: float) -> None:
        """Sleeps until the bell has rung since it was `seen`.

        Args:
            waiter: which of the waiters this is.
            seen: the count that the waiter knows.
            seconds: the longest sleep. May return earlier for no reason.
        """
        words, word = self._words, self._waiters[waiter]
        words[word] = 1
        fence()
        if words[self._count] == seen:
            self._sleepers[waiter].sleep(seen, seconds)
        words[word] = 0


def engines_bell(segment: Segment) -> Bell:
    """Returns the bell that the link rings and the engines wait for; each slot is a waiter."""
    waiters = [engine_word(slot) + Engine.IS_WAITING for slot in range(SLOTS)]
    return Bell(segment, Host.BELL, waiters)


def host_bell(segment: Segment, slot: int) -> Bell:
    """Returns the bell that an engine rings and the link, waiter 0, waits for."""
    return Bell(segment, engine_word(slot) + Engine.BELL, [Host.IS_WAITING])


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

    @classmethod
    def of(cls, seconds: float) -> "_Time":
        whole = int(seconds)
        return cls(whole, int((seconds - whole) * 1e9))


class Futex:
    """Sleeps on the low 4 bytes of the counter. Linux."""

    def __init__(self, segment: Segment, count: int, waiter: int) -> None:
        del waiter
        self._call = ctypes.c_long(_FUTEX_CALLS[platform.machine()])
        self._address = ctypes.c_void_p(segment.address + 8 * count)
        # Sleeping gives Python's lock away. Waking keeps it: it takes 2 us, and taking the lock
        # back from a busy thread may take a thousand times as long.
        self._sleep = ctypes.CDLL(None).syscall
        self._wake = ctypes.PyDLL(None).syscall

    @staticmethod
    def works() -> bool:
        """Whether this system has it."""
        return (
            sys.platform == "linux"
            and platform.machine() in _FUTEX_CALLS
            and sys.byteorder == "little"
        )

    def sleep(self, seen: int, seconds: float) -> None:
        """Sleeps, unless the counter has moved already."""
        time_left = ctypes.byref(_Time.of(seconds))
        wait, value = ctypes.c_int(_FUTEX_WAIT), ctypes.c_uint32(seen)
        self._sleep(self._call, self._address, wait, value, time_left, None, ctypes.c_int(0))

    def wake(self) -> None:
        """Wakes everybody who sleeps on the counter."""
        wake, number = ctypes.c_int(_FUTEX_WAKE), ctypes.c_int(_EVERYBODY)
        self._wake(self._call, self._address, wake, number, None, None, ctypes.c_int(0))


class Semaphore:
    """Sleeps on a named POSIX semaphore."""

    def __init__(self, segment: Segment, count: int, waiter: int) -> None:
        self._library = _semaphores()
        handle = self._library.sem_open(
            self.name(segment, count, waiter), os.O_CREAT, ctypes.c_uint(0o600), ctypes.c_uint(0)
        )
        if not handle:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        self._handle = ctypes.c_void_p(handle)

    @staticmethod
    def works() -> bool:
        """Whether this system has them, with a wait that ends."""
        try:
            return bool(_semaphores().sem_timedwait)
        except (AttributeError, OSError, TypeError):
            return False

    @staticmethod
    def name(segment: Segment, count: int, waiter: int) -> bytes:
        """Returns the name under which the system knows it."""
        return f"/{segment.path.name}-{count}-{waiter}".encode()

    def sleep(self, seen: int, seconds: float) -> None:
        """Sleeps until somebody wakes it, or has since the last time."""
        del seen
        until = time.time() + seconds  # the one clock that this call knows
        self._library.sem_timedwait(self._handle, ctypes.byref(_Time.of(until)))

    def wake(self) -> None:
        """Wakes the sleeper, or lets his next sleep end at once."""
        self._library.sem_post(self._handle)


class Poll:
    """Looks at the counter again and again."""

    def __init__(self, segment: Segment, count: int, waiter: int) -> None:
        del waiter
        self._words = segment.words
        self._count = count

    def sleep(self, seen: int, seconds: float) -> None:
        """Looks every 0.2 ms."""
        until = time.monotonic() + seconds
        while self._words[self._count] == seen and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def wake(self) -> None:
        """Has nothing to do: who looks will see."""


@cache
def best_sleeper() -> Callable[[Segment, int, int], Sleeper]:
    """Returns what this system sleeps with."""
    if Futex.works():
        return Futex
    return Semaphore if Semaphore.works() else Poll


def forget_sleepers(segment: Segment) -> None:
    """Removes from the system what sleepers of a segment have left there."""
    if best_sleeper() is not Semaphore:
        return
    for slot in range(SLOTS):
        engine = engine_word(slot)
        for count, waiter in (
            (Host.BELL, engine + Engine.IS_WAITING),
            (engine + Engine.BELL, Host.IS_WAITING),
        ):
            _semaphores().sem_unlink(Semaphore.name(segment, count, waiter))


@cache
def _semaphores() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.sem_open.restype = ctypes.c_void_p
    return library
