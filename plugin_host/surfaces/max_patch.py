"""A patch for Max, which is a Max for Live device as well.

The faders are live.* objects: in a device of Live they are parameters, to be automated and mapped.

    [live.slider] -> [prepend /stemwire/...] -> [udpsend host 9130]
    [udpreceive 9132] -> [route /stemwire/... ...] -> [prepend set] -> [live.slider]

`set` shows a value without sending it, so nothing goes round in a circle. No fader has a value to
begin with: opening the patch must not turn anything.
"""

from __future__ import annotations

import json
from typing import Any

from plugin_host.osc.address import Address
from plugin_host.surfaces.plan import (
    SUBSCRIBE_SECONDS,
    Plan,
    Strip,
    Target,
    full_title,
    limits,
    title,
)

_COLUMN = 84
_PLAIN, _DECIBELS = 1, 4  # how a parameter is written: parameter_unitstyle
_FLOAT, _ENUM = 0, 2  # parameter_type
_WIRES_AT = 420

_OUTLETS = {
    "live.slider": ["", "float"],
    "live.dial": ["", "float"],
    "live.text": ["", ""],
    "button": ["bang"],
    "message": [""],
    "multislider": ["", ""],
    "umenu": ["int", "", ""],
    "comment": [],
}


class _Patch:
    """Boxes and the lines between them."""

    def __init__(self) -> None:
        self._boxes: list[dict[str, Any]] = []
        self._lines: list[dict[str, Any]] = []

    def add(
        self,
        kind: str,
        place: tuple[float, float, float, float],
        *,
        shown: tuple[float, float, float, float] | None = None,
        outlets: int = 1,
        inlets: int = 1,
        **attributes: Any,
    ) -> str:
        """Adds a box; returns its id.

        Args:
            kind: such as "live.slider"; "newobj" is an object by its text.
            place: x, y, width, height in the patch.
            shown: the same in the presentation; None to leave it out there.
            outlets: of an object.
            inlets: of an object.
            attributes: whatever else it has.
        """
        name = f"obj-{len(self._boxes) + 1}"
        box: dict[str, Any] = {
            "id": name,
            "maxclass": kind,
            "numinlets": 2 if kind == "message" else inlets,
            "outlettype": _OUTLETS.get(kind, [""] * outlets),
            "patching_rect": list(place),
        }
        box["numoutlets"] = len(box["outlettype"])
        if shown is not None:
            box |= {"presentation": 1, "presentation_rect": list(shown)}
        self._boxes.append({"box": box | attributes})
        return name

    def object(self, x: float, y: float, text: str, outlets: int = 1, inlets: int = 1) -> str:
        """Adds an object by its text."""
        place = (x, y, max(60.0, 6.5 * len(text)), 22.0)
        return self.add("newobj", place, outlets=outlets, inlets=inlets, text=text)

    def wire(self, source: str, target: str, outlet: int = 0, inlet: int = 0) -> None:
        """Connects two boxes."""
        line = {"source": [source, outlet], "destination": [target, inlet]}
        self._lines.append({"patchline": line})

    def text(self, width: float, height: float) -> str:
        """Returns the file."""
        patcher = {
            "fileversion": 1,
            "appversion": {"major": 8, "minor": 5, "revision": 0, "architecture": "x64"},
            "classnamespace": "box",
            "rect": [60.0, 90.0, width, height],
            "openinpresentation": 1,
            "default_fontsize": 12.0,
            "default_fontname": "Arial",
            "devicewidth": width,
            "description": "The mixer of Stemwire",
            "boxes": self._boxes,
            "lines": self._lines,
        }
        return json.dumps({"patcher": patcher}, indent=1) + "\n"


def max_patch(plan: Plan, target: Target) -> str:
    """Returns the text of the patch."""
    patch = _Patch()
    send = patch.object(20, _WIRES_AT + 300, f"udpsend {target.host} {target.port}", outlets=0)
    receive = patch.object(20, _WIRES_AT, f"udpreceive {target.reply_port}")
    _add_subscription(patch, plan, send)

    told = [address for address in plan.table if address.read is not None]
    paths = [address.path for address in told]
    route = patch.object(20, _WIRES_AT + 30, f"route {' '.join(paths)}", outlets=len(paths) + 1)
    patch.wire(receive, route)
    outlet_of = {path: outlet for outlet, path in enumerate(paths)}

    def join(address: Address, box: str, x: float) -> None:
        """Lets a box send to an address, and show what comes from there."""
        out = patch.object(x, _WIRES_AT + 200, f"prepend {address.path}")
        patch.wire(box, out)
        patch.wire(out, send)
        show(address, box, x)

    def show(address: Address, box: str, x: float) -> None:
        quietly = patch.object(x, _WIRES_AT + 80, "prepend set")
        patch.wire(route, quietly, outlet_of[address.path])
        patch.wire(quietly, box)

    for number, strip in enumerate(plan.strips):
        x = 12.0 + number * _COLUMN
        for address, box in _add_strip(patch, x, strip):
            if address is strip.meter:  # which takes a list as it is
                patch.wire(route, box, outlet_of[address.path])
            else:
                join(address, box, 3 * x)
    x = 12.0 + len(plan.strips) * _COLUMN
    for number, address in enumerate(plan.switches):
        join(address, _add_switch(patch, x, 24.0 + 30 * number, 70, address), 3 * x)
    for number, address in enumerate(plan.triggers):
        y = 24.0 + 30 * (len(plan.switches) + number)
        _label(patch, x + 26, y, title(address))
        button = patch.add("button", (x, y, 24, 24), shown=(x, y, 24, 24))
        pressed = patch.add("message", (3 * x, _WIRES_AT + 200, 120, 22), text=f"{address.path} 1")
        patch.wire(button, pressed)
        patch.wire(pressed, send)
    _add_models(patch, plan, x, route, outlet_of, send)
    for number, address in enumerate(plan.figures):
        y = 190.0 + 22 * number
        _label(patch, x, y, title(address))
        shown = patch.add("message", (x + 70, y, 80, 22), shown=(x + 70, y, 80, 22), text="")
        show(address, shown, 3 * x + 100)
    return patch.text(x + 170, 330)


