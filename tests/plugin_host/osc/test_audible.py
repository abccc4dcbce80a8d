"""From a message to what is heard: at once within a block, or at the block that a timetag names."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import HostConfig
from engine.mixer import RAMP_SECONDS
from engine.worker import Exchange, Session
from plugin_host.board import Board
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.schedule import timetag_of
from plugin_host.osc.server import OscOptions, OscServer

from .conftest import Client

STEMS = ("drums", "bass", "piano", "strings", "other")
RATE, BLOCK = 44_100, 512
LEVEL = 0.5
GAIN = "/stemwire/master/gain"


class Stage:
    """Plays a constant at the audio clock, in a thread, and keeps what was heard of the mix."""

    def __init__(self, session: Session) -> None:
        self._exchange = Exchange.attach(session.segment_path)
        self._heard: list[np.ndarray] = []
        self._came: list[float] = []  # when each block had come in whole
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        block = np.full((2, BLOCK), LEVEL, np.float32)
        stems = np.zeros((len(STEMS), 2, BLOCK), np.float32)
        due = time.perf_counter()
        while not self._is_over.is_set():
            due += BLOCK / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            mix = np.zeros((2, BLOCK), np.float32)
            self._came.append(time.perf_counter())
            self._exchange.process(block, mix, stems)
            self._heard.append(mix[0])

    @property
    def latency(self) -> int:
        return self._exchange.latency

    @property
    def heard(self) -> np.ndarray:
        """The mix so far, by the frame that came in."""
        return np.concatenate(self._heard)[self.latency :]

    def frame_at(self, moment: float) -> int:
        """The frame that came in at a moment of `time.perf_counter`."""
        came = np.array(self._came)
        last = int(np.searchsorted(came, moment)) - 1
        return (last + 1) * BLOCK + int((moment - came[last]) * RATE)

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._exchange.close()


@pytest.fixture
def stage(small_model: Path) -> Iterator[tuple[Stage, Client]]:
    with (
        Session.open(small_model, HostConfig(RATE, BLOCK, 2)) as session,
        Board(STEMS) as board,
        OscServer(board, OscOptions(port=0)) as server,
    ):
        board.connect(session)
        stage, client = Stage(session), Client(server.port)
        time.sleep(0.5)
        yield stage, client
        client.close()
        stage.close()


def _changes(heard: np.ndarray) -> list[tuple[int, int]]:
    """The frames at which the level begins to move, and those at which it rests again."""
    moves = np.flatnonzero(np.abs(np.diff(heard)) > 1e-6) + 1
    edges = np.flatnonzero(np.diff(moves) > 1)
    begins = moves[np.concatenate([[0], edges + 1])]
    ends = moves[np.concatenate([edges, [len(moves) - 1]])] + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def test_a_gain_is_heard_within_a_block_and_the_ramp(stage):
    stage, client = stage
    rng = np.random.default_rng(0)
    moments = []
    for number in range(12):
        time.sleep(0.06 + float(rng.uniform(0, BLOCK / RATE)))
        moments.append(time.perf_counter())
        client.send(GAIN, 0.5 if number % 2 == 0 else 1.0)
    time.sleep(0.1)
    changes = _changes(stage.heard)
    assert len(changes) == len(moments)
    assert {end - begin for begin, end in changes} == {round(RAMP_SECONDS * RATE)}
    sent = np.array([stage.frame_at(moment) for moment in moments])
    heard = np.array([begin for begin, _ in changes]) + stage.latency
    delays = heard - sent  # frames from the message to the first sample that differs
    assert np.median(delays) <= BLOCK
    assert delays.max() <= 4 * BLOCK, "even on a busy machine"


def test_a_bundle_is_heard_with_the_block_that_comes_in_at_its_time(stage):
    stage, client = stage
    moments = [time.time() + 0.25 + 0.0711 * number for number in range(12)]
    for number, moment in enumerate(moments):
        gain = build(GAIN, [0.5 if number % 2 == 0 else 1.0])
        client.send_raw(build_bundle([gain], timetag_of(moment)))
    assert client.until_pong() == [], "it was not taken for a fault"
    to_perf_counter = time.perf_counter() - time.time()
    time.sleep(moments[-1] - time.time() + 0.2)
    begins = np.array([begin for begin, _ in _changes(stage.heard)])
    assert len(begins) == len(moments)
    due = np.array([stage.frame_at(moment + to_perf_counter) for moment in moments])
    early = due - begins  # of the ramp; the frame lies in the block that begins there
    is_exact = (early >= 0) & (early < BLOCK)
    assert is_exact.sum() >= 10
    assert np.abs(early).max() <= 3 * BLOCK, "even on a busy machine"
