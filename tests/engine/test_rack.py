"""Chains keep all stems aligned to the frame, and a processor that fails takes nothing with it."""

import json

import numpy as np
import pytest

from engine import ConfigError, HostConfig
from engine.controls import Control, ControlTable, controls_for
from engine.denormals import FlushToZero
from engine.desk import Desk
from engine.mixer import Mixer
from engine.processors import Part, Processors
from engine.rack import Rack, Watcher

STEMS = ("drums", "bass", "other")
CONFIG = HostConfig(44_100, 64, 2)
FADE = 64


class Delayed:
    """Gives what it gets, some frames later and times a gain; fails when told to."""

    def __init__(self, latency: int = 0, gain: float = 1.0, name: str = "Delayed") -> None:
        self.name = name
        self.latency = latency
        self.gain = gain
        self.fails_at: int | None = None
        self.failure = lambda out: 1 / 0
        self.blocks = 0
        self.log: list[str] = []

    @property
    def controls(self) -> list[Control]:
        return [Control("gain", 0, 4, self.gain, "linear", "value", "How loud."),
                Control("hard", 0, 1, 0, "", "switch", "How.")]  # fmt: skip

    def prepare(self, config: HostConfig) -> None:
        self._past = np.zeros((config.channels, self.latency), np.float32)

    def process(self, audio: np.ndarray, out: np.ndarray) -> None:
        joined = np.concatenate([self._past, audio], axis=1)
        out[...] = joined[:, : audio.shape[1]] * np.float32(self.gain)
        self._past = joined[:, audio.shape[1] :]
        if self.blocks == self.fails_at:
            self.failure(out)
        self.blocks += 1

    def set(self, name: str, value: float) -> None:
        self.log.append(f"{name}={value:g}")
        if name == "gain":
            self.gain = value

    def reset(self) -> None:
        self._past[...] = 0


class Noting(Watcher):
    def __init__(self) -> None:
        self.inside: int | None = None
        self.entered: list[int] = []
        self.bypassed: dict[int, str] = {}

    def enter(self, index: int) -> None:
        assert self.inside is None
        self.inside = index
        self.entered.append(index)

    def leave(self) -> None:
        self.inside = None

    def bypass(self, index: int, sentence: str) -> None:
        assert index not in self.bypassed
        self.bypassed[index] = sentence


def _rack(chains, *, config=CONFIG, **options) -> Rack:
    makers = {
        place: [lambda one=one: one for one in processors] for place, processors in chains.items()
    }
    return Rack.load(makers, STEMS, config, **options)


def _audio(frames: int, rows: int = 3, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (rows, 2, frames))
    return noise.astype(np.float32)


def _run(rack: Rack, stems: np.ndarray, sizes=(64,)) -> np.ndarray:
    """Sends stems through their chains in blocks of these sizes, again and again."""
    heard, position = [], 0
    while position < stems.shape[-1]:
        for size in sizes:
            block = stems[..., position : position + size].copy()
            rack.process_stems(block)
            heard.append(block)
            position += size
    return np.concatenate(heard, axis=-1)[..., : stems.shape[-1]]


def _delayed(audio: np.ndarray, frames: int) -> np.ndarray:
    silence = np.zeros((*audio.shape[:-1], frames), np.float32)
    return np.concatenate([silence, audio], axis=-1)[..., : audio.shape[-1]]


def _table(rack: Rack) -> ControlTable:
    return ControlTable([*controls_for(STEMS), *(c for part in rack.parts for c in part.controls)])


def test_an_empty_rack_leaves_every_bit():
    rack = Rack.load({}, STEMS, CONFIG)
    stems = _audio(640)
    np.testing.assert_array_equal(_run(rack, stems), stems)
    assert (rack.latency, rack.has_mix, rack.parts) == (0, False, ())


@pytest.mark.parametrize("sizes", [(64,), (1,), (1, 63, 64, 7, 32)])
def test_all_stems_are_as_late_as_the_slowest_chain(sizes):
    rack = _rack({"drums": [Delayed(100), Delayed(37)], "other": [Delayed(5, 2.0)]})
    assert (rack.stems_latency, rack.mix_latency) == (137, 0)
    stems = _audio(1_000)
    expected = _delayed(stems, 137)
    expected[2] *= 2
    np.testing.assert_array_equal(_run(rack, stems, sizes), expected)


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (lambda out: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda out: out.fill(np.nan), "no sound"),
        (lambda out: out.fill(1e9), "no sound"),
        (lambda out: out.__setitem__(..., np.zeros((2, 63), np.float32)), "raised ValueError"),
    ],
)
@pytest.mark.parametrize("latency", [0, 100])
def test_a_processor_that_fails_is_bypassed_for_good_and_nothing_moves(failure, why, latency):
    failing = Delayed(latency, name="Failing")
    failing.fails_at, failing.failure = 5, failure
    watcher = Noting()
    rack = _rack({"drums": [failing], "bass": [Delayed(30)]}, watcher=watcher)
    stems = _audio(640)
    # At unity the dry signal is what it would have given, so nothing at all is to be heard.
    np.testing.assert_array_equal(_run(rack, stems), _delayed(stems, rack.stems_latency))
    assert list(watcher.bypassed) == [0]
    assert watcher.bypassed[0].startswith("Failing (plugin 0 of drums) is bypassed from now on: ")
    assert why in watcher.bypassed[0]
    assert failing.blocks == 5 + ("no sound" in why)  # it is not called again
    assert watcher.inside is None


