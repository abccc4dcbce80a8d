"""A model file that is not what it should be is refused with one sentence, never half loaded."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from engine import Manifest, ModelError, Separator, read_manifest
from engine.artifact import MAX_FILE_BYTES

BuildModel = Callable[..., onnx.ModelProto]


def refusal(path: Path) -> str:
    """Returns the one sentence with which reading and loading alike refuse a file."""
    with pytest.raises(ModelError) as caught:
        read_manifest(path)
    with pytest.raises(ModelError):
        Separator.load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert message.endswith(".")
    return message


def write(path: Path, model: onnx.ModelProto, *, rehash: bool = True) -> Path:
    """Writes a model whose graph was changed, with a checksum that fits."""
    if rehash:
        (prop,) = model.metadata_props
        manifest = json.loads(prop.value)
        graph = model.graph.SerializeToString()
        manifest["graph_sha256"] = hashlib.sha256(graph).hexdigest()
        prop.value = json.dumps(manifest)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def test_a_good_file_says_what_it_is(build_model: BuildModel, path: Path) -> None:
    model = build_model(manifest={"training": {"licence": "CC0"}})
    manifest = read_manifest(write(path, model))
    assert isinstance(manifest, Manifest)
    assert (manifest.name, manifest.kind) == ("low-and-rest", "separator")
    assert (manifest.sample_rate, manifest.channels) == (44_100, 2)
    assert manifest.stems == ("low", "rest")
    assert (manifest.hop, manifest.latency) == (64, 64)
    (state,) = manifest.states
    assert (state.name, state.shape, state.dtype) == ("state_0", (1, 2, 68), "float32")
    assert state.nbytes == 544
    assert manifest.training == {"licence": "CC0"}


def test_missing(path: Path) -> None:
    with pytest.raises(ModelError, match="There is no model file"):
        read_manifest(path)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_manifest(tmp_path)


def test_empty(path: Path) -> None:
    path.write_bytes(b"")
    assert "is empty" in refusal(path)


@pytest.mark.parametrize(
    "data", [b"RIFF\x24\x00\x00\x00WAVEfmt ", b"not a model\n" * 100, b"\x00" * 64, b"\xff" * 64]
)
def test_no_onnx(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert "is no ONNX model" in refusal(path)


def test_cut_anywhere(build_model: BuildModel, path: Path) -> None:
    data = build_model().SerializeToString()
    for size in [*range(1, 100), *range(100, len(data), 3), len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(ModelError) as caught:
            read_manifest(path)
        assert any(
            words in str(caught.value)
            for words in ("cut short", "checksum", "is no ONNX model", "no JSON")
        )
    path.write_bytes(data)
    assert read_manifest(path).name == "low-and-rest"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_anywhere_never_crashes(
    build_model: BuildModel, path: Path, position: float, flip: int
) -> None:
    data = bytearray(build_model().SerializeToString())
    data[int(position * len(data))] ^= flip
    path.write_bytes(data)
    # Some bytes are harmless (a name, the version of the tool): then it loads and works.
    with contextlib.suppress(ModelError):
        separator = Separator.load(path)
        stems = separator.separate(np.zeros((separator.manifest.channels, 100)), 44_100)
        assert stems.shape[-1] == 100


def test_a_flipped_weight(build_model: BuildModel, path: Path) -> None:
    model = build_model()
    data = bytearray(model.SerializeToString())
    weights = next(item for item in model.graph.initializer if item.name == "taps")
    data[data.index(weights.raw_data) + 2] ^= 1
    path.write_bytes(data)
    assert "checksum" in refusal(path)


def test_made_by_another_program(build_model: BuildModel, path: Path) -> None:
    model = build_model()
    del model.metadata_props[:]
    assert "without a Stemwire manifest" in refusal(write(path, model, rehash=False))
    helper.set_model_props(model, {"author": "someone else"})
    assert "without a Stemwire manifest" in refusal(write(path, model, rehash=False))


def test_a_newer_format(build_model: BuildModel, path: Path) -> None:
    model = build_model(manifest={"format_version": 2})
    assert "format version 2" in refusal(write(path, model))
    assert "update stemwire" in refusal(path)


def test_two_graphs_in_one_file(build_model: BuildModel, path: Path) -> None:
    data = build_model().SerializeToString()
    path.write_bytes(data + data)
    assert "two graphs" in refusal(path)


def test_weights_in_another_file(build_model: BuildModel, path: Path) -> None:
    model = build_model()
    weights = next(item for item in model.graph.initializer if item.name == "taps")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="weights.bin")
    assert "another file" in refusal(write(path, model))

    model = build_model()
    constant = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    constant.data_location = TensorProto.EXTERNAL
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=constant))
    assert "another file" in refusal(write(path, model))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("format_version", None, "no field 'format_version'"),
        ("format_version", "1", "'1'"),
        ("format_version", 0, "format_version is 0"),
        ("kind", "vocoder", "one of separator, refiner"),
        ("name", "", "name is ''"),
        ("name", "two\nlines", "printable"),
        ("sample_rate", 44_100.0, "sample_rate is 44100.0"),
        ("sample_rate", 4_000, "from 8,000 to 192,000"),
        ("channels", 9, "channels is 9"),
        ("channels", True, "channels is True"),
        ("stems", [], "1 to 64 names"),
        ("stems", ["stem"] * 65, "1 to 64 names"),
        ("stems", ["low", "../rest"], "'../rest'"),
        ("stems", ["low", "Low"], "names that differ"),
        ("stems", ["low", 7], "names of letters"),
        ("hop", 0, "hop is 0"),
        ("hop", 65_537, "from 1 to 65,536"),
        ("hop", 10**400, "hop is 1000"),
        ("latency", -1, "latency is -1"),
        ("latency", 441_001, "from 0 to 441,000"),
        ("receptive_field", 0, "receptive_field is 0"),
        ("states", {}, "at most 4096 states"),
        ("states", [7], "objects of name, shape and dtype"),
        ("states", [{"name": "cache", "shape": [1], "dtype": "float32"}], "start with state_"),
        ("states", [{"name": "state_0", "shape": [], "dtype": "float32"}], "1 to 8 sizes"),
        ("states", [{"name": "state_0", "shape": [1, -4], "dtype": "float32"}], "1 or more"),
        ("states", [{"name": "state_0", "shape": [2, 4], "dtype": "float32"}], "of 1"),
        ("states", [{"name": "state_0", "shape": [1, 4], "dtype": "int8"}], "float32 or uint8"),
        ("states", [{"name": "state_0", "shape": [1, 4], "dtype": ["uint8"]}], "float32 or uint8"),
        (
            "states",
            [{"name": "state_0", "shape": [1, 4], "dtype": "uint8", "initial": 256}],
            "from 0 to 255",
        ),
        (
            "states",
            [{"name": "state_0", "shape": [1, 2**20, 1024], "dtype": "float32"}],
            "4,096 MiB of state",
        ),
        ("states", [{"name": "state_0", "shape": [1], "dtype": "float32"}] * 2, "twice"),
        ("training", [], "training is []"),
        ("quality", None, "no field 'quality'"),
    ],
)
def test_a_manifest_with_a_bad_field(
    build_model: BuildModel, path: Path, field: str, value: Any, words: str
) -> None:
    message = refusal(write(path, build_model(manifest={field: value})))
    assert words in message


def test_a_bad_checksum_field(build_model: BuildModel, path: Path) -> None:
    model = build_model(manifest={"graph_sha256": "0" * 63})
    assert "64 hexadecimal digits" in refusal(write(path, model, rehash=False))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"format_version": NaN}'])
def test_a_manifest_that_is_no_json_object(build_model: BuildModel, path: Path, text: str) -> None:
    model = build_model()
    model.metadata_props[0].value = text
    assert "The manifest of" in refusal(write(path, model, rehash=False))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"channels": 1},
            "the input audio (1, 2, frames) where its manifest describes audio (1, 1",
        ),
        ({"stems": ["low", "mid", "high"]}, "describes stems (1, 3, 2, frames)"),
        ({"states": []}, "has 2 inputs and its manifest describes 1"),
        (
            {"states": [{"name": "state_0", "shape": [1, 2, 67], "dtype": "float32"}]},
            "the input state_0 (1, 2, 68) where its manifest describes state_0 (1, 2, 67)",
        ),
        (
            {"states": [{"name": "state_1", "shape": [1, 2, 68], "dtype": "float32"}]},
            "state_0",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_the_graph(
    build_model: BuildModel, path: Path, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(write(path, build_model(manifest=changes)))


def test_ports_of_another_type(build_model: BuildModel, path: Path) -> None:
    model = build_model()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    assert "of another type" in refusal(write(path, model))
    codes = {"states": [{"name": "state_0", "shape": [1, 2, 68], "dtype": "uint8"}]}
    assert "state_0 (1, 2, 68) of another" in refusal(write(path, build_model(manifest=codes)))


def test_frames_that_are_fixed(build_model: BuildModel, path: Path) -> None:
    model = build_model()
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 64
    assert "audio (1, 2, 64)" in refusal(write(path, model))


@pytest.mark.parametrize("change", ["operator", "wiring", "shape"])
def test_a_graph_that_the_runtime_cannot_run(
    build_model: BuildModel, path: Path, change: str
) -> None:
    model = build_model()
    node = next(item for item in model.graph.node if item.op_type == "Sigmoid")
    if change == "operator":
        node.op_type = "Teleport"
    elif change == "wiring":
        node.input[0] = "nowhere"
    else:  # runs, but gives states of another size than it says
        begin = next(item for item in model.graph.initializer if item.name == "state_begin")
        begin.raw_data = np.int64(-5).tobytes()
    write(path, model)
    assert read_manifest(path).name == "low-and-rest"
    with pytest.raises(ModelError) as caught:
        Separator.load(path)
    assert "cannot run" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refiner_is_no_separator(build_model: BuildModel, path: Path) -> None:
    write(path, build_model(manifest={"kind": "refiner"}))
    assert read_manifest(path).kind == "refiner"
    with pytest.raises(ModelError, match="is a refiner"):
        Separator.load(path)


def test_a_file_larger_than_onnx_can_be(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # a hole: it takes no room on the disk
    assert "2.0 GiB" in refusal(path)
