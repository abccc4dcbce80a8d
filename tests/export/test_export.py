"""What is exported computes what was trained, says so, and is refused otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

from engine import HostConfig, Separator, read_manifest
from export import ParityError, export_separator
from export.cli import app
from export.fold import fold_constants
from export.frame_step import FrameStep
from export.graph import ModelStep, trace
from export.parity import check_graph, check_step, prepare_excerpt
from training.checkpoint import Checkpoint, save
from training.config import WaveNetConfig

BLOCK_SIZES = (1, 7, 64, 128, 480, 8191)

Noise = Callable[[int], np.ndarray]
RandomCheckpoint = Callable[[WaveNetConfig], Checkpoint]
SMALLEST = WaveNetConfig(filters=8, skip=8, stacks=1, blocks=2, head=(8,), stems=("a", "b"))
CONFIGS = {
    "frame": WaveNetConfig(filters=16, skip=16, stacks=2, blocks=4, head=(24,)),
    "paper": WaveNetConfig(
        kind="wavenet-paper", filters=8, skip=8, stacks=2, blocks=5, head=(12, 10)
    ),
}


def test_manifest_says_what_the_model_is_and_where_it_comes_from(exported: Any) -> None:
    manifest = read_manifest(exported.path)
    model = exported.checkpoint.model()
    assert manifest.name == model.config.kind
    assert manifest.stems == model.config.stems
    assert (manifest.hop, manifest.latency) == (model.hop, model.latency)
    assert manifest.receptive_field == model.receptive_field
    assert manifest.quality == {"drums": 6.0}
    assert manifest.training["commit"] == "abc"
    assert manifest.training["steps"] == 7
    assert manifest.training["config"]["data"]["midi"] == "songs"  # no path of this machine
    assert manifest.training["precision"]["weights"] == exported.weights


def test_graph_keeps_to_what_cuda_graphs_and_tensorrt_take(exported: Any) -> None:
    graph = onnx.load(exported.path).graph
    assert {node.domain for node in graph.node} == {""}
    operators = {node.op_type for node in graph.node}
    assert not operators & {"If", "Loop", "Scan", "DFT", "STFT", "GatherND", "NonZero"}


def test_no_path_of_the_machine_that_exported_it_is_in_the_file(exported: Any) -> None:
    data = exported.path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in data
    assert b".py" not in data


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_engine_streams_what_the_model_computes_offline(
    exported: Any, noise: Noise, block_size: int
) -> None:
    frames = max(2 * block_size, 3000 if block_size > 1 else 300)
    audio = noise(frames)
    separator = Separator.load(exported.path)
    separator.prepare(HostConfig(44100, block_size, 2))
    latency = separator.latency
    blocks = -(-(frames + latency) // block_size)
    padded = np.pad(audio, ((0, 0), (0, blocks * block_size - frames)))
    out = np.empty((5, 2, block_size), np.float32)
    stems = []
    for block in np.split(padded, blocks, axis=-1):
        separator.process(np.ascontiguousarray(block), out)
        stems.append(out.copy())
    streamed = np.concatenate(stems, axis=-1)[..., latency : latency + frames]
    exported.assert_computes(streamed, audio)


def test_engine_separates_random_splits_as_offline(exported: Any, noise: Noise) -> None:
    rng = np.random.default_rng(5)
    audio = noise(20_000)
    cuts = np.sort(rng.integers(1, 20_000, size=12))
    separator = Separator.load(exported.path)
    parts = separator.stream(np.split(audio, cuts, axis=-1), 44100, 2, block_size=640)
    stems = np.concatenate(list(parts), axis=-1)
    exported.assert_computes(stems, audio)
    np.testing.assert_allclose(stems.sum(axis=0), audio, atol=1e-5)


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
def test_an_impulse_arrives_after_the_latency_that_is_reported(
    exported: Any, sample_rate: int
) -> None:
    separator = Separator.load(exported.path)
    separator.prepare(HostConfig(sample_rate, 128, 2))
    position = 5000
    blocks = (position + separator.latency) // 128 + 20
    audio = np.zeros((2, blocks * 128), np.float32)
    audio[:, position] = 0.5
    out = np.empty((5, 2, 128), np.float32)
    total = []
    for block in np.split(audio, blocks, axis=-1):
        separator.process(np.ascontiguousarray(block), out)
        total.append(out.sum(axis=0))
    heard = np.abs(np.concatenate(total, axis=-1)[0]).argmax()
    assert heard - position == separator.latency


def spoil_weights(graph: onnx.ModelProto) -> None:
    """Change the largest weights by a hundredth, or by one where they are integers."""
    largest = max(graph.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = onnx.numpy_helper.to_array(largest)
    spoilt = values * 1.01 if values.dtype == np.float32 else values + 1
    largest.raw_data = spoilt.astype(values.dtype).tobytes()


def spoil_state(graph: onnx.ModelProto) -> None:
    """Hand a cache on unchanged: only streaming shows this."""
    name = graph.graph.input[3].name
    for node in graph.graph.node:
        for i, output in enumerate(node.output):
            if output == f"next_{name}":
                node.output[i] = "unused"
    graph.graph.node.append(onnx.helper.make_node("Identity", [name], [f"next_{name}"]))


@pytest.mark.parametrize("spoil", [spoil_weights, spoil_state])
def test_a_graph_that_computes_something_else_is_refused_and_nothing_written(
    exported: Any,
    spoil: Callable[[onnx.ModelProto], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoilt(*arguments: Any) -> onnx.ModelProto:
        graph = trace(*arguments)
        spoil(graph)
        return graph

    monkeypatch.setattr("export.separator.trace", spoilt)
    path = tmp_path / "model.onnx"
    with pytest.raises(ParityError, match="exported"):
        export_separator(exported.checkpoint, path, weights=exported.weights)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", CONFIGS)
def test_a_model_whose_step_is_wrong_is_refused(
    random_checkpoint: RandomCheckpoint, name: str
) -> None:
    model = random_checkpoint(CONFIGS[name]).model()
    forward = model.forward
    model.forward = lambda audio: forward(audio).roll(1, -1)  # type: ignore[method-assign]
    with pytest.raises(ParityError, match="streamed"):
        check_step(prepare_excerpt(model), ModelStep(model))


@pytest.mark.parametrize(
    "config",
    [
        WaveNetConfig(filters=16, skip=8, stacks=1, blocks=3, channels=1, activation="relu"),
        WaveNetConfig(filters=8, skip=8, stacks=1, blocks=2, kernel=2, head=(), stems=("a", "b")),
        WaveNetConfig(filters=8, skip=8, stacks=2, blocks=2, head=(8, 12), sample_rate=32_000),
    ],
    ids=["mono-relu", "kernel-of-two-no-head", "deep-head"],
)
def test_rows_compute_every_kind_of_model(
    random_checkpoint: RandomCheckpoint, config: WaveNetConfig
) -> None:
    model = random_checkpoint(config).model()
    excerpt = prepare_excerpt(model)
    step = FrameStep(fold_constants(model))  # type: ignore[arg-type]
    assert check_step(excerpt, step) <= 1e-5
    assert check_graph(excerpt, trace(step), step.initial_state()) <= 1e-5


@pytest.mark.parametrize("name", CONFIGS)
def test_folding_changes_nothing_but_the_work(
    random_checkpoint: RandomCheckpoint, noise: Noise, name: str
) -> None:
    model = random_checkpoint(CONFIGS[name]).model()
    folded = fold_constants(model)
    audio = torch.from_numpy(noise(1280))[None]
    with torch.inference_mode():
        torch.testing.assert_close(folded(audio), model(audio), atol=1e-5, rtol=0)


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_command_line_exports(
    random_checkpoint: RandomCheckpoint, tmp_path: Path, weights: str
) -> None:
    checkpoint, output = tmp_path / "last.pt", tmp_path / "small.onnx"
    save(checkpoint, random_checkpoint(SMALLEST))
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(output), "--weights", weights])
    assert result.exit_code == 0, result.output
    assert read_manifest(output).stems == ("a", "b")


def test_command_line_says_what_is_wrong(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    checkpoint, paper, relu = (tmp_path / f"{name}.pt" for name in ("last", "paper", "relu"))
    save(checkpoint, random_checkpoint(SMALLEST))
    save(paper, random_checkpoint(CONFIGS["paper"]))
    save(relu, random_checkpoint(WaveNetConfig(filters=8, blocks=2, activation="relu")))
    garbage = tmp_path / "garbage.pt"
    garbage.write_bytes(b"garbage")
    output = str(tmp_path / "small.onnx")
    for arguments in (
        [tmp_path / "missing.pt", "-o", output],
        [garbage, "-o", output],
        [checkpoint, "-o", tmp_path / "no-such-folder" / "model.onnx"],
        [checkpoint, "-o", output, "--weights", "int4"],
        [paper, "-o", output, "--weights", "int8"],
        [relu, "-o", output, "--weights", "int8"],
    ):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 2
        assert "stemwire-export:" in result.output
        assert "Traceback" not in result.output
        assert not Path(output).exists()
