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
        # Of blocks that the engine lets go, the log says nothing.
        self._compute, self._published = np.full((2, blocks), np.nan)
        self._copied = self._blocks = 0

    def note(self, due: float, begin: float, end: float) -> None:
        """Notes one block: when it was due, taken and given back, in seconds."""
        block = self._blocks
        self._late[block], self._call[block] = begin - due, end - begin
        self._handed_over[block] = self._words[Host.POSTED_NS] * 1e-9
        self._blocks += 1
        if self._logged - self._copied >= _COPY_BLOCKS:
            self._copy_log()

    def finish(self) -> Timings:
        """Returns the timings of all blocks, as soon as the engine is through with the last."""
        blocks = slice(self._blocks)
        until = time.perf_counter() + _PATIENCE
        while time.perf_counter() < until and self._blocks:
            self._copy_log()
            if not np.isnan(self._published[self._blocks - 1]):
                break
            time.sleep(0.01)
        turn_around = self._published[blocks] - self._handed_over[blocks]
        return Timings(self._late[blocks], self._call[blocks], self._compute[blocks], turn_around)

    @property
    def _logged(self) -> int:
        return self._words[self._engine + Engine.BLOCKS]

    def _copy_log(self) -> None:
        logged = self._logged
        rows = self._log[np.arange(self._copied, logged) % TIMINGS]
        blocks = rows[:, 0].astype(np.int64) // self._size
        known = blocks < len(self._published)
        self._published[blocks[known]] = rows[known, 1]
        self._compute[blocks[known]] = rows[known, 2]
        self._copied = logged


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
