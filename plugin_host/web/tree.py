"""The address table as OSCQuery has it: a tree of JSON objects.

    {"FULL_PATH": "/stemwire/bypass", "DESCRIPTION": "...", "TYPE": "i", "ACCESS": 3,
     "VALUE": [0], "RANGE": [{"MIN": 0, "MAX": 1}]}

A container has CONTENTS, its parts by name. VALUE, RANGE and UNIT have one element for each letter
of TYPE, null where there is nothing to say. https://github.com/Vidvox/OSCQueryProposal
"""

from __future__ import annotations

from typing import Any

from plugin_host.board import MODEL, Board
from plugin_host.osc.address import ROOT, Address, Argument, Values
from plugin_host.osc.addresses import AddressTable

Json = dict[str, Any]

ATTRIBUTES = frozenset(
    ("FULL_PATH", "DESCRIPTION", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "UNIT")
)
"""What may be asked of a node, one at a time."""

_EXTENSIONS = {
    "ACCESS": True,
    "VALUE": True,
    "RANGE": True,
    "DESCRIPTION": True,
    "UNIT": True,
    "HTML": True,
    "LISTEN": True,
    "PATH_CHANGED": True,
    "TAGS": False,
    "EXTENDED_TYPE": False,
    "CRITICAL": False,
    "CLIPMODE": False,
    "OVERLOADS": False,
    "PATH_ADDED": False,
    "PATH_REMOVED": False,
    "PATH_RENAMED": False,
    "ECHO": False,
}
_UNITS = {"linear": "gain.linear", "dB": "gain.db", "ms": "time.ms", "Hz": "time.hz"}
_NO_VALUE = "N"  # the type of a message that has none
_READ, _WRITE = 1, 2


class Tree:
    """The nodes of a table. They are made when they are asked for, with the values of that moment.

    Args:
        table: the addresses.
    """

    def __init__(self, table: AddressTable) -> None:
        self._table = table
        self._parts: dict[str, list[str]] = {}  # the names of what a container holds
        for address in table:
            names = address.path.split("/")[1:]
            for depth, name in enumerate(names):
                parts = self._parts.setdefault("/" + "/".join(names[:depth]), [])
                if name not in parts:
                    parts.append(name)

    def node(self, path: str, board: Board) -> Json | None:
        """Returns all of a node, and of those below it; None if there is none.

        Args:
            path: such as "/stemwire/stem"; "/" is all there is.
            board: whose values are told.
        """
        path = path.rstrip("/") or "/"
        address, parts = self._table.get(path), self._parts.get(path)
        if address is None and parts is None:
            return None
        node: Json = {"FULL_PATH": path}
        if address is None:
            node |= {"DESCRIPTION": _description(path), "ACCESS": 0}
        else:
            node |= _method(address, board)
        if parts is not None:
            above = path.rstrip("/")
            node["CONTENTS"] = {name: self.node(f"{above}/{name}", board) for name in parts}
        return node


def host_info(*, host: str, port: int, osc_port: int | None) -> Json:
    """Returns what OSCQuery tells of the server as a whole.

    Args:
        host: the address that the client has reached.
        port: of HTTP and WebSocket.
        osc_port: where OSC is heard over UDP; None for nowhere.
    """
    info: Json = {"NAME": "Stemwire", "EXTENSIONS": _EXTENSIONS, "WS_IP": host, "WS_PORT": port}
    if osc_port is not None:
        info |= {"OSC_IP": host, "OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP"}
    return info


def _description(path: str) -> str:
    if path in ("/", ROOT):
        return "All that Stemwire lets you turn and see."
    return f"What belongs to {path.rpartition('/')[2]}."


def _method(address: Address, board: Board) -> Json:
    values = None if address.read is None else address.read(board)
    arguments = _arguments(address, values)
    is_set = address.write is not None or address.read is None
    node: Json = {
        "DESCRIPTION": address.meaning,
        "TYPE": "".join(argument.tag for argument in arguments) or _NO_VALUE,
        "ACCESS": _READ * (values is not None) + _WRITE * is_set,
    }
    if values is not None:
        node["VALUE"] = list(values)
    choices = board.models() if address.shows == MODEL else ()
    ranges = [_range(argument, choices) for argument in arguments]
    if any(ranges):
        node["RANGE"] = ranges
    units = [_UNITS.get(argument.unit, argument.unit) or None for argument in arguments]
    if any(units):
        node["UNIT"] = units
    return node


def _arguments(address: Address, values: Values | None) -> list[Argument]:
    """The arguments of a message; a list of names has as many as there are names."""
    arguments = list(address.arguments)
    if values is not None and len(values) != len(arguments) and arguments:
        return [arguments[0]] * len(values)
    return arguments


def _range(argument: Argument, choices: tuple[str, ...]) -> Json | None:
    if choices:
        return {"VALS": list(choices)}
    limits = {"MIN": argument.minimum, "MAX": argument.maximum}
    return {key: limit for key, limit in limits.items() if limit is not None} or None
