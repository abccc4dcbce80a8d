"""Effects as processors: latency is measured, blocks are whole, knobs are known."""

import numpy as np
import pedalboard
import pytest
from pedalboard import Compressor, Delay, Gain, Invert, Limiter, Pedalboard, Reverb

from engine import ConfigError
from engine.controls import ControlTable, controls_for
from plugin_host.chain_presets import chains_from
from plugin_host.effects import SILENT

LATENT = "ZaMaximX2"  # 480 frames at any rate
MONO = "ZamAutoSat"
SLOW_TO_FORGET = "ZamTube"  # mono; pedalboard has to load it again for a reset
STEMS = ("drums", "bass", "other")
SIZES = ([256], [64], [2, 63, 64], [3, 2, 256, 7])


def _table(rack):
    return ControlTable([*controls_for(STEMS), *(c for part in rack.parts for c in part.controls)])


def _peaks(audio):
    return [int(np.abs(row).argmax()) for row in audio]


def _delayed(audio, frames):
    return np.pad(audio, ((0, 0), (frames, 0)))[:, : audio.shape[1]]


@pytest.fixture
def noise():
    return np.random.default_rng(5).uniform(-0.3, 0.3, (2, 20_000)).astype(np.float32)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
def test_a_late_plugin_gives_whole_blocks_as_late_as_was_measured(
    load_rack, play, vst3, impulses, sizes, sample_rate
):
    rack = load_rack({"drums": [{"plugin": vst3(LATENT)}]}, max(sizes), sample_rate=sample_rate)
    assert rack.stems_latency == 480
    assert _peaks(play(rack, impulses, sizes)) == [9_480, 9_580]
    assert _peaks(play(rack, impulses, sizes, "bass")) == [9_480, 9_580]


@pytest.mark.parametrize("block_size", [2, 37, 256, 1_000])
def test_two_late_plugins_and_a_limiter_that_looks_ahead_add_up(
    load_rack, play, vst3, impulses, block_size
):
    ahead = pedalboard.BrickwallLimiter(ceiling_db=0, lookahead_ms=2)
    rack = load_rack({"drums": [{"plugin": vst3(LATENT)}, ahead, {"plugin": vst3(LATENT)}]},
                     block_size)  # fmt: skip
    assert [part.latency for part in rack.parts] == [480, 88, 480]
    assert _peaks(play(rack, impulses[:, :12_000], [block_size])) == [10_048, 10_148]


@pytest.mark.parametrize("effect", [pedalboard.Resample(22_050), pedalboard.MP3Compressor()])
@pytest.mark.parametrize("sizes", [[256], [64], [256, 2, 100, 64]])
def test_effects_that_give_more_or_less_each_time_give_whole_blocks(load_rack, play, effect, sizes):
    rack = load_rack({"drums": [effect]}, max(sizes))
    time = np.arange(60_000) / 44_100
    wave = np.tile(0.5 * np.sin(2 * np.pi * 300 * time) * np.hanning(60_000), (2, 1))
    heard = play(rack, wave.astype(np.float32), sizes)[:, :60_000]
    expected = _delayed(wave, rack.stems_latency)
    similarity = (heard * expected).sum() / np.sqrt((heard**2).sum() * (expected**2).sum())
    assert similarity > 0.99, "it is not where its latency says"


@pytest.mark.parametrize("name", SILENT)
def test_effects_that_are_refused_still_give_silence_in_blocks(name, noise):
    # When pedalboard has mended them, they are welcome.
    effect = getattr(pedalboard, name)()
    effect.reset()
    blocks = np.split(np.tile(noise, 5)[:, : 256 * 380], 380, axis=1)
    heard = [effect.process(block, 44_100, buffer_size=256, reset=False) for block in blocks]
    assert np.abs(np.concatenate(heard, axis=1)).max() < 0.01
    with pytest.raises(ConfigError, match="gives silence when sound comes in blocks"):
        chains_from({"drums": [effect]})


def test_stereo_blocks_of_one_frame_are_refused(load_rack):
    with pytest.raises(ConfigError, match="choose larger blocks"):
        load_rack({"drums": [Gain(0)]}, block_size=1)
    assert load_rack({"drums": [Gain(0)]}, block_size=1, channels=1).stems_latency == 0


def test_effects_are_those_of_pedalboard_bit_for_bit(load_rack, play, noise):
    effects = [Compressor(-18, 4), Invert(), Delay(0.01, 0.5, 0.3), Reverb(0.8)]
    heard = play(load_rack({"drums": effects}), noise[:, : 256 * 60], [256])
    board = Pedalboard([Compressor(-18, 4), Invert(), Delay(0.01, 0.5, 0.3), Reverb(0.8)])
    alone = board(noise[:, : 256 * 60], 44_100, buffer_size=256)
    np.testing.assert_allclose(heard, alone, atol=1e-6)


def test_a_mono_plugin_gets_each_channel_of_a_stereo_stem(load_rack, play, vst3, noise):
    rack = load_rack({"drums": [{"plugin": vst3(MONO)}], "bass": [{"plugin": vst3(MONO)}]})
    both = play(rack, noise, [256])
    single = load_rack({"drums": [{"plugin": vst3(MONO)}]}, channels=1)
    for row, alone in zip(both, noise, strict=True):
        np.testing.assert_array_equal(row, play(single, alone[np.newaxis], [256])[0])
    assert np.abs(both - noise).max() > 1e-3  # it did something


