"""Whoever waits for a bell is woken by it, and no ring is ever missed."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine import HostConfig
from engine.worker.layout import Engine, Host, Layout, engine_word
from engine.worker.segment import Segment
from engine.worker.wake import (
    Bell,
    Futex,
    Poll,
    Semaphore,
    best_sleeper,
    fence,
    forget_sleepers,
)

ROOT = Path(__file__).resolve().parents[3]
WAITERS = [engine_word(slot) + Engine.IS_WAITING for slot in (0, 1)]
SLEEPERS = [
    pytest.param(kind, marks=pytest.mark.skipif(not works, reason="not on this system"))
    for kind, works in ((Futex, Futex.works()), (Semaphore, Semaphore.works()), (Poll, True))
]
_OTHER_PROCESS = """
import sys
from engine.worker.layout import Host
from engine.worker.segment import Segment
from engine.worker import wake
kind, waiters = getattr(wake, sys.argv[2]), [int(word) for word in sys.argv[3:]]
segment = Segment.attach(sys.argv[1])
bell = wake.Bell(segment, Host.BELL, waiters, kind)
seen = 0
print("here", flush=True)
while seen < 200:
    bell.wait(1, seen, 20.0)
    if bell.count > seen:
        seen += 1
        print(seen, flush=True)
"""


@pytest.fixture
def segment():
    layout = Layout.of(HostConfig(44_100, 64, 1), ["drums"], 0, 64)
    made = Segment.create(layout, is_direct=False, quantum=64)
    yield made
    made.unlink()
    made.close()


@pytest.fixture(autouse=True)
def clean_semaphores(segment):
    yield
    for waiter in WAITERS:
        name = Path("/dev/shm/sem." + Semaphore.name(segment, Host.BELL, waiter).decode()[1:])
        name.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", SLEEPERS)
def test_no_ring_is_missed_between_processes(segment, kind):
    bell = Bell(segment, Host.BELL, WAITERS, kind)
    words = [str(word) for word in WAITERS]
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER_PROCESS, str(segment.path), kind.__name__, *words],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with other:
        assert other.stdout.readline() == "here\n"
        begin = time.monotonic()
        for number in range(1, 201):
            bell.ring()
            assert other.stdout.readline() == f"{number}\n"
        # One missed ring would have cost 20 seconds.
        assert time.monotonic() - begin < 15
    assert other.returncode == 0


@pytest.mark.parametrize("kind", SLEEPERS)
def test_a_wait_ends_by_itself(segment, kind):
    bell = Bell(segment, Host.BELL, WAITERS, kind)
    begin = time.monotonic()
    bell.wait(0, bell.count, 0.05)
    assert 0.02 < time.monotonic() - begin < 5


@pytest.mark.parametrize("kind", SLEEPERS)
def test_a_ring_before_the_wait_is_not_slept_through(segment, kind):
    bell = Bell(segment, Host.BELL, WAITERS, kind)
    seen = bell.count
    bell.ring()
    begin = time.monotonic()
    bell.wait(0, seen, 20.0)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("kind", SLEEPERS)
def test_both_waiters_are_woken(segment, kind):
    bell = Bell(segment, Host.BELL, WAITERS, kind)
    seen = bell.count
    waiters = [threading.Thread(target=bell.wait, args=(number, seen, 20.0)) for number in (0, 1)]
    begin = time.monotonic()
    for waiter in waiters:
        waiter.start()
    while not all(segment.words[word] for word in WAITERS):
        time.sleep(0.001)
    time.sleep(0.02)
    bell.ring()
    for waiter in waiters:
        waiter.join()
    assert time.monotonic() - begin < 10


def test_ringing_where_nobody_waits_asks_the_system_nothing(segment):
    woken = []

    class Counting(Poll):
        def wake(self) -> None:
            woken.append(self)

    bell = Bell(segment, Host.BELL, WAITERS, Counting)
    bell.ring()
    assert woken == []
    segment.words[WAITERS[1]] = 1
    bell.ring()
    assert len(woken) == 1


def test_garbage_in_the_counter_is_survived(segment):
    bell = Bell(segment, Host.BELL, WAITERS)
    for value in (-1, 2**63 - 1, -(2**63), 2**31 - 1):
        segment.words[Host.BELL] = value
        bell.ring()
        bell.wait(0, bell.count, 0.001)


def test_sleepers_leave_nothing_in_the_system(segment, monkeypatch):
    monkeypatch.setattr("engine.worker.wake.best_sleeper", lambda: Semaphore)
    Bell(segment, Host.BELL, WAITERS)
    left = [Path(f"/dev/shm/sem.{segment.path.name}-{Host.BELL.value}-{word}") for word in WAITERS]
    if not all(path.exists() for path in left):
        pytest.skip("this system keeps its semaphores elsewhere")
    forget_sleepers(segment)
    assert not any(path.exists() for path in left)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has the futex")
def test_linux_sleeps_on_the_counter_itself():
    assert best_sleeper() is Futex


def test_threads_of_one_process_fence_without_each_other():
    failures = []

    def run() -> None:
        try:
            for _ in range(20_000):
                fence()
        except RuntimeError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
