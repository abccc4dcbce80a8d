"""`stemwire serve` as a whole, with a song for a sound card: no audio hardware is needed."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine import Separator
from plugin_host.links.pace import Pace

STEMS = ("drums", "bass", "piano", "strings", "other")


@pytest.fixture
def long_song(make_song):
    return make_song("long.wav", frames=400_000, subtype="FLOAT")


# ---- a song ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "block_size"), [(2, 256), (1, 100)])
def test_what_is_recorded_is_bit_exact_with_the_offline_result(
    live, make_song, read_stems, small_model, tmp_path, channels, block_size
):
    song = make_song(frames=60_001, channels=channels, subtype="FLOAT")
    audio = soundfile.read(song, dtype="float32", always_2d=True)[0].T
    folder = tmp_path / "out"

    one = live("--audio", f"file:{song}", "--record", folder, "--block-size", block_size)
    ended = one.wait_for("ended")

    assert one.finish() == 0
    assert ended["outputs"] == {bus: str(folder / f"song.{bus}.wav") for bus in ("mix", *STEMS)}
    assert sorted(folder.iterdir()) == sorted(map(Path, ended["outputs"].values()))
    heard = read_stems([Path(path) for path in ended["outputs"].values()])
    stems = Separator.load(small_model).separate(audio, 44_100)
    assert heard.shape == (6, *audio.shape)
    same = (heard[1:] == stems).all(axis=(0, 1))
    assert np.count_nonzero(~same) <= ended["underruns"] * (block_size + 64)
    assert np.abs(heard[0] - audio).max() < 1e-6


def test_a_song_lasts_as_long_as_it_plays(live, make_song):
    one = live("--audio", f"file:{make_song(frames=66_150)}")
    began = one.wait_for("running")["at"]

    ended = one.wait_for("ended")

    assert one.finish() == 0
    assert 1.5 <= ended["at"] - began < 6.0
    assert ended["blocks"] == -(-(66_150 + ended["latency"]) // 256)
    assert ended["outputs"] == {}


def test_a_looped_song_goes_on_and_what_was_heard_of_it_is_kept(
    live, make_song, read_stems, tmp_path
):
    song = make_song(frames=20_000, subtype="FLOAT")
    one = live("--audio", f"file:{song}", "--loop", "--record", tmp_path / "out")
    one.wait_for("running")
    blocks = 3 * 20_000 // 256
    while one.next_status()["blocks"] < blocks:
        pass

    assert one.stop() == 0

    outputs = one.wait_for("ended")["outputs"]
    [heard] = read_stems([Path(outputs["mix"])])
    assert heard.shape[1] > 3 * 20_000 - 512
    audio = soundfile.read(song, dtype="float32")[0].T
    rounds = np.tile(audio, 2 + heard.shape[1] // 20_000)[:, : heard.shape[1]]
    assert np.abs(heard - rounds).max() < 1e-6


def test_a_song_that_breaks_off_ends_it_and_leaves_no_recording(live, make_song, tmp_path):
    song = make_song("song.flac", frames=100_000)
    song.write_bytes(song.read_bytes()[: song.stat().st_size // 2])

    one = live("--audio", f"file:{song}", "--record", tmp_path / "out")

    assert one.finish() == 2
    assert "song.flac cannot be decoded past second" in one.process.stderr.read()
    assert not (tmp_path / "out").exists()


class _Clock:
    """A clock that only moves when it is slept on, or pushed."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize("jump", [3.0, 1e6, -3.0, -1e6])
def test_a_clock_that_jumps_makes_neither_a_burst_nor_a_long_wait(jump):
    clock = _Clock()
    pace = Pace(0.01, clock, clock.sleep)
    for _ in range(5):
        pace.wait()
    clock.slept.clear()

    clock.now += jump
    for _ in range(10):
        pace.wait()

    assert pace.jumps == 1
    assert len(clock.slept) == 9  # the block at the jump comes at once, all others in time
    np.testing.assert_allclose(clock.slept, 0.01, rtol=1e-6)


def test_a_little_lateness_is_caught_up_with():
    clock = _Clock()
    pace = Pace(0.01, clock, clock.sleep)
    pace.wait()

    clock.now += 0.008
    pace.wait()
    pace.wait()

    assert pace.jumps == 0
    np.testing.assert_allclose(clock.now, 100.03)


# ---- its end --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_well_and_leaves_nothing(live, long_song, number):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")
    children = one.children()
    assert len(children) == 2
    assert len(one.segments()) == 1

    assert one.stop(number) == 0

    assert one.events[-1]["event"] == "ended"
    assert not one.segments()
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert one.process.stderr.read() == ""


