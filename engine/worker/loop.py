"""The engine's real-time loop: from the input ring to an output ring, block by block.

The loop stands at a position on a grid: of the host's blocks if they are all alike, else of a
quantum (layout: `QUANTUM`). What it does next follows from how far the host has come, and from
nothing else:

    less than a quantum to do       sleep until the host rings
    a quantum or more               compute up to a block; its output goes to where its input was
    the output would be too late    skip to the first quantum that can still be heard

"Too late" is what the host has played already, all that is older than the worker's share of the
latency. A little of it is computed all the same where that takes less than one block's time: then
the stream goes on as if nothing had happened, which a skip cannot offer. An engine that starts in
the middle begins in the past, to warm up on what has been played, and works its way to now.

Nothing in here trusts the host: a position that no host can have makes the loop start anew there.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.controls import ControlTable, controls_for
from engine.desk import Desk
from engine.fifo import Samples
from engine.meters import Meters
from engine.rack import Rack
from engine.separator import Separator
from engine.worker.layout import NOWHERE, TIMINGS, Constant, Engine, Host, count_up, engine_word
from engine.worker.rings import read_ring, write_ring
from engine.worker.segment import Segment
from engine.worker.wake import engines_bell, fence, host_bell

IDLE_SECONDS = 0.05  # the longest sleep: so often an engine without work shows that it lives
_LOAD_SMOOTHING = 0.02  # of a new block in the load: an average over about 50 blocks
_INPUT, _MIX = 0, 1  # rows of the meters; the stems follow


class EngineLoop:
    """One engine in one slot of a segment.

    Args:
        segment: mapped.
        slot: that is this engine's.
        separator: prepared for the segment's host.
        rack: processors for the stems and the mix, loaded for the segment's host; None for none.
        past: frames before now to begin with.
        spin: whether to look for work all the time instead of sleeping; takes a core.
    """

    def __init__(
        self,
        segment: Segment,
        slot: int,
        separator: Separator,
        rack: Rack | None = None,
        *,
        past: int = 0,
        spin: bool = False,
    ) -> None:
        layout = segment.layout
        config = layout.config
        # A plugin may have rows for more stems than the model has: those stay silent.
        self._rows = 1 + len(separator.stems)
        stems = layout.stems[: len(separator.stems)]
        rack = rack or Rack(stems, config)
        self._separator = separator
        self._words, self._reals = segment.words, segment.reals
        self._engine = engine_word(slot)
        self._slot = slot
        self._input = segment.input
        self._mix_out, self._stems_out = segment.output[slot][:1], segment.output[slot][1:]
        self._meters_out, self._timings = segment.meters[slot], segment.timings[slot]
        self._block_size = config.block_size
        self._quantum = self._words[Constant.QUANTUM]
        self._sample_rate = config.sample_rate
        self._stems_latency = separator.latency + rack.stems_latency
        self._latency = separator.latency + rack.latency
        self._share = self._words[Constant.LATENCY] - self._latency
        # The oldest input that is certainly whole: the host may be writing its next block.
        self._reach = layout.in_frames - 2 * config.block_size
        # All that can still be heard, at the least: a host that waits wants the whole of it.
        past = max(past, self._words[Constant.LATENCY] + config.block_size)
        self._past = min(past, self._reach - self._latency - 2 * config.block_size)
        self._engines_bell = engines_bell(segment)
        self._host_bell = host_bell(segment, slot)
        self._spin = spin
        of_parts = (control for part in rack.parts for control in part.controls)
        declared = (*controls_for(layout.stems), *of_parts)
        self._controls = ControlTable(declared, segment.controls[: len(declared)])
        self._desk = Desk(stems, config, rack)
        self._meters = Meters(layout.meter_rows, config.sample_rate)
        channels, frames = config.channels, config.block_size
        self._block: Samples = np.zeros((channels, frames), np.float32)
        self._mixture: Samples = np.zeros((channels, frames), np.float32)
        self._later_mixture: Samples = np.zeros((channels, frames), np.float32)
        self._out: Samples = np.zeros((layout.rows, channels, frames), np.float32)
        self._commands: deque[tuple[int, Callable[[Separator], Any]]] = deque()
        self._out_from = NOWHERE
        self._is_stopped = False
        self._seconds_per_frame = 0.0

    def stop(self) -> None:
        """Ends the loop within `IDLE_SECONDS`. May be called from another thread."""
        self._is_stopped = True

    def call(self, command: Callable[[Separator], Any]) -> None:
        """Has a command called as soon as all blocks that have come by now are computed.

        May be called from another thread.
        """
        self._commands.append((self._words[Host.IN_END], command))

    def run(self) -> None:
        """Serves blocks until stopped."""
        words, engine, quantum = self._words, self._engine, self._quantum
        position = self._first_position()
        is_live = False
        resets = self._controls.get("reset")
        while not self._is_stopped:
            while self._commands and self._commands[0][0] < position + quantum:
                self._commands.popleft()[1](self._separator)
            count_up(words, engine + Engine.BEAT)
            bell = self._engines_bell.count
            end = words[Host.IN_END]
            waiting = end - position
            if not 0 <= end < NOWHERE:
                self._idle(bell)
                continue
            if not 0 <= waiting <= self._reach:
                position = self._skip_to(self._grid(end))
                continue
            if waiting < quantum + self._block_size and not is_live:
                is_live = True
                words[engine + Engine.IS_LIVE] = 1
            if waiting < quantum:
                self._idle(bell)
                continue
            if is_live and self._is_too_late(waiting):
                late = self._too_late_frames(waiting)
                position, waiting = self._skip_to(position + late), waiting - late
            if self._controls.get("reset") != resets:
                resets = self._controls.get("reset")
                self._separator.reset()
                self._desk.rack.reset()
            frames = min(self._grid(waiting), self._block_size)
            self._compute(position, frames)
            position += frames
        words[engine + Engine.OUT_FROM] = NOWHERE

    # ---- where to go on -------------------------------------------------------------------------

    def _grid(self, position: int) -> int:
        return position // self._quantum * self._quantum

    def _first_position(self) -> int:
        end = self._words[Host.IN_END]
        if not 0 < end < NOWHERE:
            end = 0
        return self._skip_to(self._grid(max(end - self._past, 0)))

    def _is_too_late(self, waiting: int) -> bool:
        late = self._too_late_frames(waiting)
        if late == 0 or self._words[Host.IS_PATIENT]:
            return False
        return waiting * self._seconds_per_frame > self._block_size / self._sample_rate

    def _too_late_frames(self, waiting: int) -> int:
        """Returns the frames, in whole quanta, whose output would be played already."""
        return max(0, self._grid(waiting - self._share))

    def _skip_to(self, position: int) -> int:
        """Declares that the output begins anew at a position; returns it."""
        words, engine = self._words, self._engine
        words[engine + Engine.OUT_FROM] = NOWHERE
        fence()
        words[engine + Engine.OUT_END] = position - self._latency
        fence()
        # Before the first input ever there was silence, and its output is known as well.
        self._out_from = position if position else -self._latency
        words[engine + Engine.OUT_FROM] = self._out_from
        count_up(words, engine + Engine.SKIPS)
        return position

    def _idle(self, bell: int) -> None:
        if not self._spin:
            self._engines_bell.wait(self._slot, bell, IDLE_SECONDS)

    # ---- one block ------------------------------------------------------------------------------

    def _compute(self, position: int, frames: int) -> None:
        words, engine = self._words, self._engine
        begin = time.perf_counter_ns()
        # The mix may leave its chain later than the stems theirs; each goes to where its input was.
        start, mix_start = position - self._stems_latency, position - self._latency
        block, out = self._block[:, :frames], self._out[..., :frames]
        mixture, later_mixture = self._mixture[:, :frames], self._later_mixture[:, :frames]
        read_ring(self._input, position, block)
        read_ring(self._input, start, mixture)
        read_ring(self._input, mix_start, later_mixture)
        stems = out[1 : self._rows]
        self._separator.process(block, stems)
        self._desk.process(self._controls, mixture, later_mixture, stems, out[0])
        write_ring(self._stems_out, start, out[1:])
        write_ring(self._mix_out, mix_start, out[:1])
        fence()
        words[engine + Engine.OUT_FROM] = self._out_from  # as it was, unless somebody meddled
        words[engine + Engine.OUT_END] = mix_start + frames
        self._host_bell.ring()
        end = time.perf_counter_ns()
        self._meter(block, out)
        timing = self._timings[words[engine + Engine.BLOCKS] % TIMINGS]
        timing[0], timing[1], timing[2] = position, end * 1e-9, (end - begin) * 1e-9
        count_up(words, engine + Engine.BLOCKS)
        seconds = (end - begin) * 1e-9 / frames
        self._seconds_per_frame += _LOAD_SMOOTHING * (seconds - self._seconds_per_frame)
        self._reals[engine + Engine.LOAD] = self._seconds_per_frame * self._sample_rate

    def _meter(self, block: Samples, out: Samples) -> None:
        meters = self._meters
        meters.measure(_INPUT, block)
        meters.measure(_MIX, out[: self._rows])
        self._meters_out[...] = meters.values
