"""The paced link: what it counts as late, and how it knows when the engine was through."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import paced
from benchmarks.paced import Recorder, play_paced
from engine import HostConfig
from engine.worker.layout import TIMINGS, Engine, Host, engine_word

CONFIG = HostConfig(44_100, 441, 2)  # blocks of 10 ms
DEADLINE = CONFIG.deadline
MODEL_LATENCY = 64


class FakeTime:
    """A clock that moves only when someone sleeps or computes."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


class FakePlayer:
    """Takes for block i as many deadlines as it is told; is heard `listens` times."""

    def __init__(self, clock: FakeTime, costs: list[float], listens: int = 1000) -> None:
        self.clock = clock
        self.costs = iter(costs)
        self.listens = listens
        self.taken: list[float] = []

    def play(self) -> None:
        self.taken.append(self.clock.now)
        self.clock.now += next(self.costs) * DEADLINE

    def tell(self) -> bool:
        self.listens -= 1
        return self.listens > 0


class FakeRecorder:
    def __init__(self) -> None:
        self.late: list[float] = []

    def note(self, due: float, begin: float, end: float) -> None:
        self.late.append((begin - due) / DEADLINE)


def play(
    monkeypatch: pytest.MonkeyPatch, costs: list[float], listens: int = 1000
) -> tuple[int, list[float], list[float]]:
    """Returns the blocks left out, and when each was taken and how late, in deadlines."""
    clock = FakeTime()
    monkeypatch.setattr(paced, "time", clock)
    player, recorder = FakePlayer(clock, costs, listens), FakeRecorder()
    left_out = play_paced(player, recorder, DEADLINE, len(costs))  # type: ignore[arg-type]
    taken = [(moment - player.taken[0]) / DEADLINE for moment in player.taken]
    return left_out, taken, recorder.late


@pytest.mark.parametrize(
    ("costs", "left_out", "taken", "late"),
    [
        ([0.1, 0.1, 0.1, 0.1], 0, [0, 1, 2, 3], [0, 0, 0, 0]),
        ([0.0, 0.9, 0.0, 0.0], 0, [0, 1, 2, 3], [0, 0, 0, 0]),
        ([0.1, 1.5, 0.2, 0.1], 0, [0, 1, 2.5, 3], [0, 0, 0.5, 0]),  # late, then caught up
        ([0.1, 7.5, 0.2, 0.1], 6, [0, 1, 8.5, 9], [0, 0, 0.5, 0]),  # as a sound card goes on
    ],
)
def test_blocks_come_at_the_clock_and_those_slept_through_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
    costs: list[float],
    left_out: int,
    taken: list[float],
    late: list[float],
) -> None:
    found = play(monkeypatch, costs)
    assert found[0] == left_out
    np.testing.assert_allclose(found[1], taken, atol=1e-6)
    np.testing.assert_allclose(found[2], late, atol=1e-6)


def test_it_stops_when_nobody_listens_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(play(monkeypatch, [0.1] * 10, listens=4)[1]) == 4


def simulate(
    monkeypatch: pytest.MonkeyPatch, costs: np.ndarray
) -> tuple[Recorder, np.ndarray, np.ndarray]:
    """Runs a recorder beside an engine that takes block i as long as costs[i], in deadlines.

    Returns:
        The recorder, and by block the true moments of hand-over and of its output being there.
    """
    blocks = len(costs)
    rng = np.random.default_rng(1)
    handed_over = 50.0 + DEADLINE * (np.arange(blocks) + rng.uniform(0, 0.1, blocks))
    looked = handed_over + 0.02 * DEADLINE
    published, since_newest = np.zeros(blocks), np.zeros(blocks)
    free = 0.0
    for block in range(blocks):
        begin = max(handed_over[block], free)
        newest = np.searchsorted(handed_over, begin, side="right") - 1
        free = published[block] = begin + costs[block] * DEADLINE
        since_newest[block] = free - handed_over[newest]

    out_end = engine_word(0) + Engine.OUT_END
    words = [0] * 128
    words[out_end] = -MODEL_LATENCY
    segment = SimpleNamespace(
        words=words,
        timings=[np.zeros((TIMINGS, 2)) for _ in range(2)],
        layout=SimpleNamespace(config=CONFIG),
    )
    clock = FakeTime()
    monkeypatch.setattr(paced, "time", clock)
    recorder = Recorder(segment, blocks)  # type: ignore[arg-type]
    done = 0
    for block in range(blocks):
        words[Host.POSTED_NS] = round(handed_over[block] * 1e9)
        ready = int(np.searchsorted(published, looked[block], side="right"))
        for number in range(done, ready):
            segment.timings[0][number % TIMINGS] = since_newest[number], costs[number] * DEADLINE
        done = ready
        words[out_end] = done * CONFIG.block_size - MODEL_LATENCY
        clock.now = looked[block]
        recorder.note(0.0, handed_over[block], looked[block])
    for number in range(done, blocks):
        segment.timings[0][number % TIMINGS] = since_newest[number], costs[number] * DEADLINE
    return recorder, handed_over, published


@pytest.mark.parametrize(("load", "blocks"), [(0.3, 9000), (0.9, 2000), (1.3, 600)])
def test_turn_around_is_never_understated_however_far_the_engine_lags(
    monkeypatch: pytest.MonkeyPatch, load: float, blocks: int
) -> None:
    costs = load * np.random.default_rng(0).lognormal(-0.1, 0.5, blocks)
    recorder, handed_over, published = simulate(monkeypatch, costs)
    timings = recorder.finish()
    np.testing.assert_allclose(timings.compute, costs * DEADLINE, atol=1e-9)
    true = published - handed_over
    excess = (timings.turn_around - true) / DEADLINE
    assert excess.min() > -1e-6
    assert excess.max() < 1.2
    prompt = published < np.append(handed_over[1:], np.inf)
    np.testing.assert_allclose(excess[prompt], 0, atol=1e-6)
    assert np.mean(excess < 1e-6) > 0.9
    lagging = true > 2 * DEADLINE
    assert lagging.any() == (load > 0.5)


def test_blocks_that_the_engine_let_go_have_no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = np.full(10, 0.3)
    let_go = [4, 9]
    recorder, _, _ = simulate(monkeypatch, costs)
    recorder._segment.timings[0][let_go] = np.nan
    timings = recorder.finish()
    for times in (timings.compute, timings.turn_around):
        assert np.flatnonzero(np.isnan(times)).tolist() == let_go
    for times in (timings.late, timings.call):
        assert not np.isnan(times).any()
