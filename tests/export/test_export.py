"""What is exported computes what was trained, says so, and is refused otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

from engine import HostConfig, Separator, read_manifest
from export import ParityError, check_parity, export_separator
from export.cli import app
from export.fold import fold_constants
from export.graph import trace
from training.checkpoint import Checkpoint, save
from training.config import DataConfig, TrainConfig, WaveNetConfig
from training.models import build

CONFIGS = {
    "wavenet-frame": WaveNetConfig(filters=16, skip=16, stacks=2, blocks=4, head=(24,)),
    "wavenet-paper": WaveNetConfig(
        kind="wavenet-paper", filters=8, skip=8, stacks=2, blocks=5, head=(12, 10)
    ),
}
BLOCK_SIZES = (1, 7, 64, 128, 480, 8191)


@dataclass(frozen=True)
class Exported:
    """A checkpoint of random weights and the artifact made from it."""

    checkpoint: Checkpoint
    path: Path

    def offline(self, audio: np.ndarray) -> np.ndarray:
        """The torch model over a whole excerpt (channels, frames), latency removed."""
        model = self.checkpoint.model()
        frames = audio.shape[-1] + model.latency
        frames = -(-frames // model.hop) * model.hop
        padded = np.pad(audio, ((0, 0), (0, frames - audio.shape[-1])))
        with torch.inference_mode():
            stems = model(torch.from_numpy(padded)[None])[0].numpy()
        return stems[..., model.latency : model.latency + audio.shape[-1]]


def random_checkpoint(config: WaveNetConfig) -> Checkpoint:
    torch.manual_seed(0)
    model = build(config)
    model.fit_features(torch.randn(2, config.channels, 100 * model.hop) * 0.1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    data = DataConfig(midi="somewhere/songs", soundfonts="somewhere/fonts")
    weights = model.state_dict()
    return Checkpoint(TrainConfig(config, data), 7, weights, weights, {}, "abc", {"drums": 1.0})


@pytest.fixture(scope="module", params=CONFIGS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    checkpoint = random_checkpoint(CONFIGS[request.param])
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_separator(checkpoint, path, {"drums": 6.0}, "songs of our own")
    return Exported(checkpoint, path)


def noise(frames: int) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal((2, frames)) * 0.2).astype(np.float32)


def test_manifest_says_what_the_model_is_and_where_it_comes_from(exported: Exported) -> None:
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
    assert [state.shape for state in manifest.states] == [
        tuple(state.shape) for state in model.initial_state()
    ]


def test_graph_keeps_to_what_cuda_graphs_and_tensorrt_take(exported: Exported) -> None:
    operators = {node.op_type for node in onnx.load(exported.path).graph.node}
    assert not operators & {"If", "Loop", "Scan", "DFT", "STFT", "GatherND", "NonZero"}


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_engine_streams_what_the_model_computes_offline(
    exported: Exported, block_size: int
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
    np.testing.assert_allclose(streamed, exported.offline(audio), atol=1e-5)


def test_engine_separates_random_splits_as_offline(exported: Exported) -> None:
    rng = np.random.default_rng(5)
    audio = noise(20_000)
    cuts = np.sort(rng.integers(1, 20_000, size=12))
    separator = Separator.load(exported.path)
    parts = separator.stream(np.split(audio, cuts, axis=-1), 44100, 2, block_size=640)
    stems = np.concatenate(list(parts), axis=-1)
    np.testing.assert_allclose(stems, exported.offline(audio), atol=1e-5)
    np.testing.assert_allclose(stems.sum(axis=0), audio, atol=1e-5)


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
def test_an_impulse_arrives_after_the_latency_that_is_reported(
    exported: Exported, sample_rate: int
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
    largest = max(graph.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = onnx.numpy_helper.to_array(largest) * 1.01
    largest.raw_data = values.astype(np.float32).tobytes()


def spoil_state(graph: onnx.ModelProto) -> None:
    """Hand a cache on unchanged: only streaming shows this."""
    name = graph.graph.input[2].name
    for node in graph.graph.node:
        for i, output in enumerate(node.output):
            if output == f"next_{name}":
                node.output[i] = "unused"
    graph.graph.node.append(onnx.helper.make_node("Identity", [name], [f"next_{name}"]))


@pytest.mark.parametrize("spoil", [spoil_weights, spoil_state])
def test_a_graph_that_computes_something_else_is_refused(
    exported: Exported, spoil: Callable[[onnx.ModelProto], None]
) -> None:
    model = exported.checkpoint.model()
    graph = onnx.load(exported.path)
    assert check_parity(model, graph) <= 1e-5
    spoil(graph)
    with pytest.raises(ParityError, match="exported"):
        check_parity(model, graph)


def test_a_model_whose_step_is_wrong_is_refused(exported: Exported) -> None:
    model = exported.checkpoint.model()
    graph = onnx.load(exported.path)
    with torch.no_grad():  # `step` alone reads the weights anew: offline is patched to lag behind
        forward = model.forward
        model.forward = lambda audio: forward(audio).roll(1, -1)  # type: ignore[method-assign]
    with pytest.raises(ParityError, match="streamed"):
        check_parity(model, graph)


def test_a_failed_export_writes_nothing(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(*arguments: object) -> onnx.ModelProto:
        graph = trace(*arguments)  # type: ignore[arg-type]
        spoil_weights(graph)
        return graph

    monkeypatch.setattr("export.separator.trace", spoilt)
    with pytest.raises(ParityError):
        export_separator(exported.checkpoint, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_folding_changes_nothing_but_the_work(exported: Exported) -> None:
    model = exported.checkpoint.model()
    folded = fold_constants(model)
    audio = torch.from_numpy(noise(1280))[None]
    with torch.inference_mode():
        torch.testing.assert_close(folded(audio), model(audio), atol=1e-5, rtol=0)


def test_command_line_exports_and_says_what_is_wrong(tmp_path: Path) -> None:
    checkpoint = tmp_path / "last.pt"
    config = WaveNetConfig(filters=8, skip=8, stacks=1, blocks=2, head=(8,), stems=("a", "b"))
    save(checkpoint, random_checkpoint(config))
    output = tmp_path / "small.onnx"
    result = CliRunner().invoke(app, [str(checkpoint), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert read_manifest(output).stems == ("a", "b")

    garbage = tmp_path / "garbage.pt"
    garbage.write_bytes(b"garbage")
    cases = [(tmp_path / "missing.pt", output), (garbage, output)]
    cases.append((checkpoint, tmp_path / "no-such-folder" / "model.onnx"))
    for source, target in cases:
        result = CliRunner().invoke(app, [str(source), "-o", str(target)])
        assert result.exit_code == 2
        assert "stemwire-export:" in result.output
        assert "Traceback" not in result.output
