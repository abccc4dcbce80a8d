"""A patch for Pure Data, of objects that every Pd since 0.51 has.

The faders stand on the canvas, the wires in [pd wires]. Whoever builds on it sends to and receives
from names, so that no wire has to be drawn:

    [s stemwire/stem/drums/gain_db]        turns it
    [r stemwire/stem/drums/gain_db/is]     "set <value>", now and whenever it changes

    what is turned -> [r name] -> [oscformat ...] -> [s stemwire-out] -> [netsend -u -b]
    what comes     -> [oscparse] -> [route stemwire] -> [route stem ...] -> ... -> [s name/is]
"""

from __future__ import annotations

from typing import Any

from plugin_host.osc.address import Address
from plugin_host.surfaces.plan import SUBSCRIBE_SECONDS, Plan, Strip, Target, limits, title

_OUT = "stemwire-out"
_COLUMN = 110
_GROUND, _INK, _LIGHT = "#191c22", "#f0f4f8", "#5ad17f"
_STRINGS = frozenset("s")


class _Canvas:
    """The objects of one canvas and the wires between them."""

    def __init__(self) -> None:
        self._objects: list[str] = []
        self._wires: list[str] = []

    def add(self, x: int, y: int, text: str, kind: str = "obj") -> int:
        """Adds an object; returns its number."""
        self._objects.append(f"#X {kind} {x} {y} {text};")
        return len(self._objects) - 1

    def add_canvas(self, x: int, y: int, name: str, inside: _Canvas) -> None:
        """Adds a canvas within this one."""
        lines = [
            f"#N canvas 60 60 900 600 {name} 0;",
            *inside.lines(),
            f"#X restore {x} {y} pd {name};",
        ]
        self._objects.append("\n".join(lines))

    def wire(self, source: int, target: int, outlet: int = 0, inlet: int = 0) -> None:
        """Connects two objects."""
        self._wires.append(f"#X connect {source} {outlet} {target} {inlet};")

    def chain(self, *objects: int) -> None:
        """Connects each object with the next one."""
        for source, target in zip(objects, objects[1:], strict=False):
            self.wire(source, target)

    def lines(self) -> list[str]:
        return [*self._objects, *self._wires]


def pd_patch(plan: Plan, target: Target) -> str:
    """Returns the text of the patch."""
    top = _Canvas()
    width = _COLUMN * len(plan.strips) + 40
    top.add(20, 12, "Stemwire: start stemwire serve \\, then open this patch.", "text")
    for number, strip in enumerate(plan.strips):
        _add_strip(top, 20 + number * _COLUMN, 50, strip)
    x = 20
    for address in plan.switches:
        _add_toggle(top, x, 380, address)
        x += _COLUMN
    for address in plan.triggers:
        name = _name(address)
        colours = f"{_GROUND} {_INK} #000000"
        top.add(x, 380, f"bng 24 250 50 0 {name} {name}/is {title(address)} 30 12 0 12 {colours}")
        x += _COLUMN
    for number, address in enumerate(plan.figures):
        _add_reading(top, 20 + 150 * number, 450, address)
    _add_reading(top, 20 + 150 * len(plan.figures), 450, plan.model)
    top.add_canvas(20, 490, "wires", _wires(plan, target))
    return "\n".join([f"#N canvas 80 80 {max(width, 800)} 530 12;", *top.lines(), ""])


def _add_strip(canvas: _Canvas, x: int, y: int, strip: Strip) -> None:
    canvas.add(x, y, strip.name, "text")
    low, high = limits(strip.fader)
    name = _name(strip.fader)
    canvas.add(
        x,
        y + 30,
        f"vsl 32 200 {low:g} {high:g} 0 0 {name} {name}/is empty 0 -9 0 10 {_GROUND} {_INK} #000000"
        " 0 1",
    )
    meter = f"{_name(strip.meter)}/is"
    canvas.add(
        x + 40,
        y + 30,
        f"vsl 10 200 -60 0 0 0 empty {meter} empty 0 -9 0 10 {_GROUND} {_LIGHT} #000000 0 1",
    )
    y += 240
    for address in (strip.pan, *strip.knobs):
        if address is not None:
            low, high = limits(address)
            name = _name(address)
            canvas.add(
                x,
                y,
                f"hsl 80 16 {low:g} {high:g} 0 0 {name} {name}/is empty 0 -9 0 10 {_GROUND} {_INK}"
                " #000000 0 1",
            )
            y += 24
    for number, address in enumerate(strip.switches):
        _add_toggle(canvas, x + 50 * number, y, address)


