"""`stemwire separate` with chains: the song's length, aligned to the frame, as live."""

import numpy as np
import pytest
import soundfile
from pedalboard import Compressor, Gain, Invert, Reverb

from engine import ConfigError
from plugin_host.chain_presets import chains_from
from plugin_host.separate import Job, separate_file

STEMS = ("drums", "bass", "piano", "strings", "other")
GAINS = dict(zip(STEMS, (0.4, 0.3, 0.15, 0.1, 0.05), strict=True))


@pytest.fixture
def separate(tmp_path, small_model):
    """Separates a song with chains; returns the report and what was written, by name."""

    def run(song, chains, **options):
        job = Job(song, tmp_path / "out", str(small_model), chains=chains, **options)
        report = separate_file(job)
        return report, {name: _read(path) for name, path in report.outputs.items()}

    return run


def _read(path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("frames", [1, 65, 8_193, 20_000])
def test_late_chains_keep_length_and_alignment(separate, make_song, vst3, frames, live):
    song = make_song(frames=frames)
    late = {"plugin": vst3("ZaMaximX2")}
    report, heard = separate(
        song,
        chains_from({"drums": [Invert(), late], "bass": [late, late], "mix": [late, Gain(-20)]}),
        live=live,
    )
    mixture = _read(song)
    assert set(heard) == {*STEMS, "mix"}
    assert dict(report.ledger)["plugin chain"] == 960 + 480
    assert report.latency == sum(frames for _, frames in report.ledger)
    for stem, gain in GAINS.items():
        sign = -1 if stem == "drums" else 1
        np.testing.assert_allclose(heard[stem], sign * gain * mixture, atol=1e-4)
    np.testing.assert_allclose(heard["mix"], 0.1 * 0.2 * mixture, atol=1e-4)
    assert report.notes == ()


@pytest.mark.parametrize("chains", [{}, {"drums": [], "mix": []}])
def test_empty_chains_change_no_bit(separate, make_song, chains):
    song = make_song()
    _, plain = separate(song, None)
    _, heard = separate(song, chains_from(chains))
    assert set(heard) == set(plain)
    for stem in STEMS:
        np.testing.assert_array_equal(heard[stem], plain[stem])


def test_a_file_sounds_as_it_does_live(separate, make_song):
    song = make_song(frames=50_000)
    chains = chains_from({"drums": [Compressor(-30, 8), Reverb(0.9)], "mix": [Reverb(0.2)]})
    _, offline = separate(song, chains)
    _, live = separate(song, chains, live=True)
    for name in (*STEMS, "mix"):
        np.testing.assert_allclose(offline[name], live[name], atol=1e-5)
    assert np.abs(offline["drums"] - 0.4 * _read(song)).max() > 0.01


def test_the_mix_can_be_picked_and_leads_a_stem_mp4(
    separate, make_song, small_model, tmp_path, needs_program
):
    song = make_song(frames=30_000)
    chains = chains_from({"drums": [Gain(-20)], "mix": [Invert()]})
    _, heard = separate(song, chains, stems=("mix", "drums"))
    assert set(heard) == {"mix", "drums"}
    expected = -(1 - 0.9 * 0.4) * _read(song)
    np.testing.assert_allclose(heard["mix"], expected, atol=1e-5)

    needs_program("ffmpeg")
    import stempeg

    report = separate_file(
        Job(song, tmp_path, str(small_model), chains=chains, file_format="stem.mp4")
    )
    tracks, _ = stempeg.read_stems(str(report.outputs["stem.mp4"]), dtype=np.float32)
    np.testing.assert_allclose(tracks[0][:30_000].T, expected, atol=1e-4)


def test_a_chain_for_no_stem_leaves_no_file(separate, make_song, tmp_path):
    song = make_song()
    with pytest.raises(ConfigError, match="no stem 'vocals' for a chain; there are drums, bass"):
        separate(song, chains_from({"vocals": [Gain(0)]}))
    assert not list((tmp_path).glob("out/*"))


def test_what_plugins_print_keeps_out_of_the_results(make_song, small_model, tmp_path, vst3):
    import json
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import os, sys, json\n"
        "from pathlib import Path\n"
        "from plugin_host import chained, separate, terminal\n"
        "from plugin_host.chain_presets import chains_from\n"
        "load = chained.Rack.load\n"
        "def chatty(*args, **options):\n"
        "    os.write(1, b'hello from a plugin')\n"
        "    return load(*args, **options)\n"
        "chained.Rack.load = chatty\n"
        "song, out, model, plugin = sys.argv[1:]\n"
        "job = separate.Job(Path(song), Path(out), model, chains=chains_from({'bass': [\n"
        "    {'plugin': plugin}]}))\n"
        "terminal.print_json(terminal.report_json(separate.separate_file(job)))\n"
    )
    arguments = [make_song(), tmp_path / "out", small_model, vst3("ZaMaximX2")]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["ledger"][-1] == {"what": "plugin chain", "frames": 480}
    assert "hello from a plugin" in done.stderr
