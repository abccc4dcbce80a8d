"""What a surface shows: a strip for each stem and one for the mix, and what is for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.processors import MIX
from plugin_host.osc.address import ROOT, Address
from plugin_host.osc.addresses import AddressTable

REPLY_PORT = 9_132
"""Where surfaces listen that cannot hear answers at the port that they send from."""

SUBSCRIBE_SECONDS = 20
"""How often a surface says that it is still there; a third of what the server waits."""


@dataclass(frozen=True)
class Target:
    """Where a surface finds the server.

    Attributes:
        host: its address.
        port: of OSC over UDP.
        reply_port: where the surface listens.
    """

    host: str = "127.0.0.1"
    port: int = 9_130
    reply_port: int = REPLY_PORT


@dataclass(frozen=True)
class Strip:
    """What stands below each other.

    Attributes:
        name: of the stem, or "mix".
        fader: in dB.
        pan: None for the mix.
        switches: mute and solo; none for the mix.
        knobs: whatever else can be turned, such as parameters of effects.
        meter: peak and RMS in dB.
    """

    name: str
    fader: Address
    pan: Address | None
    switches: tuple[Address, ...]
    knobs: tuple[Address, ...]
    meter: Address

    @property
    def controls(self) -> tuple[Address, ...]:
        """All that can be turned, from top to bottom."""
        pan = () if self.pan is None else (self.pan,)
        return (self.fader, *pan, *self.switches, *self.knobs)


@dataclass(frozen=True)
class Plan:
    """What a surface shows.

    Attributes:
        table: all addresses.
        strips: from left to right, the mix last.
        switches: for all: on or off.
        triggers: for all: each press does something.
        figures: to look at.
        model: which model plays.
        models: the names of those to choose from.
        subscribe: has values sent to the surface.
    """

    table: AddressTable
    strips: tuple[Strip, ...]
    switches: tuple[Address, ...]
    triggers: tuple[Address, ...]
    figures: tuple[Address, ...]
    model: Address
    models: Address
    subscribe: Address

    @property
    def controls(self) -> tuple[Address, ...]:
        """All that can be turned."""
        of_strips = (control for strip in self.strips for control in strip.controls)
        return (*of_strips, *self.switches, *self.triggers)


def plan(table: AddressTable) -> Plan:
    """Returns what a surface for a table shows.

    Every control of the table is in it once: a gain by its address in dB.
    """
    strips = (
        *(_strip(table, stem, f"{ROOT}/stem/{stem}") for stem in table.stems),
        _strip(table, "mix", f"{ROOT}/master", f"{ROOT}/{MIX}"),
    )
    in_strips = {address.path for strip in strips for address in strip.controls}
    others = [
        address
        for address in table
        if address.kind == "control" and address.path not in in_strips and not _is_doubled(address)
    ]
    return Plan(
        table=table,
        strips=strips,
        switches=tuple(address for address in others if not address.is_trigger),
        triggers=tuple(address for address in others if address.is_trigger),
        figures=tuple(table[f"{ROOT}/status/{name}"] for name in _FIGURES),
        model=table[f"{ROOT}/model"],
        models=table[f"{ROOT}/models"],
        subscribe=table[f"{ROOT}/subscribe"],
    )


_FIGURES = ("state", "latency_ms", "load", "underruns")


def title(address: Address) -> str:
    """Returns what stands on a control, such as "Mute"."""
    return address.name.rpartition("/")[2].replace("_", " ").capitalize()


def full_title(strip: Strip, address: Address) -> str:
    """Returns a name that no other control has, such as "drums pan" or "drums plugin 0 ratio"."""
    _, _, rest = address.name.removeprefix("stem/").partition("/")
    return f"{strip.name} {rest.removesuffix('_db').replace('/', ' ')}"


def limits(address: Address) -> tuple[float, float]:
    """Returns the lowest and the highest value of a control."""
    (argument,) = address.arguments
    assert argument.minimum is not None
    assert argument.maximum is not None
    return float(argument.minimum), float(argument.maximum)


def _strip(table: AddressTable, name: str, *prefixes: str) -> Strip:
    prefix = prefixes[0]
    within = tuple(f"{above}/" for above in prefixes)
    own = [at for at in table if at.path.startswith(within) and at.kind == "control"]
    fader = table[f"{prefix}/gain_db"]
    pan = table.get(f"{prefix}/pan")
    rest = [at for at in own if at not in (fader, pan) and not _is_doubled(at)]
    return Strip(
        name,
        fader,
        pan,
        tuple(at for at in rest if at.tags == "i"),
        tuple(at for at in rest if at.tags != "i"),
        table[f"{prefix}/meter"],
    )


def _is_doubled(address: Address) -> bool:
    """Whether it is the linear one of two addresses of a gain."""
    return address.arguments[0].unit == "linear" and address.path.endswith("/gain")
