"""Small models to test the engine with, built node by node.

`make_model` writes a model of two stems, "low" and "rest". With x the input, per channel:

    low[i]  = gain * sum over k of TAPS[k] * x[i - latency + look - k]     9 taps
    rest[i] = x[i - latency] - low[i]

gain is the sigmoid of the mean of |x[i - latency]| over the hop that frame i lies in, so the output
shows where hops begin; look is 4, or less where the latency is, so low is centred where it can be.
The stems add up to the mixture.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine import Separator

TAPS = np.hanning(11)[1:-1].astype(np.float32)
TAPS /= TAPS.sum()
_TO_THE_END = 2**31 - 1

BuildModel = Callable[..., onnx.ModelProto]
MakeModel = Callable[..., Path]
LoadModel = Callable[..., Separator]


@pytest.fixture(scope="session")
def build_model() -> BuildModel:
    return _build_model


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Returns a function that writes a model and returns its path; see `_build_model`."""

    def make(**options: Any) -> Path:
        path = tmp_path_factory.mktemp("models") / "model.onnx"
        path.write_bytes(_build_model(**options).SerializeToString())
        return path

    return make


@pytest.fixture(scope="session")
def load_model(make_model: MakeModel) -> LoadModel:
    """Returns a function that loads a model; each one once, so tests prepare it anew."""
    loaded: dict[str, Separator] = {}

    def load(**options: Any) -> Separator:
        key = repr(sorted(options.items()))
        if key not in loaded:
            loaded[key] = Separator.load(make_model(**options))
        return loaded[key]

    return load


def _build_model(
    *,
    hop: int = 64,
    latency: int = 64,
    channels: int = 2,
    sample_rate: int = 44_100,
    batch: int | str = 1,
    manifest: dict[str, Any] | None = None,
) -> onnx.ModelProto:
    """Returns a model; `manifest` replaces fields of its manifest, and None leaves one out."""
    look = min(len(TAPS) // 2, latency)
    past = latency - look + len(TAPS) - 1  # frame j of history is x[j - past]
    state = [batch, channels, past]
    constants = {
        "taps": np.tile(TAPS, (channels, 1, 1)),
        "time": [2],
        "zero": [0],
        "end": [_TO_THE_END],
        "state_begin": [-past],
        "low_end": [-(latency - look) or _TO_THE_END],
        "x_begin": [past - latency],
        "x_end": [-latency or _TO_THE_END],
        "by_hop_shape": [0, 0, -1, hop],
        "last_axis": [-1],
        "stem_axis": [1],
    }
    graph = helper.make_graph(
        [
            _node("Concat", "state_0 audio", "history", axis=2),
            _node("Slice", "history state_begin end time", "next_state_0"),
            _node("Slice", "history x_begin x_end time", "x"),
            _node("Conv", "history taps", "low_long", group=channels),
            _node("Slice", "low_long zero low_end time", "low_pass"),
            _node("Reshape", "x by_hop_shape", "x_by_hop"),
            _node("Abs", "x_by_hop", "levels"),
            _node("ReduceMean", "levels last_axis", "means"),
            _node("Sigmoid", "means", "gains"),
            _node("Reshape", "low_pass by_hop_shape", "low_by_hop"),
            _node("Mul", "low_by_hop gains", "low_scaled"),
            _node("Shape", "audio", "shape"),
            _node("Reshape", "low_scaled shape", "low"),
            _node("Sub", "x low", "rest"),
            _node("Unsqueeze", "low stem_axis", "low_stem"),
            _node("Unsqueeze", "rest stem_axis", "rest_stem"),
            _node("Concat", "low_stem rest_stem", "stems", axis=1),
        ],
        "low_and_rest",
        [_port("audio", [batch, channels, "frames"]), _port("state_0", state)],
        [_port("stems", [batch, 2, channels, "frames"]), _port("next_state_0", state)],
        [
            numpy_helper.from_array(np.asarray(values, None if name == "taps" else np.int64), name)
            for name, values in constants.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    fields = {
        "format_version": 1,
        "kind": "separator",
        "name": "low-and-rest",
        "sample_rate": sample_rate,
        "channels": channels,
        "stems": ["low", "rest"],
        "hop": hop,
        "latency": latency,
        "receptive_field": past + 1,
        "states": [{"name": "state_0", "shape": [1, channels, past], "dtype": "float32"}],
        "training": {},
        "quality": {},
        "graph_sha256": hashlib.sha256(model.graph.SerializeToString()).hexdigest(),
    }
    fields |= manifest or {}
    fields = {name: value for name, value in fields.items() if value is not None}
    helper.set_model_props(model, {"stemwire": json.dumps(fields)})
    return model


def _node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, inputs.split(), [output], **attributes)


def _port(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
