"""NI Stems files: five tracks, four parts that add up to the mixture, and the atom that says so."""

import json
import subprocess

import numpy as np
import pytest
import soundfile

from engine import ConfigError
from plugin_host.mp4_atoms import Mp4Error, add_stem_atom, read_stem_atom, stem_payload
from plugin_host.stem_mp4 import arrange

FIVE = ("drums", "bass", "piano", "strings", "other")


FOUR = ("drums", "bass", "vocals", "keys")
TWO = ("vocals", "other")


@pytest.mark.parametrize(
    ("stems", "picked", "parts"),
    [
        (FIVE, FIVE, "drums=drums bass=bass piano=piano other=strings+other"),
        (FIVE, ("piano", "bass"), "piano=piano bass=bass other=drums+strings+other silence="),
        (FIVE, ("bass", "other", "drums", "piano"), "bass=bass drums=drums piano=piano "
                                                    "other=strings+other"),
        (FOUR, FOUR, "drums=drums bass=bass vocals=vocals keys=keys"),
        (TWO, TWO, "vocals=vocals other=other silence= silence="),
    ],
)  # fmt: skip
def test_every_stem_is_in_exactly_one_of_four_parts(stems, picked, parts):
    found = [
        f"{name}={'+'.join(stems[index] for index in indices)}"
        for name, indices in arrange(stems, picked)
    ]
    assert " ".join(found) == parts


def test_four_picks_that_leave_a_stem_out_are_refused():
    with pytest.raises(ConfigError, match="pick at most 3"):
        arrange(FIVE, ("drums", "bass", "piano", "strings"))


@pytest.fixture
def stem_mp4(stemwire, make_song, small_model, tmp_path, needs_program):
    """Separates a song into a stem.mp4; returns song and file."""
    needs_program("ffmpeg")

    def make(*options, **song):
        path = make_song(**song)
        command = ("separate", path, "-o", tmp_path / "out", "--model", small_model)
        result = stemwire(*command, "--format", "stem.mp4", *options)
        assert result.exit_code == 0
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["song.stem.mp4"]
        return path, tmp_path / "out" / "song.stem.mp4"

    return make


def _read(path):
    """Returns (tracks, frames, channels) and the rate, as other programs read the file."""
    import stempeg  # refuses to be imported without ffmpeg

    return stempeg.read_stems(str(path), dtype=np.float32)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_others_read_the_mixture_and_four_parts_that_add_up_to_it(stem_mp4, sample_rate):
    song, path = stem_mp4(sample_rate=sample_rate, frames=30_001)

    tracks, rate = _read(path)

    assert rate == sample_rate
    mixture = soundfile.read(song, dtype="float32")[0]
    assert tracks.shape == (5, *mixture.shape)
    np.testing.assert_allclose(tracks[0], mixture, atol=1e-4)
    np.testing.assert_allclose(tracks[1:].sum(axis=0), tracks[0], atol=1e-4)


def test_each_part_is_what_its_name_says(stem_mp4):
    song, path = stem_mp4("--stems", "piano,drums")

    tracks, _ = _read(path)

    mixture = soundfile.read(song, dtype="float32")[0]
    for track, gain in zip(tracks, (1.0, 0.15, 0.4, 0.45, 0.0), strict=True):
        np.testing.assert_allclose(track, gain * mixture, atol=1e-4)
    payload = json.loads(read_stem_atom(path) or b"")
    assert [stem["name"] for stem in payload["stems"]] == ["piano", "drums", "other", "silence"]


def test_a_mono_song_gets_stereo_parts(stem_mp4):
    song, path = stem_mp4(channels=1)

    tracks, _ = _read(path)

    mixture = soundfile.read(song, dtype="float32")[0]
    np.testing.assert_allclose(tracks[0], np.stack([mixture, mixture], axis=1), atol=1e-4)


def test_the_tracks_are_lossless_titled_and_only_the_mixture_is_enabled(stem_mp4):
    _, path = stem_mp4()

    command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    streams = json.loads(done.stdout)["streams"]
    assert [stream["codec_name"] for stream in streams] == ["alac"] * 5
    assert [stream["bits_per_raw_sample"] for stream in streams] == ["24"] * 5
    assert [stream["disposition"]["default"] for stream in streams] == [1, 0, 0, 0, 0]
    titles = [stream["tags"]["handler_name"] for stream in streams]
    assert titles == ["mixture", "drums", "bass", "piano", "other"]


def test_the_atom_describes_the_four_parts(stem_mp4):
    _, path = stem_mp4()

    payload = json.loads(read_stem_atom(path) or b"")

    assert payload["version"] == 1
    assert [stem["name"] for stem in payload["stems"]] == ["drums", "bass", "piano", "other"]
    assert len({stem["color"] for stem in payload["stems"]}) == 4
    assert payload["mastering_dsp"]["compressor"]["enabled"] is False
    assert payload["mastering_dsp"]["limiter"]["enabled"] is False


def test_without_ffmpeg_one_sentence_says_how_to_get_it(
    stemwire, make_song, small_model, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "out"

    result = stemwire(
        "separate", make_song(), "-o", out, "--model", small_model, "--format", "stem.mp4"
    )

    assert result.exit_code == 2
    assert "needs ffmpeg" in result.stderr
    assert "apt install ffmpeg" in result.stderr
    assert not out.exists()


def _atom(name: bytes, payload: bytes) -> bytes:
    return (8 + len(payload)).to_bytes(4, "big") + name + payload


FTYP = _atom(b"ftyp", b"M4A ")
MDAT = (1).to_bytes(4, "big") + b"mdat" + (20).to_bytes(8, "big") + b"song"  # 64-bit size
UDTA = _atom(b"udta", _atom(b"meta", b"title"))
TRAK = _atom(b"trak", b"offsets")


@pytest.mark.parametrize("children", [TRAK, TRAK + UDTA, UDTA + TRAK])
def test_the_atom_goes_into_udta_and_nothing_before_moov_moves(tmp_path, children):
    path = tmp_path / "a.mp4"
    path.write_bytes(FTYP + MDAT + _atom(b"moov", children))

    add_stem_atom(path, b"payload")

    udta = (UDTA[8:] if UDTA in children else b"") + _atom(b"stem", b"payload")
    assert path.read_bytes() == FTYP + MDAT + _atom(b"moov", TRAK + _atom(b"udta", udta))
    assert read_stem_atom(path) == b"payload"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (FTYP + _atom(b"moov", TRAK) + MDAT, "does not end with its moov"),
        (b"", "does not end with its moov"),
        (FTYP + b"\0\0", "cut short"),
        (FTYP + (100).to_bytes(4, "big") + b"moov", "impossible size"),
        (FTYP + (4).to_bytes(4, "big") + b"moov", "impossible size"),
        (FTYP + _atom(b"moov", _atom(b"udta", _atom(b"stem", b""))), "already"),
    ],
)
def test_a_file_of_another_layout_is_left_as_it_is(tmp_path, content, reason):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)

    with pytest.raises(Mp4Error, match=reason):
        add_stem_atom(path, b"payload")

    assert path.read_bytes() == content


def test_a_file_without_the_atom_has_none(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(FTYP + _atom(b"moov", TRAK))
    assert read_stem_atom(path) is None


def test_the_payload_wants_four_names():
    with pytest.raises(ValueError, match="longer"):
        stem_payload(["drums", "bass", "other"])
