"""`stemwire demo` separates the bundled song as a live stream and draws it."""

import json
import shutil

import matplotlib.image
import numpy as np
import pytest
import soundfile

from plugin_host.demo_song import SONG
from plugin_host.spectrogram import draw_spectrograms

STEMS = ("drums", "bass", "piano", "strings", "other")


def test_the_bundled_song_is_what_its_readme_says():
    info = soundfile.info(SONG)
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "PCM_16")
    assert 15 <= info.duration <= 20
    assert SONG.stat().st_size < 2_000_000
    audio, _ = soundfile.read(SONG)
    assert 0.5 < np.abs(audio).max() < 1.0


def test_demo_writes_stems_and_picture_and_a_table(stemwire, small_model, tmp_path):
    result = stemwire("demo", "-o", tmp_path, "--model", small_model)

    assert result.exit_code == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"spectrograms.png", *(f"song.{stem}.wav" for stem in STEMS)}
    total = sum(soundfile.read(tmp_path / f"song.{stem}.wav")[0] for stem in STEMS)
    np.testing.assert_allclose(total, soundfile.read(SONG)[0], atol=1e-4)
    said = "".join(result.stdout.split())
    assert "blocksof256" in said
    assert "64frames=1.45ms" in said
    assert "real-timefactor" in said


def test_demo_without_matplotlib_separates_and_says_what_the_picture_needs(
    stemwire, small_model, tmp_path, monkeypatch
):
    monkeypatch.setattr("plugin_host.demo_song.can_draw", lambda: False)
    monkeypatch.setattr("plugin_host.cli.can_draw", lambda: False)

    result = stemwire("demo", "-o", tmp_path, "--model", small_model, "--json")

    assert result.exit_code == 0
    assert "stemwire[demo]" in result.stderr
    assert set(json.loads(result.stdout)["outputs"]) == set(STEMS)
    assert not (tmp_path / "spectrograms.png").exists()


def test_demo_finds_the_default_model_in_the_users_folder(
    stemwire, small_model, tmp_path, monkeypatch
):
    shutil.copy(small_model, tmp_path / "default.onnx")
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path))

    result = stemwire("demo", "-o", tmp_path / "out", "--json")

    assert json.loads(result.stdout)["model"] == "small-test-model"


@pytest.mark.parametrize("frames", [1, 100, 44_100])
def test_a_picture_shows_one_row_per_file(tmp_path, frames):
    """A tone is bright where it sounds, in its own row only."""
    time = np.arange(frames) / 44_100
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), 44_100)
    soundfile.write(tmp_path / "silence.wav", np.zeros(frames), 44_100)
    rows = [("tone", tmp_path / "tone.wav"), ("silence", tmp_path / "silence.wav")]

    draw_spectrograms(rows, tmp_path / "picture.png")

    picture = matplotlib.image.imread(tmp_path / "picture.png")[..., :3]
    height, width = picture.shape[:2]
    assert (height, width) == pytest.approx((396, 1210), abs=2)
    if frames == 44_100:
        plots = picture[:, : int(0.85 * width)].sum(axis=2)
        bright = ((plots > 1.5) & (plots < 2.6)).mean(axis=1)  # neither background nor white page
        assert bright[: height // 2].max() > 0.5
        assert bright[height // 2 :].max() < 0.2
