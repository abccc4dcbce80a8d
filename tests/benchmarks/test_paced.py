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


class Simulation:
    """A recorder beside an engine that takes block i as long as costs[i], in deadlines.

    Args:
        costs: `(blocks,)`.
        patience: blocks that the engine may lag behind before it lets the older ones go.

    Attributes:
        timings: what the recorder has found.
        handed_over: the true moment of each block.
        published: the true moment of its output being there; NaN if it was let go.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, costs: np.ndarray, patience: int = 10**6
    ) -> None:
        blocks = len(costs)
        jitter = np.random.default_rng(1).uniform(0, 0.1, blocks)
        self.handed_over = 50.0 + DEADLINE * (np.arange(blocks) + jitter)
        self.published = np.full(blocks, np.nan)
        log = self._compute(costs, patience)

        self.engine = engine_word(0)
        self.words = [0] * 128
        segment = SimpleNamespace(
            words=self.words,
            timings=[np.zeros((TIMINGS, 3)) for _ in range(2)],
            layout=SimpleNamespace(config=CONFIG),
        )
        self.rows = segment.timings[0]
        clock = FakeTime()
        monkeypatch.setattr(paced, "time", clock)
        recorder = Recorder(segment, blocks)  # type: ignore[arg-type]
        for handed_over in self.handed_over:
            self.words[Host.POSTED_NS] = round(handed_over * 1e9)
            clock.now = handed_over + 0.02 * DEADLINE
            self._show(log, clock.now)
            recorder.note(0.0, handed_over, clock.now)
        clock.now = 1e4
        self._show(log, clock.now)
        self.timings = recorder.finish()

    def _compute(self, costs: np.ndarray, patience: int) -> list[tuple[int, float, float]]:
        """Returns the engine's log: where each block begins, when it was published, its cost."""
        log = []
        free, block = 0.0, 0
        while block < len(costs):
            begin = max(self.handed_over[block], free)
            newest = int(np.searchsorted(self.handed_over, begin, side="right")) - 1
            if newest - block > patience:
                block = newest
            free = self.published[block] = begin + costs[block] * DEADLINE
            log.append((block * CONFIG.block_size, free, costs[block] * DEADLINE))
            block += 1
        return log

    def _show(self, log: list[tuple[int, float, float]], now: float) -> None:
        """Lets the shared memory be as it is at a moment."""
        computed = self.words[self.engine + Engine.BLOCKS]
        while computed < len(log) and log[computed][1] <= now:
            self.rows[computed % TIMINGS] = log[computed]
            computed += 1
        self.words[self.engine + Engine.BLOCKS] = computed


@pytest.mark.parametrize(("load", "blocks"), [(0.3, 9000), (0.9, 2000), (1.3, 600)])
def test_every_block_has_its_own_times_however_far_the_engine_lags(
    monkeypatch: pytest.MonkeyPatch, load: float, blocks: int
) -> None:
    costs = load * np.random.default_rng(0).lognormal(-0.1, 0.5, blocks)
    run = Simulation(monkeypatch, costs)
    true = run.published - run.handed_over
    np.testing.assert_allclose(run.timings.compute, costs * DEADLINE, atol=1e-9)
    np.testing.assert_allclose(run.timings.turn_around, true, atol=1e-6)
    assert (true > 2 * DEADLINE).any() == (load > 0.5)


@pytest.mark.parametrize("stalls", [(), (100,), (100, 101, 300)])
def test_blocks_that_the_engine_let_go_have_no_times(
    monkeypatch: pytest.MonkeyPatch, stalls: tuple[int, ...]
) -> None:
    costs = np.full(500, 0.3)
    costs[list(stalls)] = 19.5
    run = Simulation(monkeypatch, costs, patience=3)
    let_go = np.isnan(run.published)
    assert let_go.any() == bool(stalls)
    np.testing.assert_array_equal(np.isnan(run.timings.compute), let_go)
    np.testing.assert_allclose(run.timings.turn_around, run.published - run.handed_over, atol=1e-6)
    assert not np.isnan(run.timings.late).any()
