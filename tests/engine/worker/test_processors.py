"""Processors in the engine's process: aligned, turned by controls, and never the end of the sound.

The small model's stems are gains of the mixture, so what a chain does to them is foretold.
"""

import os
import signal

import numpy as np
import pytest

from engine import ConfigError, HostConfig
from engine.errors import WorkerError
from engine.processors import Processors
from engine.worker import Session

GAINS = np.array([0.4, 0.3, 0.15, 0.1, 0.05], np.float32)
# A processor that does as its options say.
MODULE = """
import ctypes, os, time
from dataclasses import dataclass, field
import numpy as np
from engine.controls import Control

@dataclass
class Delayed:
    latency: int = 0
    gain: float = 1.0
    fails_above: float = 1e9      # input above this makes it fail ...
    failure: str = "raise"        # ... in this way
    at_load: str = ""
    load_fails_beside: str = ""   # this file makes at_load happen; none: always
    name: str = "Delayed"

    @property
    def controls(self):
        return [Control("gain", 0, 4, self.gain, "linear", "value", "How loud.")]

    def prepare(self, config):
        if self.at_load and os.path.exists(self.load_fails_beside or "/"):
            self.fail(self.at_load)
        self.reset()

    def process(self, audio, out):
        if np.abs(audio).max() > self.fails_above:
            self.fail(self.failure)
        if self.past is None:
            self.past = np.zeros((len(audio), self.latency), np.float32)
        joined = np.concatenate([self.past, audio], axis=1)
        out[...] = joined[:, : audio.shape[1]] * np.float32(self.gain)
        self.past = joined[:, audio.shape[1] :]

    def fail(self, how):
        if how == "crash":
            ctypes.string_at(0)
        elif how == "hang":
            time.sleep(1000)
        elif how == "exit":
            os._exit(3)
        raise ArithmeticError("it does not add up")

    def set(self, name, value):
        self.gain = value

    def reset(self):
        self.past = None

def build(options, stems):
    return {
        place: [lambda one=one: Delayed(**one) for one in chain] for place, chain in options.items()
    }
"""