def test_a_stereo_plugin_works_on_a_mono_stem(load_rack, play, vst3, impulses):
    rack = load_rack({"drums": [{"plugin": vst3(LATENT)}]}, channels=1)
    assert _peaks(play(rack, impulses[:1], [256])) == [9_480]


def test_a_knob_turned_by_a_control_shows_the_same_number(load_rack, vst3):
    rack = load_rack({"drums": [{"plugin": vst3(LATENT), "parameters": {"threshold_db": -12.5}}],
                      "bass": [{"plugin": vst3(SLOW_TO_FORGET)}]})  # fmt: skip
    table = _table(rack)
    assert table.get("stem/drums/plugin/0/threshold_db") == pytest.approx(-12.5, abs=0.03)
    plugins = [stage._processor._plugins for stage in rack._stages]
    for name, wanted, seen in (
        ("drums/plugin/0/threshold_db", -7.7, -7.7),
        ("drums/plugin/0/release_ms", 1.0, 1.0),
        ("drums/plugin/0/release_ms", 100.0, 100.0),
        ("bass/plugin/0/input_level", -11.1, -11.1),
        ("bass/plugin/0/insane_boost", 1, 1),
        ("bass/plugin/0/tone_stack_model", 2, "1969 Twin Reverb AA270"),
    ):
        table.set(f"stem/{name}", wanted)
        rack.follow(table)
        stem, _, _, parameter = name.split("/")
        for plugin in plugins[("drums", "bass").index(stem)]:
            shown = getattr(plugin._plugin, parameter)
            assert shown == (seen if isinstance(seen, str) else pytest.approx(seen, abs=0.06))
    assert rack.watcher.sentences == []


def test_what_is_no_knob_is_no_control(load_rack, vst3):
    [part] = load_rack({"drums": [{"plugin": vst3(LATENT)}]}).parts
    names = [control.name.removeprefix("stem/drums/plugin/0/") for control in part.controls]
    # Not its meters, its latency, nor its program.
    assert names == ["release_ms", "output_ceiling_db", "threshold_db"]
    assert {control.unit for control in part.controls} == {"ms", "dB"}


def test_a_turned_control_is_heard_in_the_next_block(load_rack, play, noise):
    rack = load_rack({"drums": [Gain(0)]})
    table = _table(rack)
    np.testing.assert_allclose(play(rack, noise, [256]), noise, atol=1e-6)
    table.set("stem/drums/plugin/0/gain_db", -20.0)
    rack.follow(table)
    np.testing.assert_allclose(
        play(rack, noise, [256])[:, 4_096:], 0.1 * noise[:, 4_096:], atol=1e-5
    )


@pytest.mark.parametrize("name", [LATENT, SLOW_TO_FORGET, "ZamDelay"])
def test_after_a_reset_a_plugin_has_heard_nothing(load_rack, play, vst3, noise, name):
    rack = load_rack({"drums": [{"plugin": vst3(name)}]})
    first = play(rack, noise, [256])
    rack.reset()
    silence = play(rack, np.zeros_like(noise), [256])
    # pedalboard tries with random noise whether ZamTube has to be loaded again, and is sometimes
    # wrong; then a little of its capacitors' charge, -57 dB, is left to fade.
    assert np.abs(silence).max() < 3e-3
    assert np.abs(silence[:, 8_192:]).max() < 5e-4
    rack.reset()
    np.testing.assert_allclose(play(rack, noise, [256]), first, atol=3e-3)


def test_after_a_reset_effects_begin_anew(load_rack, play, noise):
    rack = load_rack({"drums": [Reverb(), Delay(0.1), Limiter(), pedalboard.BrickwallLimiter(-6)]})
    first = play(rack, noise, [256])
    rack.reset()
    np.testing.assert_allclose(play(rack, noise, [256]), first, atol=1e-5)


def test_an_impulse_response_is_convolved_with(load_rack, play, tmp_path, impulses):
    import soundfile

    response = np.zeros(101)
    response[100] = 1.0
    soundfile.write(tmp_path / "echo.wav", response, 44_100)
    echo = {"effect": "Convolution", "impulse_response": str(tmp_path / "echo.wav")}
    rack = load_rack({"drums": [echo]})
    assert rack.stems_latency == 0
    assert _peaks(play(rack, impulses, [256])) == [9_100, 9_200]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"plugin": "{folder}"}, "cannot be loaded"),
        ({"plugin": "{latent}", "parameters": {"treshold": 1}},
         "ZaMaximX2 has no 'treshold'; it has .*threshold_db"),
        ({"plugin": "{latent}", "parameters": {"threshold_db": 1.0}}, "out of range"),
        ({"plugin": "{latent}", "parameters": {"threshold_db": "loud"}}, "must be a number"),
        ({"plugin": "{latent}", "preset": "{noise}"}, "cannot be loaded"),
    ],
)  # fmt: skip
def test_a_plugin_that_cannot_be_loaded_is_one_sentence(load_rack, vst3, tmp_path, entry, message):
    (tmp_path / "noise").write_bytes(b"no preset")
    (tmp_path / "empty.vst3").mkdir()
    places = {
        "latent": vst3(LATENT),
        "folder": tmp_path / "empty.vst3",
        "noise": tmp_path / "noise",
    }
    entry = {
        key: value.format(**places) if isinstance(value, str) else value
        for key, value in entry.items()
    }
    with pytest.raises(ConfigError, match=message) as refusal:
        load_rack({"bass": [entry]})
    assert str(refusal.value).startswith("Plugin 0 of bass: ")
    assert "\n" not in str(refusal.value)
