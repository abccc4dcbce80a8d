r"""Datagrams: checked whole before anything is parsed, and built of the four types that all know.

    bundle    #bundle\0  timetag  size element  size element ...       elements may be bundles
    message   /address\0..  ,tags\0..  arguments                       all in steps of 4 bytes

python-osc reads and writes the single values. It trusts what it reads (version 1.10.2 loops for
ever over an element of -4 bytes, and drops arguments of types that it does not know, so that those
after them are taken for others), hence the walk through every size in here, first. The walk takes
no more steps than a datagram has bytes and goes no deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from pythonosc.osc_message import OscMessage
from pythonosc.parsing import osc_types

from plugin_host.errors import MessageError
from plugin_host.osc.address import Value, Values

MAX_BYTES = 65_536
MAX_DEPTH = 8
MAX_MESSAGES = 1_024
MAX_ARGUMENTS = 64

IMMEDIATELY = 1
"""The timetag of what shall be done at once."""

_BUNDLE = b"#bundle\0"
_SIZES = {"i": 4, "f": 4, "h": 8, "d": 8, "T": 0, "F": 0, "s": None, "b": None}
_MAX_INT = 2**31
_MAX_FLOAT = 3.4028234663852886e38
_MAX_TEXT = 1_024
_INT32 = struct.Struct(">i")
_TIMETAG = struct.Struct(">Q")


class Packet(NamedTuple):
    """One message, as it lies in a datagram.

    Attributes:
        timetag: when it is for: seconds since 1900, times 2**32; or `IMMEDIATELY`.
        data: its bytes, checked.
    """

    timetag: int
    data: bytes


def unpack(datagram: bytes) -> list[Packet]:
    """Returns the messages of a datagram, each of which can be parsed.

    Raises:
        MessageError: if anything in it is wrong; one sentence.
    """
    if datagram[:1] == b"/":  # by far the most
        _check_message(datagram)
        return [Packet(IMMEDIATELY, datagram)]
    if len(datagram) > MAX_BYTES:
        raise MessageError(f"A datagram of {len(datagram)} bytes came; give at most {MAX_BYTES}.")
    packets: list[Packet] = []
    waiting = [(datagram, IMMEDIATELY, 0)]  # the next one at the end
    while waiting:
        data, timetag, depth = waiting.pop()
        if data[:1] == b"/":
            _check_message(data)
            packets.append(Packet(timetag, data))
            if len(packets) > MAX_MESSAGES:
                raise MessageError(f"A bundle holds at most {MAX_MESSAGES} messages.")
        elif data.startswith(_BUNDLE):
            if depth >= MAX_DEPTH:
                raise MessageError(f"Bundles lie within each other at most {MAX_DEPTH} deep.")
            timetag, elements = _split(data, timetag)
            waiting += [(element, timetag, depth + 1) for element in reversed(elements)]
        else:
            raise MessageError("Neither an address (/...) nor a bundle (#bundle) begins here.")
    return packets


def parse(message: bytes) -> tuple[str, Values]:
    """Returns the address and the arguments of a message that `unpack` gave."""
    parsed = OscMessage(message)
    return parsed.address, tuple(parsed)


def build(address: str, values: Iterable[Value] = ()) -> bytes:
    """Returns a message of ints, floats, texts and blobs, each within what OSC 1.0 can hold."""
    tags, data = [","], []
    for value in values:
        tag, encoded = _encoded(value)
        tags.append(tag)
        data.append(encoded)
    head = osc_types.write_string(address) + osc_types.write_string("".join(tags))
    return head + b"".join(data)


def build_bundle(messages: Iterable[bytes], timetag: int = IMMEDIATELY) -> bytes:
    """Returns a bundle of messages."""
    elements = [osc_types.write_int(len(message)) + message for message in messages]
    return _BUNDLE + _TIMETAG.pack(timetag) + b"".join(elements)


def beginning(datagram: bytes) -> str:
    """Returns a few words that tell a datagram, whatever it is, from others."""
    start = datagram[:40].split(b"\0")[0]
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in start)
    return text or f"{len(datagram)} bytes"


def _split(bundle: bytes, enclosing: int) -> tuple[int, list[bytes]]:
    """Returns when a bundle is for, and its elements."""
    if len(bundle) < 16:
        raise MessageError("A bundle ends before its timetag does.")
    (timetag,) = _TIMETAG.unpack_from(bundle, 8)
    elements = []
    at, end = 16, len(bundle)
    while at < end:
        if at + 4 > end:
            raise MessageError("A bundle ends within the size of an element.")
        (size,) = _INT32.unpack_from(bundle, at)
        at += 4
        if size <= 0 or size % 4 or size > end - at:
            raise MessageError(
                f"A bundle has an element of {size} bytes where {end - at} are left, and sizes are "
                "multiples of 4."
            )
        elements.append(bundle[at : at + size])
        at += size
    return max(timetag, enclosing), elements


def _check_message(data: bytes) -> None:
    size = len(data)
    if size % 4 or size > MAX_BYTES:
        raise MessageError(
            f"A message has {size} bytes: give a multiple of 4, at most {MAX_BYTES}."
        )
    at = _end_of_text(data, 0, "The address")
    if not data[: data.index(0)].isascii():
        raise MessageError("The address has characters that are not ASCII.")
    if at == size:
        return  # an old sender, which leaves the tags out where there is no argument
    if data[at] != 0x2C:
        raise MessageError("The types of the arguments are not there: they begin with a comma.")
    start, at = at + 1, _end_of_text(data, at, "The types of the arguments")
    tags = data[start : data.index(0, start)]
    if len(tags) > MAX_ARGUMENTS:
        raise MessageError(f"A message has {len(tags)} arguments: give at most {MAX_ARGUMENTS}.")
    for tag in tags.decode("latin-1"):
        if tag not in _SIZES:
            raise MessageError(
                f"Arguments of type {tag!r} are not understood: give i, f, s, b, h, d, T or F."
            )
        fixed = _SIZES[tag]
        if fixed is not None:
            at += fixed
        elif tag == "s":
            at = _end_of_text(data, at, "A text")
        else:
            at = _end_of_blob(data, at)
        if at > size:
            raise MessageError(f"The message ends within an argument of type {tag}.")
    if at != size:
        raise MessageError(f"{size - at} bytes are left over behind the arguments.")


def _end_of_text(data: bytes, start: int, what: str) -> int:
    """Returns where the padding of a text ends; padding is there, as sizes are multiples of 4."""
    end = data.find(0, start)
    if end < 0:
        raise MessageError(f"{what} does not end: a zero byte is missing.")
    try:
        data[start:end].decode()
    except UnicodeDecodeError as error:
        raise MessageError(f"{what} is no UTF-8.") from error
    return end + 4 - end % 4


def _end_of_blob(data: bytes, start: int) -> int:
    if start + 4 > len(data):
        raise MessageError("The message ends within the size of a blob.")
    size: int = _INT32.unpack_from(data, start)[0]
    if not 0 <= size <= len(data) - start - 4:
        raise MessageError(
            f"A blob says that it has {size} bytes, and {len(data) - start - 4} are left."
        )
    return start + 4 + size + -size % 4


def _encoded(value: Value) -> tuple[str, bytes]:
    if isinstance(value, str):
        return "s", osc_types.write_string(_printable(value))
    if isinstance(value, bytes):
        return "b", osc_types.write_int(len(value)) + value + bytes(-len(value) % 4)
    if isinstance(value, int) and -_MAX_INT <= value < _MAX_INT:  # a boolean as well
        return "i", osc_types.write_int(int(value))
    number = float(value)
    if abs(number) > _MAX_FLOAT:
        number = _MAX_FLOAT if number > 0 else -_MAX_FLOAT
    return "f", osc_types.write_float(number)


def _printable(text: str) -> str:
    """A text that can be sent, whatever came in: of some length, without zeros, good UTF-8."""
    return text[:_MAX_TEXT].replace("\0", " ").encode("utf-8", "replace").decode()
