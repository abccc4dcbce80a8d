"""The manifest: what a model file says about itself.

It is the JSON text under `metadata_props["stemwire"]` in `model.onnx`. Whoever holds a `Manifest`
holds checked values: every size is one that the engine can serve, and the names are safe to use as
names of files, ports and addresses.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import ModelError

FORMAT_VERSION = 1
KINDS = ("separator", "refiner")

MAX_HOP = 65_536
MAX_STEMS = 64
MAX_CHANNELS = 2
MAX_STATES = 4_096
MAX_STATE_BYTES = 256 * 2**20
MAX_LATENCY_SECONDS = 10
MAX_RECEPTIVE_FIELD = 2**31 - 1
SAMPLE_RATES = (8_000, 192_000)

_BYTES_PER_VALUE = {"float32": 4, "uint8": 1}
_STEM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_STATE_NAME = re.compile(r"state_[A-Za-z0-9_]{1,58}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class StateSpec:
    """One cache that the stream carries from step to step.

    Attributes:
        name: the graph's input; the output is `next_<name>`.
        shape: its axes, the first of them the batch.
        dtype: "float32", or "uint8" for a model of integers.
        initial: what it holds throughout at the start: what stands for silence.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    initial: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the state takes."""
        return math.prod(self.shape) * _BYTES_PER_VALUE[self.dtype]


@dataclass(frozen=True)
class Manifest:
    """What a model is, what it takes and gives, and where it comes from.

    Attributes:
        format_version: version of the file format; this engine reads 1.
        kind: "separator" or "refiner".
        name: the architecture, for example "wavenet-frame".
        sample_rate: Hz that the model was trained at.
        channels: channels that the model takes and gives per stem, 1 or 2.
        stems: names of the stems, in the order of the output.
        hop: frames that the model consumes per step.
        latency: frames at the model's rate; output frame i belongs to input frame i - latency.
        receptive_field: frames of the past that one output frame depends on.
        states: the caches, in the order of the graph's inputs.
        training: what it was trained on and how; free-form.
        quality: as measured; free-form, may be empty.
        graph_sha256: hex SHA-256 of the serialized graph.
    """

    format_version: int
    kind: str
    name: str
    sample_rate: int
    channels: int
    stems: tuple[str, ...]
    hop: int
    latency: int
    receptive_field: int
    states: tuple[StateSpec, ...]
    training: Mapping[str, Any]
    quality: Mapping[str, Any]
    graph_sha256: str

    @classmethod
    def from_json(cls, text: str, source: str) -> "Manifest":
        """Parses and checks a manifest.

        Args:
            text: the JSON text.
            source: the file that it comes from, named in every message.

        Raises:
            ModelError: one sentence about the first thing that is wrong.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"The manifest of {source} is no JSON; export the model again."
            ) from error
        if not isinstance(values, dict):
            raise ModelError(f"The manifest of {source} is no JSON object; export the model again.")
        return _Reader(values, source).manifest()


