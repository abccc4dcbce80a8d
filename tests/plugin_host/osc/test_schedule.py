"""Bundles wait for their time, in its order, and only so many of them."""

from __future__ import annotations

import time

import pytest

from engine import HostConfig
from engine.worker import Session
from engine.worker.layout import Engine, Host, engine_word
from engine.worker.segment import Segment
from plugin_host.osc import schedule
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.schedule import EngineClock, seconds_of, timetag_of

GAIN = "/stemwire/stem/drums/gain"


def _bundle(value: float, at: float) -> bytes:
    return build_bundle([build(GAIN, [value])], timetag_of(at))


def test_timetags_and_seconds_are_the_same_time():
    assert seconds_of(timetag_of(1_800_000_000.25)) == 1_800_000_000.25


def test_bundles_wait_for_their_time_whatever_the_order_in_which_they_come(client, board, until):
    now = time.time()
    client.send_raw(_bundle(3.0, now + 0.5))
    client.send_raw(_bundle(2.0, now + 0.25))
    client.until_pong()
    assert board.get("stem/drums/gain") == 1.0
    until(lambda: board.get("stem/drums/gain") == 2.0)
    assert 0.2 < time.time() - now < 0.45
    until(lambda: board.get("stem/drums/gain") == 3.0)
    assert time.time() - now > 0.45


@pytest.mark.parametrize("timetag", [0, 1])
def test_immediately_means_now(client, board, timetag):
    client.send_raw(build_bundle([build(GAIN, [0.5])], timetag))
    assert client.until_pong() == []
    assert board.get("stem/drums/gain") == 0.5


def test_a_bundle_that_is_late_is_done_at_once_and_the_clocks_are_doubted(client, board, until):
    client.send_raw(_bundle(0.5, time.time() - 3600))
    path, (sentence, about) = client.receive()
    assert (path, about) == ("/stemwire/error", GAIN)
    assert "3600" in sentence
    assert "clocks" in sentence
    until(lambda: board.get("stem/drums/gain") == 0.5)
    [(_, (late,))] = client.ask("/stemwire/status/osc_late_ms")
    assert late == pytest.approx(3_600_000, rel=1e-3)


def test_only_so_many_bundles_are_held(monkeypatch, client):
    monkeypatch.setattr(schedule, "MAX_BUNDLES", 10)
    for _ in range(12):
        client.send_raw(_bundle(0.5, time.time() + 30))
    errors = client.until_pong()
    assert len(errors) == 2
    assert "10 bundles wait" in errors[0][1][0]


def test_a_clock_that_is_far_ahead_is_told_so(client, board):
    client.send_raw(_bundle(0.5, time.time() + 3600))
    [(_, (sentence, _))] = client.until_pong()
    assert "3600 s ahead" in sentence
    assert board.get("stem/drums/gain") == 1.0


def test_a_bundle_is_set_between_the_blocks_before_and_at_its_time(small_model, monkeypatch):
    """By hand, with blocks of 100 ms: the model is 64 frames late, and so is where it mixes."""
    config = HostConfig(44_100, 4_410, 2)
    with Session.open(small_model, config, fifo_priority=None) as session:
        clock, words = EngineClock(session), Segment.attach(session.segment_path).words
        engine = engine_word(0)
        now = 1_000.0
        monkeypatch.setattr(schedule.time, "perf_counter", lambda: now)

        def is_time(due: float, *, came: int, done: int) -> bool:
            """With so many blocks in, the last just now, and so many of them mixed."""
            words[Host.PLAYING] = 0
            words[Host.IN_END], words[Host.POSTED_NS] = came * 4_410, round(now * 1e9)
            words[engine + Engine.OUT_END] = done * 4_410 - 64
            return clock.is_time(due)

        in_this_block, in_the_next = now + 0.05, now + 0.15
        assert is_time(in_this_block, came=7, done=7)
        assert not is_time(in_this_block, came=7, done=6), "the block before is not mixed yet"
        assert not is_time(in_the_next, came=7, done=7), "it would be a block early"
        nearly = now + 0.1 - 32 / 44_100  # mixed with the frames of the next block
        assert not is_time(nearly, came=7, done=7)
        assert is_time(now - 0.25, came=7, done=0), "nobody waits for an engine that is late"
        clock.close()
