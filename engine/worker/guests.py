"""Serves the segments that plugins make, as they come and go, from one engine process.

A plugin cannot wait for a server, so it is the other way round from a session: each activation of a
plugin makes its own segment, marked as a guest and with a latency of its own choosing. Whoever
serves guests looks for new ones, takes each with a file lock so that no other server does, and has
the engine run a loop for it. A guest that is gone has lost its name, or its process.

    plugin  --makes-->  segment  <--finds and locks--  Guests  --"serve"-->  engine process
                                                                             a thread per guest
"""

import os
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from engine.config import HostConfig
from engine.errors import ConfigError, StemwireError, WorkerError
from engine.framing import Schedule
from engine.separator import read_separator
from engine.worker.child import READY_SECONDS, EngineProcess, Task
from engine.worker.layout import (
    NOWHERE,
    Constant,
    Engine,
    GuestState,
    Host,
    Wish,
    engine_word,
)
from engine.worker.segment import Segment, is_alive, memory_folder, owner_of, segment_paths

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

MODULE = "engine.worker.guest_engine"
"""What the engine's process runs."""

_LOOK_SECONDS = 0.1
_STALL_SECONDS = 1.5
_RESTART_PAST_SECONDS = 0.2


@dataclass(frozen=True)
class GuestStatus:
    """How a plugin is doing.

    Attributes:
        pid: of its process.
        config: of its host; block_size is the most it hands over at once.
        latency: frames that it has told its host.
        state: what it may tell its user.
        load: compute time / audio time of its engine.
        blocks: handed over so far.
        underruns: of them, those whose output was not there in time.
        note: why it is refused; empty if it is not.
    """

    pid: int
    config: HostConfig
    latency: int
    state: GuestState
    load: float
    blocks: int
    underruns: int
    note: str


class _Guest:
    """One segment that this process has locked."""

    def __init__(self, segment: Segment, handle: int, note: str) -> None:
        self.segment = segment
        self.handle = handle
        self.note = note
        self.slot = 0

    @property
    def pid(self) -> int:
        return owner_of(self.segment.path)

    @property
    def is_gone(self) -> bool:
        return not self.segment.is_named or not is_alive(self.pid)

    def tell(self, state: GuestState) -> None:
        words = self.segment.words
        words[Wish.STATE] = state
        words[Wish.SERVER] = os.getpid()

    def status(self) -> GuestStatus:
        words, engine = self.segment.words, engine_word(self.slot)
        return GuestStatus(
            pid=self.pid,
            config=self.segment.layout.config,
            latency=words[Constant.LATENCY],
            state=_state(words[Wish.STATE]),
            load=self.segment.reals[engine + Engine.LOAD],
            blocks=words[Host.BLOCKS],
            underruns=words[Host.UNDERRUNS],
            note=self.note,
        )

    def close(self) -> None:
        words = self.segment.words
        words[Wish.STATE], words[Wish.SERVER] = GuestState.ALONE, 0
        if not is_alive(self.pid):
            self.segment.unlink()
        self.segment.close()
        os.close(self.handle)  # and with it the lock


