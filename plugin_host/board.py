"""The board: the one thing that OSC, the web page, MIDI and presets speak to.

    OSC, web, MIDI, presets  <->  Board  <->  the controls of whichever session plays now

Sessions come and go (another block size, a restarted server); the board stays, with its values.
What is set while no session is connected is kept and given to the next one.

Whoever subscribes hears of every change within 20 ms, from whichever side it came: the table in
shared memory is looked at 60 times a second, and of several values of one control only the newest
is told. Nothing here waits for the engine: what takes long (swapping a model, writing a file) is
done by a thread of its own, in order, and its outcome is told like a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine import ConfigError, HostConfig, LatencyLedger, list_models
from engine.controls import Control, ControlTable, controls_for
from engine.worker import Session, Status
from plugin_host import presets
from plugin_host.bulletin import Bulletin, Listener, News
from plugin_host.errands import Errands

MODEL, ERROR, SAVED, RECALLED = "model", "error", "preset/save", "preset/recall"
CONTROLS = "controls"
"""Names of what is told beside controls: which model plays, what has gone wrong, which preset was
saved or recalled, and that there are other controls than before."""

_STALE_SECONDS = 1.0  # after which it is worth looking into folders again
_SUFFIX = ".onnx"


class MidiDesk(Protocol):
    """What a board needs of MIDI; see `plugin_host.midi`."""

    def learn(self, control: str, mode: str, origin: str) -> None:
        """Gives the next controller that moves to a control."""

    def forget(self, control: str, origin: str) -> None:
        """Frees the controllers of a control."""


class Board:
    """All controls, meters and figures of what plays. Every method may be called by any thread.

    An origin is a name for whoever does something, such as "osc udp 127.0.0.1:9000"; it comes back
    with the change, so that nobody is told what he has just done himself.

    Args:
        stems: their names; a session must play the same.
        model: the name or path that the model goes by.

    Attributes:
        stems: their names, in the order of the output.
        midi: where MIDI controllers are learned; None while there are none.
        counters: figures of those who serve the board, by name, for others to show.
    """

    def __init__(self, stems: Sequence[str], model: str | Path = "") -> None:
        self.stems = tuple(stems)
        self.midi: MidiDesk | None = None
        self.counters: dict[str, float] = {}
        self._lock = threading.Lock()  # of all that follows; held for microseconds
        self._table = ControlTable(controls_for(self.stems))
        self._session: Session | None = None
        self._kept: set[str] = set()  # that the next session shall have as they are here
        self._device_latency: int | None = None
        self._model = _name_of(model)
        self._models: tuple[str, ...] = ()
        self._presets: tuple[str, ...] = ()
        self._looked_around = 0.0
        self._wish: object = None  # the newest swap

        self._told = self._raw_values()
        self._done_by: dict[str, tuple[float, str]] = {}  # set through us, not told yet
        self._manifest_name = ""
        self._is_swapping = False

        self._bulletin = Bulletin(self._look)
        self._errands = Errands(lambda sentence, origin: self.tell(ERROR, sentence, origin))
        self.later(self._look_around, "")

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the board's threads; it does nothing to the session. Harmless when done twice."""
        self._errands.close()
        self._bulletin.close()

    # ---- the session ----------------------------------------------------------------------------

    def connect(self, session: Session, model: str | Path = "") -> None:
        """Lets the board speak to a session, in the place of the one before it.

        Args:
            session: that plays, or is about to; it gets the values that the board has kept.
            model: the name or path that its model goes by; empty to leave that as it is.

        Raises:
            ConfigError: if it plays other stems.
        """
        if session.stems != self.stems:
            raise ConfigError(
                f"The session plays {', '.join(session.stems)} and the board has "
                f"{', '.join(self.stems)}; make another board for it."
            )
        if session is not self._session:
            self.disconnect()
        with self._lock:
            names = self._kept.intersection(session.controls.names)
            session.controls.set_all({name: self._table.get(name) for name in names})
            self._kept.clear()
            is_other = session.controls.controls != self._table.controls
            self._table, self._session = session.controls, session
            self._manifest_name = session.model
            if is_other:
                self._told = ~self._raw_values()  # all of them are news
        if is_other:
            self.tell(CONTROLS, "", "")
        if model and _name_of(model) != self._model:
            self._plays(_name_of(model), "")

    def disconnect(self) -> None:
        """Lets go of the session, whose values are kept for the next one."""
        with self._lock:
            if self._session is None:
                return
            values = self._table.as_dict()
            self._table, self._session = ControlTable(self._table.controls), None
            self._table.set_all(values)
            self._kept = {control.name for control in self.controls if not control.is_trigger}

    @property
    def controls(self) -> tuple[Control, ...]:
        """What there is to turn: the session's, or those of the stems before there is one."""
        return self._table.controls

    @property
    def config(self) -> HostConfig | None:
        """The form of the audio; None while no session is connected."""
        session = self._session
        return None if session is None else session.config

    @property
    def session(self) -> Session | None:
        """The session that is connected."""
        return self._session

    # ---- controls -------------------------------------------------------------------------------

    def get(self, name: str) -> float:
        """Returns a control's value.

        Raises:
            ConfigError: if there is no such control.
        """
        return self._table.get(name)

    def as_dict(self) -> dict[str, float]:
        """Returns all values by name."""
        return self._table.as_dict()

    def set(self, name: str, value: float, origin: str = "") -> None:
        """Sets a control.

        Raises:
            ConfigError: if there is no such control, or the value is not allowed.
        """
        with self._lock:
            self._table.set(name, value)
            self._note(name, origin)

    def set_all(self, values: Mapping[str, float], origin: str = "") -> None:
        """Sets several controls; all of them, or none if one is wrong.

        Raises:
            ConfigError: if there is no such control, or a value is not allowed.
        """
        with self._lock:
            self._table.set_all(values)
            for name in values:
                self._note(name, origin)

    def trigger(self, name: str, origin: str = "") -> None:
        """Makes a trigger go off.

        Raises:
            ConfigError: if there is no such trigger.
        """
        with self._lock:
            self._table.trigger(name)
            self._note(name, origin)

    def _note(self, name: str, origin: str) -> None:
        self._done_by[name] = (self._table.get(name), origin)
        if self._session is None:
            self._kept.add(name)

    # ---- figures --------------------------------------------------------------------------------

    def meters(self) -> dict[str, tuple[float, float]]:
        """Returns peak and rms, linear, of "input", "mix" and the stems; 0 where nothing plays."""
        session = self._session
        if session is None:
            return dict.fromkeys(("input", "mix", *self.stems), (0.0, 0.0))
        return session.meters()

    def status(self) -> Status | None:
        """Returns how the session is doing; None while none is connected."""
        session = self._session
        return None if session is None else session.status()

    @property
    def ledger(self) -> LatencyLedger:
        """Where the latency comes from, the device's share included once it is known."""
        session, device = self._session, self._device_latency
        ledger = LatencyLedger() if session is None else session.ledger
        return ledger if device is None else ledger.plus("device", device)

    def set_device_latency(self, frames: int) -> None:
        """Notes the frames that the device adds, in and out."""
        self._device_latency = frames

    # ---- models ---------------------------------------------------------------------------------

    @property
    def model(self) -> str:
        """The name that the model which plays goes by; never a path."""
        return self._model

    def models(self) -> tuple[str, ...]:
        """Returns the names of the models to choose from: those known by name, of these stems.

        It does not wait for the disk: a model that has just come is there a moment later.
        """
        self._look_around_soon()
        return self._models

    def swap(self, model: str, origin: str = "") -> None:
        """Lets another model play, as soon as it is ready; returns at once.

        The outcome is told as MODEL with the model's name, or as ERROR with a sentence. Of wishes
        that wait for their turn only the newest comes true.

        Args:
            model: one of the models known by name, never a path.
            origin: who wishes it.

        Raises:
            ConfigError: if too much is being done already.
        """
        wish = object()
        self._wish = wish
        self.later(lambda: self._swap(model, origin, wish), origin)

    def _swap(self, model: str, origin: str, wish: object) -> None:
        if wish is not self._wish:
            return
        self._look_around()
        if model not in self._models:
            raise ConfigError(
                f"There is no model {model[:64]!r} to choose; there are "
                f"{', '.join(self._models) or 'none'}."
            )
        session = self._session
        if session is None:
            raise ConfigError("No engine is connected yet: try again in a moment.")
        self._is_swapping = True  # so that nobody else takes the new name for a change of his own
        try:
            session.swap(model)
            self._manifest_name = session.model
            self._plays(model, origin)
        finally:
            self._is_swapping = False

    def _plays(self, model: str, origin: str) -> None:
        self._model = model
        self.tell(MODEL, model, origin)

    def _look_around_soon(self) -> None:
        if self._errands.is_idle and time.monotonic() > self._looked_around + _STALE_SECONDS:
            with suppress(ConfigError):
                self.later(self._look_around, "")

    def _look_around(self) -> None:
        """Sees which models and presets there are."""
        self._looked_around = time.monotonic()
        self._presets = presets.names()
        self._models = tuple(
            entry.name
            for entry in list_models()
            if entry.manifest.kind == "separator" and entry.manifest.stems == self.stems
        )

    # ---- presets --------------------------------------------------------------------------------

    def presets(self) -> tuple[str, ...]:
        """Returns the names of the presets, without waiting for the disk; see `models`."""
        self._look_around_soon()
        return self._presets

    def save_preset(self, name: str, origin: str = "") -> None:
        """Saves all values under a name; returns at once. The outcome is told: SAVED or ERROR.

        Raises:
            ConfigError: if the name is none, or too much is being done already.
        """
        presets.checked_name(name)
        values = self.as_dict()

        def errand() -> None:
            presets.save(name, values, self.controls, self.model)
            self._look_around()
            self.tell(SAVED, name, origin)

        self.later(errand, origin)

    def recall_preset(self, name: str, origin: str = "") -> None:
        """Sets all values as they were saved; returns at once. The outcome: RECALLED or ERROR.

        The changes have no origin: whoever recalls a preset is told what is in it.

        Raises:
            ConfigError: if the name is none, or too much is being done already.
        """
        presets.checked_name(name)

        def errand() -> None:
            self.set_all(presets.read(name, self.controls))
            self.tell(RECALLED, name, origin)

        self.later(errand, origin)

    # ---- what takes long ------------------------------------------------------------------------

    def later(self, errand: Callable[[], None], origin: str) -> None:
        """Has something done that takes its time, in order; returns at once.

        Args:
            errand: what to do; a `StemwireError` that it raises is told as ERROR.
            origin: who wishes it.

        Raises:
            ConfigError: if too much is waiting already.
        """
        self._errands.add(errand, origin)

    # ---- telling --------------------------------------------------------------------------------

    def subscribe(self, listener: Listener, origin: str = "") -> Callable[[], None]:
        """Has a function called with every change, as (name, value, origin).

        Of controls the newest value is told. Beside them come MODEL (its value a name, as soon as
        another model plays), ERROR (a sentence; only its origin needs to know), SAVED and RECALLED
        (a preset's name), CONTROLS (there are others than before) and what else `tell` was given.
        The calls come from the board's own thread, one after the other: a listener notes what it
        needs and returns, it never waits.

        Args:
            listener: the function.
            origin: whose changes of controls it need not hear; empty to hear all.

        Returns:
            A function that ends it.
        """
        return self._bulletin.subscribe(listener, origin)

    def tell(self, name: str, value: float | str, origin: str) -> None:
        """Tells all listeners something that is no control, such as how an errand has ended."""
        self._bulletin.tell(name, value, origin)

    def _look(self) -> list[News]:
        """What has been set since the last look, through us or by others."""
        self._look_at_model()
        with self._lock:
            raw = self._raw_values()
            changed = [self.controls[slot].name for slot in np.flatnonzero(raw != self._told)]
            self._told = raw
            done_by, self._done_by = self._done_by, {}
            changes: list[News] = []
            for name in {**dict.fromkeys(changed), **done_by}:
                value = self._table.get(name)
                ours, origin = done_by.get(name, (value, ""))
                changes.append((name, value, origin if ours == value else ""))
            return changes

    def _look_at_model(self) -> None:
        """Notices a model that others have swapped in."""
        session = self._session
        if session is not None and not self._is_swapping and session.model != self._manifest_name:
            self._manifest_name = session.model
            self._plays(session.model, "")

    def _raw_values(self) -> NDArray[np.int64]:
        """The bits of all values: whatever is in there, what has changed differs."""
        return self._table.values.copy().view(np.int64)


def _name_of(model: str | Path) -> str:
    return Path(model).name.removesuffix(_SUFFIX)
