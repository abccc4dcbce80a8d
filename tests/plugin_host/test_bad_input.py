"""What a user can get wrong: one sentence that names it, exit code 2, and nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def refused(stemwire, small_model, tmp_path):
    """Separates, and checks all that every refusal has in common; returns the sentence."""

    def run(audio: object, *options: object, output: Path | None = None) -> str:
        out = output or tmp_path / "out"
        before = _tree(tmp_path)
        model = () if "--model" in options else ("--model", small_model)
        result = stemwire("separate", audio, "-o", out, *model, *options)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.stderr
        assert _tree(tmp_path) == before  # no stem, no temporary file, no folder
        return str(result.stderr)

    return run


def _tree(folder: Path) -> dict[Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def test_a_missing_file(refused, tmp_path):
    assert f"There is no file {tmp_path / 'nope.wav'}" in refused(tmp_path / "nope.wav")


def test_a_folder(refused, tmp_path):
    assert f"{tmp_path} is a folder" in refused(tmp_path)


def test_a_device(refused):
    assert f"{os.devnull} is no regular file" in refused(os.devnull)


def test_a_name_that_leaves_no_room_for_the_stems(refused, make_song, tmp_path):
    song = make_song().rename(tmp_path / ("n" * 250 + ".wav"))
    assert "rename the input" in refused(song)


@pytest.mark.parametrize("name", ["notes.txt", "notes.wav", "notes.mp3", "notes.raw"])
def test_a_file_that_is_not_audio(refused, tmp_path, name):
    (tmp_path / name).write_text("la la la\n" * 100)
    assert f"{tmp_path / name} is no audio file" in refused(tmp_path / name)


def test_an_empty_file(refused, tmp_path):
    (tmp_path / "empty.wav").touch()
    assert "empty.wav is empty (0 bytes)" in refused(tmp_path / "empty.wav")


def test_no_frames(refused, make_song):
    assert "holds 0 frames" in refused(make_song(frames=0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_far_into_the_song(refused, tmp_path, value):
    audio = np.zeros((44_100, 2), np.float32)
    audio[33_075, 1] = value
    soundfile.write(tmp_path / "song.wav", audio, 44_100, subtype="FLOAT")
    assert "frame 33075, second 0.750" in refused(tmp_path / "song.wav")


def test_nine_channels(refused, make_song):
    assert "has 9 channels" in refused(make_song(channels=9))


@pytest.mark.parametrize("sample_rate", [4_000, 384_000])
def test_a_rate_out_of_range(refused, make_song, sample_rate):
    sentence = refused(make_song(sample_rate=sample_rate))
    assert "song.wav" in sentence
    assert f"{sample_rate} Hz" in sentence


def test_a_file_that_breaks_off(refused, make_song):
    song = make_song("song.flac", frames=100_000)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])
    assert "song.flac cannot be decoded past second" in refused(song)


def test_an_unknown_model_names_those_there_are(refused, make_song, small_model, monkeypatch):
    monkeypatch.setenv("STEMWIRE_MODELS", str(small_model.parent))
    sentence = refused(make_song(), "--model", "nope")
    assert "'nope'" in sentence
    assert "small" in sentence


def test_a_model_that_is_cut_short(refused, make_song, small_model, tmp_path):
    model = tmp_path / "cut.onnx"
    model.write_bytes(small_model.read_bytes()[:-100])
    assert "cut.onnx" in refused(make_song(), "--model", model)


def test_a_model_that_is_no_onnx(refused, make_song, tmp_path):
    model = tmp_path / "foreign.onnx"
    model.write_text("not a model\n" * 50)
    assert "foreign.onnx" in refused(make_song(), "--model", model)


def test_an_unknown_stem_names_those_there_are(refused, make_song):
    sentence = refused(make_song(), "--stems", "drums,vocals")
    assert "'vocals'" in sentence
    assert "drums, bass, piano, strings, other" in sentence


@pytest.mark.parametrize("block_size", [0, -1, 8193])
def test_a_block_size_out_of_range(refused, make_song, block_size):
    assert str(block_size) in refused(make_song(), "--block-size", block_size)


def test_an_unknown_format(refused, make_song):
    assert "choose one of wav, flac, stem.mp4" in refused(make_song(), "--format", "aiff")


def test_an_output_folder_that_is_a_file(refused, make_song, tmp_path):
    (tmp_path / "out").write_text("in the way")
    assert f"{tmp_path / 'out'}" in refused(make_song())
    assert "choose another one with -o" in refused(make_song(), output=tmp_path / "out" / "deep")


def test_a_folder_where_a_stem_would_go(refused, make_song, tmp_path):
    (tmp_path / "out" / "song.bass.wav").mkdir(parents=True)
    assert "song.bass.wav is a folder" in refused(make_song())


def test_an_output_folder_that_may_not_be_written(refused, make_song, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(13, os.strerror(13), str(self))

    monkeypatch.setattr(Path, "touch", refuse)  # file modes do not stop root
    assert "Permission denied" in refused(make_song())


_LIMITED = """
import resource, sys
from plugin_host.cli import app
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
app(sys.argv[1:])
"""


@pytest.mark.parametrize("place", ["in the middle", "at the last byte"])
@pytest.mark.parametrize("file_format", ["wav", "flac", "stem.mp4"])
def test_a_full_disk(stemwire, make_song, small_model, tmp_path, needs_program, file_format, place):
    """The system's limit on file sizes stands in for the disk: writes fail in the same way."""
    if file_format == "stem.mp4":
        needs_program("ffmpeg")
    song = make_song(frames=30_000)
    options = ["--model", small_model, "--format", file_format]
    assert stemwire("separate", song, "-o", tmp_path / "whole", *options).exit_code == 0
    size = max(path.stat().st_size for path in (tmp_path / "whole").iterdir())
    limit = size // 2 if place == "in the middle" else size - 1
    out = tmp_path / "out"

    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, *map(str, [limit, "separate", song, "-o", out, *options])],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: {out / 'song.'}")
    assert "could not be written (File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not out.exists()
