"""MIDI controllers turn controls, learn which, and come and go."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mido
import pytest

from engine import ConfigError
from engine.controls import controls_for
from plugin_host import midi
from plugin_host.board import ERROR, Board
from plugin_host.errors import AudioDeviceError
from plugin_host.midi import LEARNED, MidiControl, position
from plugin_host.midi_map import Controller, read_map, write_map

STEMS = ("drums", "bass")


class Backend:
    """Stands in for mido's: ports that the test plugs in and moves."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.open: dict[str, Any] = {}

    def get_input_names(self) -> list[str]:
        return self.names

    def open_input(self, name: str, *, virtual: bool, callback: Callable[..., None]) -> Any:
        if name == "busy":
            raise OSError("in use")
        self.open[name] = callback
        return SimpleNamespace(close=lambda: self.open.pop(name))

    def move(self, number: int, value: int, channel: int = 1, port: str = "knobs") -> None:
        message = mido.Message("control_change", channel=channel - 1, control=number, value=value)
        self.open[port](message)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "midi.toml"


@pytest.fixture
def board() -> Iterator[Board]:
    with Board(STEMS) as board:
        yield board


@pytest.fixture
def backend() -> Backend:
    return Backend("knobs", "Stemwire:out")


@pytest.fixture
def control(board, backend, path) -> Iterator[MidiControl]:
    with MidiControl(board, path=path, backend=backend) as control:
        yield control


def _until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)


def test_the_next_controller_that_moves_is_learned_told_and_saved(control, board, backend, path):
    heard = []
    board.subscribe(lambda *news: heard.append(news))
    backend.move(7, 0)
    assert board.get("stem/drums/gain") == 1.0, "nothing is learned yet"
    board.midi.learn("stem/drums/gain", "follow", "ann")
    backend.move(7, 127, channel=3)
    assert board.get("stem/drums/gain") == 4.0
    backend.move(7, 0, channel=1)
    assert board.get("stem/drums/gain") == 4.0, "that is another channel"
    backend.move(7, 0, channel=3)
    assert board.get("stem/drums/gain") == 0.0
    _until(lambda: (LEARNED, "stem/drums/gain", "ann") in heard)
    _until(path.exists)
    assert read_map(path) == [Controller(3, 7, "stem/drums/gain")]


def test_what_was_learned_is_there_the_next_time(board, backend, path):
    controllers = [Controller(1, 7, "stem/drums/pan"), Controller(16, 0, "bypass", "toggle")]
    write_map(path, controllers)
    with MidiControl(board, path=path, backend=backend) as control:
        assert list(control.controllers) == controllers
        backend.move(7, 127)
        assert board.get("stem/drums/pan") == 1.0


def test_a_press_toggles_and_a_release_does_nothing(control, board, backend):
    board.midi.learn("stem/bass/mute", "toggle", "")
    for expected in (1.0, 0.0, 1.0):
        backend.move(20, 127)
        assert board.get("stem/bass/mute") == expected
        backend.move(20, 0)
        assert board.get("stem/bass/mute") == expected


def test_a_press_triggers(control, board, backend):
    board.midi.learn("reset", "follow", "")
    before = board.get("reset")
    for value in (127, 0, 127, 0):
        backend.move(21, value)
    assert board.get("reset") == before + 2


def test_forgetting_frees_a_controller(control, board, backend, path):
    board.midi.learn("stem/bass/mute", "follow", "")
    backend.move(20, 127)
    board.midi.forget("stem/bass/mute", "")
    backend.move(20, 0)
    assert board.get("stem/bass/mute") == 1.0
    _until(lambda: path.exists() and read_map(path) == [])
    with pytest.raises(ConfigError, match="No MIDI controller turns"):
        board.midi.forget("stem/bass/mute", "")


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [
        ("kazoo", "follow", "no control 'kazoo'"),
        ("bypass", "sideways", "follow or toggle"),
        ("stem/drums/gain", "toggle", "with follow, not"),
    ],
)
def test_what_cannot_be_learned_is_refused(control, board, name, mode, words):
    with pytest.raises(ConfigError, match=words):
        board.midi.learn(name, mode, "")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("stem/drums/gain", {0: 0.0, 64: 1.0, 127: 4.0, 32: 0.25}),
        ("stem/drums/pan", {0: -1.0, 64: 0.0, 127: 1.0}),
        ("stem/drums/mute", {0: 0.0, 63: 0.0, 64: 1.0, 127: 1.0}),
    ],
)
def test_the_middle_of_a_knob_is_where_nothing_is_changed(name, settings):
    [declared] = [one for one in controls_for(STEMS) if one.name == name]
    for value, expected in settings.items():
        assert position(declared, value) == expected
    ways = [position(declared, value) for value in range(128)]
    assert ways == sorted(ways)
    assert all(declared.checked(way) == way for way in ways)


