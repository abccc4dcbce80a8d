"""`stemwire preset` and `stemwire midi`, beside a running server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import SimpleNamespace

import mido
import pytest
import typer
from typer.testing import CliRunner, Result

from plugin_host.command_group import CommandGroup
from plugin_host.midi import MidiControl
from plugin_host.midi_commands import midi_app
from plugin_host.preset_commands import preset_app


@pytest.fixture
def run() -> Callable[..., Result]:
    app = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False)
    app.add_typer(preset_app, name="preset")
    app.add_typer(midi_app, name="midi")

    def run_one(*words: object) -> Result:
        result = CliRunner().invoke(app, list(map(str, words)))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run_one


def test_presets_are_saved_listed_recalled_and_deleted(run, server, board):
    assert "no preset" in run("preset", "list").stderr
    board.set("stem/drums/gain", 0.5)
    assert run("preset", "save", "verse", "--port", server.port).exit_code == 0
    assert run("preset", "list").stdout == "verse\n"
    assert json.loads(run("preset", "list", "--json").stdout)["presets"] == ["verse"]
    board.set("stem/drums/gain", 2.0)
    assert run("preset", "recall", "verse", "--port", server.port).exit_code == 0
    assert board.get("stem/drums/gain") == 0.5
    assert run("preset", "delete", "verse").exit_code == 0
    done = run("preset", "recall", "verse", "--port", server.port)
    assert (done.exit_code, "no preset 'verse'" in done.stderr) == (2, True)
    assert run("preset", "save", "../verse", "--port", server.port).exit_code == 2


@pytest.fixture
def knobs(board, tmp_path, monkeypatch):
    """Moves knobs of a controller that is not there."""
    monkeypatch.setenv("STEMWIRE_MIDI", str(tmp_path / "midi.toml"))
    callbacks = []

    def open_input(name, *, virtual, callback):
        callbacks.append(callback)
        return SimpleNamespace(close=lambda: None)

    backend = SimpleNamespace(get_input_names=lambda: ["knobs"], open_input=open_input)

    def move(value):
        callbacks[0](mido.Message("control_change", control=7, value=value))

    with MidiControl(board, backend=backend) as control:
        yield SimpleNamespace(move=move, control=control)


def test_a_controller_is_learned_over_the_network(run, server, board, knobs, until):
    waits = threading.Thread(
        target=lambda: until(lambda: knobs.move(127) or knobs.control.controllers)
    )
    waits.start()
    done = run("midi", "learn", "bypass", "--toggle", "--port", server.port)
    waits.join()
    assert (done.exit_code, "Learned: bypass" in done.stderr) == (0, True)
    until(lambda: "bypass" in run("midi", "map").stdout)
    [known] = json.loads(run("midi", "map", "--json").stdout)["controllers"]
    assert known == {"channel": 1, "number": 7, "control": "bypass", "mode": "toggle"}
    assert run("midi", "forget", "bypass", "--port", server.port).exit_code == 0
    until(lambda: not json.loads(run("midi", "map", "--json").stdout)["controllers"])
    assert run("midi", "forget", "bypass", "--port", server.port).exit_code == 2
    assert run("midi", "learn", "kazoo", "--port", server.port).exit_code == 2
