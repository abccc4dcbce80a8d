"""MIDI controllers: every knob may turn any control, and learns which by being moved.

A knob goes from 0 to 127, and 64 is its middle: there a gain is 1 and a pan is 0. Between, a gain
grows with the square of the way, as on a fader, and everything else in a straight line.

mido and python-rtmidi (the extra `live`) reach the devices. One that is plugged in later is opened
within two seconds, and one that is pulled out disturbs nobody.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, get_args

from engine import ConfigError
from engine.controls import Control
from plugin_host.board import Board
from plugin_host.errors import AudioDeviceError
from plugin_host.midi_map import Controller, Mode, map_file, read_map, write_map

LEARNED = "midi/learn"
"""The name under which the board tells that a controller has been learned."""

ANY_PORT = "all"
VIRTUAL_PORT = "virtual"

_MIDDLE, _TOP = 64, 127
_LOOK_SECONDS = 2.0
_ORIGIN = "midi"


class Message(Protocol):
    """What is used of mido's messages."""

    type: str
    channel: int
    control: int
    value: int


def position(control: Control, value: int) -> float:
    """Returns what a control is set to by a knob.

    Args:
        control: to turn.
        value: of the knob, 0 to 127.
    """
    if control.is_switch:
        return float(value >= _MIDDLE)
    way = 0.5 * value / _MIDDLE
    if value > _MIDDLE:
        way = 0.5 + 0.5 * (value - _MIDDLE) / (_TOP - _MIDDLE)
    if control.unit == "linear":
        way = way**2
    return control.minimum + way * (control.maximum - control.minimum)


