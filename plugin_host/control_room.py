"""Everything that a live session is turned by from outside: the board and those who serve it.

    OSC, MIDI, browsers, preset  <->  ControlRoom.board  <->  whichever session plays

It opens before the first session and closes after the last one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine import find_model, read_manifest
from plugin_host import presets
from plugin_host.board import Board
from plugin_host.errors import NetworkError
from plugin_host.midi import MidiControl
from plugin_host.osc.server import OscOptions, OscServer
from plugin_host.web.options import WebOptions

if TYPE_CHECKING:
    from plugin_host.web.server import WebServer

_SWITCH_SECONDS = 0.0005


@dataclass(frozen=True)
class ControlPlan:
    """How a session is to be reached.

    Attributes:
        osc: Where OSC is heard; None for nowhere.
        is_osc_needed: Whether it is an error, and not only a note, if the port is taken.
        web: Where the web mixer and OSCQuery are served; None for nowhere.
        is_web_needed: Likewise.
        midi: Names of MIDI inputs, or parts of them; see `plugin_host.midi.MidiControl`.
        preset: The name of one to begin with; empty for none.
    """

    osc: OscOptions | None = field(default_factory=OscOptions)
    is_osc_needed: bool = False
    web: WebOptions | None = field(default_factory=WebOptions)
    is_web_needed: bool = False
    midi: tuple[str, ...] = ()
    preset: str = ""


class ControlRoom:
    """A board, and those who serve it. A context manager.

    Attributes:
        board: To connect sessions to.
        reached: Where it is reached, by what.
        notes: What the musician should know.
    """

    def __init__(
        self, model: str | Path, plan: ControlPlan, controls: Mapping[str, float] | None = None
    ) -> None:
        """Opens it.

        Args:
            model: The name or path of the model that will play first.
            plan: How to be reached.
            controls: Values to begin with; they come before those of the preset.

        Raises:
            StemwireError: If there is no such model, preset, control or MIDI input, or a port that
                was asked for cannot be had.
        """
        stems = read_manifest(find_model(model)).stems
        self.reached: dict[str, str] = {}
        self.notes: list[str] = []
        with ExitStack() as stack:
            # Threads take turns; a message shall not wait for a long one of somebody else's.
            stack.callback(sys.setswitchinterval, sys.getswitchinterval())
            sys.setswitchinterval(_SWITCH_SECONDS)
            self.board = stack.enter_context(Board(stems, model))
            if plan.preset:
                self.board.set_all(presets.read(plan.preset, self.board.controls))
            osc_port = None
            if plan.osc is not None:
                osc_port = self._open_osc(plan.osc, plan.is_osc_needed, stack)
            if plan.web is not None:
                self._open_web(plan.web, plan.is_web_needed, osc_port, stack)
            if plan.midi:
                midi = stack.enter_context(MidiControl(self.board, plan.midi))
                self.reached["midi"] = ", ".join(midi.ports) or "no input yet"
            if controls:
                self._take(controls)
            self._stack = stack.pop_all()

    def __enter__(self) -> ControlRoom:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all of it; the session is let alone. Harmless when done twice."""
        self._stack.close()

    def _open_osc(self, options: OscOptions, is_needed: bool, stack: ExitStack) -> int | None:
        """Returns the port that OSC is heard at; None if it is not."""
        try:
            server = stack.enter_context(OscServer(self.board, options))
        except NetworkError as error:
            if is_needed:
                raise
            self._note("There is no OSC", error)
            return None
        port: int = server.port
        self.reached["osc"] = f"{server.host}:{port}"
        return port

    def _open_web(
        self, options: WebOptions, is_needed: bool, osc_port: int | None, stack: ExitStack
    ) -> None:
        try:
            server = _start_web(self.board, options, osc_port)
        except NetworkError as error:
            if is_needed:
                raise
            self._note("There is no web mixer", error)
        else:
            stack.callback(server.close)
            self.reached["web"] = server.url

    def _note(self, what: str, error: NetworkError) -> None:
        sentence = str(error)
        self.notes.append(f"{what}: {sentence[0].lower()}{sentence[1:]}")

    def _take(self, controls: Mapping[str, float]) -> None:
        """Sets what the board knows; of plugins' controls only a session knows."""
        known = {control.name for control in self.board.controls}
        self.board.set_all({name: value for name, value in controls.items() if name in known})


def _start_web(board: Board, options: WebOptions, osc_port: int | None) -> WebServer:
    try:
        from plugin_host.web.server import start_web
    except ImportError as error:
        raise NetworkError(
            f"The web mixer needs {error.name}: pip install 'stemwire[live]'."
        ) from error
    return start_web(board, options.host, options.port, options.networks, osc_port=osc_port)
