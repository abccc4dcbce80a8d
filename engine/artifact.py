"""Reads a model file and believes nothing before it is checked.

The file is walked by hand, field by field (`engine.wire`), before any runtime sees a byte of it:

    ModelProto      7 graph, 14 metadata_props
    GraphProto      1 node, 5 initializer, 11 input, 12 output
    ValueInfoProto  1 name, 2 type -> 1 tensor_type -> 1 elem_type, 2 shape -> 1 dim
                                                                    -> 1 dim_value | 2 dim_param

So a file that is no ONNX, was cut short, was changed, keeps its weights elsewhere, or does not do
what its manifest says is refused with one sentence, and never half loaded.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.manifest import Manifest
from engine.wire import WireError, payload, text, walk

METADATA_KEY = "stemwire"
MAX_FILE_BYTES = 2**31 - 1  # what protobuf can hold

_FLOAT32 = 1  # TensorProto.DataType
_ELEM_TYPES = {"float32": _FLOAT32, "uint8": 2}
_EXTERNAL = 1  # TensorProto.DataLocation

Axis = int | str
"""An axis of the graph: its size, or the name of a size that is open; "" if it has neither."""


@dataclass(frozen=True)
class Port:
    """An input or output of the graph."""

    name: str
    elem_type: int
    axes: tuple[Axis, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(str(axis) or '?' for axis in self.axes)})"


@dataclass(frozen=True)
class Artifact:
    """A model file that was read and checked.

    Attributes:
        path: where it came from.
        manifest: what it says about itself.
        data: the whole file, for a runtime to load: the very bytes that were checked.
    """

    path: Path
    manifest: Manifest
    data: bytes


def read_manifest(path: str | Path) -> Manifest:
    """Returns the manifest of a model file, which is read and checked whole.

    Raises:
        ModelError: one sentence about what is wrong with the file.
    """
    return read_artifact(path).manifest


def read_artifact(path: str | Path) -> Artifact:
    """Reads a model file and checks it against its own manifest.

    Raises:
        ModelError: one sentence about what is wrong with the file.
    """
    path = Path(path)
    data = _read(path)
    graph, metadata = _split(data, path)
    if METADATA_KEY not in metadata:
        raise ModelError(
            f"{path} is an ONNX file without a Stemwire manifest: made by another program, or "
            "cut short; export the model with stemwire-export."
        )
    manifest = Manifest.from_json(metadata[METADATA_KEY], str(path))
    if hashlib.sha256(graph).hexdigest() != manifest.graph_sha256:
        raise ModelError(
            f"The graph in {path} does not match its checksum, so the file was damaged or "
            "changed; copy or export it again."
        )
    try:
        inputs, outputs = _ports(graph)
        external = _keeps_data_elsewhere(graph)
    except WireError as error:
        raise ModelError(f"The graph in {path} is damaged ({error}); export it again.") from error
    if external:
        raise ModelError(
            f"{path} keeps weights in another file, and a model must be one file; export it again."
        )
    _check_ports(manifest, inputs, outputs, path)
    return Artifact(path, manifest, data)


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ModelError(f"{path} is {size / 2**30:.1f} GiB; no ONNX file is over 2 GiB.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"There is no model file {path}; check the path.") from error
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read: {error.strerror}.") from error
    if not data:
        raise ModelError(f"{path} is empty, so it is no model; copy or export it again.")
    return data


def _split(data: bytes, path: Path) -> tuple[memoryview, dict[str, str]]:
    """Returns the bytes of the graph, and the metadata."""
    graph: memoryview | None = None
    metadata: dict[str, str] = {}
    # An ONNX file starts with ir_version: field 1, a varint.
    is_onnx = data[0] == 0x08
    try:
        for number, value in walk(memoryview(data)):
            if number == 7:
                if graph is not None:
                    raise ModelError(f"{path} holds two graphs; export the model again.")
                graph = payload(value)
            elif number == 14:
                entry = dict(walk(payload(value)))
                key = text(entry.get(1, memoryview(b"")))
                if key in metadata:
                    raise ModelError(f"{path} holds {key!r} twice; export the model again.")
                metadata[key] = text(entry.get(2, memoryview(b"")))
    except WireError as error:
        if is_onnx:
            raise ModelError(
                f"{path} is cut short or damaged; copy or export the model again."
            ) from error
        graph = None
    if graph is None or not is_onnx:
        raise ModelError(f"{path} is no ONNX model; give a file that stemwire-export wrote.")
    return graph, metadata


def _ports(graph: memoryview) -> tuple[list[Port], list[Port]]:
    """Returns the graph's inputs and outputs."""
    inputs, outputs = [], []
    for number, value in walk(graph):
        if number == 11:
            inputs.append(_port(payload(value)))
        elif number == 12:
            outputs.append(_port(payload(value)))
    return inputs, outputs


