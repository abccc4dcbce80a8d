"""A layout for TouchOSC (2021 and later): XML, compressed with zlib.

Where the server is, TouchOSC does not keep in the layout: it is set once on each device. Meters are
left out, as TouchOSC shows one value of a message and they have two.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from xml.sax.saxutils import escape

from plugin_host.osc.address import Address
from plugin_host.surfaces.plan import SUBSCRIBE_SECONDS, Plan, Strip, limits, title

_WIDTH, _HEIGHT = 1_024, 768
_MARGIN = 12
_NAMES = uuid.UUID("6b1f4e5e-7f3c-5d0e-9a53-73746d776972")
_NORTH, _EAST = 0, 1  # orientations
_MOMENTARY, _TOGGLE = 0, 2  # kinds of buttons
_CENTRE = 2

_TONES = ("ff8a65", "ffd166", "4fc3f7", "baa4ff", "81e6a3", "f48fb1", "b2df52", "80deea")
_MIX, _MUTE, _SOLO, _PANIC = "d8e2ec", "ff7b72", "ffd166", "ff4d42"
_SWITCH_TONES = {"mute": _MUTE, "solo": _SOLO, "bypass": _SOLO, "panic": _PANIC}

# Asks for all values now and every few seconds, as long as the layout is open.
_SCRIPT = f"""local at = -1e9
function update()
  local now = getMillis()
  if now - at > {1000 * SUBSCRIBE_SECONDS} then
    at = now
    sendOSC('SUBSCRIBE')
  end
