"""A model of integers: the same in any block, on any processor, and in the fast form."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from engine import HostConfig, Separator, read_manifest
from engine.runtime.library import load_onnxruntime
from export.fold import fold_constants
from export.int8 import LARGEST_WEIGHT, in_steps, measure_peaks
from export.parity import INTEGER_NOISE_DB

Noise = Callable[[int], np.ndarray]


def initializers(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def products(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The products whose weights come from a DequantizeLinear."""
    dequantized = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return [node for node in graph.node if set(node.input[1:2]) & dequantized]


def test_caches_are_bytes_that_begin_with_silence(integers: Any) -> None:
    manifest = read_manifest(integers.path)
    model = integers.checkpoint.model()
    caches = manifest.states[2:-1]
    assert len(caches) == len(model.stacks.blocks)
    assert {(state.dtype, state.initial) for state in caches} == {("uint8", 128)}
    rest = {(s.dtype, s.initial) for s in manifest.states if s not in caches}
    assert rest == {("float32", 0)}
    assert manifest.training["precision"]["noise_db"] < INTEGER_NOISE_DB


def test_two_weights_times_two_codes_fit_in_sixteen_bits(integers: Any) -> None:
    graph = onnx.load(integers.path).graph
    weights = [v for v in initializers(graph).values() if v.dtype == np.int8 and v.ndim == 2]
    assert len(weights) == len(products(graph))
    assert max(int(np.abs(values.astype(int)).max()) for values in weights) == LARGEST_WEIGHT
    assert 2 * LARGEST_WEIGHT * 255 < 2**15


def test_the_runtime_fuses_every_product_of_integers(integers: Any, tmp_path: Path) -> None:
    library = load_onnxruntime()
    options = library.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3  # it warns that such a file is for this machine only
    library.InferenceSession(integers.path, options, providers=["CPUExecutionProvider"])
    before = onnx.load(integers.path).graph
    after = Counter(n.op_type for n in onnx.load(options.optimized_model_filepath).graph.node)
    assert after["QGemm"] == len(products(before)) > 0
    assert after["DequantizeLinear"] == 0


def test_blocks_of_any_size_give_the_same(integers: Any, noise: Noise) -> None:
    audio = noise(64 * 120)
    separator = Separator.load(integers.path)

    def stream(block_size: int) -> np.ndarray:
        separator.prepare(HostConfig(44_100, block_size, 2))
        out = np.empty((5, 2, block_size), np.float32)
        parts = []
        for start in range(0, audio.shape[1] - block_size + 1, block_size):
            separator.process(audio[:, start : start + block_size], out)
            parts.append(out.copy())
        assert separator.latency == 64
        return np.concatenate(parts, axis=-1)

    whole = stream(audio.shape[1])
    for block_size in (64, 256, 64 * 15):
        # What is not integers may differ in its last bit. A code that differs would show.
        np.testing.assert_allclose(stream(block_size), whole, atol=2e-7)


def test_a_reset_begins_the_stream_again(integers: Any, noise: Noise) -> None:
    separator = Separator.load(integers.path)
    separator.prepare(HostConfig(44_100, 640, 2))
    block, first, again = noise(640), *np.empty((2, 5, 2, 640), np.float32)
    separator.process(block, first)
    separator.process(block, again)
    assert not np.array_equal(first, again)
    separator.reset()
    separator.process(block, again)
    np.testing.assert_array_equal(again, first)


def test_scaling_to_steps_of_one_changes_nothing(integers: Any, noise: Noise) -> None:
    folded = fold_constants(integers.checkpoint.model())
    scaled = in_steps(folded, measure_peaks(folded))  # type: ignore[arg-type]
    audio = torch.from_numpy(noise(6400))[None]
    with torch.inference_mode():
        torch.testing.assert_close(scaled(audio), folded(audio), atol=1e-5, rtol=0)


@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
def test_what_is_kept_stays_in_the_range_of_codes(integers: Any, level: float) -> None:
    """Silence, whispers and full scale leave few codes at the ends of their range."""
    session = load_onnxruntime().InferenceSession(integers.path, providers=["CPUExecutionProvider"])
    states = {
        state.name: np.full(state.shape, state.initial, state.dtype)
        for state in read_manifest(integers.path).states
    }
    audio = np.random.default_rng(0).uniform(-level, level, (1, 2, 6400)).astype(np.float32)
    names = [f"next_{name}" for name in states]
    codes = [v for v in session.run(names, {"audio": audio, **states}) if v.dtype == np.uint8]
    kept = np.concatenate([values.ravel() for values in codes])
    assert np.mean((kept == 0) | (kept == 255)) < 1e-3
    assert np.ptp(kept) > 60
