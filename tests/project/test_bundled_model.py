"""The model that comes with the engine separates the song that comes with the host."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from engine import find_model, read_manifest
from plugin_host.cli import app
from plugin_host.demo_song import SONG

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "engine" / "models"
STEMS = ["drums", "bass", "piano", "strings", "other"]


@pytest.fixture(autouse=True)
def no_user_models(tmp_path, monkeypatch):
    """A user's own `default` would hide the bundled one."""
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path / "none"))


def test_the_default_model_is_bundled_with_its_card_and_small():
    assert find_model("default") == FOLDER / "default.onnx"
    assert (FOLDER / "default.onnx").stat().st_size < 20_000_000
    card = (FOLDER / "default.md").read_text()
    manifest = read_manifest(FOLDER / "default.onnx")
    assert manifest.name in card
    assert all(stem in card for stem in STEMS)
    assert list(manifest.stems) == STEMS
    assert (manifest.sample_rate, manifest.channels) == (44_100, 2)


def test_it_separates_the_demo_song_into_stems_that_differ_and_add_up(tmp_path):
    result = CliRunner().invoke(app, ["demo", "-o", str(tmp_path), "--json"])

    assert result.exit_code == 0, result.output
    outputs = json.loads(result.stdout)["outputs"]
    assert list(outputs) == [*STEMS, "picture"]
    stems = np.stack([soundfile.read(outputs[stem])[0] for stem in STEMS])
    mixture = soundfile.read(SONG)[0]
    np.testing.assert_allclose(stems.sum(axis=0), mixture, atol=1e-4)
    # Not the mixture in five shares, which would be alike to the last digit. The model's weak pairs
    # (piano, strings and other: see its card) are far from that, its strong stems like no other.
    rows = stems.reshape(len(STEMS), -1)
    likeness = np.abs(np.corrcoef(rows)) - np.eye(len(STEMS))
    assert likeness.max() < 0.97
    assert likeness[STEMS.index("drums")].max() < 0.4
    assert likeness[STEMS.index("bass")].max() < 0.75
