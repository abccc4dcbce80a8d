"""`stemwire separate --chain PRESET`."""

import json
import re

import numpy as np
import pytest
import soundfile

PRESET = """
[[bass]]
effect = "Gain"
parameters = { gain_db = -20 }
[[bass]]
plugin = "PLUGIN"
[[mix]]
effect = "Invert"
"""


def test_a_preset_is_applied_and_its_latency_told(stemwire, make_song, small_model, tmp_path, vst3):
    preset, song = tmp_path / "chain.toml", make_song()
    preset.write_text(PRESET.replace("PLUGIN", vst3("ZaMaximX2")))
    result = stemwire(
        "separate", song, "-o", tmp_path, "--model", small_model, "--chain", preset, "--json"
    )
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert {"what": "plugin chain", "frames": 480} in report["ledger"]
    audio = soundfile.read(song, dtype="float32", always_2d=True)[0]
    for name, gain in (("bass", 0.03), ("drums", 0.4), ("mix", -0.73)):
        heard = soundfile.read(report["outputs"][name], dtype="float32", always_2d=True)[0]
        np.testing.assert_allclose(heard, gain * audio, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[drums]]\neffect = 'Revrb'", "plugin 0 of drums: there is no effect 'Revrb'"),
        ("[[vocals]]\neffect = 'Reverb'", "There is no stem 'vocals' for a chain"),
        ("drums", "is no TOML"),
        ("[[drums]]\nplugin = '.'", "Plugin 0 of drums: .* cannot be loaded"),
    ],
)
def test_a_bad_preset_is_one_sentence_and_exit_code_2(
    stemwire, make_song, small_model, tmp_path, text, message
):
    preset = tmp_path / "chain.toml"
    preset.write_text(text)
    out = tmp_path / "out"
    result = stemwire("separate", make_song(), "-o", out, "--model", small_model, "--chain", preset)
    assert result.exit_code == 2
    [said] = result.stderr.splitlines()
    assert re.search(message, said)
    assert not list(out.glob("*"))
