"""A live session: an audio link, an engine, and the musician who turns the knobs.

    this process ---- link process      sound in and out      (`plugin_host.links`)
       |  |   `------ engine process    separation            (`engine.worker`)
       |  `---------- view              what is shown and what is typed
       `------------- control room      OSC, MIDI, presets    (`plugin_host.control_room`)

Everything that happens comes into one queue and is dealt with here, one thing after the other. What
takes long (opening an engine, swapping a model) is done by one other thread, in order.

A link that dies is started anew, as a dead engine is; where the device is gone it is asked for
again and again. The first start is different: what is wrong then is the musician's to put right.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from engine import ConfigError, HostConfig, StemwireError, list_models
from engine.catalog import user_folder
from engine.worker import Session
from plugin_host.board import MODEL, Board
from plugin_host.control_room import ControlRoom
from plugin_host.end_signals import end_signals
from plugin_host.link_keeper import LinkKeeper
from plugin_host.link_process import LinkProcess, Message
from plugin_host.live_plan import Plan
from plugin_host.live_report import Report, View

_RECORDING_SECONDS = 30.0  # that a link may take to complete its files
_LINK_SECONDS = 2.0  # that any other may take to end
COMMANDS = ("set", "toggle", "trigger", "swap", "quit")
_EXAMPLE = '{"set": {"stem/drums/gain": 0.5}}'


def serve(plan: Plan, view: View) -> None:
    """Plays until the song is over, or until Ctrl-C or a `kill`, which is how concerts end.

    Args:
        plan: What to play.
        view: Who is told.

    Raises:
        StemwireError: If it cannot begin, or a song cannot be played on. Nothing is left behind:
            no process, no shared memory.
    """
    server = _Server(plan, view)
    with (
        end_signals(lambda: server.post(server.end)),
        ControlRoom(plan.model, plan.reach, plan.controls) as room,
    ):
        server.enter(room)
        try:
            view.open(lambda command: server.post(lambda: server.obey(command)))
            server.run()
        finally:
            report = server.close()
            view.close()
        view.tell("ended", report, outputs=server.outputs)


class _Server:
    """The session as a whole. Everything but `post` belongs to the thread that runs the loop.

    Attributes:
        outputs: Paths of what was recorded, by name.
    """

    _room: ControlRoom
    _board: Board

    def __init__(self, plan: Plan, view: View) -> None:
        self.outputs: dict[str, str] = {}
        self._plan = plan
        self._view = view
        self._model = plan.model
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._link = LinkKeeper(
            plan.links(), lambda link, message: self.post(lambda: self._hear(link, message))
        )
        self._session: Session | None = None
        self._retired: list[Session] = []  # that play until the next one does
        self._refused: HostConfig | None = None  # a form for which no engine could be opened
        self._next_model: str | None = None
        self._work: threading.Thread | None = None
        self._notes: dict[str, None] = {}  # in order, each once
        self._first_sound: float | None = None
        self._is_over = False

    def enter(self, room: ControlRoom) -> None:
        """Lets a control room turn what plays; to be called first."""
        self._room, self._board = room, room.board
        self._board.subscribe(self._hear_board)

    # ---- the loop -----------------------------------------------------------------------------

    def post(self, deed: Callable[[], None]) -> None:
        """Has something done by the loop; from any thread or signal handler."""
        self._queue.put(deed)

    def run(self) -> None:
        """Deals with what happens until the end."""
        shows_at = 0.0
        for note in self._room.notes:
            self._note(note)
        while not self._is_over:
            now = time.monotonic()
            if now >= shows_at:
                self._view.show(self.report())
                shows_at = now + self._view.interval
            wait = shows_at - now
            until_start = self._link.seconds_to_start()
            if until_start is not None:
                wait = min(wait, until_start)
                if not until_start:
                    self._link.start()
            try:
                deed = self._queue.get(timeout=wait)
            except queue.Empty:
                continue
            deed()
            self._look()

    def end(self) -> None:
        """Ends the loop."""
        self._is_over = True

    def close(self) -> Report:
        """Ends every process and removes the shared memory; returns how things stood."""
        self._is_over = True
        self._link.close(_RECORDING_SECONDS if self._plan.record else _LINK_SECONDS)
        if self._work is not None:
            self._work.join()
        try:
            while not self._queue.empty():  # a recording, or a session that has just been opened
                self._queue.get()()
            return self.report()
        finally:
            for session in (*self._retired, self._session):
                if session is not None:
                    session.close()

    def _look(self) -> None:
        """Has done what takes long and is to be done now, one thing at a time."""
        if self._is_over or self._work is not None:
            return
        form, session = self._link.form, self._session
        if (
            form is not None
            and form != self._refused
            and (session is None or session.config != form)
        ):
            self._do(self._opening(form))
        elif self._next_model is not None and session is not None:
            self._do(self._swapping(session, self._next_model))
            self._next_model = None

    def _do(self, work: Callable[[], Callable[[], None]]) -> None:
        """Lets another thread work, and the loop do what comes of it."""

        def run() -> None:
            try:
                outcome = work()
            except BaseException as error:  # noqa: BLE001  raised again by the loop
                outcome = _raiser(error)
            self.post(lambda: self._done(outcome))

        self._work = threading.Thread(target=run, name="session")
        self._work.start()

    def _done(self, outcome: Callable[[], None]) -> None:
        self._work = None
        outcome()

    # ---- the session --------------------------------------------------------------------------

    def _opening(self, form: HostConfig) -> Callable[[], Callable[[], None]]:
        plan, model, before = self._plan, self._model, self._session
        controls = plan.controls if before is None else before.controls.as_dict()

        def work() -> Callable[[], None]:
            try:
                session = Session.open(
                    model,
                    form,
                    runtime=plan.runtime,
                    direct=plan.is_direct,
                    spin=plan.is_spinning,
                    controls=controls,
                    processors=plan.chains,
                )
            except StemwireError as error:
                return self._refusal(form, error)
            return lambda: self._adopt(session)

        return work

    def _adopt(self, session: Session) -> None:
        """Takes an engine that has just been opened for the one to play."""
        if self._session is not None:
            self._retired.append(self._session)
        self._session = session
        self._board.connect(session, self._model)  # with what was turned meanwhile
        if session.config == self._link.form:
            self._link.attach(session.segment_path)

    def _refusal(self, form: HostConfig, error: StemwireError) -> Callable[[], None]:
        def outcome() -> None:
            if self._session is None and not self._is_over:
                raise error
            self._refused = form
            self._tell("error", message=str(error))

        return outcome

    def _swapping(self, session: Session, model: str) -> Callable[[], Callable[[], None]]:
        def work() -> Callable[[], None]:
            try:
                session.swap(model)
            except StemwireError as error:
                complaint = str(error)
                return lambda: self._tell("error", message=complaint)
            return lambda: self._swapped(model)

        return work

    def _swapped(self, model: str) -> None:
        self._model = model
        if self._session is not None:
            self._board.connect(self._session, model)
            self._tell("swapped", model=self._session.model)

    def _hear_board(self, name: str, value: float | str, origin: str) -> None:
        """Takes what the board tells, in its thread: of interest are models that others chose."""
        if name == MODEL and origin:
            self.post(lambda: self._swapped(str(value)))

    # ---- the link -----------------------------------------------------------------------------

    def _hear(self, link: LinkProcess, message: Message) -> None:
        """Takes what a link says."""
        event = message["event"]
        if event == "ended":
            self.outputs = message["outputs"]
            self.end()
        if self._is_over or not self._link.owns(link):
            return
        if event == "note":
            self._note(message["message"])
        elif event == "open":
            self._on_open(message)
        elif event == "running":
            self._on_running(message)
        elif event in ("exit", "lost"):
            before = self._link.trouble
            (self._link.on_exit if event == "exit" else self._link.on_lost)(message)
            if self._link.has_played and self._link.trouble != before:
                self._tell("lost", message=self._link.trouble)
        else:
            self._link.on_word(message)
        if self._link.has_played:
            self._board.set_device_latency(self._link.latency)

    def _on_open(self, message: Message) -> None:
        self._refused = None
        try:
            self._link.on_open(message)
        except ConfigError as error:
            if self._session is None:
                raise
            self._tell("error", message=f"{message['name']}: {error}")
        if self._session is not None and self._session.config == self._link.form:
            self._link.attach(self._session.segment_path)

    def _on_running(self, message: Message) -> None:
        self._link.on_running(message)
        if self._first_sound is None:
            self._first_sound = time.monotonic()
        for session in self._retired:
            session.close()
        self._retired.clear()
        self._tell("running")

    # ---- the musician -------------------------------------------------------------------------

    def obey(self, command: Message) -> None:
        """Does what was typed; tells what is wrong with it."""
        try:
            self._obey(command)
        except StemwireError as error:
            self._tell("error", message=str(error))

    def _obey(self, command: Message) -> None:
        if len(command) != 1 or next(iter(command)) not in COMMANDS:
            raise ConfigError(f"Each command is one of {', '.join(COMMANDS)}, such as {_EXAMPLE}.")
        [(name, value)] = command.items()
        if name == "quit":
            self.end()
            return
        if self._session is None:
            raise ConfigError("The engine is not there yet: try again in a moment.")
        controls = self._session.controls
        if name == "swap":
            self._next_model = _model_after(self._session.model) if value is None else str(value)
        elif name == "set":
            if not isinstance(value, dict):
                raise ConfigError(f"What is to be set is an object, such as {_EXAMPLE}.")
            controls.set_all(value)
            self._tell("set", controls=value)
        elif name == "toggle":
            controls.set(str(value), 1.0 - controls.get(str(value)))
        else:
            controls.trigger(str(value))

    # ---- telling ------------------------------------------------------------------------------

    def report(self) -> Report:
        """How things stand."""
        session, link = self._session, self._link
        status = None if session is None else session.status()
        ledger = None if session is None else session.ledger
        if ledger is not None and link.has_played:
            ledger = ledger.plus("device", link.latency)
        return Report(
            state=self._state(),
            audio=link.name,
            kind=link.kind,
            config=None if session is None else session.config,
            status=status,
            ledger=() if ledger is None else tuple(ledger),
            latency=0 if ledger is None else ledger.total,
            meters={} if session is None else session.meters(),
            controls={} if session is None else session.controls.as_dict(),
            places=link.places,
            reached=self._room.reached,
            xruns=link.xruns,
            seconds=0.0 if self._first_sound is None else time.monotonic() - self._first_sound,
            notes=(*self._notes, *(status.notes if status else ()), *filter(None, [link.trouble])),
        )

    def _state(self) -> str:
        if self._link.trouble and self._link.has_played:
            return "waiting"
        if self._session is None or not self._link.has_played:
            return "starting"
        return "opening" if self._retired else self._session.status().state

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes[sentence] = None
            self._tell("note", message=sentence)

    def _tell(self, event: str, **fields: Any) -> None:
        if not self._is_over:
            self._view.tell(event, self.report(), **fields)


def _raiser(error: BaseException) -> Callable[[], None]:
    def outcome() -> None:
        raise error

    return outcome


def _model_after(model: str) -> str:
    """The next of the models known by name."""
    found = [entry for entry in list_models() if entry.manifest.kind == "separator"]
    names = [entry.manifest.name for entry in found]
    here = names.index(model) if model in names else -1
    if len(found) < (1 if here < 0 else 2):
        raise ConfigError(f"There is no other model: put a .onnx file into {user_folder()}.")
    return found[(here + 1) % len(found)].name
