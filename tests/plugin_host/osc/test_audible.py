"""From a message to what is heard: with the next block, or with the block that a timetag names.

Host and engine hand blocks to each other like this; a message at ^ is heard from | on, a block and
less than another one later where the worker has a share in the latency, and that block less in a
host that waits (`direct`):

    frames come in   0 1 2 3 | 4 5 6 7 | 8 9 . . |
    mixed                        0..3      4..7
    played           (-4..-1)|   -4..-1  |  0..3  |  4..7      worker
                             |  0..3 |  4..7 |                direct
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
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
GAINS = tuple(1.0 - 0.05 * step for step in range(1, 14))
GAIN = "/stemwire/master/gain"


class Stage:
    """Plays a constant at the audio clock, in a thread, and keeps what was heard of the mix."""

    def __init__(self, session: Session) -> None:
        self._exchange = Exchange.attach(session.segment_path)
        self._heard: list[np.ndarray] = []
        self._came: list[float] = []  # when each block had come in whole
        self._late: list[float] = []  # seconds that it should have come in before
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        block = np.full((2, BLOCK), LEVEL, np.float32)
        stems = np.zeros((len(STEMS), 2, BLOCK), np.float32)
        with suppress(AttributeError, OSError):  # as a sound card's thread, where that is allowed
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
        due = time.perf_counter()
        while not self._is_over.is_set():
            due += BLOCK / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            mix = np.zeros((2, BLOCK), np.float32)
            self._came.append(time.perf_counter())
            self._late.append(self._came[-1] - due)
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

    def was_steady(self, moment: float) -> bool:
        """Whether blocks came in time about a moment, as those of a sound card do."""
        came, late = np.array(self._came), np.array(self._late)
        near = late[(came > moment - 0.1) & (came < moment + 0.1)]
        return len(near) > 4 and near.max() < 0.25 * BLOCK / RATE

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._exchange.close()


@pytest.fixture
def on_stage(small_model: Path) -> Iterator[Callable[..., tuple[Stage, Client]]]:
    """Sets all up: `on_stage(direct=True)`."""
    with ExitStack() as stack:

        def set_up(*, direct: bool = False) -> tuple[Stage, Client]:
            config = HostConfig(RATE, BLOCK, 2)
            session = stack.enter_context(Session.open(small_model, config, direct=direct))
            board = stack.enter_context(Board(STEMS))
            board.connect(session)
            server = stack.enter_context(OscServer(board, OscOptions(port=0)))
            client = stack.enter_context(closing(Client(server.port)))
            stage = stack.enter_context(closing(Stage(session)))
            time.sleep(0.5)
            return stage, client

        yield set_up


def _ramps(heard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The frames at which the level leaves each of `GAINS`, and those at which it has the next."""
    levels = LEVEL * np.array((1.0, *GAINS))
    begins = [int(np.argmax(heard < level - 1e-5)) for level in levels[:-1]]
    ends = [int(np.argmax(heard < level + 1e-5)) for level in levels[1:]]
    return np.array(begins), np.array(ends)


@pytest.mark.parametrize("direct", [False, True])
def test_a_gain_is_heard_with_the_next_block_and_then_its_ramp(on_stage, direct):
    stage, client = on_stage(direct=direct)
    rng = np.random.default_rng(0)
    moments = []
    for gain in GAINS:
        time.sleep(0.06 + float(rng.uniform(0, BLOCK / RATE)))
        moments.append(time.perf_counter())
        client.send(GAIN, gain)
    time.sleep(0.2)
    begins, ends = _ramps(stage.heard)
    sent = np.array([stage.frame_at(moment) for moment in moments])
    # What is played with a block is heard while the next one comes in.
    delays = begins + stage.latency + BLOCK - sent
    share = 0 if direct else BLOCK
    # Most of them: the machine may be busy with other things than this test.
    assert np.median(ends - begins) + 1 == round(RAMP_SECONDS * RATE)
    steady = [stage.was_steady(moment) for moment in moments]
    if not any(steady):
        pytest.skip("the machine is too busy to play in time")
    assert np.median(delays[steady]) <= share + BLOCK
    assert delays[steady].min() >= share - BLOCK


def test_a_bundle_is_heard_with_the_block_that_comes_in_at_its_time(on_stage):
    stage, client = on_stage()
    moments = [time.time() + 0.25 + 0.0711 * number for number in range(len(GAINS))]
    for gain, moment in zip(GAINS, moments, strict=True):
        client.send_raw(build_bundle([build(GAIN, [gain])], timetag_of(moment)))
    assert client.until_pong() == [], "it was taken for a fault"
    to_perf_counter = time.perf_counter() - time.time()
    time.sleep(moments[-1] - time.time() + 0.3)
    begins, _ = _ramps(stage.heard)
    due = np.array([stage.frame_at(moment + to_perf_counter) for moment in moments])
    steady = [stage.was_steady(moment + to_perf_counter) for moment in moments]
    if not any(steady):
        pytest.skip("the machine is too busy to play in time")
    early = (due - begins)[steady]  # of the ramp; the frame lies in the block that begins there
    assert ((early >= 0) & (early < BLOCK)).mean() > 0.5, "most of them, on a busy machine"