@pytest.fixture
def chains(tmp_path, monkeypatch):
    """Names chains for an engine: `chains(drums=[{"latency": 5}])`."""
    (tmp_path / "chains_of_the_tests.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return lambda **options: Processors("chains_of_the_tests:build", options)


def _expected(host, gains=(1, 1, 1, 1, 1)) -> np.ndarray:
    """What the stems are to be: the delayed input times gains."""
    scale = GAINS * np.asarray(gains, np.float32)
    return scale[:, np.newaxis, np.newaxis] * host.delayed


def _recovered(host, blocks: int = 8):
    return lambda: len(host.late) >= blocks and not any(host.late[-blocks:])


@pytest.mark.parametrize("fixed", [True, False])
def test_outputs_are_addressed_by_input_frame_whatever_the_chains_add(
    open_session, player, noise, chains, fixed
):
    session = open_session(
        256,
        fixed=fixed,
        processors=chains(
            drums=[{"latency": 100}, {"latency": 333}],
            bass=[{"gain": 2.0}],
            mix=[{"latency": 77}, {"gain": 0.5}],
        ),
    )
    assert dict(session.ledger)["plugin chain"] == 433 + 77
    assert session.latency == session.ledger.total
    host = player(session, noise)
    sizes = [256] if fixed else [256, 1, 255, 100, 64, 7]
    for number in range(60):
        host.play(sizes[number % len(sizes)], wait=True)
    assert host.position > 2 * session.latency
    assert not any(host.late)
    np.testing.assert_allclose(host.stems, _expected(host, gains=(1, 2, 1, 1, 1)), atol=1e-6)
    np.testing.assert_allclose(host.mix, 0.5 * (1 + GAINS[1]) * host.delayed, atol=1e-6)


def test_a_session_with_empty_chains_is_one_without_bit_for_bit(
    open_session, player, noise, chains
):
    hosts = [
        player(open_session(256, **options), noise)
        for options in ({}, {"processors": chains()}, {"processors": chains(bass=[])})
    ]
    latencies = {host.exchange.latency for host in hosts}
    assert len(latencies) == 1, "one of them was measured to be slow; that is no fault of chains"
    for _ in range(40):
        for host in hosts:
            host.play(256, wait=True)
    for host in hosts[1:]:
        np.testing.assert_array_equal(host.stems, hosts[0].stems)
        np.testing.assert_array_equal(host.mix, hosts[0].mix)


def test_controls_of_processors_come_last_and_work_while_it_plays(
    open_session, player, noise, chains
):
    session = open_session(
        256,
        processors=chains(bass=[{"gain": 0.5}], mix=[{"gain": 1.0}]),
        controls={"stem/bass/plugin/0/gain": 2.0},
    )
    names = session.controls.names
    assert names[-3:] == ("reset", "stem/bass/plugin/0/gain", "mix/plugin/0/gain")
    assert session.controls.controls[-2].default == 0.5
    host = player(session, noise)
    for _ in range(20):
        host.play(256, wait=True)
    settled = slice(session.latency, None)
    expected = _expected(host, gains=(1, 2, 1, 1, 1))
    np.testing.assert_allclose(host.stems[..., settled], expected[..., settled], atol=1e-6)
    session.controls.set("stem/bass/plugin/0/gain", 4.0)
    session.controls.set("mix/plugin/0/gain", 0.25)
    before = host.position
    for _ in range(20):
        host.play(256, wait=True)
    settled = slice(before + session.latency, None)
    np.testing.assert_allclose(
        host.stems[1][:, settled], 4 * _expected(host)[1][:, settled], atol=1e-6
    )
    np.testing.assert_allclose(
        host.mix[:, settled], 0.25 * (1 + 3 * GAINS[1]) * host.delayed[:, settled], atol=1e-6
    )
    for name, value in (("stem/bass/plugin/0/gain", 4.1), ("stem/bass/plugin/1/gain", 1.0)):
        with pytest.raises(ConfigError):
            session.controls.set(name, value)


def test_a_processor_that_raises_is_bypassed_and_told_and_nothing_moves(
    open_session, player, noise, chains
):
    session = open_session(
        256, processors=chains(drums=[{"latency": 100, "fails_above": 0.3}, {"latency": 20}])
    )
    loud = noise.copy()
    loud[:, : 256 * 20] *= 0.1
    loud[:, 256 * 20 :] *= 1.9
    host = player(session, loud)
    for _ in range(60):
        host.play(256, wait=True)
    np.testing.assert_allclose(host.stems, _expected(host), atol=1e-6)
    assert not any(host.late)
    notes = [note for note in session.status().notes if "bypassed" in note]
    assert notes == [
        "Delayed (plugin 0 of drums) is bypassed from now on: it raised ArithmeticError: it does "
        "not add up."
    ]


def test_a_killed_engine_comes_back_with_its_chains_as_they_were_turned(
    open_session, player, noise, chains
):
    session = open_session(256, processors=chains(bass=[{"latency": 333}]))
    session.controls.set("stem/bass/plugin/0/gain", 2.0)
    host = player(session, noise)
    host.play_paced(0.1)
    for _ in range(3):
        dead = session.engine_pid
        os.kill(dead, signal.SIGKILL)
        host.play_until(lambda: session.engine_pid != dead)  # noqa: B023
        host.play_until(_recovered(host))
    last = slice(-4 * 256, None)
    expected = _expected(host, gains=(1, 2, 1, 1, 1))
    np.testing.assert_allclose(host.stems[..., last], expected[..., last], atol=1e-6)
    assert not [note for note in session.status().notes if "bypassed" in note]


def test_a_swap_takes_the_chains_along(open_session, player, noise, chains, make_small_model,
                                       tmp_path):  # fmt: skip
    gains = (0.1, 0.1, 0.2, 0.2, 0.4)
    other = make_small_model(tmp_path / "other.onnx", gains=gains, name="other-model")
    session = open_session(
        256, processors=chains(other=[{"latency": 200, "gain": 0.5}], mix=[{"latency": 50}])
    )
    session.controls.set("stem/other/plugin/0/gain", 2.0)
    host = player(session, noise)
    for _ in range(20):
        host.play(256, wait=True)
    session.swap(other)
    for _ in range(40):
        host.play(256, wait=True)
    last = slice(-8 * 256, None)
    expected = np.multiply.outer(np.array(gains) * (1, 1, 1, 1, 2), host.delayed[:, last])
    np.testing.assert_allclose(host.stems[..., last], expected, atol=1e-6)
    np.testing.assert_allclose(host.mix[:, last], expected.sum(axis=0), atol=1e-6)


@pytest.mark.parametrize(("failure", "word"), [("crash", "SIGSEGV"), ("exit", "more than once"),
                                               ("hang", "more than once")])  # fmt: skip
def test_a_processor_that_takes_the_engine_down_is_left_out_of_the_next(
    open_session, player, noise, chains, failure, word
):
    session = open_session(
        256,
        processors=chains(drums=[{"latency": 50}], bass=[{"fails_above": 0.3, "failure": failure}]),
    )
    host = player(session, 3 * noise)
    host.play_until(lambda: any("bypassed" in note for note in session.status().notes), seconds=30)
    host.play_until(_recovered(host), seconds=30)
    [note] = [note for note in session.status().notes if "bypassed" in note]
    assert note.startswith("Delayed (plugin 0 of bass) is bypassed from now on: ")
    assert word in note
    last = slice(-4 * 256, None)
    np.testing.assert_allclose(host.stems[..., last], _expected(host)[..., last], atol=1e-6)


def _own_memory() -> set[str]:
    """The shared memory that this process has made."""
    return {name for name in os.listdir("/dev/shm") if name.startswith(f"stemwire-{os.getpid()}-")}


@pytest.mark.parametrize("at_load", ["raise", "crash"])
def test_a_processor_that_loads_no_more_is_left_out_and_the_sound_goes_on(
    open_session, player, noise, chains, tmp_path, at_load
):
    gone = tmp_path / "gone"
    late = {"latency": 200, "at_load": at_load, "load_fails_beside": str(gone)}
    session = open_session(256, processors=chains(drums=[late], bass=[{"latency": 30}]))
    host = player(session, noise)
    host.play_paced(0.1)
    gone.touch()
    os.kill(session.engine_pid, signal.SIGKILL)
    host.play_until(lambda: any("bypassed" in note for note in session.status().notes), seconds=30)
    host.play_until(_recovered(host), seconds=30)
    last = slice(-4 * 256, None)
    np.testing.assert_allclose(host.stems[..., last], _expected(host)[..., last], atol=1e-6)
    [note] = [note for note in session.status().notes if "bypassed" in note]
    assert note.startswith("Delayed (plugin 0 of drums) is bypassed from now on: ")
    assert ("SIGSEGV" if at_load == "crash" else "does not add up") in note


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"drums": [{"at_load": "raise"}]}, ConfigError,
         "Plugin 0 of drums cannot be loaded: it does not add up"),
        ({"drums": [{}], "mix": [{}, {"at_load": "crash"}]}, WorkerError,
         "signal 11.* while it loaded plugin 1 of mix"),
        ({"drums": [{"fails_above": -1, "failure": "crash"}]}, WorkerError,
         "signal 11.* while it loaded plugin 0 of drums"),
        ({"vocals": [{}]}, ConfigError, "There is no stem 'vocals' for a chain"),
        ({"drums": [{"latency": 441_001}]}, ConfigError, "Delayed is 441001 frames late; 10 s are"),
        ({"drums": [{"latency": 400_000}] * 6}, ConfigError, "leave a plugin out"),
        ({"drums": [{"nonsense": 1}]}, ConfigError, "Plugin 0 of drums cannot be loaded"),
    ],
)  # fmt: skip
def test_chains_that_cannot_be_begin_nothing(small_model, chains, options, error, message):
    before = _own_memory()
    with pytest.raises(error, match=message):
        Session.open(small_model, HostConfig(44_100, 256, 2), processors=chains(**options))
    assert _own_memory() == before


def test_a_control_that_cannot_be_ends_the_engine_too(small_model, chains):
    before = _own_memory()
    with pytest.raises(ConfigError, match="give 0 to 4"):
        Session.open(
            small_model,
            HostConfig(44_100, 256, 2),
            processors=chains(drums=[{}]),
            controls={"stem/drums/plugin/0/gain": 5.0},
        )
    assert _own_memory() == before
