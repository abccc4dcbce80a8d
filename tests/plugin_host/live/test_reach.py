"""`stemwire serve` is turned over OSC while it plays, whatever becomes of the session."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from plugin_host.osc.client import OscClient

GAIN = "/stemwire/stem/drums/gain"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("PRESETS", "MODELS"):
        monkeypatch.setenv(f"STEMWIRE_{name}", str(tmp_path / name.lower()))


@pytest.fixture
def reach(live, make_song):
    """Plays a song over and over; returns what `serve` says, and a client of its own."""
    clients = []

    def start(*options: object, osc_port: int = 0):
        song = make_song(frames=88_200)
        words = ("--audio", f"file:{song}", "--loop", "--osc-port", osc_port, *options)
        one = live(*words)
        running = one.wait_for("running")
        host, _, port = running["reached"]["osc"].rpartition(":")
        clients.append(OscClient(host, int(port)))
        return one, clients[-1]

    yield start
    for client in clients:
        client.__exit__()


def _until(client: OscClient, path: str, value: object) -> None:
    until = time.monotonic() + 20
    while client.send(path)[0].values != (value,):
        assert time.monotonic() < until, f"{path} is not {value}"
        time.sleep(0.02)


def test_a_fader_over_osc_turns_what_is_heard(reach):
    one, client = reach("--set", "stem/bass/gain=0.25")
    assert client.send("/stemwire/stem/bass/gain") == [("/stemwire/stem/bass/gain", (0.25,))]
    client.send(GAIN, [0.5])
    one.wait_for("status")
    assert client.send(GAIN) == [(GAIN, (0.5,))]
    client.send("/stemwire/panic", [1])
    until = time.monotonic() + 20
    while one.next_status()["meters"]["mix"]["peak"] > 1e-3:
        assert time.monotonic() < until
    assert client.send("/stemwire/master/meter")[0].values[1] < -40
    one.send(set={"stem/drums/gain": 2.0})
    _until(client, GAIN, 2.0)


def test_the_ledger_over_osc_is_the_one_that_is_told(reach):
    one, client = reach()
    running = one.wait_for("running")
    [(_, (latency,))] = client.send("/stemwire/status/latency")
    assert latency == running["latency"]
    [(_, (ledger,))] = client.send("/stemwire/status/ledger")
    assert ledger.endswith(f"= {latency} frames")


def test_a_model_is_chosen_over_osc_and_by_hand(reach, make_small_model, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    make_small_model(models / "other.onnx", name="another-model")
    one, client = reach()
    client.send("/stemwire/model", ["other"])
    assert client.send("/stemwire/model") == [("/stemwire/model", ("other",))]
    one.wait_for("swapped", model="another-model")
    assert client.send("/stemwire/status/model")[0].values == ("another-model",)
    make_small_model(models / "third.onnx", name="third-model")
    one.send(swap=str(models / "third.onnx"))
    one.wait_for("swapped", model="third-model")
    _until(client, "/stemwire/model", "third")


def test_a_preset_is_there_from_the_beginning(reach):
    one, client = reach()
    client.send(GAIN, [0.125])
    client.send("/stemwire/preset/save", ["quiet drums"])
    one.stop()
    _, client = reach("--preset", "quiet drums", "--set", "stem/bass/gain=0.5")
    assert client.send(GAIN) == [(GAIN, (0.125,))]
    assert client.send("/stemwire/stem/bass/gain")[0].values == (0.5,)


def test_a_killed_engine_keeps_what_was_turned(reach):
    one, client = reach()
    client.send(GAIN, [0.5])
    restarts = client.send("/stemwire/status/restarts")[0].values[0]
    subprocess.run(["kill", "-9", str(one.child("engine.worker"))], check=True)
    _until(client, "/stemwire/status/restarts", restarts + 1)
    assert client.send(GAIN) == [(GAIN, (0.5,))]


def test_a_taken_port_is_an_error_where_it_was_asked_for_and_else_a_note(live, make_song):
    song = make_song(frames=88_200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        one = live("--audio", f"file:{song}", "--osc-port", port)
        assert one.finish() == 2
        assert "another --osc-port" in one.process.stderr.read()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        with suppress(OSError):  # somebody else has it
            taken.bind(("127.0.0.1", 9130))
        one = live("--audio", f"file:{song}", "--no-web")
        assert "There is no OSC" in one.wait_for("note")["message"]
        assert one.wait_for("running")["reached"] == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--osc-port", 70_000), "The OSC port is 70000"),
        (("--osc-allow", "my network"), "no network"),
        (("--osc-host", "nowhere.invalid", "--osc-port", 0), "no address"),
        (("--preset", "nowhere"), "no preset 'nowhere'"),
        (("--preset", "../nowhere"), "cannot be called"),
        (("--osc-reply-port", 0), "reply port is 0"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(live, make_song, options, words):
    one = live("--audio", f"file:{make_song()}", *options)
    assert one.finish() == 2
    said = one.process.stderr.read()
    assert words in said
    assert said.count("\n") == 1


def test_the_command_speaks_to_a_running_server(reach):
    one, _ = reach()
    port = one.wait_for("running")["reached"]["osc"].rpartition(":")[2]
    command = [sys.executable, "-m", "plugin_host", "osc", "send", "--port", port, "--json"]
    subprocess.run([*command, GAIN, "0.5"], check=True)
    done = subprocess.run([*command, GAIN], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == {"address": GAIN, "values": [0.5]}