end
"""

Frame = tuple[float, float, float, float]


def touchosc_xml(plan: Plan) -> str:
    """Returns the layout as XML."""
    wide = (_WIDTH - _MARGIN) / (len(plan.strips) + 1)
    nodes = []
    for number, strip in enumerate(plan.strips):
        tone = _MIX if strip is plan.strips[-1] else _TONES[number % len(_TONES)]
        frame = (_MARGIN + number * wide, _MARGIN, wide - _MARGIN, _HEIGHT - 2 * _MARGIN)
        nodes += _strip(strip, frame, tone)
    x, width = _MARGIN + len(plan.strips) * wide, wide - _MARGIN
    y = float(_MARGIN)
    for address in (*plan.switches, *plan.triggers):
        nodes += _button(address, (x, y, width, 90), kind=_kind_of(address))
        y += 90 + _MARGIN
    for address in (plan.model, *plan.figures):
        nodes.append(_text(title(address), (x, y, width, 24), size=14))
        nodes.append(_reading(address, (x, y + 24, width, 32)))
        y += 64
    script = _SCRIPT.replace("SUBSCRIBE", plan.subscribe.path)
    properties = [_property("s", "name", "Stemwire"), _property("s", "script", script)]
    root = _node("root", "GROUP", (0, 0, _WIDTH, _HEIGHT), "0b0e12", properties, children=nodes)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<lexml version='3'>{root}</lexml>\n"


def touchosc_file(xml: str) -> bytes:
    """Returns the layout as TouchOSC reads it."""
    return zlib.compress(xml.encode())


def _strip(strip: Strip, frame: Frame, tone: str) -> list[str]:
    x, y, width, height = frame
    nodes = [_text(strip.name, (x, y, width, 32), size=20)]
    y, bottom = y + 40, y + height
    for address in reversed(strip.switches):
        bottom -= 72
        nodes += _button(address, (x, bottom, width, 64), kind=_TOGGLE)
    for address in reversed((*filter(None, [strip.pan]), *strip.knobs)):
        bottom -= 60
        nodes += _fader(address, (x, bottom, width, 48), tone, _EAST)
    nodes += _fader(strip.fader, (x, y, width, bottom - y - _MARGIN), tone, _NORTH)
    return nodes


def _fader(address: Address, frame: Frame, tone: str, orientation: int) -> list[str]:
    low, high = limits(address)
    rest = -low / (high - low)  # where 0 is: 0 dB, or the middle
    properties = [
        _property("s", "name", address.name),
        _property("i", "orientation", orientation),
        _property("i", "response", 1),  # relative: nothing jumps to the finger
        _property("b", "grid", 0),
    ]
    values = [_value("x", f"{rest:.6f}"), _value("touch", "false")]
    messages = [_message(address, low, high)]
    return [_node(address.path, "FADER", frame, tone, properties, values, messages)]


def _button(address: Address, frame: Frame, kind: int) -> list[str]:
    tone = _SWITCH_TONES.get(address.name.rpartition("/")[2], _MIX)
    properties = [_property("s", "name", address.name), _property("i", "buttonType", kind)]
    values = [_value("x", "0"), _value("touch", "false")]
    button = _node(
        address.path, "BUTTON", frame, tone, properties, values, [_message(address, 0, 1)]
    )
    return [button, _text(title(address), frame, size=18)]


def _kind_of(address: Address) -> int:
    return _MOMENTARY if address.is_trigger else _TOGGLE


def _text(text: str, frame: Frame, size: int) -> str:
    properties = [*_unseen(f"{text} label"), _property("i", "textSize", size)]
    values = [_value("text", text, locked=1)]
    return _node(f"{text} {frame}", "LABEL", frame, "000000", properties, values)


def _reading(address: Address, frame: Frame) -> str:
    """A label that shows what an address tells."""
    properties = [*_unseen(address.name), _property("i", "textSize", 18)]
    message = _osc(address, "text", "STRING", 0, 1, sends=0)
    values = [_value("text", "")]
    return _node(f"{address.path} is", "LABEL", frame, "000000", properties, values, [message])


def _unseen(name: str) -> list[str]:
    """What lets a label lie over a button without taking its touches."""
    return [
        _property("s", "name", name),
        _property("b", "interactive", 0),
        _property("b", "background", 0),
        _property("b", "outline", 0),
        _property("b", "grabFocus", 0),
        _property("i", "textAlignH", _CENTRE),
        _property("i", "textAlignV", _CENTRE),
    ]


# ---- the format ---------------------------------------------------------------------------------


def _message(address: Address, low: float, high: float) -> str:
    return _osc(address, "x", "FLOAT", low, high, sends=1)


def _osc(
    address: Address, value: str, conversion: str, low: float, high: float, *, sends: int
) -> str:
    trigger = f"<trigger><var>{_data(value)}</var><condition>ANY</condition></trigger>"
    return (
        f"<osc><enabled>1</enabled><send>{sends}</send><receive>1</receive><feedback>0</feedback>"
        f"<connections>00001</connections><triggers>{trigger}</triggers>"
        f"<path>{_partial('CONSTANT', 'STRING', address.path, 0, 1)}</path>"
        f"<arguments>{_partial('VALUE', conversion, value, low, high)}</arguments></osc>"
    )


def _partial(kind: str, conversion: str, value: str, low: float, high: float) -> str:
    return (
        f"<partial><type>{kind}</type><conversion>{conversion}</conversion>"
        f"<value>{_data(value)}</value>"
        f"<scaleMin>{low:g}</scaleMin><scaleMax>{high:g}</scaleMax></partial>"
    )


def _node(
    name: str,
    kind: str,
    frame: Frame,
    tone: str,
    properties: Iterable[str],
    values: Iterable[str] = (),
    messages: Iterable[str] = (),
    children: Iterable[str] = (),
) -> str:
    x, y, width, height = (round(number) for number in frame)
    colours = [int(tone[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (f"{part:.4f}" for part in colours)
    place = f"<x>{x}</x><y>{y}</y><w>{width}</w><h>{height}</h>"
    colour = f"<r>{red}</r><g>{green}</g><b>{blue}</b><a>1</a>"
    parts = {
        "properties": [
            _raw_property("r", "frame", place),
            _raw_property("c", "color", colour),
            *properties,
        ],
        "values": values,
        "messages": messages,
        "children": children,
    }
    inside = "".join(f"<{part}>{''.join(items)}</{part}>" for part, items in parts.items() if items)
    return f"<node ID='{uuid.uuid5(_NAMES, name)}' type='{kind}'>{inside}</node>"


def _property(kind: str, key: str, value: object) -> str:
    return _raw_property(kind, key, _data(str(value)) if kind == "s" else escape(str(value)))


def _raw_property(kind: str, key: str, value: str) -> str:
    return f"<property type='{kind}'><key>{_data(key)}</key><value>{value}</value></property>"


def _value(key: str, default: str, locked: int = 0) -> str:
    return (
        f"<value><key>{_data(key)}</key><locked>0</locked>"
        f"<lockedDefaultCurrent>{locked}</lockedDefaultCurrent>"
        f"<default>{_data(default)}</default><defaultPull>0</defaultPull></value>"
    )


def _data(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', '')}]]>"