class Guests:
    """Finds plugins and serves them until closed. A context manager.

    Args:
        model: a name or the path of a model file, with at most as many stems as a plugin has.
        runtime: as in `Separator.load`.
        fifo_priority: of the engine's loops, 1 to 99; None to leave their scheduling alone.

    Raises:
        ConfigError: if this system has no file locks.
        ModelError: if the model cannot be used.
        WorkerError: if the engine's process fails.
    """

    def __init__(
        self, model: str | Path, *, runtime: str = "auto", fifo_priority: int | None = 70
    ) -> None:
        if not HAS_LOCKS:
            raise ConfigError(
                "Serving plugins needs file locks as Linux and macOS have them; "
                "serve a sound card instead."
            )
        artifact = read_separator(model)
        self._manifest = artifact.manifest
        self._task = Task("", 0, str(artifact.path), runtime, 0, fifo_priority, False)
        self._guests: dict[Path, _Guest] = {}
        self._lock = threading.Lock()
        self.restarts = 0
        """Engines that had to be replaced."""
        self.notes: tuple[str, ...] = ()
        """Sentences on what the system did not allow, or what went wrong."""
        self._start_engine()
        self._is_closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def __enter__(self) -> "Guests":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def model(self) -> str:
        """The name of the model that plays."""
        return self._manifest.name

    @property
    def engine_pid(self) -> int:
        """The number of the engine's process."""
        return self._engine.pid

    def statuses(self) -> tuple[GuestStatus, ...]:
        """Returns how each plugin is doing, the oldest first."""
        with self._lock:
            return tuple(guest.status() for guest in self._guests.values())

    def close(self) -> None:
        """Lets all plugins go and ends the engine. Harmless when done twice."""
        if self._is_closed.is_set():
            return
        self._is_closed.set()
        self._watcher.join()
        self._engine.stop()
        with self._lock:
            for guest in self._guests.values():
                guest.close()
            self._guests.clear()

    # ---- watching -------------------------------------------------------------------------------

    def _watch(self) -> None:
        beats: dict[Path, tuple[int, float]] = {}
        while not self._is_closed.wait(_LOOK_SECONDS):
            self._drop_gone()
            self._welcome_new()
            if not self._engine.is_alive or self._has_stalled(beats):
                beats.clear()
                self._restart_engine()

    def _drop_gone(self) -> None:
        for path, guest in list(self._guests.items()):
            if guest.is_gone:
                self._engine.order("drop", segment=str(path))
                with self._lock:
                    del self._guests[path]
                guest.close()

    def _welcome_new(self) -> None:
        for path in segment_paths(memory_folder()):
            if path not in self._guests:
                guest = self._take(path)
                if guest is not None:
                    with self._lock:
                        self._guests[path] = guest
                    if not guest.note:
                        rate = guest.segment.layout.config.sample_rate
                        field = self._manifest.receptive_field
                        self._serve(guest, past=field * rate // self._manifest.sample_rate)

    def _take(self, path: Path) -> _Guest | None:
        """Locks a segment if it is a guest's that nobody serves."""
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            segment = Segment.attach(path)
        except (OSError, WorkerError):
            os.close(handle)
            return None
        if not segment.words[Constant.IS_GUEST]:
            segment.close()
            os.close(handle)
            return None
        guest = _Guest(segment, handle, self._refusal(segment))
        if guest.is_gone:
            guest.close()
            return None
        guest.tell(GuestState.REFUSED if guest.note else GuestState.LOADING)
        return guest

    def _refusal(self, segment: Segment) -> str:
        """Says why a guest cannot be served; nothing if it can."""
        layout, words = segment.layout, segment.words
        stems = self._manifest.stems
        if len(stems) > len(layout.stems):
            return (
                f"{self._manifest.name} has {len(stems)} stems and the plugin {len(layout.stems)}; "
                "serve a model with fewer."
            )
        quantum = words[Constant.QUANTUM]
        grid = replace(layout.config, block_size=quantum)
        missing = Schedule.of(self._manifest, grid).latency + quantum - words[Constant.LATENCY]
        if missing > 0:
            return (
                f"{self._manifest.name} needs {missing} frames of latency more than the plugin has "
                "told its host; choose a larger block size there."
            )
        segment.name_stems(stems)
        return ""

    def _serve(self, guest: _Guest, past: int) -> None:
        words, engine = guest.segment.words, engine_word(guest.slot)
        words[engine + Engine.OUT_FROM] = NOWHERE
        words[engine + Engine.IS_LIVE] = 0
        self._engine.order("serve", segment=str(guest.segment.path), slot=guest.slot, past=past)
        words[Wish.SLOT] = guest.slot
        guest.tell(GuestState.PLAYING)

    # ---- the engine -----------------------------------------------------------------------------

    def _start_engine(self) -> None:
        self._engine = EngineProcess(self._task, MODULE)
        try:
            ready = self._engine.wait_for("ready", READY_SECONDS)
        except BaseException:
            self._engine.kill()
            raise
        self.runtime = str(ready["reason"])
        """What computes, one sentence."""
        self.notes = tuple(ready["notes"])

    def _has_stalled(self, beats: dict[Path, tuple[int, float]]) -> bool:
        """Whether an engine's loop has shown no sign of life for too long."""
        now = time.monotonic()
        for path, guest in self._guests.items():
            beat = guest.segment.words[engine_word(guest.slot) + Engine.BEAT]
            if path not in beats or beats[path][0] != beat or guest.note:
                beats[path] = (beat, now)
            elif now - beats[path][1] > _STALL_SECONDS:
                return True
        return False

    def _restart_engine(self) -> None:
        self.restarts += 1
        self._engine.kill()
        served = [guest for guest in self._guests.values() if not guest.note]
        for guest in served:
            guest.tell(GuestState.RESTARTING)
        try:
            self._start_engine()
        except StemwireError as error:
            self.notes = (f"The engine does not restart: {error}",)
            return
        for guest in served:
            guest.slot = 1 - guest.slot
            rate = guest.segment.layout.config.sample_rate
            self._serve(guest, past=int(_RESTART_PAST_SECONDS * rate))


def _state(value: int) -> GuestState:
    return GuestState(value) if value in list(GuestState) else GuestState.ALONE
