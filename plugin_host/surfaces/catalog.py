"""All surfaces there are, by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine import ConfigError
from plugin_host.osc.addresses import AddressTable
from plugin_host.surfaces.ableton import ableton_page, max_for_live
from plugin_host.surfaces.max_patch import max_patch
from plugin_host.surfaces.open_stage_control import open_stage_control
from plugin_host.surfaces.pd_patch import pd_patch
from plugin_host.surfaces.plan import Target, plan
from plugin_host.surfaces.touchosc import touchosc_file, touchosc_xml

_STEM = re.compile(r"[\w-]{1,32}", re.ASCII)
DEFAULT_STEMS = ("drums", "bass", "piano", "strings", "other")


@dataclass(frozen=True)
class Surface:
    """One file.

    Attributes:
        name: of the file.
        text: what is in it, readable.
        body: what is in it, as it is written to the disk.
    """

    name: str
    text: str
    body: bytes


def make_surfaces(
    stems: Sequence[str] = DEFAULT_STEMS, target: Target | None = None
) -> tuple[Surface, ...]:
    """Makes all surfaces for a model.

    Args:
        stems: of the model.
        target: where the server is; None for this machine and the usual ports.

    Raises:
        ConfigError: if these are no names of stems.
    """
    if not stems or not all(_STEM.fullmatch(name) for name in stems):
        raise ConfigError(
            f"{', '.join(stems)!r} is no list of stems: give names of letters, digits, - and _, "
            "such as voice,rest."
        )
    shown, target = plan(AddressTable(stems)), target or Target()
    texts = {
        "stemwire.maxpat": max_patch(shown, target),
        "stemwire-m4l.txt": max_for_live(shown, target),
        "stemwire.pd": pd_patch(shown, target),
        "stemwire.open-stage-control.json": open_stage_control(shown, target),
        "ableton.md": ableton_page(shown, target),
    }
    made = [Surface(name, text, text.encode()) for name, text in texts.items()]
    layout = touchosc_xml(shown)
    return (*made, Surface("stemwire.tosc", layout, touchosc_file(layout)))
