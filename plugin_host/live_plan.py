"""What `stemwire serve` is asked for, checked, and which audio links that means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import ConfigError
from engine.processors import Processors
from plugin_host.control_room import ControlPlan
from plugin_host.link_process import Message

DEFAULT_BLOCK_SIZE = 256
PLUGIN = "plugin"
_LINKED = ("jack", "portaudio", "file")


@dataclass(frozen=True)
class Plan:
    """What to play, and how.

    Attributes:
        audio: "jack", "portaudio", "file:SONG" or "plugin"; empty for the first of the former two
            that works.
        model: A model's name or path.
        sample_rate: Hz; PortAudio only, None for the device's default.
        block_size: Frames; None for 256. JACK has its own.
        channels: 1 or 2; None for what the device or song has.
        input: PortAudio's device, number or part of its name; empty for the default.
        output: Likewise.
        is_autoconnected: Connect to JACK's physical ports.
        is_looped: Begin the song anew at its end.
        record: Folder for what is heard of the song.
        runtime: "auto" or a runtime's name.
        is_direct: The callback waits for the engine, which saves its share of the latency.
        is_spinning: The engine looks for work all the time.
        controls: Values to begin with, by name.
        chains: Effects for stems and mix.
        reach: How to be reached by OSC, MIDI and browsers, and the preset to begin with.
    """

    audio: str = ""
    model: str = "default"
    sample_rate: int | None = None
    block_size: int | None = None
    channels: int | None = None
    input: str = ""
    output: str = ""
    is_autoconnected: bool = False
    is_looped: bool = False
    record: Path | None = None
    runtime: str = "auto"
    is_direct: bool = False
    is_spinning: bool = False
    controls: Mapping[str, float] = field(default_factory=dict)
    chains: Processors | None = None
    reach: ControlPlan = field(default_factory=ControlPlan)

    def __post_init__(self) -> None:
        kind, _, song = self.audio.partition(":")
        if kind not in ("", "jack", "portaudio", "file", PLUGIN) or (kind == "file") != bool(song):
            raise ConfigError(
                f"There is no audio {self.audio!r}: give jack, portaudio, file:SONG or plugin."
            )
        for option, given, of in (
            ("--input", self.input, ("portaudio",)),
            ("--output", self.output, ("portaudio",)),
            ("--sample-rate", self.sample_rate, ("portaudio",)),
            ("--block-size", self.block_size, ("portaudio", "file")),
            ("--channels", self.channels, ("jack", "portaudio")),
            ("--autoconnect", self.is_autoconnected or None, ("jack",)),
            ("--loop", self.is_looped or None, ("file",)),
            ("--record", self.record, ("file",)),
            ("--set", self.controls or None, _LINKED),
            ("--chain", self.chains, _LINKED),
            ("--direct", self.is_direct or None, _LINKED),
            ("--spin", self.is_spinning or None, _LINKED),
            ("--osc-port", self.reach.is_osc_needed or None, _LINKED),
            ("--web-port", self.reach.is_web_needed or None, _LINKED),
            ("--midi", self.reach.midi or None, _LINKED),
            ("--preset", self.reach.preset or None, _LINKED),
        ):
            if given not in (None, "") and kind not in of and (kind or of == ("file",)):
                raise ConfigError(
                    f"{option} goes with --audio {' or '.join(of)}"
                    f"{f' and not with {kind}' if kind else ''}."
                )

    def links(self) -> list[tuple[str, Message]]:
        """The links to try, in order: (kind, options)."""
        kind, _, song = self.audio.partition(":")
        block_size = DEFAULT_BLOCK_SIZE if self.block_size is None else self.block_size
        if kind == "file":
            record = None if self.record is None else str(self.record)
            options: Message = {"song": song, "is_looped": self.is_looped, "record": record}
            return [("file", {**options, "block_size": block_size})]
        channels = 2 if self.channels is None else self.channels
        jack: Message = {"channels": channels, "is_autoconnected": self.is_autoconnected}
        portaudio: Message = {
            "input": self.input,
            "output": self.output,
            "sample_rate": self.sample_rate,
            "block_size": block_size,
            "channels": self.channels,
        }
        both = [("jack", jack), ("portaudio", portaudio)]
        for_portaudio = (self.input or None, self.output or None, self.sample_rate, self.block_size)
        is_for_portaudio = any(given is not None for given in for_portaudio)
        wanted = kind or ("portaudio" if is_for_portaudio else "")
        return [(name, options) for name, options in both if wanted in ("", name)]


def parse_controls(settings: Sequence[str]) -> dict[str, float]:
    """Reads what was given with `--set`.

    Args:
        settings: Each such as "stem/drums/gain=0.5".

    Returns:
        Values by name; whether there are such controls depends on the model.

    Raises:
        ConfigError: If one is of another form.
    """
    values = {}
    for setting in settings:
        name, _, value = setting.rpartition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError as error:
            raise ConfigError(
                f"--set {setting!r} is no setting: give one such as stem/drums/gain=0.5."
            ) from error
    return values
