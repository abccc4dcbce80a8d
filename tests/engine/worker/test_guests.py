"""Plugins come and go; whoever serves them finds each, once, and leaves no trace of those gone.

A plugin is played here by a segment as the plugin makes it, and the exchange that it is the C++ of.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine import ConfigError, HostConfig, ModelError
from engine.controls import ControlTable, controls_for
from engine.framing import Schedule
from engine.separator import read_separator
from engine.worker import Exchange
from engine.worker.guests import Guests
from engine.worker.layout import Constant, GuestState, Layout, Wish
from engine.worker.segment import Segment

STEMS = ("",) * 8
QUANTUM = 64


@pytest.fixture
def serve(small_model):
    """Starts servers, and closes them at the end of the test."""
    started = []

    def start(model: Path = small_model) -> Guests:
        started.append(Guests(model))
        return started[-1]

    yield start
    for guests in started:
        guests.close()


@pytest.fixture
def activate(small_model):
    """Makes guests as a plugin does when it is activated; returns segment and exchange."""
    made = []

    def make(block_size: int = 256, sample_rate: int = 44_100, latency: int | None = None):
        config = HostConfig(sample_rate, -(-block_size // QUANTUM) * QUANTUM, 2)
        manifest = read_separator(small_model).manifest
        chain = Schedule.of(manifest, HostConfig(sample_rate, QUANTUM, 2)).latency
        if latency is None:
            latency = chain + QUANTUM - 1 + config.block_size
        declared = controls_for(STEMS)
        layout = Layout.of(config, STEMS, len(declared), chain)
        segment = Segment.create(layout, is_direct=False, quantum=QUANTUM)
        segment.controls[...] = [control.default for control in declared]
        segment.settle_latency(latency)
        segment.words[Constant.IS_GUEST] = 1
        exchange = Exchange.attach(segment.path)
        made.append((segment, exchange))
        return segment, exchange

    yield make
    for segment, exchange in made:
        exchange.close()
        segment.unlink()
        segment.close()


class Track:
    """A track with the plugin on it, at the audio clock."""

    def __init__(self, segment: Segment, exchange: Exchange, audio: np.ndarray) -> None:
        self.words = segment.words
        self.exchange = exchange
        self.audio = audio
        self.mix = np.zeros_like(audio)
        self.stems = np.zeros((8, *audio.shape), np.float32)
        self.position = 0
        self.late: list[bool] = []
        self._next = time.perf_counter()

    def play(self, frames: int, *, wait: bool = False) -> None:
        part = np.s_[self.position : self.position + frames]
        before = self.exchange.underruns
        self.exchange.process(
            self.audio[:, part], self.mix[:, part], self.stems[..., part], wait=wait
        )
        self.late.append(self.exchange.underruns > before)
        self.position += frames

    def play_until(self, condition, seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it did not happen in time"
            self._next = max(self._next + 256 / 44_100, time.perf_counter())
            time.sleep(max(0.0, self._next - time.perf_counter()))
            self.play(256)

    @property
    def is_served(self) -> bool:
        return len(self.late) >= 8 and not any(self.late[-8:])

    @property
    def delayed(self) -> np.ndarray:
        latency = self.exchange.latency
        return np.pad(self.audio, ((0, 0), (latency, 0)))[:, : self.position]


def _wait_until(condition, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def test_a_plugin_is_found_and_gets_the_models_stems(serve, activate, noise):
    segment, exchange = activate()
    track = Track(segment, exchange, noise)
    track.play(256)
    assert segment.words[Wish.STATE] == GuestState.ALONE
    guests = serve()
    track.play_until(lambda: segment.words[Wish.STATE] == GuestState.PLAYING)
    assert segment.words[Wish.SERVER] == os.getpid()
    track.play_until(lambda: track.is_served)
    named = Segment.attach(segment.path)
    assert named.layout.stems[:5] == ("drums", "bass", "piano", "strings", "other")
    named.close()
    heard = track.mix[:, : track.position]
    np.testing.assert_allclose(heard, track.delayed, atol=1e-6)  # alone, found and served
    last = np.s_[track.position - 256 : track.position]
    np.testing.assert_allclose(track.stems[0, :, last], 0.4 * track.delayed[:, last], atol=1e-6)
    assert not track.stems[5:].any()
    (status,) = guests.statuses()
    assert status.pid == os.getpid()
    assert status.latency == 64 + 63 + 256
    assert status.state == GuestState.PLAYING
    assert status.underruns == sum(track.late)


def test_blocks_of_any_size_are_one_exact_stream(serve, activate, offline, noise):
    serve()
    segment, exchange = activate(block_size=500)
    track = Track(segment, exchange, noise)
    track.play(1, wait=True)
    random = np.random.default_rng(2)
    for _ in range(60):
        track.play(int(random.integers(1, 513)), wait=True)
    alone = offline(noise[:, : track.position], HostConfig(44_100, QUANTUM, 2))
    whole = alone.shape[-1]
    share = exchange.latency - 64
    np.testing.assert_array_equal(track.stems[:5, :, share:whole], alone[..., : whole - share])


def test_eight_plugins_at_once_do_not_hear_each_other(serve, activate):
    guests = serve()
    random = np.random.default_rng(4)
    tracks = []
    for _ in range(8):
        audio = random.uniform(-0.5, 0.5, (2, 256 * 300)).astype(np.float32)
        tracks.append(Track(*activate(), audio))
    for _ in range(60):
        for track in tracks:
            track.play(256, wait=True)
    for track in tracks:
        np.testing.assert_allclose(track.mix[:, : track.position], track.delayed, atol=1e-6)
        assert not any(track.late[2:])
    assert len(guests.statuses()) == 8
    assert len({status.state for status in guests.statuses()}) == 1


def test_a_plugin_that_is_gone_is_let_go(serve, activate, noise):
    guests = serve()
    segment, _ = activate()
    other, exchange = activate()
    _wait_until(lambda: len(guests.statuses()) == 2)
    segment.unlink()
    _wait_until(lambda: len(guests.statuses()) == 1)
    track = Track(other, exchange, noise)
    track.play_until(lambda: track.is_served)


def test_a_killed_plugins_memory_is_removed(serve, small_model):
    guests = serve()
    code = (
        "import sys, time; from engine import HostConfig\n"
        "from engine.worker.layout import Constant, Layout\n"
        "from engine.worker.segment import Segment\n"
        "layout = Layout.of(HostConfig(44_100, 256, 2), ('',) * 8, 36, 64)\n"
        "segment = Segment.create(layout, is_direct=False, quantum=64)\n"
        "segment.settle_latency(500); segment.words[Constant.IS_GUEST] = 1\n"
        "print(segment.path, flush=True); time.sleep(60)"
    )
    root = Path(__file__).resolve().parents[3]
    plugin = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True
    )
    with plugin:
        path = Path(plugin.stdout.readline().strip())
        _wait_until(lambda: len(guests.statuses()) == 1)
        plugin.kill()
        plugin.wait()
        _wait_until(lambda: not guests.statuses())
    assert not path.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_engines_that_die_or_stall_are_replaced_for_all(serve, activate, sine, how):
    guests = serve()
    tracks = [Track(*activate(), sine) for _ in range(2)]
    for track in tracks:
        track.play_until(lambda track=track: track.is_served)
    os.kill(guests.engine_pid, how)
    for track in tracks:
        track.play_until(lambda: guests.restarts == 1)
    for track in tracks:
        track.play_until(lambda track=track: track.is_served)
        np.testing.assert_allclose(track.mix[:, : track.position], track.delayed, atol=1e-6)


def test_two_servers_serve_each_plugin_once(serve, activate, noise):
    first = serve()
    segment, exchange = activate()
    _wait_until(lambda: len(first.statuses()) == 1)
    second = serve()
    time.sleep(0.4)
    assert second.statuses() == ()
    first.close()
    assert segment.words[Wish.STATE] in (GuestState.ALONE, GuestState.PLAYING)
    _wait_until(lambda: len(second.statuses()) == 1)
    track = Track(segment, exchange, noise)
    track.play_until(lambda: track.is_served)


def test_a_plugin_with_too_little_latency_is_refused_with_a_reason(serve, activate, noise):
    guests = serve()
    segment, exchange = activate(latency=100)
    _wait_until(lambda: segment.words[Wish.STATE] == GuestState.REFUSED)
    track = Track(segment, exchange, noise)
    for _ in range(5):
        track.play(256)
    np.testing.assert_array_equal(track.mix[:, : track.position], track.delayed)
    (status,) = guests.statuses()
    assert "needs 28 frames of latency more" in status.note


def test_files_that_only_look_like_guests_are_left_alone(serve, tmp_path):
    guests = serve()
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path
    left = folder / f"stemwire-{os.getpid()}-nonsense"
    left.write_bytes(os.urandom(10_000))
    try:
        time.sleep(0.4)
        assert left.exists()
        assert guests.statuses() == ()
    finally:
        left.unlink()


def test_knobs_of_the_plugin_reach_the_engine(serve, activate, noise):
    serve()
    segment, exchange = activate()
    named = ("drums", "bass", "piano", "strings", "other", "unused6", "unused7", "unused8")
    table = ControlTable(controls_for(named), segment.controls)
    table.set("stem/bass/mute", 1)
    track = Track(segment, exchange, noise)
    track.play_until(lambda: track.is_served)
    last = np.s_[track.position - 256 : track.position]
    assert not track.stems[1, :, last].any()
    np.testing.assert_allclose(track.mix[:, last], 0.7 * track.delayed[:, last], atol=1e-6)


def test_a_model_that_is_none_starts_nothing(serve, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(ModelError):
        serve(broken)


def test_a_system_without_file_locks_serves_no_plugins_and_says_so(serve, monkeypatch):
    monkeypatch.setattr("engine.worker.guests.HAS_LOCKS", False)
    with pytest.raises(ConfigError, match="needs file locks"):
        serve()