def _port(value_info: memoryview) -> Port:
    name, elem_type, axes = "", 0, list[Axis]()
    for number, value in walk(value_info):
        if number == 1:
            name = text(value)
        elif number == 2:
            tensor_types = [payload(v) for n, v in walk(payload(value)) if n == 1]
            for number, value in (field for tensor in tensor_types for field in walk(tensor)):
                if number == 1 and isinstance(value, int):
                    elem_type = value
                elif number == 2:
                    axes = [_axis(payload(v)) for n, v in walk(payload(value)) if n == 1]
    return Port(name, elem_type, tuple(axes))


def _axis(dimension: memoryview) -> Axis:
    for number, value in walk(dimension):
        if number == 1 and isinstance(value, int):
            return value
        if number == 2:
            return text(value)
    return ""


def _keeps_data_elsewhere(graph: memoryview) -> bool:
    """Whether a weight (an initializer, or the tensor of a constant) lies in another file."""
    for number, value in walk(graph):
        if number == 5 and _is_external(payload(value)):
            return True
        if number == 1:  # NodeProto -> 5 attribute -> 5 t
            for attribute in (payload(v) for n, v in walk(payload(value)) if n == 5):
                if any(n == 5 and _is_external(payload(v)) for n, v in walk(attribute)):
                    return True
    return False


def _is_external(tensor: memoryview) -> bool:
    """Whether a TensorProto has 13 external_data, or 14 data_location EXTERNAL."""
    return any(n == 13 or (n == 14 and v == _EXTERNAL) for n, v in walk(tensor))


def _check_ports(manifest: Manifest, inputs: list[Port], outputs: list[Port], path: Path) -> None:
    """Raises `ModelError` unless the graph takes and gives what the manifest says."""
    channels, stems = manifest.channels, len(manifest.stems)
    audio = Port("audio", _FLOAT32, (1, channels, "frames"))
    states = [Port(state.name, _ELEM_TYPES[state.dtype], state.shape) for state in manifest.states]
    separated = Port("stems", _FLOAT32, (1, stems, channels, "frames"))
    following = [Port(f"next_{port.name}", port.elem_type, port.axes) for port in states]

    for kind, found, wanted in (
        ("input", inputs, [audio, *states]),
        ("output", outputs, [separated, *following]),
    ):
        if len(found) != len(wanted):
            raise ModelError(
                f"The graph in {path} has {len(found)} {kind}s and its manifest describes "
                f"{len(wanted)}; export the model again."
            )
        for port, expected in zip(found, wanted, strict=True):
            if not _matches(port, expected):
                is_type = port.elem_type == expected.elem_type
                what = str(port) if is_type else f"{port} of another type"
                raise ModelError(
                    f"The graph in {path} has the {kind} {what} where its manifest describes "
                    f"{expected}; export the model again."
                )


def _matches(port: Port, expected: Port) -> bool:
    # The first axis is the batch: 1, or open under that name.
    first = tuple(1 if axis == "batch" else axis for axis in port.axes[:1])
    return (
        port.name == expected.name
        and port.elem_type == expected.elem_type
        and first + port.axes[1:] == expected.axes
    )
