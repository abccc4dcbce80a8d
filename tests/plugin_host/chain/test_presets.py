"""A preset is read whole or refused in one sentence."""

import json
from pathlib import Path

import pedalboard
import pytest

from engine import ConfigError
from plugin_host.chain_presets import chains_from, read_chains

GOOD = """
[[drums]]
effect = "Compressor"
parameters = { threshold_db = -18, ratio = 4 }
[[drums]]
effect = "LadderFilter"
parameters = { mode = "HPF24" }
[[mix]]
plugin = "Here.vst3"
parameters = { drive = 0.5, is_on = true }
"""
OPTIONS = {
    "drums": [
        {"effect": "Compressor", "parameters": {"threshold_db": -18.0, "ratio": 4.0}},
        {"effect": "LadderFilter", "parameters": {"mode": "HPF24"}},
    ],
    "mix": [{"plugin": "{}/Here.vst3", "parameters": {"drive": 0.5, "is_on": True}, "name": None}],
}


def _write(tmp_path: Path, text: str, name: str = "chain.toml") -> Path:
    (tmp_path / "Here.vst3").mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_toml_and_json_say_the_same(tmp_path, monkeypatch):
    expected = json.loads(json.dumps(OPTIONS).replace("{}", str(tmp_path)))
    assert read_chains(_write(tmp_path, GOOD)).options == expected
    as_json = json.dumps(OPTIONS).replace("{}/", "").replace(', "name": null', "")
    path = _write(tmp_path, as_json, "chain.json")
    assert read_chains(path).options == expected
    monkeypatch.chdir(tmp_path)
    assert read_chains(Path("chain.json")).options == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drums = ", "is no TOML: "),
        ("[drums]\neffect = 'Reverb'", "drums is no list of effects"),
        ("drums = [1]", "plugin 0 of drums: it names neither an effect nor a plugin"),
        ("[[drums]]\nparameters = {}", "names neither an effect nor a plugin"),
        ("[[drums]]\neffect = 'Revrb'", "plugin 0 of drums: there is no effect 'Revrb'"),
        ("[[drums]]\neffect = 'Reverb'\nroom_size = 1", "'room_size' means nothing here"),
        ("[[drums]]\neffect = 'Reverb'\nparameters = 3", "its parameters are no table"),
        ("[[drums]]\neffect = 'Reverb'\nparameters = {room_size = 2}", "give 0 to 1"),
        ("[[drums]]\neffect = 'Convolution'", "needs an impulse_response"),
        ("[[drums]]\neffect = 'Reverb'\nimpulse_response = 'a.wav'", "only that, needs"),
        ("[[drums]]\nplugin = 'There.vst3'", "there is no .*There.vst3"),
        ("[[drums]]\nplugin = 3", "3 is no path"),
        ("[[drums]]\nplugin = 'Here.vst3'\nparameters = {a = [1]}", r"a is \[1\]; give a number"),
        ("[[drums]]\nplugin = 'Here.vst3'\neffect = 'Reverb'", "'effect' means nothing here"),
    ],
)
def test_a_bad_preset_is_one_sentence_that_says_where(tmp_path, text, message):
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as refusal:
        read_chains(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value).rstrip("\n")


def test_what_is_no_preset_at_all_is_refused(tmp_path):
    for path, content in (
        (tmp_path, None),
        (tmp_path / "missing.toml", None),
        (tmp_path / "binary.toml", b"\xff\xfe\x00"),
        (tmp_path / "list.json", b"[1, 2]"),
        (tmp_path / "broken.json", b"{"),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match="The chain"):
            read_chains(path)


def test_without_pedalboard_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("plugin_host.chain_presets.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'stemwire\[chains\]'"):
        read_chains(_write(tmp_path, GOOD))


def test_chains_from_python_are_copied_with_their_parameters(tmp_path):
    board = pedalboard.Pedalboard([
        pedalboard.Reverb(room_size=0.25, freeze_mode=1.0),
        pedalboard.Chain([pedalboard.Gain(-6)]),
    ])  # fmt: skip
    filters = [pedalboard.LadderFilter(pedalboard.LadderFilter.Mode.BPF24, cutoff_hz=1_000)]
    options = chains_from({"drums": board, "mix": filters}).options
    assert [entry["effect"] for entry in options["drums"]] == ["Reverb", "Gain"]
    reverb = options["drums"][0]["parameters"]
    assert (reverb["room_size"], reverb["freeze_mode"]) == (0.25, True)
    assert options["drums"][1]["parameters"] == {"gain_db": -6.0}
    assert options["mix"][0]["parameters"]["mode"] == "BPF24"
    json.dumps(options)


def test_what_cannot_be_copied_is_refused():
    for effect, message in (
        (pedalboard.Mix([pedalboard.Gain(1)]), "holds a Mix, which cannot be copied"),
        ("Reverb", "holds a str"),
        (pedalboard.Gain(200), "gain_db is 200; give -60 to 40"),
    ):
        with pytest.raises(ConfigError, match=message):
            chains_from({"drums": [effect]})
