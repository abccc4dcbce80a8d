"""The plugins that pedalboard can load, with one face: its own effects, VST3 and Audio Units.

pedalboard describes the parameters of loaded plugins by trying out 1,001 places of each knob; its
own effects have no ranges at all (`plugin_host.effects` declares them). Here both become controls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pedalboard
from pedalboard import load_plugin  # type: ignore[attr-defined]

from engine import ConfigError, HostConfig
from engine.controls import Control
from engine.fifo import Samples
from plugin_host.effects import EFFECTS

PLAIN_FRAMES = 8
"""A block so long that pedalboard sees which axis is channels and which frames."""

_FEW = 64  # values of a knob that has notches; one with more turns smoothly


class Plugin:
    """A plugin that is loaded.

    Attributes:
        name: for people.
    """

    name: str

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin

    def try_on(self, channels: int, config: HostConfig) -> str:
        """Sends a block of silence through it; returns what is wrong with that, if anything is.

        Args:
            channels: of the block; it is to stay at that if nothing is wrong.
            config: of the host.
        """
        self._sample_rate = config.sample_rate
        self._block_size = max(config.block_size, PLAIN_FRAMES)
        try:
            self.run(np.zeros((channels, self._block_size), np.float32))
        except (RuntimeError, ValueError) as error:
            return str(error).rstrip(".")
        return ""

    def run(self, audio: Samples) -> Samples:
        """Takes `(channels, frames)`; gives as many frames, or fewer while it is late."""
        out: Samples = self._plugin.process(
            audio, self._sample_rate, buffer_size=self._block_size, reset=False
        )
        return out

    def reset(self) -> None:
        """Forgets all sound."""
        self._plugin.reset()

    @property
    def controls(self) -> tuple[Control, ...]:
        """What can be turned while it plays."""
        raise NotImplementedError

    def set(self, name: str, value: float) -> None:
        """Sets a control to a value that it allows."""
        raise NotImplementedError

    @property
    def said_latency(self) -> int:
        """Frames that the plugin says it is late; not what counts, but it may change."""
        return int(getattr(self._plugin, "reported_latency_samples", 0))


class BuiltIn(Plugin):
    """One of pedalboard's own effects.

    Args:
        name: of the effect.
        parameters: checked values by name; choices by their names.
        impulse_response: path; Convolution only.
    """

    def __init__(
        self, name: str, parameters: Mapping[str, Any], impulse_response: str | None = None
    ) -> None:
        self.name = name
        arguments = [] if impulse_response is None else [impulse_response]
        super().__init__(getattr(pedalboard, name)(*arguments))
        self._parameters = {parameter.name: parameter for parameter in EFFECTS[name]}
        self._values: dict[str, float] = {}
        for parameter in EFFECTS[name]:
            value = getattr(self._plugin, parameter.name)
            value = parameters.get(parameter.name, getattr(value, "name", value))
            self._values[parameter.name] = (
                # What a float32 holds of 0.4 is to be 0.4 again.
                parameter.choices.index(value) if parameter.choices else float(f"{value:.7g}")
            )

    def try_on(self, channels: int, config: HostConfig) -> str:
        """As `Plugin.try_on`; from now on the parameters are what they can be at the rate."""
        self._sample_rate = config.sample_rate
        for name, value in self._values.items():
            self.set(name, value)
        return super().try_on(channels, config)

    @property
    def controls(self) -> tuple[Control, ...]:
        """What can be turned while it plays."""
        live = (parameter for parameter in self._parameters.values() if parameter.is_live)
        return tuple(parameter.control(self._values[parameter.name]) for parameter in live)

    def set(self, name: str, value: float) -> None:
        """Sets a control."""
        parameter = self._parameters[name]
        wanted: Any = parameter.possible(value, self._sample_rate)
        if parameter.choices:
            choices = type(getattr(self._plugin, name))
            wanted = getattr(choices, parameter.choices[round(value)])
        setattr(self._plugin, name, wanted)


class External(Plugin):
    """A VST3 or Audio Unit.

    Args:
        path: of the plugin.
        parameters: values by pedalboard's names.
        name: of the plugin in the file, where that holds several.
        preset: path of a .vstpreset file that is loaded before the parameters are set.

    Raises:
        ConfigError: if there is no such plugin or parameter, or a value is not allowed.
    """

    def __init__(
        self,
        path: str,
        parameters: Mapping[str, Any],
        name: str | None = None,
        preset: str | None = None,
    ) -> None:
        try:
            plugin: Any = load_plugin(path, plugin_name=name)
            if preset is not None:
                plugin.load_preset(preset)
        except (ImportError, RuntimeError, ValueError) as error:
            reason = str(error).rpartition("\t")[2]
            raise ConfigError(f"{path} cannot be loaded ({' '.join(reason.split())}).") from error
        super().__init__(plugin)
        self.name = plugin.name
        if not plugin.is_effect:
            raise ConfigError(f"{self.name} is an instrument; a chain takes effects only.")
        known = plugin.parameters
        for key, value in parameters.items():
            if key not in known:
                raise ConfigError(f"{self.name} has no {key!r}; it has {', '.join(known)}.")
            try:
                setattr(plugin, key, value)
            except ValueError as error:
                raise ConfigError(f"{self.name}: {error}.") from error
        knobs = (_knob(plugin, key) for key in known)
        self._knobs = {knob.control.name: knob for knob in knobs if knob}

    @property
    def controls(self) -> tuple[Control, ...]:
        """What can be turned while it plays."""
        return tuple(knob.control for knob in self._knobs.values())

    def set(self, name: str, value: float) -> None:
        """Sets a control."""
        knob = self._knobs[name]
        knob.parameter.raw_value = knob.raw(value)


@dataclass(frozen=True)
class _Knob:
    """A parameter of a loaded plugin.

    Attributes:
        control: what others see of it.
        parameter: pedalboard's.
        raw: takes a value of the control; gives the place of the knob, 0 to 1.
    """

    control: Control
    parameter: Any
    raw: Callable[[float], float]


def load(entry: Mapping[str, Any]) -> Plugin:
    """Loads what an entry of `plugin_host.chain_presets` describes.

    Raises:
        ConfigError: if it cannot be loaded.
    """
    if "plugin" in entry:
        return External(entry["plugin"], entry["parameters"], entry["name"], entry.get("preset"))
    return BuiltIn(entry["effect"], entry["parameters"], entry.get("impulse_response"))


def _knob(plugin: Any, name: str) -> _Knob | None:
    """Returns a plugin's parameter as a control; None where there is nothing to turn."""
    parameter = plugin.parameters[name]
    # Another program sets all other knobs, behind the back of whoever looks at their controls.
    if not parameter.is_automatable or parameter.name.lower().endswith("program"):
        return None
    meaning = f"{parameter.name} of {plugin.name}"
    if parameter.type is str:
        return _knob_of_choices(name, parameter, meaning)
    try:
        return _knob_of_numbers(name, parameter, meaning, float(getattr(plugin, name)))
    except ValueError:
        return None  # it shows what is no number


