"""Checkpoints of random weights, and artifacts made from them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from export import export_separator
from export.parity import INTEGER_NOISE_DB, TOLERANCE, level_db
from training.checkpoint import Checkpoint
from training.config import DataConfig, TrainConfig, WaveNetConfig
from training.models import build

FRAME = WaveNetConfig(filters=16, skip=16, stacks=2, blocks=4, head=(24,))
PAPER = WaveNetConfig(kind="wavenet-paper", filters=8, skip=8, stacks=2, blocks=5, head=(12, 10))
FORMS = {
    "wavenet-frame": (FRAME, "float32"),
    "wavenet-frame-int8": (FRAME, "int8"),
    "wavenet-paper": (PAPER, "float32"),
}

RandomCheckpoint = Callable[[WaveNetConfig], Checkpoint]


@dataclass(frozen=True)
class ExportedModel:
    """A checkpoint of random weights and the artifact made from it."""

    checkpoint: Checkpoint
    path: Path
    weights: str

    def offline(self, audio: np.ndarray) -> np.ndarray:
        """The torch model over a whole excerpt (channels, frames), latency removed."""
        model = self.checkpoint.model()
        frames = audio.shape[-1] + model.latency
        frames = -(-frames // model.hop) * model.hop
        padded = np.pad(audio, ((0, 0), (0, frames - audio.shape[-1])))
        with torch.inference_mode():
            stems = model(torch.from_numpy(padded)[None])[0].numpy()
        return stems[..., model.latency : model.latency + audio.shape[-1]]

    def assert_computes(self, stems: np.ndarray, audio: np.ndarray) -> None:
        """Stems that the artifact made of an excerpt are those of the torch model."""
        offline = self.offline(audio)
        if self.weights == "float32":
            np.testing.assert_allclose(stems, offline, atol=TOLERANCE)
        else:
            assert level_db(stems - offline, offline) < INTEGER_NOISE_DB


def _random_checkpoint(config: WaveNetConfig) -> Checkpoint:
    torch.manual_seed(0)
    model = build(config)
    model.fit_features(torch.randn(2, config.channels, 100 * model.hop) * 0.1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    data = DataConfig(midi="somewhere/songs", soundfonts="somewhere/fonts")
    weights = model.state_dict()
    return Checkpoint(TrainConfig(config, data), 7, weights, weights, {}, "abc", {"drums": 1.0})


@pytest.fixture(scope="session")
def random_checkpoint() -> RandomCheckpoint:
    return _random_checkpoint


@pytest.fixture(scope="session", params=FORMS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Each of the forms that a model is exported in."""
    return _exported(request.param, tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="session")
def integers(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """A model of integers."""
    return _exported("wavenet-frame-int8", tmp_path_factory.mktemp("export"))


def _exported(form: str, folder: Path) -> ExportedModel:
    config, weights = FORMS[form]
    checkpoint = _random_checkpoint(config)
    path = folder / "model.onnx"
    export_separator(checkpoint, path, {"drums": 6.0}, "songs of our own", weights)
    return ExportedModel(checkpoint, path, weights)


@pytest.fixture(scope="session")
def noise() -> Callable[[int], np.ndarray]:
    """Returns a function that makes noise (2, frames)."""

    def make(frames: int) -> np.ndarray:
        return (np.random.default_rng(1).standard_normal((2, frames)) * 0.2).astype(np.float32)

    return make