def test_notes_and_controls_of_other_models_are_let_pass(board, backend, path):
    write_map(path, [Controller(1, 7, "stem/kazoo/gain")])
    with MidiControl(board, path=path, backend=backend):
        before = board.as_dict()
        backend.open["knobs"](mido.Message("note_on", note=7))
        backend.move(7, 127)
        assert board.as_dict() == before


def test_ports_are_opened_when_they_come_and_closed_when_they_go(monkeypatch, board, backend, path):
    monkeypatch.setattr(midi, "_LOOK_SECONDS", 0.02)
    backend.names += ["busy"]
    with MidiControl(board, ["KNOBS", "faders"], path, backend) as control:
        assert control.ports == ("knobs",)
        backend.names.append("My Faders 1")
        _until(lambda: control.ports == ("knobs", "My Faders 1"))
        backend.names.remove("knobs")
        _until(lambda: control.ports == ("My Faders 1",))
        backend.names.append("knobs")
        _until(lambda: "knobs" in control.ports)
    assert backend.open == {}
    assert board.midi is None


def test_our_own_ports_are_not_opened(control):
    assert control.ports == ("knobs",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format = 2", "no list of MIDI controllers"),
        ("format = 1\ncontrollers = 3", "no list of MIDI controllers"),
        ("format", "cannot be read"),
        ("format = 1\n[[controllers]]\nchannel = 1", "is wrong"),
        ('format = 1\n[[controllers]]\nchannel=0\nnumber=1\ncontrol="bypass"', "1 to 16"),
        ('format = 1\n[[controllers]]\nchannel=1\nnumber=128\ncontrol="bypass"', "0 to 127"),
        ('format = 1\n[[controllers]]\nchannel=1\nnumber="1"\ncontrol="bypass"', "0 to 127"),
        (
            'format=1\n[[controllers]]\nchannel=1\nnumber=1\ncontrol="a"\nmode="x"',
            "follow or toggle",
        ),
    ],
)
def test_a_damaged_file_is_refused_with_its_path(board, backend, path, text, words):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        MidiControl(board, path=path, backend=backend)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_written_is_told_to_who_taught(board, backend, tmp_path):
    (tmp_path / "file").write_text("")
    heard = []
    board.subscribe(lambda *news: heard.append(news))
    with MidiControl(board, path=tmp_path / "file" / "midi.toml", backend=backend) as control:
        control.learn("bypass", origin="ann")
        backend.move(1, 127)
        _until(lambda: any(name == ERROR and origin == "ann" for name, _, origin in heard))


# ---- beside a real MIDI system ------------------------------------------------------------------


@pytest.fixture
def jack(needs_program, monkeypatch, tmp_path) -> Iterator[None]:
    """A JACK server of the test's own, over which MIDI goes."""
    jackd, lsp = needs_program("jackd"), needs_program("jack_lsp")
    name = f"stemwire-midi-{secrets.token_hex(3)}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("MIDO_BACKEND", "mido.backends.rtmidi/UNIX_JACK")
    command = [jackd, "-n", name, "-r", "-d", "dummy"]
    with (tmp_path / "jack.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)

    def is_running() -> bool:
        listing = subprocess.run([lsp], capture_output=True, check=False)
        return b"system:playback_1" in listing.stdout

    try:
        _until(is_running)
        yield
    finally:
        server.terminate()
        server.wait()


def test_a_real_controller_is_found_learned_and_followed(jack, board, path):
    rtmidi = pytest.importorskip("rtmidi")
    knobs = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="knobs")
    knobs.open_virtual_port("out")
    try:
        with MidiControl(board, ["knobs"], path) as control:
            assert len(control.ports) == 1
            control.learn("stem/drums/gain")
            _until(lambda: knobs.send_message([0xB0, 7, 64]) or control.controllers)
            assert board.get("stem/drums/gain") == 1.0
            knobs.send_message([0xB0, 7, 32])
            _until(lambda: board.get("stem/drums/gain") == 0.25)
    finally:
        knobs.close_port()
        knobs.delete()


def test_a_machine_without_midi_says_so(monkeypatch, board, path):
    monkeypatch.setenv("MIDO_BACKEND", "mido.backends.rtmidi/UNIX_JACK")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "no-such-server")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with pytest.raises(AudioDeviceError, match="no MIDI on this machine"):
        MidiControl(board, path=path)
    assert board.midi is None
