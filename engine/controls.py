"""The controls: what a musician can turn while it plays, declared once.

OSC addresses, plugin parameters, the web mixer and the command line are derived from
`controls_for`; a `ControlTable` holds the values, one float64 each, in memory that may be shared
with other processes. The last value wins. Writing is strict; reading trusts nothing, because
whoever shares the memory may have written anything there.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError

MAX_GAIN = 4.0
"""The most that a fader amplifies: +12 dB."""

_MAX_COUNT = 2**31 - 1  # exact in a float64


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        name: parts joined by slashes, for example "stem/drums/gain"; unique.
        minimum: lowest value allowed.
        maximum: highest value allowed.
        default: value at the start.
        unit: "linear" for a factor, "" for a number without one.
        kind: "value"; "switch", which is 0 or 1; or "trigger", a counter of which only the change
            counts (see `ControlTable.trigger`).
        meaning: one sentence for people.
    """

    name: str
    minimum: float
    maximum: float
    default: float
    unit: str
    kind: Literal["value", "switch", "trigger"]
    meaning: str

    @property
    def is_switch(self) -> bool:
        """Whether it is either off (0) or on (1)."""
        return self.kind == "switch"

    @property
    def is_trigger(self) -> bool:
        """Whether it makes something happen each time that it changes."""
        return self.kind == "trigger"

    def checked(self, value: float) -> float:
        """Returns a value that a user gave, if it is allowed.

        Raises:
            ConfigError: if it is no number, or lies outside the range.
        """
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"{self.name} is {value!r}; give a number.") from error
        if not self.minimum <= number <= self.maximum:  # NaN as well
            raise ConfigError(
                f"{self.name} is {number:g}; give {self.minimum:g} to {self.maximum:g}."
            )
        if self.is_switch and number not in (0.0, 1.0):
            raise ConfigError(f"{self.name} is {number:g}; give 0 (off) or 1 (on).")
        return number

    def trusted(self, value: float) -> float:
        """Returns an allowed value, whatever was read: NaN gives the default, the rest clamps."""
        if math.isnan(value):
            return self.default
        number = min(max(value, self.minimum), self.maximum)
        return float(number >= 0.5) if self.is_switch else number


def controls_for(stems: Sequence[str]) -> tuple[Control, ...]:
    """Declares the controls of a model.

    Args:
        stems: their names.

    Returns:
        The controls, in the order of their slots.
    """
    return (*(control for stem in stems for control in _of_stem(stem)), *_OF_ALL)


def _of_stem(stem: str) -> Iterator[Control]:
    prefix = f"stem/{stem}"
    yield Control(
        f"{prefix}/gain", 0, MAX_GAIN, 1, "linear", "value", f"How loud {stem} is in the mix."
    )
    yield _switch(f"{prefix}/mute", f"Silences {stem}, even while it is soloed.")
    yield _switch(f"{prefix}/solo", f"Silences every stem that is not soloed, but not {stem}.")
    yield Control(
        f"{prefix}/pan", -1, 1, 0, "", "value", f"Balance of {stem}: -1 is left, 1 is right."
    )


def _switch(name: str, meaning: str) -> Control:
    return Control(name, 0, 1, 0, "", "switch", meaning)


_OF_ALL = (
    Control("master/gain", 0, MAX_GAIN, 1, "linear", "value", "How loud the mix is."),
    _switch("bypass", "Plays the input as it came, just as late as the mix, and all stems at 1."),
    _switch("panic", "Silences everything."),
    Control("reset", 0, _MAX_COUNT, 0, "", "trigger", "Makes the model forget what it has heard."),
)


class ControlTable:
    """The values of controls, by name.

    Several processes may hold a table over the same memory: each value is written and read whole.

    Args:
        controls: what there is, in the order of the slots; see `controls_for`.
        values: float64 `(controls,)`, used as it is and not copied; None for memory of its own that
            holds the defaults.

    Attributes:
        controls: what there is.
        values: the memory; what is in it need not be allowed.
    """

    def __init__(
        self, controls: Sequence[Control], values: NDArray[np.float64] | None = None
    ) -> None:
        self.controls = tuple(controls)
        self._slots = {control.name: slot for slot, control in enumerate(self.controls)}
        self._defaults = np.array([control.default for control in self.controls], np.float64)
        if values is None:
            values = self._defaults.copy()
        if values.shape != self._defaults.shape or values.dtype != np.float64:
            raise ValueError(
                f"The values are {values.dtype} {values.shape} where float64 "
                f"{self._defaults.shape} should be."
            )
        self.values = values

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the slots."""
        return tuple(self._slots)

    def slot(self, name: str) -> int:
        """Returns where in `values` a control lies.

        Raises:
            ConfigError: if there is no such control.
        """
        slot = self._slots.get(name)
        if slot is None:
            raise ConfigError(f"There is no control {name!r}; there are {', '.join(self._slots)}.")
        return slot

    def get(self, name: str) -> float:
        """Returns a control's value, always one that is allowed.

        Raises:
            ConfigError: if there is no such control.
        """
        slot = self.slot(name)
        return self.controls[slot].trusted(self.values.item(slot))

    def set(self, name: str, value: float) -> None:
        """Sets a control.

        Raises:
            ConfigError: if there is no such control, or the value is not allowed.
        """
        slot = self.slot(name)
        self.values[slot] = self.controls[slot].checked(value)

    def set_all(self, values: Mapping[str, float]) -> None:
        """Sets several controls; all of them, or none if one is wrong.

        Raises:
            ConfigError: if there is no such control, or a value is not allowed.
        """
        checked = [
            (slot := self.slot(name), self.controls[slot].checked(value))
            for name, value in values.items()
        ]
        for slot, number in checked:
            self.values[slot] = number

    def trigger(self, name: str) -> None:
        """Makes a trigger's count another one, so that whoever reads it sees the change.

        Raises:
            ConfigError: if there is no such trigger.
        """
        slot = self.slot(name)
        if not self.controls[slot].is_trigger:
            raise ConfigError(f"{name} is no trigger; set it to a value.")
        count = int(self.get(name))
        self.values[slot] = 0 if count >= _MAX_COUNT else count + 1

    def restore_defaults(self) -> None:
        """Sets every control to its default, as the first owner of new memory must."""
        self.values[...] = self._defaults

    def as_dict(self) -> dict[str, float]:
        """Returns all values by name, each one allowed."""
        return {name: self.get(name) for name in self._slots}
