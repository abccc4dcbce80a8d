"""The effects built into pedalboard: their parameters, with the ranges that make sense.

pedalboard itself names the parameters, and little more. What is a control while it plays, and what
can only be chosen beforehand because it changes an effect's latency or starts it anew, is declared
here; a test holds it to what pedalboard has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine import ConfigError
from engine.controls import Control

_NYQUIST_SHARE = 0.45  # of the sample rate: filters above that are none


@dataclass(frozen=True)
class Parameter:
    """A parameter of a built-in effect.

    Attributes:
        name: pedalboard's.
        minimum: lowest value.
        maximum: highest value.
        unit: "dB", "Hz", "ms", "s", or "".
        meaning: one sentence for people.
        choices: names of the values, if they are neither numbers nor a switch.
        is_switch: whether it is on or off.
        is_live: whether it can be turned while it plays.
    """

    name: str
    minimum: float
    maximum: float
    unit: str
    meaning: str
    choices: tuple[str, ...] = ()
    is_switch: bool = False
    is_live: bool = True

    def checked(self, value: Any) -> float | bool | str:
        """Returns a value from a preset as pedalboard wants it.

        Raises:
            ConfigError: if it is of another type or out of range.
        """
        if self.choices:
            if value not in self.choices:
                raise ConfigError(f"{self.name} is {value!r}; give {', '.join(self.choices)}.")
            return str(value)
        if self.is_switch:
            if value not in (0, 1):
                raise ConfigError(f"{self.name} is {value!r}; give true or false.")
            return bool(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{self.name} is {value!r}; give a number.")
        if not self.minimum <= value <= self.maximum:  # NaN as well
            raise ConfigError(
                f"{self.name} is {value:g}; give {self.minimum:g} to {self.maximum:g}."
            )
        return float(value)

    def control(self, value: float) -> Control:
        """Returns the control that turns it, with the value that it has at the start."""
        meaning = self.meaning
        if self.choices:
            names = ", ".join(f"{number} {name}" for number, name in enumerate(self.choices))
            meaning = f"{meaning[:-1]}: {names}."
        kind: Literal["switch", "value"] = "switch" if self.is_switch else "value"
        return Control(self.name, self.minimum, self.maximum, value, self.unit, kind, meaning)

    def possible(self, value: float, sample_rate: int) -> float:
        """Returns a value as it can be at a rate: no filter works above half of that."""
        return min(value, _NYQUIST_SHARE * sample_rate) if self.unit == "Hz" else value


def _gain(name: str, meaning: str, least: float = -60, most: float = 40) -> Parameter:
    return Parameter(name, least, most, "dB", meaning)


def _time(name: str, meaning: str, least: float = 0, most: float = 5_000) -> Parameter:
    return Parameter(name, least, most, "ms", meaning)


def _share(name: str, meaning: str, least: float = 0) -> Parameter:
    return Parameter(name, least, 1, "", meaning)


def _choice(name: str, meaning: str, *choices: str, is_live: bool = True) -> Parameter:
    return Parameter(name, 0, len(choices) - 1, "", meaning, choices, is_live=is_live)


_CUTOFF = Parameter("cutoff_frequency_hz", 10, 24_000, "Hz", "Where the filter works.")
_MIX = _share("mix", "How much of the effect is heard: 0 is none, 1 is nothing else.")
_THRESHOLD = _gain("threshold_db", "The level above which it works.", -100, 0)
_RATIO = Parameter("ratio", 1, 100, "", "How strongly it works.")
_ATTACK = _time("attack_ms", "How fast it sets in.", 0, 1_000)
_RELEASE = _time("release_ms", "How fast it lets go.", 1)
_LFO = Parameter("rate_hz", 0, 100, "Hz", "How fast it moves.")
_DEPTH = _share("depth", "How far it moves.")
_FEEDBACK = _share("feedback", "How much of what comes out goes in again.")
_BOTH_WAYS = _share("feedback", "How much of what comes out goes in again.", -1)
_SHELF = (
    _CUTOFF,
    _gain("gain_db", "How much it boosts, or cuts.", -40),
    Parameter("q", 0.05, 40, "", "How narrow it is."),
)
_QUALITIES = (
    *("ZeroOrderHold", "Linear", "CatmullRom", "Lagrange", "WindowedSinc"),
    *(f"WindowedSinc{taps}" for taps in (256, 128, 64, 32, 16, 8)),
)
_QUALITY = _choice("quality", "How well it resamples.", *_QUALITIES, is_live=False)

SILENT = ("GSMFullRateCompressor", "PitchShift")
"""Effects that lose what they hold from block to block (spotify/pedalboard#415), so not for us."""

EFFECTS: dict[str, tuple[Parameter, ...]] = {
    "Bitcrush": (Parameter("bit_depth", 0, 32, "", "Bits that each sample keeps."),),
    "BrickwallLimiter": (
        _gain("ceiling_db", "The level that nothing exceeds.", -60, 0),
        _RELEASE,
        Parameter("lookahead_ms", 0.1, 100, "ms", "How far it looks ahead.", is_live=False),
        Parameter(
            "true_peak", 0, 1, "", "Finds peaks between samples.", is_switch=True, is_live=False
        ),
    ),
    "Chorus": (_LFO, _DEPTH, _time("centre_delay_ms", "How far off it is.", 1, 100), _BOTH_WAYS,
               _MIX),
    "Clipping": (_gain("threshold_db", "The level at which it clips.", -60, 0),),
    "Compressor": (_THRESHOLD, _RATIO, _ATTACK, _RELEASE),
    "Convolution": (_MIX,),
    "Delay": (Parameter("delay_seconds", 0, 30, "s", "When the echo comes."), _FEEDBACK, _MIX),
    "Distortion": (_gain("drive_db", "How hard it is driven.", 0, 100),),
    "Gain": (_gain("gain_db", "How much louder it gets."),),
    "HighShelfFilter": _SHELF,
    "HighpassFilter": (_CUTOFF,),
    "Invert": (),
    "LadderFilter": (
        _choice("mode", "What passes.", "LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24"),
        Parameter("cutoff_hz", 10, 24_000, "Hz", "Where the filter works."),
        _share("resonance", "How much it rings."),
        Parameter("drive", 1, 100, "", "How hard it is driven."),
    ),
    "Limiter": (_gain("threshold_db", "The level above which it works.", -60, 0), _RELEASE),
    "LowShelfFilter": _SHELF,
    "LowpassFilter": (_CUTOFF,),
    "MP3Compressor": (
        Parameter("vbr_quality", 0, 9, "", "0 is the best, 9 the worst.", is_live=False),
    ),
    "NoiseGate": (_THRESHOLD, _RATIO, _ATTACK, _RELEASE),
    "PeakFilter": _SHELF,
    "Phaser": (
        _LFO,
        _DEPTH,
        Parameter("centre_frequency_hz", 10, 20_000, "Hz", "Around which frequency it moves."),
        _BOTH_WAYS,
        _MIX,
    ),
    "Resample": (
        Parameter("target_sample_rate", 1_000, 192_000, "", "The rate it sounds like, in Hz.",
                  is_live=False),
        _QUALITY,
    ),
    "Reverb": (
        _share("room_size", "How large the room is."),
        _share("damping", "How soft its walls are."),
        _share("wet_level", "How loud the room is."),
        _share("dry_level", "How loud the sound itself is."),
        _share("width", "How wide the room is."),
        Parameter("freeze_mode", 0, 1, "", "Lets it ring for ever.", is_switch=True),
    ),
}  # fmt: skip


def checked_parameters(effect: str, given: dict[str, Any]) -> dict[str, float | bool | str]:
    """Checks the parameters of a built-in effect.

    Args:
        effect: its name.
        given: values by name.

    Returns:
        The values as pedalboard wants them, but choices still by their names.

    Raises:
        ConfigError: if there is no such effect or parameter, or a value is not allowed.
    """
    if effect in SILENT:
        raise ConfigError(f"{effect} gives silence when sound comes in blocks; use a VST3 instead.")
    if effect not in EFFECTS:
        raise ConfigError(f"there is no effect {effect!r}; there are {', '.join(EFFECTS)}.")
    known = {parameter.name: parameter for parameter in EFFECTS[effect]}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise ConfigError(f"{effect} has no parameter {name!r}; it has {names}.")
    try:
        return {name: known[name].checked(value) for name, value in given.items()}
    except ConfigError as error:
        raise ConfigError(f"{effect}: {error}") from error