class _Reader:
    """Takes the fields out of a JSON object, one check each."""

    def __init__(self, values: dict[str, Any], source: str) -> None:
        self.values = values
        self.source = source

    def manifest(self) -> Manifest:
        version = self.integer("format_version", 1, 2**31 - 1)
        if version > FORMAT_VERSION:
            raise ModelError(
                f"{self.source} is of format version {version} and this engine reads up to "
                f"{FORMAT_VERSION}; update stemwire."
            )
        kind = self.string("kind")
        if kind not in KINDS:
            self.refuse("kind", f"{kind!r}", f"one of {', '.join(KINDS)}")
        sample_rate = self.integer("sample_rate", *SAMPLE_RATES)
        return Manifest(
            format_version=version,
            kind=kind,
            name=self.string("name"),
            sample_rate=sample_rate,
            channels=self.integer("channels", 1, MAX_CHANNELS),
            stems=self.stems(),
            hop=self.integer("hop", 1, MAX_HOP),
            latency=self.integer("latency", 0, MAX_LATENCY_SECONDS * sample_rate),
            receptive_field=self.integer("receptive_field", 1, MAX_RECEPTIVE_FIELD),
            states=self.states(),
            training=self.mapping("training"),
            quality=self.mapping("quality"),
            graph_sha256=self.sha256(),
        )

    def stems(self) -> tuple[str, ...]:
        names = self.get("stems")
        if not isinstance(names, list) or not 1 <= len(names) <= MAX_STEMS:
            self.refuse("stems", _brief(names), f"a list of 1 to {MAX_STEMS} names")
        for name in names:
            if not isinstance(name, str) or not _STEM_NAME.fullmatch(name):
                self.refuse("stems", _brief(name), "names of letters, digits, - and _, at most 32")
        if len({name.lower() for name in names}) < len(names):
            self.refuse("stems", _brief(names), "names that differ")
        return tuple(names)

    def states(self) -> tuple[StateSpec, ...]:
        items = self.get("states")
        if not isinstance(items, list) or len(items) > MAX_STATES:
            self.refuse("states", _brief(items), f"a list of at most {MAX_STATES} states")
        states = tuple(self.state(item) for item in items)
        if len({state.name for state in states}) < len(states):
            self.refuse("states", "the same name twice", "names that differ")
        nbytes = sum(state.nbytes for state in states)
        if nbytes > MAX_STATE_BYTES:
            raise ModelError(
                f"{self.source} asks for {nbytes / 2**20:,.0f} MiB of state and at most "
                f"{MAX_STATE_BYTES // 2**20} MiB are allowed; use a smaller model."
            )
        return states

    def state(self, item: Any) -> StateSpec:
        if not isinstance(item, dict):
            self.refuse("states", _brief(item), "objects of name, shape and dtype")
        name, shape, dtype = (item.get(key) for key in ("name", "shape", "dtype"))
        if not isinstance(name, str) or not _STATE_NAME.fullmatch(name):
            self.refuse("states", f"the name {_brief(name)}", "names that start with state_")
        if not isinstance(shape, list) or not 1 <= len(shape) <= 8:
            self.refuse(f"shape of {name}", _brief(shape), "a list of 1 to 8 sizes")
        if not all(_is_integer(size) and 1 <= size <= 2**31 - 1 for size in shape):
            self.refuse(f"shape of {name}", _brief(shape), "whole numbers of 1 or more")
        if shape[0] != 1:
            self.refuse(f"shape of {name}", _brief(shape), "a first axis (the batch) of 1")
        if not isinstance(dtype, str) or dtype not in _BYTES_PER_VALUE:
            self.refuse(f"dtype of {name}", _brief(dtype), " or ".join(_BYTES_PER_VALUE))
        initial = item.get("initial", 0)
        if not _is_integer(initial) or not 0 <= initial <= 255:
            self.refuse(f"initial of {name}", _brief(initial), "a whole number from 0 to 255")
        return StateSpec(name, tuple(shape), dtype, initial)

    def get(self, field: str) -> Any:
        if field not in self.values:
            raise ModelError(
                f"The manifest of {self.source} has no field {field!r}; export the model again."
            )
        return self.values[field]

    def integer(self, field: str, low: int, high: int) -> int:
        value = self.get(field)
        if not _is_integer(value) or not low <= value <= high:
            self.refuse(field, _brief(value), f"a whole number from {low:,} to {high:,}")
        return int(value)

    def string(self, field: str) -> str:
        value = self.get(field)
        if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 100:
            self.refuse(field, _brief(value), "a text of 1 to 100 printable characters")
        return str(value)

    def mapping(self, field: str) -> Mapping[str, Any]:
        value = self.get(field)
        if not isinstance(value, dict):
            self.refuse(field, _brief(value), "an object")
        return dict(value)

    def sha256(self) -> str:
        value = self.get("graph_sha256")
        if not isinstance(value, str) or not _SHA256.fullmatch(value):
            self.refuse("graph_sha256", _brief(value), "64 hexadecimal digits")
        return str(value)

    def refuse(self, field: str, found: str, wanted: str) -> None:
        raise ModelError(
            f"The manifest of {self.source} says {field} is {found} where {wanted} should be; "
            "export the model again."
        )


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _brief(value: Any) -> str:
    """A value as it can stand in a sentence."""
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
