"""`stemwire serve` has the mixer and OSCQuery at its side, at a port that is told."""

from __future__ import annotations

import json
import socket
import urllib.request
from contextlib import suppress

import pytest

from plugin_host.osc.client import OscClient
from plugin_host.web.options import DEFAULT_PORT


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("PRESETS", "MODELS"):
        monkeypatch.setenv(f"STEMWIRE_{name}", str(tmp_path / name.lower()))


def _get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_programs_find_in_the_tree_what_plays_and_where_osc_is_heard(live, make_song):
    song = make_song(frames=88_200)
    one = live("--audio", f"file:{song}", "--loop", "--osc-port", 0, "--web-port", 0)
    running = one.wait_for("running")
    url, osc_port = running["reached"]["web"], int(running["reached"]["osc"].rpartition(":")[2])
    assert _get(f"{url}?HOST_INFO")["OSC_PORT"] == osc_port
    with OscClient("127.0.0.1", osc_port) as client:
        client.send("/stemwire/stem/drums/gain", [0.5])
        client.send("/stemwire/stem/drums/gain")
    assert _get(f"{url}stemwire/stem/drums/gain?VALUE") == {"VALUE": [0.5]}
    ledger = _get(f"{url}stemwire/status/ledger?VALUE")["VALUE"][0]
    assert ledger.endswith(f"= {running['latency']} frames")


def test_a_port_that_is_taken_is_an_error_only_if_it_was_asked_for(live, make_song):
    song = make_song(frames=4_410)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        one = live("--audio", f"file:{song}", "--osc-port", 0, "--web-port", port)
        assert one.process.wait(30) == 2
        assert "another --web-port" in one.process.stderr.read()


def test_browsers_can_be_left_out(live, make_song):
    song = make_song(frames=4_410)
    one = live("--audio", f"file:{song}", "--osc-port", 0, "--no-web")
    assert set(one.wait_for("running")["reached"]) == {"osc"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--web-port", 70_000), "The web port is 70000"),
        (("--web-allow", "kazoo", "--web-port", 0), "is no network"),
        (("--web-host", "nowhere.invalid", "--web-port", 0), "no address"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_plays(live, make_song, options, words):
    one = live("--audio", f"file:{make_song(frames=4_410)}", "--osc-port", 0, *options)
    assert one.process.wait(30) == 2
    assert words in one.process.stderr.read()


def test_a_port_that_was_not_asked_for_is_only_a_note(live, make_song):
    song = make_song(frames=88_200)
    with socket.socket() as taken:
        with suppress(OSError):  # somebody else has it
            taken.bind(("127.0.0.1", DEFAULT_PORT))
            taken.listen()
        one = live("--audio", f"file:{song}", "--osc-port", 0)
        assert "There is no web mixer" in one.wait_for("note")["message"]
        assert set(one.wait_for("running")["reached"]) == {"osc"}