@pytest.mark.parametrize("by_control", [False, True])
@pytest.mark.parametrize("block_size", [64, 256, 16])
def test_where_a_processor_breaks_off_there_is_no_click(block_size, by_control):
    failing = Delayed(gain=0.2)
    if not by_control:
        failing.fails_at = 512 // block_size
    config = HostConfig(44_100, block_size, 2)
    rack = _rack({"drums": [failing]}, config=config)
    time = np.arange(1_024) / 44_100
    wave = np.sin(2 * np.pi * 100 * time).astype(np.float32)
    sound = np.tile(wave, (3, 2, 1))
    if by_control:
        failing.set = lambda name, value: [][0]
        table = _table(rack)
        before = _run(rack, sound[..., :512], (block_size,))
        table.set("stem/drums/plugin/0/gain", 0.3)
        rack.follow(table)
        heard = np.concatenate([before, _run(rack, sound[..., 512:], (block_size,))], axis=-1)[0]
    else:
        heard = _run(rack, sound, (block_size,))[0]
    fade = min(block_size, FADE)
    assert np.abs(np.diff(heard)).max() <= np.abs(np.diff(wave)).max() + 1 / fade
    np.testing.assert_array_equal(heard[:, 512 + fade :], [wave[512 + fade :]] * 2)


def test_what_is_turned_reaches_its_processor_once_and_only_what_is_allowed():
    first, second = Delayed(gain=0.5), Delayed(name="Second")
    rack = _rack({"bass": [first], "drums": [second], "mix": [Delayed()]})
    table = _table(rack)
    assert [part.place for part in rack.parts] == ["drums", "bass", "mix"]
    assert table.get("stem/bass/plugin/0/gain") == 0.5
    rack.follow(table)
    assert first.log == second.log == []  # they begin with their own values
    table.set("stem/bass/plugin/0/gain", 2.0)
    table.set("stem/drums/plugin/0/hard", 1)
    rack.follow(table)
    rack.follow(table)
    assert (first.log, second.log) == (["gain=2"], ["hard=1"])
    table.values[table.slot("stem/bass/plugin/0/gain")] = 1e300
    table.values[table.slot("stem/drums/plugin/0/gain")] = np.nan
    rack.follow(table)
    assert first.log[1:] == ["gain=4"]
    assert second.log[1:] == ["gain=1"]


def test_a_control_that_fails_takes_only_its_processor_out():
    failing, watcher = Delayed(50), Noting()
    failing.set = lambda name, value: [][0]
    rack = _rack({"bass": [failing], "drums": [Delayed(gain=2.0)]}, watcher=watcher)
    table = _table(rack)
    table.set("stem/bass/plugin/0/gain", 2.0)
    rack.follow(table)
    assert "raised IndexError" in watcher.bypassed[1]
    stems = _audio(640)
    heard = _run(rack, stems)
    np.testing.assert_array_equal(heard[1], _delayed(stems[1], 50))
    np.testing.assert_array_equal(heard[0], 2 * _delayed(stems[0], 50))


@pytest.mark.skipif(not FlushToZero().works, reason="not on this system")
def test_numbers_too_small_to_hear_are_zero_for_processors_only():
    # They take many processors a hundred times as long, and every tail that fades gets there.
    seen = []
    small = Delayed()
    small.process = lambda audio, out: (
        seen.append(np.float32(1e-30) * np.float32(1e-10)),
        np.copyto(out, audio),
    )
    rack = _rack({"drums": [small], "mix": [small]})
    rack.process_stems(_audio(64))
    rack.process_mix(_audio(64)[0])
    assert seen == [0.0, 0.0]
    assert np.float32(1e-30) * np.float32(1e-10) > 0


def test_a_reset_forgets_all_delays():
    rack = _rack({"drums": [Delayed(100)]})
    stems = _audio(640)
    first = _run(rack, stems)
    rack.reset()
    np.testing.assert_array_equal(_run(rack, stems), first)


def test_a_faulty_part_is_not_even_loaded_and_keeps_its_place():
    parts = _rack({"drums": [Delayed(100)], "bass": [Delayed(20)]}).parts
    makers = {"drums": [lambda: 1 / 0], "bass": [lambda: Delayed(20)]}
    rack = Rack.load(makers, STEMS, CONFIG, known=parts, faulty=[0])
    assert rack.parts == parts
    stems = _audio(640)
    np.testing.assert_array_equal(_run(rack, stems), _delayed(stems, 100))


@pytest.mark.parametrize("now", [lambda: 1 / 0, lambda: Delayed(99)])
def test_a_known_part_that_loads_no_more_or_otherwise_is_bypassed(now):
    parts = _rack({"drums": [Delayed(100)]}).parts
    watcher = Noting()
    rack = Rack.load({"drums": [now]}, STEMS, CONFIG, known=parts, watcher=watcher)
    assert rack.parts == parts
    assert list(watcher.bypassed) == [0]
    stems = _audio(640)
    np.testing.assert_array_equal(_run(rack, stems), _delayed(stems, 100))


