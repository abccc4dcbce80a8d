"""`serve --audio jack` beside a real JACK server, which is stopped, restarted and changed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from engine import Separator

BUSES = ("mix", "drums", "bass", "piano", "strings", "other")
OUTPUTS = [f"{bus}_{number}" for bus in BUSES for number in (1, 2)]


@pytest.fixture
def noise():
    return np.random.default_rng(1).normal(0, 0.1, (2, 200_000)).astype(np.float32)


@pytest.fixture
def iodelay(needs_program):
    return needs_program("jack_iodelay")


@pytest.fixture
def hogs():
    """Keeps every core busy with processes that do nothing, during a `with` block."""

    @contextmanager
    def run():
        loop = [sys.executable, "-c", "while True: pass"]
        busy = [subprocess.Popen(loop) for _ in range(os.cpu_count() or 1)]
        try:
            yield
        finally:
            for process in busy:
                process.kill()
                process.wait()

    return run


def _more(frames: list[int], count: int) -> list[int]:
    """Waits for so many more measurements, four of which come in a second; returns them."""
    before = len(frames)
    until = time.monotonic() + 30
    while len(frames) < before + count and time.monotonic() < until:
        time.sleep(0.05)
    return frames[before:]


@pytest.mark.parametrize(("sample_rate", "period"), [(44_100, 256), (48_000, 256), (44_100, 128)])
def test_the_round_trip_is_the_ledger_and_the_graphs_own_period(
    jack_server, live, iodelay, sample_rate, period
):
    jack_server.start(sample_rate, period)
    running = live("--audio", "jack", graph=jack_server).wait_for("running")
    assert (running["sample_rate"], running["block_size"]) == (sample_rate, period)

    with jack_server.round_trips(iodelay) as frames:
        measured = _more(frames, 8)

    ledger = {entry["what"]: entry["frames"] for entry in running["ledger"]}
    assert ledger["device"] == 0  # nothing was connected when it began
    assert set(measured[2:]) == {sum(ledger.values()) + period}


def test_the_round_trip_stays_while_the_engine_is_killed_stopped_and_loaded(
    jack_server, live, iodelay, hogs
):
    jack_server.start()
    one = live("--audio", "jack", graph=jack_server)
    running = one.wait_for("running")

    with jack_server.round_trips(iodelay) as frames:
        _more(frames, 2)
        for _ in range(3):
            os.kill(one.child("engine.worker"), signal.SIGKILL)
            _more(frames, 4)
        stopped = one.child("engine.worker")
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(stopped, signal.SIGCONT)
        _more(frames, 4)
        with hogs():
            _more(frames, 4)
        measured = frames[2:]

    assert one.next_status()["restarts"] == 3
    assert len(measured) >= 16
    assert set(measured) == {running["latency"] + 256}


def test_ports_have_their_names_and_jack_knows_their_latencies(jack_server, live):
    jack_server.start()
    one = live("--audio", "jack", "--autoconnect", graph=jack_server)
    running = one.wait_for("running")
    own = sum(entry["frames"] for entry in running["ledger"] if entry["what"] != "device")
    assert own == 64 + 256

    latencies = _latencies(jack_server.run("jack_lsp", "-l"))
    ours = {name.partition(":")[2] for name in latencies if name.startswith("stemwire:")}
    assert ours == {"in_1", "in_2", *OUTPUTS}
    capture = latencies["system:capture_1"]["capture"]
    playback = latencies["system:playback_1"]["playback"]
    assert min(capture, playback) > 0
    for number in (1, 2):
        assert latencies[f"stemwire:in_{number}"] == {
            "capture": capture,
            "playback": own + playback,
        }
        assert latencies[f"stemwire:mix_{number}"] == {
            "capture": capture + own,
            "playback": playback,
        }
        assert latencies[f"stemwire:bass_{number}"] == {"capture": capture + own, "playback": 0}
    assert running["latency"] == own + capture + playback


def _latencies(listing: str) -> dict[str, dict[str, int]]:
    """Reads `jack_lsp -l`; both ends of each range must be the same."""
    found: dict[str, dict[str, int]] = {}
    port = ""
    for line in listing.splitlines():
        if latency := re.match(r"\s+port (\w+) latency = \[ (\d+) (\d+) \]", line):
            assert latency[2] == latency[3]
            found[port][latency[1]] = int(latency[2])
        else:
            port = line
            found[port] = {}
    return found


def test_what_comes_back_is_bit_exact_with_the_offline_result(
    jack_server, live, tester, noise, small_model
):
    jack_server.start(is_synchronous=True)
    one = live("--audio", "jack", graph=jack_server)
    running = one.wait_for("running")
    before = one.next_status()["underruns"]
    client = tester(jack_server, noise, OUTPUTS)
    client.rewind()

    heard = client.listen(60_000)

    underruns = one.next_status()["underruns"] - before
    stems = Separator.load(small_model).separate(noise, 44_100)
    lag = running["latency"] + 256
    same = (heard[2:, lag:] == stems.reshape(10, -1)[:, : 60_000 - lag]).all(axis=0)
    # An underrun spoils its own block and the crossfade after it.
    assert np.count_nonzero(~same) <= underruns * (256 + 64)
    assert same.mean() > 0.5
    assert np.abs(heard[:2, lag:] - noise[:, : 60_000 - lag]).max() < 1e-6


def test_freewheeling_loses_nothing(jack_server, live, tester, noise, small_model):
    jack_server.start(is_synchronous=True)
    one = live("--audio", "jack", graph=jack_server)
    running = one.wait_for("running")
    client = tester(jack_server, noise, OUTPUTS)
    client.client.set_freewheel(True)
    time.sleep(0.2)  # all have been told
    underruns = one.next_status()["underruns"]
    client.rewind()

    heard = client.listen(150_000)

    assert one.next_status()["underruns"] == underruns
    client.client.set_freewheel(False)
    stems = Separator.load(small_model).separate(noise, 44_100)
    lag = running["latency"] + 256
    np.testing.assert_array_equal(heard[2:, lag:], stems.reshape(10, -1)[:, : 150_000 - lag])


def test_a_changed_buffer_size_opens_an_engine_for_it_and_keeps_all_else(
    jack_server, live, iodelay
):
    jack_server.start()
    one = live("--audio", "jack", "--set", "stem/bass/gain=0.5", graph=jack_server)
    one.wait_for("running")
    one.send(set={"stem/drums/mute": 1})
    one.wait_for("set")
    one.send(set={"stem/drums/mute": 0})

    with jack_server.round_trips(iodelay) as frames:
        for period in (512, 128):
            seen = len(one.events)
            jack_server.run("jack_bufsize", str(period))
            running = one.wait_for("running", after=seen)
            assert running["block_size"] == period
            assert running["latency"] == 64 + period
            assert running["controls"]["stem/bass/gain"] == 0.5
            _more(frames, 3)
            # Gain 0.5 on the bass is no longer the mixture, and as late as before.
            assert set(_more(frames, 3)) == {running["latency"] + period}
    assert len(one.segments()) == 1


@pytest.mark.parametrize(
    ("how", "sample_rate"), [(signal.SIGKILL, 44_100), (signal.SIGTERM, 48_000)]
)
def test_a_server_that_comes_back_gets_the_client_and_its_connections_back(
    jack_server, live, how, sample_rate
):
    jack_server.start()
    one = live("--audio", "jack", "--autoconnect", graph=jack_server)
    one.wait_for("running")
    one.send(set={"stem/bass/gain": 0.25})
    jack_server.connect("stemwire:drums_1", "system:playback_2")
    jack_server.disconnect("stemwire:mix_2", "system:playback_2")
    before = jack_server.connections()
    assert before["stemwire:drums_1"] == ["system:playback_2"]
    assert before["stemwire:mix_2"] == []
    time.sleep(1.5)  # what is connected is noted now and then
    [segment] = one.segments()

    jack_server.stop(how)
    one.wait_for("lost")
    one.wait_for("status", state="waiting")
    seen = len(one.events)
    jack_server.start(sample_rate)

    running = one.wait_for("running", after=seen)
    assert running["sample_rate"] == sample_rate
    assert running["controls"]["stem/bass/gain"] == 0.25
    jack_server.wait_until(lambda: jack_server.connections() == before, "the connections")
    if sample_rate == 44_100:
        assert one.segments() == [segment]  # the engine just went on


def test_a_link_that_dies_is_back_with_its_connections(jack_server, live):
    jack_server.start()
    one = live("--audio", "jack", "--autoconnect", graph=jack_server)
    one.wait_for("running")
    before = jack_server.connections()
    time.sleep(1.5)
    seen, died = len(one.events), time.monotonic()

    os.kill(one.child("plugin_host.links"), signal.SIGKILL)

    one.wait_for("lost", after=seen)
    assert one.wait_for("running", after=seen)["at"] - died < 10
    jack_server.wait_until(lambda: jack_server.connections() == before, "the connections")
    blocks = one.next_status()["blocks"]
    assert one.next_status()["blocks"] > blocks


def test_mono_has_one_port_per_bus(jack_server, live, tester, noise, small_model):
    jack_server.start(is_synchronous=True)
    one = live("--audio", "jack", "--channels", 1, graph=jack_server)
    running = one.wait_for("running")
    outputs = [f"{bus}_1" for bus in BUSES]
    ours = {n for n in jack_server.run("jack_lsp").splitlines() if n.startswith("stemwire:")}
    assert ours == {f"stemwire:{name}" for name in ("in_1", *outputs)}
    client = tester(jack_server, noise[:1], outputs)
    client.rewind()

    heard = client.listen(20_000)

    lag = running["latency"] + 256
    assert np.abs(heard[0, lag:] - noise[0, : 20_000 - lag]).max() < 1e-6


def test_two_at_once_have_clients_of_their_own(jack_server, live):
    jack_server.start()
    first = live("--audio", "jack", graph=jack_server)
    first.wait_for("running")
    second = live("--audio", "jack", graph=jack_server)
    second.wait_for("running")

    clients = {name.split(":")[0] for name in jack_server.run("jack_lsp").splitlines()}
    assert len(clients - {"system"}) == 2
    assert first.stop() == 0
    before = second.next_status()["blocks"]
    assert second.next_status()["blocks"] > before


def test_without_a_server_it_says_so_and_ends(jack_server, live):
    one = live("--audio", "jack", graph=jack_server)

    assert one.finish() == 2
    assert one.process.stderr.read().startswith("Error: No JACK server runs")
