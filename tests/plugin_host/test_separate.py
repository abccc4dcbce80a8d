"""`stemwire separate`: what comes out has the song's length and rate and adds up to the song."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

STEMS = ("drums", "bass", "piano", "strings", "other")
GAINS = np.array([0.4, 0.3, 0.15, 0.1, 0.05], np.float32)


def _outputs(folder: Path, title: str = "song", ending: str = "wav") -> list[Path]:
    return [folder / f"{title}.{stem}.{ending}" for stem in STEMS]


def _mixture(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize("name", ["song.wav", "song.flac", "song.ogg", "song.mp3"])
def test_every_input_format_gives_stems_that_add_up_to_it(
    stemwire, make_song, read_stems, small_model, tmp_path, name
):
    song = make_song(name)
    out = tmp_path / "out"

    result = stemwire("separate", song, "-o", out, "--model", small_model)

    assert result.exit_code == 0
    stems = read_stems(_outputs(out))
    assert stems.shape == (5, *_mixture(song).shape)
    np.testing.assert_allclose(stems.sum(axis=0), _mixture(song), atol=1e-4)
    np.testing.assert_allclose(stems, GAINS[:, None, None] * _mixture(song), atol=1e-6)
    assert sorted(out.iterdir()) == sorted(_outputs(out))  # no temporary file stays


@pytest.mark.parametrize("realtime", [[], ["--realtime"]])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000, 96_000, 192_000])
def test_at_every_rate_the_stems_are_as_long_and_add_up(
    stemwire, make_song, read_stems, small_model, tmp_path, sample_rate, channels, realtime
):
    song = make_song(sample_rate=sample_rate, channels=channels, frames=12_345)

    result = stemwire("separate", song, "-o", tmp_path, "--model", small_model, *realtime)

    assert result.exit_code == 0
    for path in _outputs(tmp_path):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames) == (sample_rate, channels, 12_345)
        assert info.subtype == "FLOAT"
    total = read_stems(_outputs(tmp_path)).sum(axis=0)
    np.testing.assert_allclose(total, _mixture(song), atol=1e-4)


@pytest.mark.parametrize("block_size", [1, 7, 64, 480, 8191])
def test_the_block_size_changes_nothing(
    stemwire, make_song, read_stems, small_model, tmp_path, block_size
):
    song = make_song(frames=3_001)

    result = stemwire(
        "separate", song, "-o", tmp_path, "--model", small_model, "--block-size", block_size
    )

    assert result.exit_code == 0
    np.testing.assert_allclose(
        read_stems(_outputs(tmp_path)).sum(axis=0), _mixture(song), atol=1e-6
    )


@pytest.mark.parametrize("frames", [1, 63, 64, 65, 8193])
def test_songs_of_any_length_come_back_whole(
    stemwire, make_song, read_stems, small_model, tmp_path, frames
):
    song = make_song(frames=frames)

    assert stemwire("separate", song, "-o", tmp_path, "--model", small_model).exit_code == 0

    stems = read_stems(_outputs(tmp_path))
    assert stems.shape[2] == frames
    np.testing.assert_allclose(stems.sum(axis=0), _mixture(song), atol=1e-6)


def test_wav_keeps_what_is_above_full_scale(stemwire, make_song, read_stems, small_model, tmp_path):
    song = make_song(peak=4.0, subtype="FLOAT")

    result = stemwire("separate", song, "-o", tmp_path, "--model", small_model)

    stems = read_stems(_outputs(tmp_path))
    assert np.abs(stems).max() > 1.5
    np.testing.assert_allclose(stems.sum(axis=0), _mixture(song), atol=1e-4)
    assert "clipped" not in result.stderr


def test_flac_clips_above_full_scale_and_says_so(
    stemwire, make_song, read_stems, small_model, tmp_path
):
    song = make_song(peak=4.0, subtype="FLOAT")

    result = stemwire(
        "separate", song, "-o", tmp_path, "--model", small_model, "--format", "flac", "--json"
    )

    drums = read_stems(_outputs(tmp_path, ending="flac"))[0]
    expected = np.clip(0.4 * _mixture(song), -1, 1)
    np.testing.assert_allclose(drums, expected, atol=1e-6)
    clipped = json.loads(result.stdout)["clipped"]
    assert clipped["drums"] == np.count_nonzero(np.abs(0.4 * _mixture(song)) > 1)
    assert set(clipped) == {"drums", "bass"}
    assert "clipped in drums" in result.stderr
    assert "--format wav" in result.stderr


def test_flac_holds_24_bits_that_add_up(stemwire, make_song, read_stems, small_model, tmp_path):
    song = make_song()

    stemwire("separate", song, "-o", tmp_path, "--model", small_model, "--format", "flac")

    paths = _outputs(tmp_path, ending="flac")
    assert {soundfile.info(path).subtype for path in paths} == {"PCM_24"}
    np.testing.assert_allclose(read_stems(paths).sum(axis=0), _mixture(song), atol=1e-6)


@pytest.mark.parametrize("sample_rate", [22_050, 192_000])
def test_flac_holds_every_rate(stemwire, make_song, small_model, tmp_path, sample_rate):
    song = make_song(sample_rate=sample_rate, channels=1, frames=5_000)

    stemwire("separate", song, "-o", tmp_path, "--model", small_model, "--format", "flac")

    infos = [soundfile.info(path) for path in _outputs(tmp_path, ending="flac")]
    assert {(info.samplerate, info.frames) for info in infos} == {(sample_rate, 5_000)}


def test_a_wav_too_large_for_its_header_is_rf64(
    stemwire, make_song, read_stems, small_model, tmp_path, monkeypatch
):
    monkeypatch.setattr("plugin_host.stem_files._WAV_LIMIT", 100_000)  # bytes, for 4 GB
    song = make_song(frames=20_000)

    stemwire("separate", song, "-o", tmp_path, "--model", small_model)

    assert soundfile.info(tmp_path / "song.drums.wav").format == "RF64"
    np.testing.assert_allclose(
        read_stems(_outputs(tmp_path)).sum(axis=0), _mixture(song), atol=1e-6
    )


@pytest.mark.parametrize(
    "name", ["[red]", "two words", "ä♭", "song.v2", "-x", "n" * 240, os.fsdecode(b"latin-\xe9")]
)
def test_songs_of_any_name_are_separated(make_song, small_model, tmp_path, name):
    song = make_song()
    try:
        song = song.rename(tmp_path / f"{name}.wav")
    except OSError:
        pytest.skip(f"this file system has no file names such as {name!r}")
    out = tmp_path / "out"

    done = _subprocess("separate", "-o", out, "--model", small_model, "--", song)

    assert done.returncode == 0, done.stderr
    assert sorted(out.iterdir()) == sorted(_outputs(out, name))
    shown = name.encode(errors="surrogateescape").decode(errors="replace")
    said = "".join(done.stdout.split())  # the table breaks long names
    assert "".join(f"{shown}.drums.wav".split()) in said


def test_only_the_stems_asked_for_are_written(stemwire, make_song, small_model, tmp_path):
    out = tmp_path / "out"

    result = stemwire(
        "separate", make_song(), "-o", out, "--model", small_model, "--stems", "bass, drums,bass"
    )

    assert result.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["song.bass.wav", "song.drums.wav"]


def test_files_of_the_same_names_are_replaced(stemwire, make_song, small_model, tmp_path):
    (tmp_path / "song.drums.wav").write_text("an older one")

    stemwire("separate", make_song(), "-o", tmp_path, "--model", small_model)

    assert soundfile.info(tmp_path / "song.drums.wav").frames == 20_000


def test_a_file_that_ends_early_is_separated_and_named(stemwire, make_song, small_model, tmp_path):
    song = make_song("song.mp3", frames=100_000)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])

    result = stemwire("separate", song, "-o", tmp_path, "--model", small_model, "--json")

    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert 0 < report["frames"] < 60_000
    assert report["is_cut_short"] is True
    assert "holds less than its header announces" in result.stderr


def test_json_is_one_object_and_all_of_stdout(make_song, small_model, tmp_path):
    song = make_song(sample_rate=48_000, frames=48_000)

    done = _subprocess(
        "separate", song, "-o", tmp_path, "--model", small_model, "--json", "--block-size", 100
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["input"] == str(song)
    assert report["model"] == "small-test-model"
    assert (report["sample_rate"], report["channels"], report["frames"]) == (48_000, 2, 48_000)
    assert report["seconds"] == 1.0
    assert report["block_size"] == 100
    assert report["latency"] == sum(entry["frames"] for entry in report["ledger"])
    assert report["latency_ms"] == pytest.approx(report["latency"] / 48)
    assert report["rtf"] == pytest.approx(report["compute_seconds"])
    assert report["underruns"] is None
    assert (report["clipped"], report["is_cut_short"]) == ({}, False)
    assert report["outputs"] == {s: str(tmp_path / f"song.{s}.wav") for s in STEMS}


def test_the_table_names_every_file_the_latency_and_the_model(
    stemwire, make_song, small_model, tmp_path
):
    result = stemwire("separate", make_song(), "-o", tmp_path, "--model", small_model)

    said = "".join(result.stdout.split())  # the table may break long paths
    for path in _outputs(tmp_path):
        assert "".join(str(path).split()) in said
    assert "64frames=1.45ms" in said
    assert "small-test-model" in said
    assert "real-timefactor" in said


def test_realtime_takes_the_songs_time(stemwire, make_song, read_stems, small_model, tmp_path):
    song = make_song(frames=22_050)
    start = time.perf_counter()

    result = stemwire(
        "separate", song, "-o", tmp_path, "--model", small_model, "--realtime", "--json"
    )

    assert time.perf_counter() - start >= 0.5
    report = json.loads(result.stdout)
    assert report["block_size"] == 256
    assert 0 <= report["underruns"] <= 22_050 / 256
    assert report["compute_seconds"] < 0.5 + time.perf_counter() - start  # waiting is not computing
    np.testing.assert_allclose(
        read_stems(_outputs(tmp_path)).sum(axis=0), _mixture(song), atol=1e-6
    )


def test_memory_does_not_grow_with_the_song(make_song, small_model, tmp_path):
    def peak_megabytes(seconds: int) -> float:
        song = make_song(f"{seconds}.wav", frames=44_100 * seconds)
        code = (
            "import resource, sys; from plugin_host.cli import app; "
            "app(standalone_mode=False); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        arguments = ["separate", song, "-o", tmp_path, "--model", small_model, "--stems", "drums"]
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=True,
        )
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return int(done.stdout.split()[-1]) / unit

    # 120 s are 42 MB as float32, and their five stems 212 MB
    assert peak_megabytes(120) - peak_megabytes(2) < 25


def _subprocess(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plugin_host", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