def test_what_cannot_be_loaded_at_first_is_one_sentence():
    watcher = Noting()
    with pytest.raises(ConfigError, match=r"^Plugin 0 of bass cannot be loaded: division by zero"):
        Rack.load({"bass": [lambda: 1 / 0]}, STEMS, CONFIG, watcher=watcher)
    assert watcher.entered == [0]
    assert watcher.inside is None


def test_processors_come_from_an_import_path(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_chains.py").write_text(
        "def build(options, stems): return {stem: [options[stem].upper] for stem in options}"
    )
    assert Processors("my_chains:build", {"bass": "low"}).load(STEMS)["bass"][0]() == "LOW"
    for path in ("my_chains:nothing", "no_such_module:build", "my_chains", ""):
        with pytest.raises(ConfigError, match="Processors come from"):
            Processors(path, {}).load(STEMS)
    with pytest.raises(ConfigError, match="no stem 'vocals' for a chain; there are drums, bass"):
        Processors("my_chains:build", {"vocals": "x"}).load(STEMS)


def test_parts_travel_as_json():
    for part in _rack({"drums": [Delayed(3)], "mix": [Delayed()]}).parts:
        assert Part.from_json(json.loads(json.dumps(part.as_json()))) == part


# ---- the desk -----------------------------------------------------------------------------------


def _through_desk(rack: Rack, table: ControlTable, mixture, stems, turn=lambda position: None):
    """Plays through a desk as the engine's loop does; returns stems and mix."""
    desk = Desk(STEMS, CONFIG, rack)
    heard, mixes = [], []
    late, later = (_delayed(mixture, n) for n in (rack.stems_latency, rack.latency))
    for start in range(0, mixture.shape[-1], 64):
        turn(start)
        part = slice(start, start + 64)
        block, mix = stems[..., part].copy(), np.full((2, 64), np.nan, np.float32)
        desk.process(table, late[:, part], later[:, part], block, mix)
        heard.append(block)
        mixes.append(mix)
    return np.concatenate(heard, axis=-1), np.concatenate(mixes, axis=-1)


def test_without_chains_the_desk_is_the_mixer_bit_for_bit():
    stems, mixture = _audio(1_280), _audio(1_280, 1, seed=1)[0]
    table = ControlTable(controls_for(STEMS))
    table.set_all({"stem/drums/gain": 0.3, "master/gain": 0.7, "stem/bass/pan": 0.5})
    heard, mix = _through_desk(Rack(STEMS, CONFIG), table, mixture, stems)
    mixer = Mixer(STEMS, CONFIG)
    for start in range(0, 1_280, 64):
        part = slice(start, start + 64)
        block, out = stems[..., part].copy(), np.zeros((2, 64), np.float32)
        mixer.process(table, mixture[:, part], block, out)
        np.testing.assert_array_equal(heard[..., part], block)
        np.testing.assert_array_equal(mix[:, part], out)


def test_a_chain_on_the_mix_comes_before_the_master_fader():
    limited = Delayed(40)
    limited.process = lambda audio, out: np.clip(audio, -0.1, 0.1, out=out)
    limited.latency = 0
    rack = _rack({"mix": [limited]})
    table = _table(rack)
    table.set("master/gain", 0.5)
    stems = _audio(640)
    heard, mix = _through_desk(rack, table, stems.sum(axis=0), stems)
    np.testing.assert_array_equal(heard, stems)
    np.testing.assert_allclose(mix, 0.5 * np.clip(stems.sum(axis=0), -0.1, 0.1), atol=1e-7)


def test_bypass_is_the_input_as_it_came_and_panic_is_silence_behind_every_chain():
    ringing = Delayed(40)
    rack = _rack({"drums": [Delayed(100, 2.0)], "mix": [ringing, Delayed(7, 3.0)]})
    assert (rack.stems_latency, rack.mix_latency, rack.latency) == (100, 47, 147)
    table = _table(rack)
    stems, mixture = _audio(12_800), _audio(12_800, 1, seed=1)[0]

    def turn(position: int) -> None:
        if position == 3_200:
            table.set("bypass", 1)
        elif position == 6_400:
            table.set("bypass", 0)
            table.set("panic", 1)

    heard, mix = _through_desk(rack, table, mixture, stems, turn)
    bypassed, silent = slice(3_200 + 441, 6_400), slice(6_400 + 441, None)
    np.testing.assert_array_equal(mix[:, bypassed], _delayed(mixture, 147)[:, bypassed])
    assert not mix[:, silent].any()
    assert not heard[..., silent].any()
    before = slice(0, 3_200)
    scaled = stems * np.array([2, 1, 1], np.float32)[:, np.newaxis, np.newaxis]
    expected = 3 * _delayed(scaled.sum(axis=0), 147)
    np.testing.assert_allclose(mix[:, before], expected[:, before], atol=1e-5)
