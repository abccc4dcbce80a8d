"""`pw-jack stemwire serve`: PipeWire is a JACK server of its own kind."""

from __future__ import annotations

import time


def test_the_round_trip_is_the_ledger_and_the_graphs_own_period(pipewire, live, needs_program):
    pipewire.start()
    one = live("--audio", "jack", graph=pipewire)
    one.wait_for("running")
    ports = set(pipewire.run("jack_lsp").splitlines())
    assert {"stemwire:in_1", "stemwire:mix_2", "stemwire:other_2"} <= ports

    for block_size in (256, 512):  # PipeWire changes it whenever some client wants less
        seen = len(one.events)
        pipewire.set_block_size(block_size)
        running = one.wait_for("running", after=seen, block_size=block_size)
        with pipewire.round_trips(needs_program("jack_iodelay")) as frames:
            pipewire.wait_until(lambda frames=frames: len(frames) >= 6, "jack_iodelay")
        assert set(frames[2:]) == {running["latency"] + block_size}


def test_pipewire_comes_back_and_so_do_the_ports(pipewire, live):
    pipewire.start()
    one = live("--audio", "jack", graph=pipewire)
    one.wait_for("running")

    pipewire.stop()
    one.wait_for("lost")
    time.sleep(0.5)
    seen = len(one.events)
    pipewire.start()

    one.wait_for("running", after=seen)
    assert "stemwire:mix_1" in pipewire.connections()
