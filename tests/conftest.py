"""What tests share: a small model, made-up audio, and programs that may be missing.

The small model is a valid artifact of five stems whose sum is the mixture, one hop (64 frames)
late: stem k is the delayed mixture times `GAINS[k]`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper

HOP = 64
STEMS = ("drums", "bass", "piano", "strings", "other")
GAINS = (0.4, 0.3, 0.15, 0.1, 0.05)

# The machine that runs the tests may be busy with other things.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def build_small_model(
    path: Path,
    *,
    stems: tuple[str, ...] = STEMS,
    gains: tuple[float, ...] = GAINS,
    channels: int = 2,
    sample_rate: int = 44_100,
    **manifest: Any,
) -> Path:
    """Writes the small model; `manifest` replaces fields of its manifest."""
    audio = helper.make_tensor_value_info("audio", TensorProto.FLOAT, [1, channels, "frames"])
    state = helper.make_tensor_value_info("state_0", TensorProto.FLOAT, [1, channels, HOP])
    out = helper.make_tensor_value_info(
        "stems", TensorProto.FLOAT, [1, len(stems), channels, "frames"]
    )
    next_state = helper.make_tensor_value_info(
        "next_state_0", TensorProto.FLOAT, [1, channels, HOP]
    )
    gain = np.asarray(gains, np.float32).reshape(1, len(stems), 1, 1)
    constants = {
        "gain": gain,
        "zero": np.array([0], np.int64),
        "minus_hop": np.array([-HOP], np.int64),
        "end": np.array([2**62], np.int64),
        "last_axis": np.array([2], np.int64),
        "stem_axis": np.array([1], np.int64),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Concat", ["state_0", "audio"], ["joined"], axis=2),
            helper.make_node("Slice", ["joined", "zero", "minus_hop", "last_axis"], ["delayed"]),
            helper.make_node(
                "Slice", ["joined", "minus_hop", "end", "last_axis"], ["next_state_0"]
            ),
            helper.make_node("Unsqueeze", ["delayed", "stem_axis"], ["one_stem"]),
            helper.make_node("Mul", ["one_stem", "gain"], ["stems"]),
        ],
        "small",
        [audio, state],
        [out, next_state],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    fields: dict[str, Any] = {
        "format_version": 1,
        "kind": "separator",
        "name": "small-test-model",
        "sample_rate": sample_rate,
        "channels": channels,
        "stems": list(stems),
        "hop": HOP,
        "latency": HOP,
        "receptive_field": HOP + 1,
        "states": [{"name": "state_0", "shape": [1, channels, HOP], "dtype": "float32"}],
        "training": {"data": "none: made by the tests"},
        "quality": {},
        "graph_sha256": hashlib.sha256(model.graph.SerializeToString()).hexdigest(),
    }
    helper.set_model_props(model, {"stemwire": json.dumps(fields | manifest)})
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def make_small_model() -> Callable[..., Path]:
    """The builder of small models: `make_small_model(path, stems=..., gains=...)`."""
    return build_small_model


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small model's file."""
    return build_small_model(tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture
def needs_program() -> Callable[[str], str]:
    """Finds a program; without it the test skips here and fails in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            reason = f"{name} is not installed (see tests/system-packages.sh)"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        return path

    return find
