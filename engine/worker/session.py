"""A live session, seen from the process that is in charge.

It makes the shared memory, starts an engine, watches it, starts another where it dies or stalls,
and swaps models while they play.

There are two slots for engines. One is heard; the other is where the next one warms up, on the
input that the ring still holds, until it has caught up with now. Then the wish for the slot that
shall be heard changes, the audio link crossfades, and the old engine ends. A swap and a restart are
the same thing, but that a restart finds no old engine to play meanwhile. As everything is addressed
by the frame that came in, the latency cannot change.

The worker's share of the latency is
    0                       where the host waits in its callback for the block (`direct`),
    ceil(2.5 c / b) blocks  otherwise, with c the time that a block was measured to take when the
                            engine starts and b that of a block: one block wherever the engine
                            computes in time.
The factor is for caches that are cold when a block comes only now and then, and for the wake-up.
Hosts whose blocks vary in size add one frame less than a quantum of 64, because the engine waits
for whole ones.
"""

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.config import HostConfig
from engine.errors import ConfigError, StemwireError, WorkerError
from engine.framing import Schedule
from engine.latency import LatencyLedger
from engine.processors import Processors
from engine.separator import read_separator
from engine.worker.child import READY_SECONDS, EngineProcess, Task
from engine.worker.faults import Faults
from engine.worker.layout import (
    MAX_SHARE_BLOCKS,
    NOWHERE,
    SLOTS,
    Constant,
    Engine,
    Host,
    Wish,
    engine_word,
)
from engine.worker.opening import Opening
from engine.worker.pulse import Pulse
from engine.worker.status import Status
from engine.worker.wake import forget_sleepers

FIFO_PRIORITY = 70
QUANTUM = 64
"""Frames that an engine's steps are multiples of where the host's blocks vary in size."""

_SAFETY = 2.5
_WATCH_SECONDS = 0.02
_RESTART_PAST_SECONDS = 0.2  # of input that a restarted engine warms up on
_PROCESSORS_PAST_SECONDS = 1.0  # that a swapped engine with processors warms up on, at least
_RESTART_PAUSES = (0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 5.0)  # before the 1st, 2nd ... failed try in a row
_CATCH_UP_SECONDS = 30.0
_FADE_SECONDS = 0.05


