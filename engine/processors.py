"""Processors: effects that whoever drives the engine brings along, for stems and for the mix.

The engine knows none of them. It is told an import path and options, loads them in its own process,
where the sound is, and calls them block by block (`engine.rack`). So they may come from a package
that the engine must not import, and be written in Python, or wrap plugins that are not.

    processors = Processors("plugin_host.chain:build_chains", {"drums": [...], "mix": [...]})
    makers = processors.load(stems)      # {"drums": (make, make), "mix": (make,)}
    processor = makers["drums"][0]()     # only now a plugin is loaded

Making is apart from loading, so that the engine can leave one out that has brought it down before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from engine.config import HostConfig
from engine.controls import Control
from engine.errors import ConfigError
from engine.fifo import Samples

MIX = "mix"
"""The place of processors that get the mix; every other place is a stem's name."""


class Processor(Protocol):
    """An effect on one stem or on the mix. Belongs to one thread.

    Whatever `process`, `set` or `reset` raises takes the processor out for good; the sound goes on.

    Attributes:
        name: for people.
        latency: frames from an input frame to its output frame; constant from `prepare` on.
        controls: what can be turned, by names such as "ratio" that are unique here; known from
            `prepare` on. Their defaults are the values that the processor has then.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  see above
    @property
    def latency(self) -> int: ...  # noqa: D102
    @property
    def controls(self) -> Sequence[Control]: ...  # noqa: D102

    def prepare(self, config: HostConfig) -> None:
        """Allocates, warms up and starts a stream. May take seconds.

        Args:
            config: the host's; blocks have at most its block size.

        Raises:
            StemwireError: what the user can mend, in one sentence.
        """
        ...

    def process(self, audio: Samples, out: Samples) -> None:
        """Takes one block and fills another.

        Args:
            audio: float32 `(channels, frames)`; not to be changed.
            out: float32 `(channels, frames)`, always filled whole.
        """
        ...

    def set(self, name: str, value: float) -> None:
        """Sets a control, between two blocks. The value is one that the control allows."""
        ...

    def reset(self) -> None:
        """Starts the stream anew, as if just prepared; the controls stay as they are."""
        ...


Make: TypeAlias = Callable[[], Processor]
Build: TypeAlias = Callable[[Any, tuple[str, ...]], Mapping[str, Sequence[Make]]]
"""Takes options and the stems' names; gives what makes the processors, in order, by place."""


@dataclass(frozen=True)
class Processors:
    """Which processors an engine shall load.

    Attributes:
        build: where to import a `Build` from, "package.module:function"; installed, or on the
            PYTHONPATH of this process, which the engine's inherits.
        options: what that function gets besides the stems' names; anything that JSON can hold.
    """

    build: str
    options: Any

    def load(self, stems: tuple[str, ...]) -> Mapping[str, Sequence[Make]]:
        """Imports the function and calls it.

        Args:
            stems: their names.

        Returns:
            What makes the processors, by place.

        Raises:
            ConfigError: if there is no such function, or a place is neither a stem nor the mix.
            StemwireError: what the function itself refuses.
        """
        module, _, function = self.build.partition(":")
        try:
            build: Build = getattr(import_module(module), function)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(f"Processors come from {self.build!r}, but {error}.") from error
        makers = build(self.options, stems)
        for place in makers:
            if place not in (*stems, MIX):
                raise ConfigError(
                    f"There is no stem {place!r} for a chain; there are {', '.join(stems)}, "
                    f"and {MIX} for the mix."
                )
        return makers


@dataclass(frozen=True)
class Part:
    """A processor in its place, as others see it.

    Attributes:
        place: the stem that it processes, or `MIX`.
        number: which of the processors there, from 0.
        name: the processor's.
        latency: frames.
        controls: named as in the table of all controls, "stem/drums/plugin/0/ratio".
    """

    place: str
    number: int
    name: str
    latency: int
    controls: tuple[Control, ...]

    def __str__(self) -> str:
        return f"{self.name} (plugin {self.number} of {self.place})"

    @property
    def form(self) -> tuple[Any, ...]:
        """What must not change while a session plays."""
        return self.place, self.number, self.latency, [control.name for control in self.controls]

    def as_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Part":
        """Reads what `as_json` gave."""
        controls = tuple(Control(**control) for control in fields["controls"])
        return cls(**{**fields, "controls": controls})


def in_order(
    makers: Mapping[str, Sequence[Make]], stems: Sequence[str]
) -> list[tuple[str, int, Make]]:
    """Returns (place, number there, make) of all processors, as their parts are numbered."""
    return [
        (place, number, make)
        for place in (*stems, MIX)
        for number, make in enumerate(makers.get(place, ()))
    ]


def prefix_of(place: str, number: int) -> str:
    """Returns what the names of a processor's controls begin with."""
    return f"{MIX if place == MIX else f'stem/{place}'}/plugin/{number}/"
