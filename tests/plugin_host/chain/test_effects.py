"""What is declared of pedalboard's effects is what pedalboard has."""

import inspect
import json

import numpy as np
import pedalboard
import pytest

from engine import ConfigError, HostConfig
from engine.processors import Part
from plugin_host.chain import Effect
from plugin_host.effects import EFFECTS, SILENT, checked_parameters
from plugin_host.plugins import load

NO_EFFECTS = {"Plugin", "Pedalboard", "Chain", "Mix", "IIRFilter", "ExternalPlugin", "VST3Plugin",
              "AudioUnitPlugin", "PluginContainer"}  # fmt: skip
HIGHEST = HostConfig(48_000, 256, 2)  # of which an MP3 is made
MAKEABLE = [name for name in EFFECTS if name != "Convolution"]


def _made(name):
    return getattr(pedalboard, name)()


def test_every_effect_of_pedalboard_is_declared():
    kinds = {
        kind.__name__
        for kind in vars(pedalboard).values()
        if inspect.isclass(kind) and issubclass(kind, pedalboard.Plugin)
    }
    assert kinds - NO_EFFECTS == {*EFFECTS, *SILENT}


@pytest.mark.parametrize("name", MAKEABLE)
def test_every_parameter_of_an_effect_is_declared(name):
    kind = getattr(pedalboard, name)
    settable = {key for key, value in inspect.getmembers(kind) if getattr(value, "fset", None)}
    assert settable == {parameter.name for parameter in EFFECTS[name]}


@pytest.mark.parametrize("name", MAKEABLE)
def test_every_value_in_range_is_one_that_pedalboard_takes(name):
    effect = load({"effect": name, "parameters": {}})
    for parameter in EFFECTS[name]:
        values = parameter.choices or (parameter.minimum, parameter.maximum)
        for value in values:
            plugin = load({"effect": name, "parameters": {parameter.name: value}})
            assert plugin.try_on(2, HIGHEST) == ""
            now = getattr(plugin._plugin, parameter.name)
            if parameter.choices:
                assert now.name == value
            else:
                assert now == pytest.approx(parameter.possible(value, 48_000), rel=1e-5)
    effect.try_on(2, HIGHEST)
    for control in effect.controls:
        assert control.minimum <= control.default <= control.maximum
        default = getattr(_made(name), control.name)
        if not hasattr(default, "name"):
            assert control.default == pytest.approx(default, rel=1e-6)
            assert len(str(control.default)) < 10
        for value in (control.minimum, control.maximum):
            effect.set(control.name, value)


def test_no_value_takes_a_filter_above_what_the_rate_allows():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 256)).astype(np.float32)
    for name in MAKEABLE:
        effect = Effect(lambda name=name: load({"effect": name, "parameters": {}}))
        effect.prepare(HostConfig(22_050, 256, 2))
        out = np.zeros_like(noise)
        for control in effect.controls:
            for value in (control.maximum, control.minimum, control.default):
                effect.set(control.name, value)
                for _ in range(3):
                    effect.process(noise, out)
                    assert np.abs(out).max() < 1e6, (name, control.name, value)


def test_controls_have_names_that_travel():
    controls = load({"effect": "LadderFilter", "parameters": {"mode": "BPF12"}}).controls
    part = Part("drums", 0, "LadderFilter", 0, controls)
    assert Part.from_json(json.loads(json.dumps(part.as_json()))) == part
    assert [c.name for c in part.controls] == ["mode", "cutoff_hz", "resonance", "drive"]
    assert "0 LPF12, 1 HPF12" in part.controls[0].meaning
    assert (part.controls[0].default, part.controls[0].maximum) == (2, 5)


@pytest.mark.parametrize(
    ("effect", "given", "message"),
    [
        ("Revrb", {}, "no effect 'Revrb'; there are Bitcrush,"),
        ("Reverb", {"size": 1}, "Reverb has no parameter 'size'; it has room_size, damping"),
        ("Invert", {"size": 1}, "Invert has no parameter 'size'; it has none"),
        ("Reverb", {"room_size": 2}, "Reverb: room_size is 2; give 0 to 1"),
        ("Reverb", {"room_size": float("nan")}, "give 0 to 1"),
        ("Reverb", {"room_size": "large"}, "room_size is 'large'; give a number"),
        ("Reverb", {"room_size": True}, "give a number"),
        ("Reverb", {"freeze_mode": 0.5}, "give true or false"),
        ("LadderFilter", {"mode": "LPF13"}, "give LPF12, HPF12"),
        ("LadderFilter", {"mode": [1]}, "give LPF12, HPF12"),
    ],
)
def test_parameters_that_cannot_be_are_refused(effect, given, message):
    with pytest.raises(ConfigError, match=message):
        checked_parameters(effect, given)