class Session:
    """A segment, its engines and the thread that watches them. Made by `open`; a context manager.

    Attributes:
        config: of the host.
        stems: their names, in the order of the output.
        ledger: where the latency comes from, in frames.
        controls: what a musician turns; shared with the engine.
    """

    def __init__(self, opening: Opening) -> None:
        engine, ready, segment = opening.engine, opening.ready, opening.segment
        self._engine = engine
        self._ready = ready
        self._segment = segment
        self._words = segment.words
        self._model = str(opening.artifact.path)
        self._name = opening.artifact.manifest.name
        self._task = replace(engine.task, segment=str(segment.path), parts=ready.parts)
        self._faults = Faults(ready.parts)
        self._slot = 0
        self._state = "running"
        self._restarts = 0
        self._restart_note = ""
        self._notes: tuple[str, ...] = ()
        self._changing = threading.RLock()
        self._is_closed = threading.Event()
        self.config = opening.config
        self.stems = segment.layout.stems
        self.controls = opening.controls
        self._schedule_latency = opening.ledger.total - ready.chain_latency
        self.ledger = self._settle_latency(opening.ledger, ready.burst_seconds)
        self._let_go(engine, 0, _CATCH_UP_SECONDS)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @classmethod
    def open(
        cls,
        model: str | Path,
        config: HostConfig,
        *,
        runtime: str = "auto",
        direct: bool = False,
        fixed: bool = True,
        spin: bool = False,
        fifo_priority: int | None = FIFO_PRIORITY,
        controls: Mapping[str, float] | None = None,
        processors: Processors | None = None,
    ) -> "Session":
        """Starts an engine and makes the memory to share with it; returns when it is ready to play.

        Args:
            model: a name or the path of a model file.
            config: of the host.
            runtime: as in `Separator.load`.
            direct: the host waits in its callback for each block, and the worker adds no latency.
            fixed: every block has the block size; False: at most the block size, which then is
                rounded up to whole quanta.
            spin: let the engine look for work all the time instead of sleeping: a little quicker
                to start, and it takes a whole core.
            fifo_priority: of the engine's loop, 1 to 99; None to leave its scheduling alone.
            controls: values to begin with.
            processors: effects for stems and mix, loaded into the engine's process. Their latency
                is the ledger's "plugin chain", their controls come after all others.

        Raises:
            ModelError: if the model cannot be used.
            ConfigError: if there is no memory for it, a control has a value that it cannot have, or
                a processor cannot be loaded.
            WorkerError: if the engine's process fails.
        """
        artifact = read_separator(model)
        quantum = config.block_size
        if not fixed:
            quantum = QUANTUM
            config = replace(config, block_size=-(-config.block_size // QUANTUM) * QUANTUM)
        task = Task(
            segment="",
            slot=0,
            model=str(artifact.path),
            runtime=runtime,
            past=0,
            priority=fifo_priority,
            spin=spin,
            config=config,
            quantum=quantum,
            processors=processors,
        )
        opening = Opening.of(artifact, task, direct=direct, controls=controls or {})
        try:
            return cls(opening)
        except BaseException:
            opening.undo()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def segment_path(self) -> str:
        """Where the audio link finds the shared memory."""
        return str(self._segment.path)

    @property
    def model(self) -> str:
        """The name of the model that plays."""
        return self._name

    @property
    def latency(self) -> int:
        """Frames from an input frame to its output frame; constant."""
        return self.ledger.total

    @property
    def engine_pid(self) -> int:
        """The number of the process of the engine that plays."""
        return self._engine.pid

    def meters(self) -> dict[str, tuple[float, float]]:
        """Returns peak and rms, linear, of "input", "mix" and the stems; 0 if no engine plays."""
        rows = ("input", "mix", *self.stems)
        slot = self._words[Host.PLAYING]
        if slot not in range(SLOTS):
            return dict.fromkeys(rows, (0.0, 0.0))
        values = self._segment.meters[slot].tolist()
        return {row: (peak, rms) for row, (peak, rms) in zip(rows, values, strict=True)}

    def status(self) -> Status:
        """Returns how the session is doing."""
        words, engine = self._words, engine_word(self._slot)
        return Status(
            state=self._state,
            model=self._name,
            runtime=self._ready.reason,
            load=self._segment.reals[engine + Engine.LOAD],
            blocks=words[Host.BLOCKS],
            underruns=words[Host.UNDERRUNS],
            skips=words[engine + Engine.SKIPS] - 1,
            restarts=self._restarts,
            nonfinite_samples=words[Host.NONFINITE],
            latency=self.latency,
            first_seconds=self._ready.first_seconds,
            notes=(
                *self._notes,
                *{**self._faults.sentences, **self._engine.bypassed}.values(),
                *filter(None, [self._restart_note]),
            ),
        )

    # ---- changes while it plays -----------------------------------------------------------------

    def swap(self, model: str | Path) -> None:
        """Lets another model play, without a gap and at the same latency.

        Returns when it plays. It is warmed up beside the running one on what has been played.

        Args:
            model: a name or the path of a model file, with the same stems.

        Raises:
            ModelError: if the model cannot be used.
            ConfigError: if it has other stems, or needs more latency than this session has.
            WorkerError: if its process fails, or cannot keep up. The running model plays on.
        """
        artifact = read_separator(model)
        manifest = artifact.manifest
        if manifest.stems != self.stems:
            raise ConfigError(
                f"{manifest.name} has the stems {', '.join(manifest.stems)} and the session plays "
                f"{', '.join(self.stems)}; start a new session for it."
            )
        grid = replace(self.config, block_size=self._task.quantum)
        missing = Schedule.of(manifest, grid).latency - self._schedule_latency
        if missing > 0:
            raise ConfigError(
                f"{manifest.name} needs {missing} frames of latency more than the session has "
                "told its host; start a new session for it."
            )
        past = manifest.receptive_field * self.config.sample_rate // manifest.sample_rate
        if self._task.processors is not None:
            past = max(past, int(_PROCESSORS_PAST_SECONDS * self.config.sample_rate))
        with self._changing:
            self._state = "swapping"
            try:
                self._replace(str(artifact.path), past)
                self._name, self._model = manifest.name, str(artifact.path)
            finally:
                self._state = "running"

    def snapshot(self, name: str) -> None:
        """Has the engine keep a copy of all that its stream carries, under a name.

        What processors remember is not part of it: they cannot tell.

        Raises:
            WorkerError: if the engine is not there.
        """
        self._ask("snapshot", name)

    def restore(self, name: str) -> None:
        """Has the engine's stream go on as it was at a snapshot.

        Raises:
            ConfigError: if this engine has none of that name; one that was restarted has none.
            WorkerError: if the engine is not there.
        """
        self._ask("restore", name)

    def close(self) -> None:
        """Ends the engine and removes the shared memory. Harmless when done twice."""
        if self._is_closed.is_set():
            return
        self._is_closed.set()
        with self._changing:
            self._engine.stop()
        self._watcher.join()
        self._segment.unlink()
        forget_sleepers(self._segment)

    def _ask(self, do: str, name: str) -> None:
        with self._changing:
            self._engine.order(do, name=name)
            self._engine.wait_for("done", READY_SECONDS)

    # ---- engines --------------------------------------------------------------------------------

    def _settle_latency(self, ledger: LatencyLedger, burst_seconds: float) -> LatencyLedger:
        """Fixes the worker's share, and with it the session's latency."""
        config, words = self.config, self._words
        share = 0
        if not words[Constant.IS_DIRECT]:
            blocks = math.ceil(_SAFETY * burst_seconds / config.deadline)
            share = min(max(blocks, 1), MAX_SHARE_BLOCKS) * config.block_size
        if not words[Constant.IS_FIXED]:
            share += self._task.quantum - 1
        ledger = ledger.plus("worker", share)
        self._segment.settle_latency(ledger.total)
        if burst_seconds > config.deadline:
            self._notes += (
                f"A block takes {burst_seconds / config.deadline:.1f} times as long to compute as "
                "it lasts: choose larger blocks or a smaller model.",
            )
        return ledger

    def _let_go(self, engine: EngineProcess, slot: int, seconds: float) -> None:
        """Starts the loop of an engine that is ready; returns when it has caught up."""
        self._segment.write_constants()  # somebody may have meddled
        engine.order("go", segment=str(self._segment.path))
        notes = tuple(engine.wait_for("going", seconds)["notes"])
        until = time.monotonic() + seconds
        live = engine_word(slot) + Engine.IS_LIVE
        pulse = Pulse(engine, self._words)
        while not self._words[live]:
            if not pulse.is_there() or time.monotonic() > until:
                raise WorkerError(
                    "The engine has not caught up with the audio: the model is too slow for this "
                    "machine at this block size, or its process has died."
                )
            time.sleep(_WATCH_SECONDS / 10)
        if not self._restarts:
            self._notes += tuple(note for note in notes if note not in self._notes)

    def _replace(self, model: str, past: int) -> None:
        """Starts an engine in the other slot, lets it be heard, and ends the one before it."""
        slot = 1 - self._slot
        engine = engine_word(slot)
        self._words[engine + Engine.OUT_FROM] = NOWHERE
        self._words[engine + Engine.IS_LIVE] = 0
        self._segment.write_constants()
        self._faults.gather(self._engine)
        faulty = tuple(self._faults.sentences)
        new = EngineProcess(replace(self._task, slot=slot, model=model, past=past, faulty=faulty))
        try:
            ready = new.wait_until_ready()
            self._let_go(new, slot, _CATCH_UP_SECONDS)
        except BaseException:
            self._accuse(new)
            new.kill()
            raise
        old, self._engine, self._slot, self._ready = self._engine, new, slot, ready
        self._words[Wish.SLOT] = slot
        if old.is_alive:
            self._wait_until_heard(slot)
        old.stop()

    def _accuse(self, engine: EngineProcess) -> None:
        """Looks whether an engine failed by the fault of a processor, to leave that out."""
        inside = self._words[engine_word(engine.task.slot) + Engine.INSIDE] - 1
        self._faults.accuse(engine, inside)

    def _wait_until_heard(self, slot: int) -> None:
        """Waits until the link has crossfaded, or sends no blocks."""
        words = self._words
        while words[Host.PLAYING] != slot:
            blocks = words[Host.BLOCKS]
            time.sleep(max(_FADE_SECONDS, 4 * self.config.deadline))
            if words[Host.BLOCKS] == blocks:
                return
        time.sleep(_FADE_SECONDS)

    # ---- watching -------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Restarts the engine whenever it dies or shows no sign of life."""
        pulse = Pulse(self._engine, self._words)
        failures = 0
        while not self._is_closed.wait(_WATCH_SECONDS):
            engine = self._engine
            if engine is not pulse.engine:
                pulse = Pulse(engine, self._words)
            if pulse.is_there():
                continue
            with self._changing:
                if engine is not self._engine or self._is_closed.is_set():
                    continue
                failures = 0 if self._restart(engine) else failures + 1
            self._is_closed.wait(_RESTART_PAUSES[min(failures, len(_RESTART_PAUSES) - 1)])

    def _restart(self, engine: EngineProcess) -> bool:
        self._state = "restarting"
        self._restarts += 1
        self._accuse(engine)
        engine.kill()
        try:
            past = int(_RESTART_PAST_SECONDS * self.config.sample_rate)
            self._replace(self._model, past)
        except StemwireError as error:
            self._restart_note = f"The engine does not restart: {error}"
            return False
        self._restart_note = ""
        self._state = "running"
        return True