def _add_subscription(patch: _Patch, plan: Plan, send: str) -> None:
    """Says every now and then that we are here; the server answers with all values."""
    begin = patch.object(200, _WIRES_AT + 240, "loadbang")
    often = patch.object(200, _WIRES_AT + 270, f"metro {1000 * SUBSCRIBE_SECONDS}", inlets=2)
    asked = patch.add(
        "message", (320, _WIRES_AT + 270, 200, 22), text=f"{plan.subscribe.path} /stemwire//* 20."
    )
    on = patch.add("message", (200, _WIRES_AT + 255, 30, 22), text="1")
    patch.wire(begin, on)
    patch.wire(on, often)
    patch.wire(often, asked)
    patch.wire(asked, send)


def _add_strip(patch: _Patch, x: float, strip: Strip) -> list[tuple[Address, str]]:
    """Adds a strip; returns its boxes, each with the address that it stands for."""
    _label(patch, x, 4, strip.name)
    boxes = []
    fader = patch.add(
        "live.slider",
        (x, 24, 39, 180),
        shown=(x, 24, 39, 180),
        **_parameter(full_title(strip, strip.fader), "gain", limits(strip.fader), _DECIBELS),
    )
    boxes.append((strip.fader, fader))
    meter = patch.add(
        "multislider",
        (x + 42, 24, 20, 180),
        shown=(x + 42, 24, 20, 180),
        size=2,
        setminmax=[-60.0, 0.0],
        setstyle=1,
        ignoreclick=1,
    )
    boxes.append((strip.meter, meter))
    y = 210.0
    for address in (strip.pan, *strip.knobs):
        if address is not None:
            name = full_title(strip, address)
            made = _parameter(name, title(address), limits(address), _PLAIN)
            boxes.append(
                (address, patch.add("live.dial", (x, y, 44, 48), shown=(x, y, 44, 48), **made))
            )
            y += 50
    for number, address in enumerate(strip.switches):
        name = full_title(strip, address)
        boxes.append((address, _add_switch(patch, x, y + 26 * number, 62, address, name)))
    return boxes


def _add_switch(
    patch: _Patch, x: float, y: float, width: float, address: Address, name: str = ""
) -> str:
    short = title(address)
    return patch.add(
        "live.text",
        (x, y, width, 22),
        shown=(x, y, width, 22),
        mode=1,
        text=short,
        texton=short,
        **_parameter(name or short, short, None, None),
    )


def _add_models(
    patch: _Patch, plan: Plan, x: float, route: str, outlet_of: dict[str, int], send: str
) -> None:
    """A menu of the models: filled anew whenever their names come."""
    y = 24.0 + 30 * (len(plan.switches) + len(plan.triggers))
    menu = patch.add("umenu", (x, y, 140, 22), shown=(x, y, 140, 22), items=[])
    split = patch.object(3 * x, _WIRES_AT + 80, "t l clear", outlets=2)  # the right one goes first
    each = patch.object(3 * x, _WIRES_AT + 110, "iter")
    append = patch.object(3 * x, _WIRES_AT + 140, "prepend append")
    choose = patch.object(3 * x + 140, _WIRES_AT + 110, "prepend setsymbol")
    out = patch.object(3 * x, _WIRES_AT + 200, f"prepend {plan.model.path}")
    patch.wire(route, split, outlet_of[plan.models.path])
    patch.wire(split, menu, outlet=1)
    patch.wire(split, each)
    patch.wire(each, append)
    patch.wire(append, menu)
    patch.wire(route, choose, outlet_of[plan.model.path])
    patch.wire(choose, menu)
    patch.wire(menu, out, outlet=1)
    patch.wire(out, send)


def _parameter(
    name: str, short: str, span: tuple[float, float] | None, style: int | None
) -> dict[str, Any]:
    """What makes a box a parameter of Live."""
    values: dict[str, Any] = {"parameter_longname": name, "parameter_shortname": short}
    if span is None:
        values |= {"parameter_type": _ENUM, "parameter_enum": ["off", "on"], "parameter_mmax": 1}
    else:
        low, high = span
        values |= {"parameter_type": _FLOAT, "parameter_mmin": low, "parameter_mmax": high}
        values |= {"parameter_unitstyle": style}
    return {
        "parameter_enable": 1,
        "varname": name,
        "saved_attribute_attributes": {"valueof": values},
    }


def _label(patch: _Patch, x: float, y: float, text: str) -> None:
    patch.add("comment", (x, y, 76, 20), shown=(x, y, 76, 20), text=text)
