"""`stemwire serve --chain`: a song through a live session with effects on its stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import ConfigError
from plugin_host.chain_presets import chains_from
from plugin_host.live_plan import Plan

pytest.importorskip("pedalboard")

STEMS = ("drums", "bass", "piano", "strings", "other")
CHAIN = """
[[drums]]
effect = "BrickwallLimiter"
parameters = { ceiling_db = 0, lookahead_ms = 5 }
[[bass]]
effect = "Gain"
parameters = { gain_db = -20 }
[[mix]]
effect = "Invert"
"""


@pytest.fixture
def chain(tmp_path) -> Path:
    path = tmp_path / "chain.toml"
    path.write_text(CHAIN)
    return path


def test_a_recorded_song_has_passed_its_chains_aligned(
    live, make_song, read_stems, tmp_path, chain
):
    song = make_song(frames=60_000, subtype="FLOAT")
    audio = soundfile.read(song, dtype="float32", always_2d=True)[0].T

    one = live("--audio", f"file:{song}", "--record", tmp_path / "out", "--chain", chain)
    ended = one.wait_for("ended")

    assert one.finish() == 0
    mix, drums, bass, *others = read_stems([Path(path) for path in ended["outputs"].values()])
    settled = slice(10_000, None)  # the limiter lets the first frames pass as they were
    late = np.count_nonzero(np.abs(drums - 0.4 * audio)[:, settled].max(axis=0) > 1e-5)
    assert late <= ended["underruns"] * (256 + 64)
    if ended["underruns"] == 0:
        np.testing.assert_allclose(bass, 0.03 * audio, atol=1e-5)
        np.testing.assert_allclose(mix, -(1 - 0.27) * audio, atol=1e-5)
        np.testing.assert_allclose(others[0], 0.15 * audio, atol=1e-5)


def test_parameters_are_controls_like_all_others(live, make_song, chain):
    song = make_song("long.wav", frames=400_000)
    name = "stem/bass/plugin/0/gain_db"
    one = live("--audio", f"file:{song}", "--chain", chain, "--set", f"{name}=-6")
    assert one.wait_for("running")["controls"][name] == -6
    one.send(set={name: -12.5})
    one.wait_for("set", controls={name: -12.5})
    one.send(set={name: 1_000})
    assert "give -60 to 40" in one.wait_for("error")["message"]
    assert one.stop() == 0
    assert one.wait_for("ended")["controls"][name] == -12.5


def test_a_bad_chain_is_one_sentence_and_exit_code_2(live, make_song, tmp_path):
    with pytest.raises(ConfigError, match="--chain goes with --audio jack or portaudio or file"):
        Plan(audio="plugin", chains=chains_from({}))
    for text, message in (
        ("[[drums]]\neffect = 'Revrb'\n", "no effect 'Revrb'"),
        ("[[vocals]]\neffect = 'Reverb'\n", "no stem 'vocals' for a chain"),
    ):
        path = tmp_path / "bad.toml"
        path.write_text(text)
        one = live("--audio", f"file:{make_song()}", "--chain", path)
        assert one.finish() == 2
        [said] = one.process.stderr.read().splitlines()
        assert message in said