def test_a_signal_while_it_starts_ends_it_too(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("status", state="starting")

    assert one.stop() == 0
    assert not one.segments()


def test_when_it_is_killed_its_children_end_and_the_memory_is_gone(live, long_song, wait_until):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")
    children = one.children()
    assert len(children) == 2

    assert one.stop(signal.SIGKILL) == -signal.SIGKILL

    wait_until(lambda: not [pid for pid in children if Path(f"/proc/{pid}").exists()], "their end")
    assert not one.segments()


def test_who_reads_no_more_ends_it(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")

    one.stop_reading()

    assert one.finish() == 0
    assert not one.segments()


# ---- faults ---------------------------------------------------------------------------------


def test_a_link_that_dies_is_started_again_beside_the_same_engine(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop")
    latency = one.wait_for("running")["latency"]
    engine, segments = one.child("engine.worker"), one.segments()

    for _ in range(3):
        seen = len(one.events)
        os.kill(one.child("plugin_host.links"), signal.SIGKILL)
        one.wait_for("lost", after=seen)
        assert one.wait_for("running", after=seen)["latency"] == latency

    assert one.child("engine.worker") == engine
    assert one.segments() == segments
    blocks = one.next_status()["blocks"]
    assert one.next_status()["blocks"] > blocks


def test_a_stopped_link_goes_on_without_a_burst(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")
    before = one.next_status()
    link = one.child("plugin_host.links")

    os.kill(link, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(link, signal.SIGCONT)

    after = one.wait_for("status", after=len(one.events) + 1)
    # In the second that the link slept the clock went on, and its blocks are not made up for.
    elapsed = after["at"] - before["at"]
    assert after["blocks"] - before["blocks"] <= (elapsed - 0.9) * 44_100 / 256
    assert after["xruns"] == before["xruns"] + 1


def test_an_engine_that_dies_is_replaced_and_controls_keep_their_values(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop", "--set", "stem/bass/gain=0.25")
    running = one.wait_for("running")
    assert running["controls"]["stem/bass/gain"] == 0.25

    os.kill(one.child("engine.worker"), signal.SIGKILL)
    one.wait_for("status", after=len(one.events), restarts=1, state="running")
    one.stop()

    ended = one.wait_for("ended")
    assert ended["controls"]["stem/bass/gain"] == 0.25
    assert ended["latency"] == running["latency"]


def test_two_at_once_play_side_by_side(live, long_song, make_song, tmp_path, read_stems):
    song = make_song(frames=60_000, subtype="FLOAT")
    first = live("--audio", f"file:{long_song}", "--loop")
    first.wait_for("running")
    second = live("--audio", f"file:{song}", "--record", tmp_path / "out")
    outputs = second.wait_for("ended")["outputs"]
    assert second.finish() == 0

    assert not second.segments()
    assert len(first.segments()) == 1
    blocks = first.next_status()["blocks"]
    assert first.next_status()["blocks"] > blocks
    audio = soundfile.read(song, dtype="float32")[0].T
    assert np.abs(read_stems([Path(outputs["mix"])])[0] - audio).max() < 1e-6


# ---- commands -------------------------------------------------------------------------------


def test_controls_are_turned_while_it_plays(live, long_song, wait_until):
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")

    one.send(set={"stem/drums/mute": 1, "master/gain": 0.5})
    told = one.wait_for("set")

    assert told["controls"] == {"stem/drums/mute": 1, "master/gain": 0.5}
    wait_until(lambda: one.next_status()["meters"]["drums"]["peak"] < 1e-3, "silence")
    assert one.next_status()["meters"]["bass"]["peak"] > 1e-3
    one.send(toggle="stem/drums/mute")
    wait_until(lambda: one.next_status()["meters"]["drums"]["peak"] > 1e-3, "drums")


WRONG_COMMANDS = [
    ({"set": {"stem/vocals/gain": 1}}, "There is no control 'stem/vocals/gain'"),
    ({"set": {"master/gain": 1e9}}, "master/gain is 1e+09; give 0 to 4"),
    ({"set": {"master/gain": "loud"}}, "give a number"),
    ({"set": {"bypass": 1, "panic": 2}}, "panic is 2; give 0 to 1"),
    ({"set": 7}, "is an object"),
    ({"toggle": "nope"}, "There is no control 'nope'"),
    ({"trigger": "bypass"}, "bypass is no trigger"),
    ({"swap": "nope"}, "There is no model 'nope'"),
    ({"dance": True}, "Each command is one of set, toggle, trigger, swap, quit"),
    ({"set": {}, "quit": True}, "Each command is one of"),
    ({}, "Each command is one of"),
]


def test_a_wrong_command_is_told_and_changes_nothing(live, long_song):
    one = live("--audio", f"file:{long_song}", "--loop")
    controls = one.wait_for("running")["controls"]

    for command, sentence in WRONG_COMMANDS:
        seen = len(one.events)
        one.send(**command)
        assert sentence in one.wait_for("error", after=seen)["message"]
    one.send(quit=True)

    assert one.finish() == 0
    assert one.wait_for("ended")["controls"] == controls


def test_a_model_is_swapped_while_it_plays(live, long_song, make_small_model, tmp_path):
    other = make_small_model(tmp_path / "other.onnx", name="the-other-model")
    one = live("--audio", f"file:{long_song}", "--loop")
    running = one.wait_for("running")

    one.send(swap=str(other))
    one.wait_for("swapped")
    one.stop()

    ended = one.wait_for("ended")
    assert (running["model"], ended["model"]) == ("small-test-model", "the-other-model")
    assert ended["latency"] == running["latency"]


def test_the_next_model_is_the_next_of_those_known_by_name(
    live, long_song, make_small_model, tmp_path, monkeypatch
):
    for name in ("a", "b"):
        make_small_model(tmp_path / f"{name}.onnx", name=f"model-{name}")
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path))
    one = live("--audio", f"file:{long_song}", "--loop", "--model", "a")
    one.wait_for("running")

    one.send(swap=None)

    assert one.wait_for("swapped")["model"] == "model-b"


def test_a_model_of_other_stems_is_refused_and_the_first_plays_on(
    live, long_song, make_small_model, tmp_path
):
    other = make_small_model(tmp_path / "other.onnx", stems=("a", "b"), gains=(0.5, 0.5))
    one = live("--audio", f"file:{long_song}", "--loop")
    one.wait_for("running")

    one.send(swap=str(other))

    assert "the stems a, b" in one.wait_for("error")["message"]
    blocks = one.next_status()["blocks"]
    assert one.next_status()["blocks"] > blocks


# ---- bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--audio", "pulse"], "There is no audio 'pulse': give jack, portaudio, file:SONG"),
        (["--audio", "file:"], "There is no audio 'file:'"),
        (["--audio", "file:nope.wav"], "There is no file nope.wav"),
        (["--audio", "jack", "--record", "x"], "--record goes with --audio file and not with jack"),
        (["--record", "x"], "--record goes with --audio file"),
        (["--audio", "jack", "--block-size", "64"], "--block-size goes with --audio portaudio"),
        (["--audio", "file:{song}", "--autoconnect"], "--autoconnect goes with --audio jack"),
        (["--audio", "file:{song}", "--block-size", "9000"], "block_size is 9000"),
        (["--audio", "file:{song}", "--block-size", "0"], "block_size is 0"),
        (["--audio", "file:{song}", "--set", "loud"], "--set 'loud' is no setting"),
        (["--audio", "file:{song}", "--set", "master/gain=9"], "master/gain is 9; give 0 to 4"),
        (["--audio", "file:{song}", "--set", "nope=1"], "There is no control 'nope'"),
        (["--audio", "file:{song}", "--model", "nope"], "There is no model 'nope'"),
        (["--audio", "file:{song}", "--runtime", "abacus"], "abacus"),
        (["--audio", "file:{song}", "--record", "{song}"], "cannot be written to"),
    ],
)
def test_what_is_wrong_is_one_sentence(live, make_song, options, sentence):
    song = make_song()
    one = live(*[option.format(song=song) for option in options])

    assert one.finish() == 2
    said = one.process.stderr.read()
    assert sentence in said
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


@pytest.mark.usefixtures("needs_portaudio")
def test_with_neither_jack_nor_a_sound_card_one_sentence_names_both(live, jack_server):
    command = [sys.executable, "-m", "plugin_host", "devices", "--json"]
    if json.loads(jack_server.run(*command))["portaudio"]:  # the server is not started
        pytest.skip("this machine has a sound card")
    one = live(graph=jack_server)

    assert one.finish() == 2
    said = one.process.stderr.read()
    assert said.startswith("Error: No sound is to be had: no JACK server runs, and PortAudio")
    assert "--audio file:SONG" in said
    assert said.count("\n") == 1


def test_a_jack_server_is_taken_where_one_runs(live, jack_server):
    jack_server.start()
    assert live(graph=jack_server).wait_for("running")["audio"] == "jack"