def _add_toggle(canvas: _Canvas, x: int, y: int, address: Address) -> None:
    name = _name(address)
    colours = f"{_GROUND} {_INK} #000000"
    canvas.add(x, y, f"tgl 24 0 {name} {name}/is {title(address)} 0 32 0 10 {colours} 0 1")


def _add_reading(canvas: _Canvas, x: int, y: int, address: Address) -> None:
    kind = "symbolatom" if set(address.tags) & _STRINGS else "floatatom"
    label = title(address).replace(" ", "_")
    canvas.add(x, y, f"16 0 0 2 {label} {_name(address)}/is - 12", kind)


def _wires(plan: Plan, target: Target) -> _Canvas:
    canvas = _Canvas()
    begin = canvas.add(20, 20, "loadbang")
    connect = canvas.add(20, 50, f"connect {target.host} {target.port}", "msg")
    send = canvas.add(20, 230, "netsend -u -b")
    canvas.chain(begin, connect, send)

    # Says every now and then that we are here; first as soon as we are connected.
    delay = canvas.add(160, 50, "delay 50")
    metro = canvas.add(160, 80, f"metro {1000 * SUBSCRIBE_SECONDS}")
    subscribe = canvas.add(160, 110, f"oscformat {' '.join(_parts(plan.subscribe))}")
    out = canvas.add(160, 140, f"s {_OUT}")
    canvas.chain(begin, delay, metro, subscribe, out)

    come = canvas.add(20, 140, f"r {_OUT}")
    marked = canvas.add(20, 170, "list prepend send")
    trimmed = canvas.add(20, 200, "list trim")
    canvas.chain(come, marked, trimmed, send)

    for number, address in enumerate(plan.table):
        if address.write is not None:
            _add_sender(canvas, 20 + 280 * (number % 3), 700 + 36 * number, address)

    parse = canvas.add(320, 50, "oscparse")
    trim = canvas.add(320, 80, "list trim")
    canvas.wire(send, parse, outlet=1)
    canvas.chain(parse, trim)
    _add_routes(canvas, trim, 320, 110, _tree(plan))
    return canvas


def _add_sender(canvas: _Canvas, x: int, y: int, address: Address) -> None:
    """What is sent to a name goes out as a message."""
    name = canvas.add(x, y, f"r {_name(address)}")
    whole = canvas.add(x, y + 24, "list")  # a bare word as well
    form = canvas.add(x, y + 48, f"oscformat {' '.join(_parts(address))}")
    out = canvas.add(x, y + 72, f"s {_OUT}")
    canvas.chain(name, whole, form, out)


_Tree = dict[str, Any]  # names to trees, or to addresses


def _tree(plan: Plan) -> _Tree:
    tree: _Tree = {}
    for address in plan.table:
        if address.read is not None:
            *above, last = _parts(address)
            branch = tree
            for part in above:
                branch = branch.setdefault(part, {})
            branch[last] = address
    return tree


def _add_routes(canvas: _Canvas, source: int, x: int, y: int, tree: _Tree) -> None:
    """Takes an address apart, one part after the other, down to where its values are told."""
    route = canvas.add(x, y, f"route {' '.join(tree)}")
    canvas.wire(source, route)
    for outlet, branch in enumerate(tree.values()):
        at = x + 120 * outlet
        if isinstance(branch, dict):
            _add_routes(canvas, _pass(canvas, route, outlet, at, y + 30), at, y + 60, branch)
        else:
            marked = canvas.add(at, y + 60, "list prepend set")
            canvas.wire(route, marked, outlet)
            trimmed = canvas.add(at, y + 90, "list trim")
            told = canvas.add(at, y + 120, f"s {_name(branch)}/is")
            canvas.chain(marked, trimmed, told)


def _pass(canvas: _Canvas, route: int, outlet: int, x: int, y: int) -> int:
    trimmed = canvas.add(x, y, "list trim")
    canvas.wire(route, trimmed, outlet)
    return trimmed


def _parts(address: Address) -> list[str]:
    return address.path.split("/")[1:]


def _name(address: Address) -> str:
    return address.path[1:]