def _knob_of_choices(name: str, parameter: Any, meaning: str) -> _Knob | None:
    """Numbers the choices from 0."""
    names = list(parameter.ranges.values())
    if len(names) < 2:
        return None
    shown = parameter.string_value
    now = names.index(shown) if shown in names else 0
    meaning += ": " + ", ".join(f"{number} {choice}" for number, choice in enumerate(names))
    middles = [(low + high) / 2 for low, high in parameter.ranges]
    return _Knob(
        Control(name, 0, len(names) - 1, now, "", "value", f"{meaning}."),
        parameter,
        lambda value: float(middles[round(value)]),
    )


def _knob_of_numbers(name: str, parameter: Any, meaning: str, now: float) -> _Knob | None:
    """Takes what a knob shows at its 1,001 places as the scale of the control."""
    scale = [
        (float(value), low, (low + high) / 2)
        for (low, high), value in parameter.ranges.items()
        if math.isfinite(value)  # some faders show -inf at their end
    ]
    if len(scale) < 2:
        return None
    values, lows, middles = np.array(sorted(scale)).T
    least, most = float(values[0]), float(values[-1])
    control = Control(
        name,
        least,
        most,
        min(max(now, least), most),
        (parameter.label or "").strip(),
        "switch" if list(values) == [0.0, 1.0] else "value",
        f"{meaning}.",
    )

    def notch(value: float) -> float:
        return float(middles[np.abs(values - value).argmin()])

    def place(value: float) -> float:
        return float(np.interp(value, values, lows))

    steps = np.diff(lows)
    if len(values) <= _FEW:
        return _Knob(control, parameter, notch)
    is_monotonic = bool((steps > 0).all() or (steps < 0).all())
    return _Knob(control, parameter, place if is_monotonic else parameter.get_raw_value_for)
