"""The one atom that makes an mp4 file an NI Stems file.

NI Stems is an mp4 with five audio tracks (the mixture, then four parts) and an atom `stem` in
`moov/udta`, whose payload is JSON: names and colours of the parts, and the settings of the
mastering compressor and limiter that a deck applies to the sum of the parts (off here).

An atom is a 32-bit big-endian size that counts itself, a four-letter name and a payload; a size of
1 means that a 64-bit size follows the name, 0 that the atom reaches to the end of the file. `moov`
holds the offsets of the audio in `mdat`. They stay right as long as nothing before `mdat` grows, so
`moov` must be the last atom: then its end is the end of the file and it can be rewritten in place.

    ftyp | free | mdat ........ | moov (... udta (meta, stem))
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct(">I4s")
_COLOURS = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # told apart by colour-blind eyes too
_MASTERING = {
    "compressor": {
        "enabled": False,
        "ratio": 3,
        "output_gain": 0.5,
        "release": 0.3,
        "attack": 0.003,
        "input_gain": 0.5,
        "threshold": 0,
        "hp_cutoff": 300,
        "dry_wet": 50,
    },
    "limiter": {"enabled": False, "release": 0.05, "threshold": 0, "ceiling": -0.35},
}


class Mp4Error(ValueError):
    """The file is not laid out as this module needs it."""


def stem_payload(parts: Sequence[str]) -> bytes:
    """The JSON that goes into the `stem` atom.

    Args:
        parts: The names of the four parts, in the order of the tracks.

    Returns:
        UTF-8 JSON.

    Raises:
        ValueError: If there are not four.
    """
    stems = [{"name": name, "color": colour} for name, colour in zip(parts, _COLOURS, strict=True)]
    return json.dumps({"mastering_dsp": _MASTERING, "version": 1, "stems": stems}).encode()


def add_stem_atom(path: Path, payload: bytes) -> None:
    """Puts a `stem` atom into `moov/udta` of an mp4 file, in place.

    Args:
        path: An mp4 file whose last atom is `moov`, and that has no `stem` atom yet.
        payload: See `stem_payload`.

    Raises:
        Mp4Error: If the file is laid out differently; then it is as it was.
    """
    with path.open("r+b") as file:
        file_size = file.seek(0, 2)
        top = list(_atoms(file, 0, file_size))
        if not top or top[-1][0] != b"moov":
            raise Mp4Error(f"{path} does not end with its moov atom")
        _, start, body, end = top[-1]
        file.seek(body)
        moov = file.read(end - body)
        file.seek(start)
        file.write(_atom(b"moov", _with_stem(moov, payload)))


def read_stem_atom(path: Path) -> bytes | None:
    """The payload of `moov/udta/stem`.

    Args:
        path: An mp4 file.

    Returns:
        The payload, or None where the file has no such atom.

    Raises:
        Mp4Error: If the file is no sequence of atoms.
    """
    with path.open("rb") as file:
        span = (0, file.seek(0, 2))
        for name in (b"moov", b"udta", b"stem"):
            found = [(body, end) for n, _, body, end in _atoms(file, *span) if n == name]
            if not found:
                return None
            span = found[0]
        file.seek(span[0])
        return file.read(span[1] - span[0])


def _with_stem(moov: bytes, payload: bytes) -> bytes:
    """The children of `moov` with a `stem` atom at the end of `udta`, which is made if missing."""
    stem = _atom(b"stem", payload)
    children: list[bytes] = []
    udta = b""
    for name, start, body, end in _split(moov):
        if name == b"udta":
            udta = moov[body:end]
        else:
            children.append(moov[start:end])
    if any(name == b"stem" for name, *_ in _split(udta)):
        raise Mp4Error("there is a stem atom already")
    return b"".join(children) + _atom(b"udta", udta + stem)


def _atom(name: bytes, payload: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(payload), name) + payload


def _split(data: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    return _atoms(BytesIO(data), 0, len(data))


def _atoms(file: BinaryIO, position: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yields (name, start, start of the payload, end) of the atoms in a span of a file."""
    while position < end:
        file.seek(position)
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise Mp4Error(f"an atom is cut short at byte {position}")
        size, name = _HEADER.unpack(header)
        body = position + _HEADER.size
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            body += 8
        elif size == 0:
            size = end - position
        if size < body - position or position + size > end:
            raise Mp4Error(f"the atom at byte {position} has an impossible size")
        yield name, position, body, position + size
        position += size