class MidiControl:
    """Lets MIDI controllers turn a board. A context manager.

    Args:
        board: to turn.
        ports: names of MIDI inputs, or parts of them; "all" for all there are, "virtual" for a port
            of our own that others connect to.
        path: of the file; None for the user's.
        backend: mido's, or one of that kind; None for mido's own choice.

    Raises:
        AudioDeviceError: if mido or python-rtmidi is not installed, or there is no MIDI system.
        ConfigError: if the file is wrong.
    """

    def __init__(
        self,
        board: Board,
        ports: Sequence[str] = (ANY_PORT,),
        path: Path | None = None,
        backend: Any = None,
    ) -> None:
        self._board = board
        self._wanted = tuple(ports)
        self._path = path or map_file()
        self._lock = threading.Lock()
        self._map = {(c.channel, c.number): c for c in read_map(self._path)}
        self._learning: tuple[str, Mode, str] | None = None
        self._backend = backend or find_backend()
        self._open: dict[str, Any] = {}
        if VIRTUAL_PORT in self._wanted:
            self._open[VIRTUAL_PORT] = self._open_port("stemwire", virtual=True)
        self._is_closed = threading.Event()
        self._look()
        self._watcher = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._watcher.start()
        board.midi = self

    def __enter__(self) -> MidiControl:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the ports. Harmless when done twice."""
        self._is_closed.set()
        self._watcher.join()
        if self._board.midi is self:
            self._board.midi = None
        for port in self._open.values():
            port.close()
        self._open.clear()

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of the ports that are open."""
        return tuple(self._open)

    @property
    def controllers(self) -> tuple[Controller, ...]:
        """What controllers do, by channel and number."""
        with self._lock:
            return tuple(self._map[key] for key in sorted(self._map))

    def learn(self, control: str, mode: str = "follow", origin: str = "") -> None:
        """Gives the next controller that moves to a control; told as LEARNED when it has.

        Args:
            control: its name; of several wishes the last one counts.
            mode: "follow" or "toggle".
            origin: who wishes it.

        Raises:
            ConfigError: if there is no such control or mode.
        """
        declared = _find(self._board, control)
        if mode not in get_args(Mode) or (mode == "toggle" and not declared.is_switch):
            raise ConfigError(
                f"{control} is learned with follow{' or toggle' if declared.is_switch else ''}, "
                f"not with {mode!r}."
            )
        with self._lock:
            self._learning = (control, "toggle" if mode == "toggle" else "follow", origin)

    def forget(self, control: str, origin: str = "") -> None:
        """Frees the controllers of a control; also one that was about to be learned.

        Raises:
            ConfigError: if it has none.
        """
        with self._lock:
            keys = [key for key, known in self._map.items() if known.control == control]
            is_waiting = self._learning is not None and self._learning[0] == control
            if not keys and not is_waiting:
                raise ConfigError(f"No MIDI controller turns {control[:80]!r}.")
            self._learning = None if is_waiting else self._learning
            for key in keys:
                del self._map[key]
        self._save_soon(origin)

    def handle(self, message: Message) -> None:
        """Takes a MIDI message; all but control changes are let pass. Never waits."""
        if message.type != "control_change":
            return
        key = message.channel + 1, message.control
        with self._lock:
            learning, self._learning = self._learning, None
            if learning is not None:
                control, mode, origin = learning
                self._map[key] = Controller(*key, control, mode)
            known = self._map.get(key)
        if learning is not None:
            self._save_soon(origin)
            self._board.tell(LEARNED, control, origin)
        if known is not None:
            with suppress(ConfigError):  # a control that this model does not have
                self._turn(known, message.value)

    def _turn(self, controller: Controller, value: int) -> None:
        board, control = self._board, _find(self._board, controller.control)
        is_pressed = value >= _MIDDLE
        if control.is_trigger:
            if is_pressed:
                board.trigger(control.name, _ORIGIN)
        elif controller.mode == "toggle":
            if is_pressed:
                board.set(control.name, 1.0 - board.get(control.name), _ORIGIN)
        else:
            board.set(control.name, position(control, value), _ORIGIN)

    def _save_soon(self, origin: str) -> None:
        with suppress(ConfigError):  # too much to do; the next one saves all
            self._board.later(lambda: write_map(self._path, self.controllers), origin)

    # ---- ports ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._is_closed.wait(_LOOK_SECONDS):
            with suppress(AudioDeviceError):  # the MIDI system has gone; it may come back
                self._look()

    def _look(self) -> None:
        """Opens the ports that are wanted and there, and lets go of those that are not."""
        there = input_names(self._backend)
        for name in set(self._open) - {VIRTUAL_PORT, *there}:
            self._open.pop(name).close()
        for name in there:
            if name not in self._open and self._is_wanted(name):
                with suppress(AudioDeviceError):  # in use by another program, or just pulled out
                    self._open[name] = self._open_port(name)

    def _is_wanted(self, name: str) -> bool:
        words = (wanted.lower() for wanted in self._wanted if wanted != VIRTUAL_PORT)
        return "stemwire" not in name.lower() and any(
            word in (ANY_PORT, "") or word in name.lower() for word in words
        )

    def _open_port(self, name: str, *, virtual: bool = False) -> Any:
        try:
            return self._backend.open_input(name, virtual=virtual, callback=self.handle)
        except _failures() as error:
            raise AudioDeviceError(f"The MIDI input {name!r} cannot be opened: {error}") from error


def input_names(backend: Any = None) -> list[str]:
    """Returns the names of the MIDI inputs there are.

    Raises:
        AudioDeviceError: if mido or python-rtmidi is not installed, or there is no MIDI system.
    """
    backend = backend or find_backend()
    try:
        return list(dict.fromkeys(backend.get_input_names()))
    except _failures() as error:
        raise AudioDeviceError(
            "There is no MIDI on this machine: neither ALSA's sequencer nor a JACK server."
        ) from error


def find_backend() -> Any:
    """Returns mido's backend.

    Raises:
        AudioDeviceError: if mido or python-rtmidi is not installed.
    """
    try:
        import mido
        import rtmidi  # noqa: F401  mido finds it by itself
    except ImportError as error:
        raise AudioDeviceError(
            "MIDI needs mido and python-rtmidi: pip install 'stemwire[live]'."
        ) from error
    return mido.Backend(os.environ.get("MIDO_BACKEND", "mido.backends.rtmidi"), load=True)


def _failures() -> tuple[type[BaseException], ...]:
    """What mido and python-rtmidi raise, of which some is no OSError."""
    try:
        import rtmidi
    except ImportError:
        return (OSError, ValueError)
    return (OSError, ValueError, rtmidi.RtMidiError)


def _find(board: Board, name: str) -> Control:
    for control in board.controls:
        if control.name == name:
            return control
    raise ConfigError(f"There is no control {name[:80]!r}; `stemwire osc list` names all.")
