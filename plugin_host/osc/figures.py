"""The addresses to look at: meters, figures of the session, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from engine.worker import Status
from plugin_host.board import Board
from plugin_host.osc.address import METER_FLOOR_DB, ROOT, Address, Argument, Value, Values, to_db

_MAX_INT = 2**31 - 1


def figures(stems: tuple[str, ...]) -> Iterator[Address]:
    """Returns the addresses that only can be read."""
    for stem in stems:
        yield _meter(f"stem/{stem}/meter", stem, f"How loud {stem} is after its fader.")
    yield _meter("master/meter", "mix", "How loud the mix is.")
    yield _meter("input/meter", "input", "How loud the input is.")
    for name, tag, unit, meaning, read in _FIGURES:
        argument = Argument(tag, "value", unit=unit)
        yield Address(f"{ROOT}/status/{name}", "status", meaning, (argument,), _asking(read))
    yield _list("stems", "The names of the stems.", lambda board: board.stems)
    yield _list("models", "The names of the models to choose from.", lambda board: board.models())
    yield _list("preset/list", "The names of the presets.", lambda board: board.presets())


def _list(name: str, meaning: str, read: Callable[[Board], Values]) -> Address:
    argument = Argument("s", "name, and so on", is_optional=True)
    return Address(f"{ROOT}/{name}", "status", meaning, (argument,), read)


def _meter(name: str, row: str, meaning: str) -> Address:
    def read(board: Board) -> Values:
        return tuple(to_db(level, METER_FLOOR_DB) for level in board.meters()[row])

    def level(what: str) -> Argument:
        return Argument("f", what, METER_FLOOR_DB, unit="dB")

    return Address(f"{ROOT}/{name}", "status", meaning, (level("peak"), level("rms")), read)


def _asking(read: Callable[[Board], Value]) -> Callable[[Board], Values]:
    return lambda board: (read(board),)


def _figure(pick: Callable[[Status], Value], otherwise: Value) -> Callable[[Board], Value]:
    def read(board: Board) -> Value:
        status = board.status()
        value = otherwise if status is None else pick(status)
        return min(value, _MAX_INT) if isinstance(value, int) else value

    return read


def _counter(name: str) -> Callable[[Board], Value]:
    return lambda board: min(int(board.counters.get(name, 0)), _MAX_INT)


def _latency_ms(board: Board) -> float:
    config = board.config
    return 1e3 * board.ledger.total / config.sample_rate if config else 0.0


_Figure = tuple[str, Literal["f", "i", "s"], str, str, Callable[[Board], Value]]

_FIGURES: tuple[_Figure, ...] = (
    ("state", "s", "", "running, restarting, swapping, or waiting for an engine.",
     _figure(lambda status: status.state, "waiting")),
    ("model", "s", "", "The model that plays, by the name in its file.",
     _figure(lambda status: status.model, "")),
    ("runtime", "s", "", "What computes it.",
     _figure(lambda status: status.runtime, "")),
    ("load", "f", "", "Computing time per time that a block lasts; below 1 keeps up.",
     _figure(lambda status: status.load, 0.0)),
    ("blocks", "i", "", "Blocks played so far.",
     _figure(lambda status: status.blocks, 0)),
    ("underruns", "i", "", "Of these, blocks that were not there in time.",
     _figure(lambda status: status.underruns, 0)),
    ("restarts", "i", "", "Engines that had to be replaced.",
     _figure(lambda status: status.restarts, 0)),
    ("notes", "s", "", "What the system did not allow, or what went wrong.",
     _figure(lambda status: " ".join(status.notes), "")),
    ("latency", "i", "frames", "Frames from an input sample to its output sample.",
     lambda board: board.ledger.total),
    ("latency_ms", "f", "ms", "The same in milliseconds.", _latency_ms),
    ("osc_messages", "i", "", "OSC messages dealt with.", _counter("osc_messages")),
    ("osc_replaced", "i", "", "OSC messages whose place a newer value of the same control took.",
     _counter("osc_replaced")),
    ("osc_dropped", "i", "", "OSC messages that were too many.", _counter("osc_dropped")),
    ("osc_faults", "i", "", "Faults in what has come over OSC.", _counter("osc_faults")),
    ("osc_late_ms", "f", "ms", "How late the last bundle came that came after its time.",
     lambda board: board.counters.get("osc_late_ms", 0.0)),
    ("ledger", "s", "", "Where the latency comes from.", lambda board: str(board.ledger)),
)  # fmt: skip
