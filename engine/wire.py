"""Reads the protobuf wire format, without the `onnx` package.

A message is a row of fields, each a varint tag `number << 3 | kind` and a payload. Kind 0 is a
varint, 1 is 8 bytes, 2 is a varint size and that many bytes, 5 is 4 bytes. That is all it takes to
find the graph, its inputs and its metadata in a model file, and to notice a file that was cut.
https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator

Field = tuple[int, int | memoryview]
"""A field's number, and its value: an int (varint), or the bytes of its payload."""

_FIXED_SIZES = {1: 8, 5: 4}
_MAX_VARINT_BYTES = 10


class WireError(ValueError):
    """The bytes are no protobuf message, or end in the middle of one."""


def walk(message: memoryview) -> Iterator[Field]:
    """Yields the fields of a message in the file's order; payloads are views, not copies.

    Raises:
        WireError: where the bytes stop making sense; the fields before it were yielded.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError(f"field number 0 at byte {position}")
        if kind == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == 2:
            size, position = _varint(message, position)
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
        else:
            raise WireError(f"field kind {kind} at byte {position}")
        if position + size > len(message):
            raise WireError(f"field {number} wants {size} bytes at byte {position}")
        yield number, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Returns the varint at `position`, and the position after it."""
    value = 0
    for i in range(_MAX_VARINT_BYTES):
        if position + i >= len(message):
            raise WireError("the bytes end inside a number")
        byte = message[position + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, position + i + 1
    raise WireError(f"a number longer than {_MAX_VARINT_BYTES} bytes at byte {position}")


def payload(value: int | memoryview) -> memoryview:
    """The bytes of a field that must have some."""
    if isinstance(value, int):
        raise WireError("a number stands where bytes should be")
    return value


def text(value: int | memoryview) -> str:
    """The string in a field's payload."""
    try:
        return bytes(payload(value)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError("a text is not UTF-8") from error
