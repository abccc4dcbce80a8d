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
_GATHER = 512  # blocks after which the engine's timings are copied, before they are overwritten
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

    Args:
        segment: of a session that has played nothing yet, and whose timings nobody else reads.
        blocks: how many there will be.
    """

    def __init__(self, segment: Segment, blocks: int) -> None:
        self._segment = segment
        self._late, self._call = np.zeros(blocks), np.zeros(blocks)
        self._handed_over, self._looked = np.zeros(blocks), np.zeros(blocks)
        self._out_end = np.zeros(blocks, np.int64)
        self._engine = np.full((blocks, 2), np.nan)
        self._blocks = self._gathered = 0
        self._out_start = self._words[self._word(Engine.OUT_END)]
        for timings in segment.timings:
            timings.fill(np.nan)

    def note(self, due: float, begin: float, end: float) -> None:
        """Notes one block: when it was due, taken and given back, in seconds."""
        block = self._blocks
        self._late[block], self._call[block] = begin - due, end - begin
        self._handed_over[block] = self._words[Host.POSTED_NS] * 1e-9
        self._out_end[block] = self._words[self._word(Engine.OUT_END)]
        self._looked[block] = time.perf_counter()
        self._blocks += 1
        if self._blocks - self._gathered >= 2 * _GATHER:
            self._gather(self._gathered + _GATHER)

    def finish(self) -> Timings:
        """Returns the timings of all blocks, as soon as the engine is through with the last."""
        until = time.perf_counter() + _PATIENCE
        last = self._timings[(self._blocks - 1) % TIMINGS]
        while np.isnan(last).any() and time.perf_counter() < until:
            time.sleep(0.01)
        self._gather(self._blocks)
        blocks = slice(self._blocks)
        since_newest, compute = self._engine[blocks].T
        turn_around = self._published(since_newest) - self._handed_over[blocks]
        return Timings(self._late[blocks], self._call[blocks], compute, turn_around)

    def _published(self, since_newest: Reals) -> Reals:
        """Returns when the output of each block was there.

        The engine tells how long that was after the newest block at that time had been handed over,
        which is a later block than the one it computed if it lags behind. Which one it was follows
        from what the output index showed whenever this process looked:

            handed over      0       1       2       3
            looked            -       -       -       0      what was there then
            published                           0            before the first look that found it

        Where two blocks fit, because they did not come evenly, it is the later one: a time may be
        too long by a block, never too short.
        """
        blocks, numbers = slice(self._blocks), np.arange(self._blocks)
        handed_over, looked = self._handed_over[blocks], self._looked[blocks]
        size = self._segment.layout.config.block_size
        ready = np.maximum.accumulate(self._out_end[blocks] - self._out_start) // size
        first_look = np.searchsorted(ready, numbers, side="right")
        found = np.append(looked, np.inf)[first_look]
        newest = np.searchsorted(handed_over, found - since_newest, side="right") - 1
        published: Reals = handed_over[np.maximum(newest, numbers)] + since_newest
        return published

    @property
    def _words(self) -> memoryview:
        return self._segment.words

    def _word(self, word: Engine) -> int:
        return engine_word(self._slot) + word

    @property
    def _slot(self) -> int:
        return 1 if self._words[Wish.SLOT] == 1 else 0

    @property
    def _timings(self) -> Reals:
        return self._segment.timings[self._slot]

    def _gather(self, end: int) -> None:
        """Copies the engine's timings up to a block, and marks their places as read."""
        timings = self._timings
        while self._gathered < end:
            start = self._gathered % TIMINGS
            count = min(end - self._gathered, TIMINGS - start)
            rows = timings[start : start + count]
            self._engine[self._gathered : self._gathered + count] = rows
            rows.fill(np.nan)
            self._gathered += count


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
