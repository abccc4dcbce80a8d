"""A session for Open Stage Control 1.x, which any browser can show.

Only what differs from its defaults is written down. No widget has a value to begin with: opening
the session must not turn anything.
"""

from __future__ import annotations

import json
from typing import Any

from plugin_host.osc.address import Address
from plugin_host.surfaces.plan import SUBSCRIBE_SECONDS, Plan, Strip, Target, limits, title

_TONES = ("#ff8a65", "#ffd166", "#4fc3f7", "#baa4ff", "#81e6a3", "#f48fb1", "#b2df52", "#80deea")
_MIX, _MUTE, _SOLO, _PANIC = "#d8e2ec", "#ff7b72", "#ffd166", "#ff4d42"
_SWITCH_TONES = {"mute": _MUTE, "solo": _SOLO, "bypass": _SOLO, "panic": _PANIC}
_COLUMN, _HIGH = 130, 620

Widget = dict[str, Any]


def open_stage_control(plan: Plan, target: Target) -> str:
    """Returns the text of the session."""
    widgets: list[Widget] = []
    for number, strip in enumerate(plan.strips):
        tone = _MIX if strip is plan.strips[-1] else _TONES[number % len(_TONES)]
        widgets += _strip(strip, 10 + number * _COLUMN, tone)
    x, y = 10 + len(plan.strips) * _COLUMN, 10
    for address in plan.switches:
        widgets.append(_switch(address, x, y, _COLUMN - 10))
        y += 70
    for address in plan.triggers:
        widgets.append({**_switch(address, x, y, _COLUMN - 10), "mode": "tap"})
        y += 70
    for address in (plan.model, *plan.figures):
        label = {"type": "text", "id": f"{_id(address)}_label", "value": title(address)}
        widgets.append({**label, **_place(x, y, _COLUMN - 10, 20)})
        widgets.append({**_joined(address, "text"), **_place(x, y + 20, _COLUMN - 10, 30)})
        y += 60
    root = {
        "type": "root",
        "id": "root",
        "colorBg": "#0b0e12",
        "target": f"{target.host}:{target.port}",
        "onCreate": _subscription(plan, target),
        "widgets": widgets,
        "tabs": [],
    }
    session = {
        "createdWith": "Open Stage Control",
        "version": "1.25.0",
        "type": "session",
        "content": root,
    }
    return json.dumps(session, indent=1) + "\n"


def _strip(strip: Strip, x: int, tone: str) -> list[Widget]:
    low, high = limits(strip.fader)
    label = {"type": "text", "id": f"{strip.name}_label", "value": strip.name}
    widgets: list[Widget] = [{**label, **_place(x, 10, _COLUMN - 10, 30)}]
    bottom = _HIGH
    for address in reversed(strip.switches):
        bottom -= 60
        widgets.append(_switch(address, x, bottom, _COLUMN - 10))
    for address in reversed((*filter(None, [strip.pan]), *strip.knobs)):
        bottom -= 60
        least, most = limits(address)
        widgets.append(
            {
                **_joined(address, "fader"),
                **_place(x, bottom, _COLUMN - 10, 50),
                "horizontal": True,
                "range": {"min": least, "max": most},
                "origin": 0,
                "colorWidget": tone,
            }
        )
    widgets.append(
        {
            **_joined(strip.fader, "fader"),
            **_place(x, 50, _COLUMN - 10, bottom - 60),
            "design": "round",
            "range": _law(low, high),
            "pips": True,
            "ticks": False,
            "colorWidget": tone,
        }
    )
    return widgets


def _law(low: float, high: float) -> dict[str, Any]:
    """Where on the fader which value lies: most of the way is for what is turned most."""
    return {
        "min": {"-inf": low},
        "12%": {"-40": -40},
        "35%": {"-20": -20},
        "54%": {"-10": -10},
        "75%": {"0": 0},
        "max": {f"+{high:.0f}": high},
    }


def _switch(address: Address, x: int, y: int, width: int) -> Widget:
    tone = _SWITCH_TONES.get(address.name.rpartition("/")[2], _MIX)
    return {
        **_joined(address, "button"),
        **_place(x, y, width, 50),
        "label": title(address),
        "mode": "toggle",
        "on": 1,
        "off": 0,
        "colorWidget": tone,
    }


def _joined(address: Address, kind: str) -> Widget:
    """A widget that sends to an address and shows what comes from there."""
    return {
        "type": kind,
        "id": _id(address),
        "address": address.path,
        "typeTags": address.tags,
        "comments": address.meaning,
    }


def _subscription(plan: Plan, target: Target) -> str:
    """Says every now and then that we are here; the server answers with all values."""
    where = f"'{target.host}:{target.port}', '{plan.subscribe.path}'"
    return f"send({where})\nsetInterval('lease', () => send({where}), {1000 * SUBSCRIBE_SECONDS})"


def _place(left: int, top: int, width: int, height: int) -> Widget:
    return {"left": left, "top": top, "width": width, "height": height}


def _id(address: Address) -> str:
    return address.name.replace("/", "_")
