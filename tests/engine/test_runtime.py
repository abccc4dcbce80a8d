"""The runtime: chosen aloud, stepping through the state that it was given."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine import ConfigError, HostConfig, ModelError, Separator
from engine.artifact import read_artifact
from engine.denormals import FlushToZero
from engine.runtime import choice
from engine.runtime.onnxruntime_cpu import OnnxRuntimeCpu

ROOT = Path(__file__).resolve().parents[2]
MakeModel = Callable[..., Path]
LoadModel = Callable[..., Separator]


@pytest.mark.parametrize("option", ["auto", "cpu"])
def test_the_choice_is_said_aloud(make_model: MakeModel, option: str) -> None:
    separator = Separator.load(make_model(), runtime=option)
    assert separator.runtime == "onnxruntime-cpu"
    assert "ONNX Runtime" in separator.runtime_reason
    assert ("asked for" in separator.runtime_reason) == (option == "cpu")


def test_unknown_runtimes_and_threads_are_refused(make_model: MakeModel) -> None:
    path = make_model()
    with pytest.raises(ConfigError, match="choose auto or cpu"):
        Separator.load(path, runtime="gpu")
    for threads in (0, 65, 1.5):
        with pytest.raises(ConfigError, match="threads"):
            Separator.load(path, threads=threads)  # type: ignore[arg-type]


def test_auto_falls_through_to_the_next_and_says_why(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise ModelError("There is no such device.")

    first = choice.Candidate("gpu", "some-gpu", fails)
    monkeypatch.setattr(choice, "_CANDIDATES", (first, *choice._CANDIDATES))
    separator = Separator.load(make_model())
    assert separator.runtime == "onnxruntime-cpu"
    assert "There is no such device." in separator.runtime_reason
    with pytest.raises(ModelError, match="no such device"):
        Separator.load(make_model(), runtime="gpu")


def test_without_onnxruntime_the_way_out_is_named(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"install stemwire\[cpu\]"):
        Separator.load(make_model())


@pytest.mark.parametrize("batch", [1, 2])
def test_steps_of_any_size_in_any_order_make_one_stream(make_model: MakeModel, batch: int) -> None:
    artifact = read_artifact(make_model())
    audio = np.random.default_rng(0).normal(0, 0.2, (batch, 2, 640)).astype(np.float32)

    def run(step_sizes: list[int]) -> np.ndarray:
        runtime = OnnxRuntimeCpu(artifact, 1)
        runtime.prepare(sorted(set(step_sizes)), batch)
        parts, position = [], 0
        for frames in step_sizes:
            given, stems = runtime.buffers(frames)
            given[...] = audio[..., position : position + frames]
            runtime.step(frames)
            parts.append(stems.copy())
            position += frames
        return np.concatenate(parts, axis=-1)

    whole = run([640])
    assert whole.shape == (batch, 2, 2, 640)
    np.testing.assert_allclose(run([64, 128, 128, 64, 256]), whole, atol=1e-6)
    np.testing.assert_allclose(run([64] * 10), whole, atol=1e-6)


def test_a_batch_axis_that_is_left_open_runs_too(make_model: MakeModel) -> None:
    audio = np.random.default_rng(0).normal(0, 0.2, (2, 1000)).astype(np.float32)
    stems = Separator.load(make_model(batch="batch")).separate(audio, 44_100)
    np.testing.assert_array_equal(stems, Separator.load(make_model()).separate(audio, 44_100))


def test_threads_change_nothing_but_speed(make_model: MakeModel) -> None:
    audio = np.random.default_rng(0).normal(0, 0.2, (2, 1000)).astype(np.float32)
    one, two = (Separator.load(make_model(), threads=threads) for threads in (1, 2))
    np.testing.assert_allclose(one.separate(audio, 44_100), two.separate(audio, 44_100), atol=1e-6)


def test_the_warm_up_leaves_no_trace(make_model: MakeModel) -> None:
    separator = Separator.load(make_model())
    separator.prepare(HostConfig(44_100, 64, 2))
    out = np.empty((2, 2, 64), np.float32)
    separator.process(np.ones((2, 64), np.float32), out)
    separator.prepare(HostConfig(44_100, 64, 2))
    again = np.empty((2, 2, 64), np.float32)
    separator.process(np.ones((2, 64), np.float32), again)
    np.testing.assert_array_equal(again, out)


def test_numbers_too_small_to_hear_are_zero_in_the_model_and_nowhere_else(
    make_model: MakeModel,
) -> None:
    if not FlushToZero().works:
        pytest.skip("this platform's floating-point environment is not known")
    separator = Separator.load(make_model())
    separator.prepare(HostConfig(44_100, 64, 2))
    block, out = np.full((2, 64), 1e-39, np.float32), np.empty((2, 2, 64), np.float32)
    for _ in range(3):
        separator.process(block, out)
        assert np.float32(1e-30) * np.float32(1e-10) > 0
    assert not out.any()


def test_siblings_share_weights_and_no_state(load_model: LoadModel) -> None:
    one = load_model(hop=64, latency=64)
    other = one.sibling()
    config = HostConfig(44_100, 128, 2)
    one.prepare(config)
    other.prepare(config)
    audio = np.random.default_rng(5).normal(0, 0.2, (2, 2, 128 * 40)).astype(np.float32)
    alone = []
    for stream in audio:
        one.reset()
        alone.append(_stream(one, stream))
    one.reset()
    together: list[np.ndarray | None] = [None, None]

    def play(number: int, separator: Separator) -> None:
        together[number] = _stream(separator, audio[number])

    threads = [Thread(target=play, args=pair) for pair in enumerate((one, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, heard in zip(alone, together, strict=True):
        np.testing.assert_array_equal(heard, expected)


def _stream(separator: Separator, audio: np.ndarray) -> np.ndarray:
    out = np.zeros((len(separator.stems), *audio.shape), np.float32)
    for start in range(0, audio.shape[1], 128):
        part = np.s_[start : start + 128]
        separator.process(audio[:, part], out[..., part])
    return out


@pytest.mark.parametrize(("wish", "kept"), [(None, "1"), ("0", "0")])
def test_onnxruntime_reports_to_nobody_unless_the_user_says_so(
    make_model: MakeModel, wish: str | None, kept: str
) -> None:
    code = (
        "import os, sys; from engine import Separator; Separator.load(sys.argv[1]); "
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    name = "ORT_DISABLE_TELEMETRY"
    environment = {key: value for key, value in os.environ.items() if key != name}
    environment |= {name: wish} if wish else {}
    done = subprocess.run(
        [sys.executable, "-c", code, str(make_model())],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == kept


def test_states_of_codes_begin_with_what_the_manifest_says(
    build_model: Any, tmp_path: Path
) -> None:
    """A model that keeps the last hop as bytes, 127 steps to full scale, silence in the middle."""
    state = {"name": "state_0", "shape": [1, 2, 64], "dtype": "uint8", "initial": 128}
    model = build_model(manifest={"states": [state]})
    port = helper.make_tensor_value_info
    model.graph.CopyFrom(
        helper.make_graph(
            [
                helper.make_node("QuantizeLinear", ["audio", "step", "zero"], ["codes"]),
                helper.make_node("Concat", ["state_0", "codes"], ["extended"], axis=2),
                helper.make_node("Slice", ["extended", "hop", "end", "time"], ["next_state_0"]),
                helper.make_node("Slice", ["extended", "begin", "hop", "time"], ["late"]),
                helper.make_node("DequantizeLinear", ["late", "step", "zero"], ["stem"]),
                helper.make_node("Unsqueeze", ["stem", "stem_axis"], ["one"]),
                helper.make_node("Concat", ["one", "one"], ["stems"], axis=1),
            ],
            "codes",
            [
                port("audio", TensorProto.FLOAT, [1, 2, "frames"]),
                port("state_0", TensorProto.UINT8, [1, 2, 64]),
            ],
            [
                port("stems", TensorProto.FLOAT, [1, 2, 2, "frames"]),
                port("next_state_0", TensorProto.UINT8, [1, 2, 64]),
            ],
            [
                numpy_helper.from_array(np.array(value, dtype), name)
                for name, value, dtype in (
                    ("step", 1 / 127, np.float32),
                    ("zero", 128, np.uint8),
                    ("begin", [0], np.int64),
                    ("hop", [-64], np.int64),
                    ("end", [2**31 - 1], np.int64),
                    ("time", [2], np.int64),
                    ("stem_axis", [1], np.int64),
                )
            ],
        )
    )
    manifest = json.loads(model.metadata_props[0].value)
    manifest["graph_sha256"] = hashlib.sha256(model.graph.SerializeToString()).hexdigest()
    model.metadata_props[0].value = json.dumps(manifest)
    path = tmp_path / "codes.onnx"
    path.write_bytes(model.SerializeToString())

    runtime = OnnxRuntimeCpu(read_artifact(path), 1)
    runtime.prepare([128], 1)
    audio, stems = runtime.buffers(128)
    audio.fill(1.0)
    for _ in range(2):
        runtime.step(128)
        assert not stems[..., :64].any()
        np.testing.assert_allclose(stems[..., 64:], 1.0)
        kept = runtime.snapshot()
        assert kept[0].dtype == np.uint8
        runtime.step(128)
        np.testing.assert_allclose(stems, 1.0)
        runtime.reset()
        runtime.step(128)
        runtime.restore(kept)
        runtime.step(128)
        np.testing.assert_allclose(stems, 1.0)
        runtime.reset()
