"""Playing at the pace of the audio clock, and noting when what happened to each block.

    time          0         1         2         3         blocks
    due           | 0       | 1       | 2
    call          [=]       [=]        [=]                in the link; here block 2 is taken late
    compute         [===]     [=]        [=========]      in the engine
    turn-around   |-----|   |---|      |-----------|

Where the link itself is late by a block or more, the clock goes on without those blocks, as a sound
card's does.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.link import Task
from benchmarks.playing import Player
from engine.realtime import enter_realtime
from engine.worker import Exchange
from engine.worker.layout import TIMINGS, Engine, Host, Wish, engine_word
from engine.worker.segment import Segment
from plugin_host.links.line import Line

Reals = NDArray[np.float64]

_LEAD_IN = 0.05  # seconds before the first block is due
_COPY_BLOCKS = 512  # after so many the engine's log is copied, before it is overwritten
_PATIENCE = 2.0  # seconds that the engine has for the last blocks


@dataclass(frozen=True)
class Timings:
    """When what happened to each block, `(blocks,)` each, in seconds.

    Attributes:
        late: from the block being due to being taken.
        call: that the callback took.
        compute: that the engine took; NaN where it let the block go.
        turn_around: from the block being handed over to its output being there; NaN likewise.
    """

    late: Reals
    call: Reals
    compute: Reals
    turn_around: Reals


class Recorder:
    """Notes when what happened, without waiting and in memory that is there beforehand.

    The engine keeps a log of the blocks that it has computed. Which blocks those are follows from
    what this process sees whenever it looks: how far the output is there, and how long the log is.

    Args:
        segment: of a session that has played nothing yet.
        blocks: how many there will be.
    """

    def __init__(self, segment: Segment, blocks: int) -> None:
        self._words, self._size = segment.words, segment.layout.config.block_size
        slot = 1 if self._words[Wish.SLOT] == 1 else 0
        self._engine, self._log = engine_word(slot), segment.timings[slot]
        self._late, self._call = np.zeros(blocks), np.zeros(blocks)
        self._handed_over = np.zeros(blocks)
        # Of each look, one after each block and one at the end:
        self._looked = np.zeros(blocks + 1)
        self._out_end = np.zeros(blocks + 1, np.int64)
        self._computed = np.zeros(blocks + 1, np.int64)
        self._copy = np.zeros((blocks, 2))  # of the log
        self._copied = self._blocks = 0
        self._out_start = self._words[self._engine + Engine.OUT_END]

    def note(self, due: float, begin: float, end: float) -> None:
        """Notes one block: when it was due, taken and given back, in seconds."""
        block = self._blocks
        self._late[block], self._call[block] = begin - due, end - begin
        self._handed_over[block] = self._words[Host.POSTED_NS] * 1e-9
        self._look()
        self._blocks += 1

    def finish(self) -> Timings:
        """Returns the timings of all blocks, as soon as the engine is through with the last."""
        blocks = slice(self._blocks)
        until = time.perf_counter() + _PATIENCE
        while self._ready_now() < self._blocks and time.perf_counter() < until:
            time.sleep(0.01)
        time.sleep(0.01)  # the log is written after the output
        self._look(copy=True)
        since_newest, compute = self._logged().T
        turn_around = self._published(since_newest) - self._handed_over[blocks]
        return Timings(self._late[blocks], self._call[blocks], compute, turn_around)

    def _look(self, *, copy: bool = False) -> None:
        look = self._blocks
        self._out_end[look] = self._words[self._engine + Engine.OUT_END]
        self._computed[look] = computed = self._words[self._engine + Engine.BLOCKS]
        self._looked[look] = time.perf_counter()
        if copy or computed - self._copied >= _COPY_BLOCKS:
            rows = np.arange(self._copied, min(computed, len(self._copy)))
            self._copy[rows] = self._log[rows % TIMINGS]
            self._copied = computed

    def _ready_now(self) -> int:
        return (self._words[self._engine + Engine.OUT_END] - self._out_start) // self._size

    def _ready(self) -> NDArray[np.int64]:
        """Returns how many blocks were ready, or let go, at each look."""
        out_end = self._out_end[: self._blocks + 1]
        return np.maximum.accumulate(out_end - self._out_start) // self._size

    def _logged(self) -> Reals:
        """Returns the log's rows `(blocks, 2)`; NaN for blocks that the engine let go.

        Between two looks those are taken to come after the first one that it has computed: when it
        is through with a block that took too long, it sees that it is late.
        """
        ready = np.minimum(self._ready(), self._blocks)
        missing = np.maximum(ready - self._computed[: self._blocks + 1], 0)
        # The log is a moment behind the output; what is missing for good stays missing.
        missing = np.minimum.accumulate(missing[::-1])[::-1]
        is_there = np.arange(self._blocks) < ready[-1]
        for look in 1 + np.flatnonzero(np.diff(missing)):
            let_go = missing[look] - missing[look - 1]
            first = ready[look - 1] + (ready[look] - ready[look - 1] > let_go)
            is_there[first : first + let_go] = False
        rows = np.full((self._blocks, 2), np.nan)
        there = np.flatnonzero(is_there)[: self._copied]
        rows[there] = self._copy[: len(there)]
        return rows

    def _published(self, since_newest: Reals) -> Reals:
        """Returns when the output of each block was there.

        The engine tells how long that was after the newest block at that time had been handed over,
        which is a later block than the one it computed if it lags behind. Which one it was follows
        from what the looks show:

            handed over      0       1       2       3
            looked            -       -       -       0      what was there then
            published                           0            before the first look that found it

        Where two blocks fit, because they did not come evenly, it is the later one: a time may be
        too long by a block, never too short.
        """
        blocks, numbers = slice(self._blocks), np.arange(self._blocks)
        handed_over = self._handed_over[blocks]
        first_look = np.searchsorted(self._ready(), numbers, side="right")
        found = self._looked[np.minimum(first_look, self._blocks)]
        newest = np.searchsorted(handed_over, found - since_newest, side="right") - 1
        newest = np.clip(newest, numbers, self._blocks - 1)
        published: Reals = handed_over[newest] + since_newest
        return published


def play_paced(player: Player, recorder: Recorder, deadline: float, blocks: int) -> int:
    """Plays at the audio clock.

    Args:
        player: plays a block.
        recorder: notes it.
        deadline: seconds that a block lasts.
        blocks: how many.

    Returns:
        How many blocks of the clock were left out, because this process was late itself.
    """
    left_out = 0
    due = time.perf_counter() + _LEAD_IN
    for _ in range(blocks):
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        missed = int((begin - due) / deadline)
        left_out += missed
        due += missed * deadline
        player.play()
        recorder.note(due, begin, time.perf_counter())
        due += deadline
        if not player.tell():
            break
    return left_out


def run_paced(task: Task, line: Line) -> dict[str, Any]:
    """The job "paced": writes `Timings` to the task's file; returns counts.

    Raises:
        WorkerError: if there is no such session.
    """
    segment = Segment.attach(task.segment)
    exchange = Exchange.attach(task.segment)
    player, recorder = Player(exchange, line), Recorder(segment, task.blocks)
    notes = enter_realtime(task.priority)
    left_out = play_paced(player, recorder, exchange.config.deadline, task.blocks)
    underruns = exchange.underruns
    np.savez(task.timings, **asdict(recorder.finish()))
    return {"underruns": underruns, "left_out": left_out, "notes": notes}
