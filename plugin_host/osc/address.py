"""One address: what it takes, what it gives, what it means, and how to read and write it.

Numbers are taken as int, float or boolean. Levels in dB end where nobody hears anything:
`GAIN_FLOOR_DB` stands for a gain of 0, `METER_FLOOR_DB` for silence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine import ConfigError
from engine.controls import MAX_GAIN
from plugin_host.board import Board

ROOT = "/stemwire"
GAIN_FLOOR_DB = -70.0
METER_FLOOR_DB = -100.0

_FLOAT32_STEP = 2.0**-23

Value = int | float | str | bytes
Values = tuple[Value, ...]


@dataclass(frozen=True)
class Argument:
    """One value of a message.

    Attributes:
        tag: its OSC type: "f", "i" or "s".
        meaning: one sentence or a few words.
        minimum: the lowest value; None for text, and where there is no limit.
        maximum: the highest value, likewise.
        unit: "linear", "dB", "ms", "Hz", "frames" or "".
        is_optional: whether it may be left out.
    """

    tag: Literal["f", "i", "s"]
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    is_optional: bool = False


@dataclass(frozen=True)
class Address:
    """One address.

    Attributes:
        path: the whole of it.
        kind: "control", something to turn; "status", something to look at; "command", something
            to have done.
        meaning: one sentence.
        arguments: of a message that is sent there, or that comes from there.
        read: returns its values; None where there is nothing to ask.
        write: does what a message with arguments says, for an origin; None where it takes none.
            It raises a `ConfigError` if the arguments are wrong.
        shows: the control, or MODEL, whose changes are changes here; empty for what moves by
            itself (meters, figures) and for commands.
        is_trigger: whether each message counts, and not the newest value.
        is_slow: whether writing returns before it is done; the outcome is told by the board, under
            the path's end.
        default: the values at the start; empty where that says nothing.
    """

    path: str
    kind: Literal["control", "status", "command"]
    meaning: str
    arguments: tuple[Argument, ...]
    read: Callable[[Board], Values] | None = None
    write: Callable[[Board, Values, str], None] | None = None
    shows: str = ""
    is_trigger: bool = False
    is_slow: bool = False
    default: Values = ()

    @property
    def tags(self) -> str:
        """The OSC types of its values, such as "f"."""
        return "".join(argument.tag for argument in self.arguments)

    @property
    def name(self) -> str:
        """The path without what all have in common."""
        return self.path[len(ROOT) + 1 :]


def to_db(gain: float, floor: float) -> float:
    """Returns a factor in dB, never less than a floor."""
    return max(20.0 * math.log10(gain), floor) if gain > 0.0 else floor


def to_gain(decibels: float) -> float:
    """Returns the factor of a fader in dB: 0 at `GAIN_FLOOR_DB`, at most `MAX_GAIN`."""
    return 0.0 if decibels <= GAIN_FLOOR_DB else min(10.0 ** (decibels / 20.0), MAX_GAIN)


def within(value: float, minimum: float, maximum: float) -> float:
    """Returns a limit where a value is that limit but for what a float32 made of it."""
    for limit in (minimum, maximum):
        if value != limit and abs(value - limit) <= _FLOAT32_STEP * abs(limit):
            return limit
    return value


def number(name: str, values: Values) -> float:
    """Returns the one number that came.

    Args:
        name: of what it is for, named in the message.
        values: that came.

    Raises:
        ConfigError: if it is not one value, or no number.
    """
    if len(values) != 1:
        raise ConfigError(f"{name} takes one value, and {len(values)} came.")
    (value,) = values
    if not isinstance(value, int | float):
        raise ConfigError(f"{name} takes a number, and {_kind_of(value)} came.")
    return float(value)


def text(name: str, values: Values) -> str:
    """Returns the one text that came; as `number` otherwise."""
    if len(values) != 1:
        raise ConfigError(f"{name} takes one name, and {len(values)} values came.")
    (value,) = values
    if not isinstance(value, str):
        raise ConfigError(f"{name} takes a name, and {_kind_of(value)} came.")
    return value


def _kind_of(value: Value) -> str:
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return f"a blob of {len(value)} bytes" if isinstance(value, bytes) else f"{value:g}"
