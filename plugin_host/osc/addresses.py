"""Every address there is, derived from the controls that the engine declares.

OSC, OSCQuery, the control surfaces and the client are derived from this table. Whoever holds a
board and a table can serve the addresses over any transport:

    table = AddressTable(board.stems, board.controls)
    address = table["/stemwire/stem/drums/gain"]
    address.write(board, (0.5,), origin)
    address.read(board)                                     # (0.5,)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from engine import ConfigError
from engine.controls import Control, controls_for
from plugin_host.board import MODEL, RECALLED, SAVED, Board, MidiDesk
from plugin_host.osc.address import (
    GAIN_FLOOR_DB,
    ROOT,
    Address,
    Argument,
    Values,
    number,
    text,
    to_db,
    to_gain,
    within,
)
from plugin_host.osc.figures import figures
from plugin_host.osc.patterns import is_pattern, matcher

MAX_RATE_HZ = 30.0


class AddressTable:
    """All addresses of a model, by path.

    Args:
        stems: their names.
        controls: what there is to turn; None for what every model has.
    """

    def __init__(self, stems: Sequence[str], controls: Sequence[Control] | None = None) -> None:
        self.stems = tuple(stems)
        turned = controls_for(self.stems) if controls is None else controls
        every = (*_controls(turned), *figures(self.stems), *_COMMANDS)
        self._by_path = {address.path: address for address in every}
        self._showing: dict[str, tuple[Address, ...]] = {}
        for address in every:
            if address.shows:
                so_far = self._showing.get(address.shows, ())
                self._showing[address.shows] = (*so_far, address)
        self._matching = lru_cache(maxsize=256)(self._find)

    def __iter__(self) -> Iterator[Address]:
        return iter(self._by_path.values())

    def __len__(self) -> int:
        return len(self._by_path)

    def __contains__(self, path: str) -> bool:
        return path in self._by_path

    def __getitem__(self, path: str) -> Address:
        """Returns one address.

        Raises:
            ConfigError: if there is none of that path.
        """
        address = self._by_path.get(path)
        if address is None:
            raise ConfigError(f"There is no address {path[:80]}; {ROOT}//* asks for all there are.")
        return address

    def get(self, path: str) -> Address | None:
        """Returns one address, or None."""
        return self._by_path.get(path)

    def match(self, pattern: str) -> tuple[Address, ...]:
        """Returns the addresses that a pattern, or the path of one, means.

        Raises:
            ConfigError: if there are none, or the pattern is no pattern.
        """
        if not is_pattern(pattern):
            return (self[pattern],)
        return self._matching(pattern)

    def showing(self, name: str) -> tuple[Address, ...]:
        """Returns the addresses whose values change with a control, or with MODEL."""
        return self._showing.get(name, ())

    def _find(self, pattern: str) -> tuple[Address, ...]:
        fits = matcher(pattern)
        found = tuple(address for path, address in self._by_path.items() if fits(path))
        if not found:
            raise ConfigError(f"No address fits {pattern[:80]}; {ROOT}//* asks for all there are.")
        return found


# ---- controls -----------------------------------------------------------------------------------


def _controls(controls: Sequence[Control]) -> Iterator[Address]:
    for control in controls:
        yield _control(control)
        if control.name.endswith("/gain") and control.unit == "linear":
            yield _in_db(control)


def _control(control: Control) -> Address:
    name = control.name
    is_whole = control.is_switch or control.is_trigger

    def read(board: Board) -> Values:
        value = board.get(name)
        if control.is_trigger:  # its count means nothing to anybody else
            return (0,)
        return (int(value) if control.is_switch else value,)

    def write(board: Board, values: Values, origin: str) -> None:
        value = number(name, values)
        if not control.is_trigger:
            board.set(name, within(value, control.minimum, control.maximum), origin)
        elif value:  # a button sends 1 when it is pressed and 0 when it is let go
            board.trigger(name, origin)

    highest = 1.0 if control.is_trigger else control.maximum
    meaning = (
        "1 to do it" if control.is_trigger else "0 off, 1 on" if control.is_switch else "value"
    )
    argument = Argument("i" if is_whole else "f", meaning, control.minimum, highest, control.unit)
    default = int(control.default) if control.is_switch else control.default
    return Address(
        f"{ROOT}/{name}",
        "control",
        control.meaning,
        (argument,),
        read,
        write,
        name,
        is_trigger=control.is_trigger,
        default=() if control.is_trigger else (default,),
    )


def _in_db(control: Control) -> Address:
    name = control.name
    highest = round(to_db(control.maximum, GAIN_FLOOR_DB), 4)

    def read(board: Board) -> Values:
        return (to_db(board.get(name), GAIN_FLOOR_DB),)

    def write(board: Board, values: Values, origin: str) -> None:
        decibels = within(number(f"{name}_db", values), GAIN_FLOOR_DB, highest)
        if not GAIN_FLOOR_DB <= decibels <= highest:
            raise ConfigError(
                f"{name}_db is {decibels:g}; give {GAIN_FLOOR_DB:g} (silence) to {highest:.2f}."
            )
        board.set(name, to_gain(decibels), origin)

    meaning = f"{control.meaning.rstrip('.')}, in dB; {GAIN_FLOOR_DB:g} is silence."
    argument = Argument("f", "value", GAIN_FLOOR_DB, highest, "dB")
    return Address(
        f"{ROOT}/{name}_db", "control", meaning, (argument,), read, write, name, default=(0.0,)
    )


# ---- commands -----------------------------------------------------------------------------------


def _on_model(board: Board, values: Values, origin: str) -> None:
    board.swap(text("model", values), origin)


def _on_save(board: Board, values: Values, origin: str) -> None:
    board.save_preset(text(SAVED, values), origin)


def _on_recall(board: Board, values: Values, origin: str) -> None:
    board.recall_preset(text(RECALLED, values), origin)


def _on_learn(board: Board, values: Values, origin: str) -> None:
    control = text("midi/learn", values[:1])
    mode = text("midi/learn", values[1:]) if len(values) > 1 else "follow"
    _midi(board).learn(control, mode, origin)


def _on_forget(board: Board, values: Values, origin: str) -> None:
    _midi(board).forget(text("midi/forget", values), origin)


def _midi(board: Board) -> MidiDesk:
    if board.midi is None:
        raise ConfigError("No MIDI input is open: start `stemwire serve` with --midi.")
    return board.midi


_PATTERN = Argument("s", "address or pattern", is_optional=True)

_COMMANDS = (
    Address(
        f"{ROOT}/model",
        "command",
        "The model that plays; a name out of models lets another one play.",
        (Argument("s", "name"),),
        lambda board: (board.model,),
        _on_model,
        MODEL,
        is_slow=True,
    ),
    Address(
        f"{ROOT}/{SAVED}",
        "command",
        "Saves all controls under a name.",
        (Argument("s", "name"),),
        write=_on_save,
        is_slow=True,
    ),
    Address(
        f"{ROOT}/{RECALLED}",
        "command",
        "Sets all controls as they were saved.",
        (Argument("s", "name"),),
        write=_on_recall,
        is_slow=True,
    ),
    Address(
        f"{ROOT}/midi/learn",
        "command",
        "Gives the next MIDI controller that moves to a control.",
        (
            Argument("s", "control, such as stem/drums/gain"),
            Argument("s", "follow, or toggle for a switch", is_optional=True),
        ),
        write=_on_learn,
        is_slow=True,
    ),
    Address(
        f"{ROOT}/midi/forget",
        "command",
        "Frees the MIDI controllers of a control.",
        (Argument("s", "control"),),
        write=_on_forget,
    ),
    Address(
        f"{ROOT}/subscribe",
        "command",
        "Has values sent to you now and whenever they change; for UDP once a minute again.",
        (_PATTERN, Argument("f", "rate", 0.1, MAX_RATE_HZ, "Hz", is_optional=True)),
    ),
    Address(
        f"{ROOT}/unsubscribe",
        "command",
        "Ends a subscription, or all of yours.",
        (_PATTERN,),
    ),
    Address(
        f"{ROOT}/ping",
        "command",
        "Is answered at once on /stemwire/pong, with the same values.",
        (),
    ),
)
