"""`stemwire osc send`, `monitor` and `list`, as scripts use them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from plugin_host.command_group import CommandGroup
from plugin_host.osc.commands import osc_app

GAIN = "/stemwire/stem/drums/gain"


@pytest.fixture
def osc(server) -> Callable[..., Result]:
    """Runs `stemwire osc ...` for the test's server."""
    app = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False)
    app.add_typer(osc_app, name="osc")

    def run(command: str, *arguments: object, port: int = server.port) -> Result:
        words = ["osc", command, "--port", str(port), *map(str, arguments)]
        result = CliRunner().invoke(app, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def test_send_sets_and_asks(osc, board):
    done = osc("send", GAIN, 0.5)
    assert (done.exit_code, done.stdout) == (0, "")
    assert board.get("stem/drums/gain") == 0.5
    assert osc("send", GAIN).stdout == f"{GAIN} 0.5\n"
    assert osc("send", "/stemwire/stem/bass/pan", -0.25).exit_code == 0
    assert board.get("stem/bass/pan") == -0.25
    lines = osc("send", "//mute").stdout.splitlines()
    assert lines == [f"/stemwire/stem/{stem}/mute 0" for stem in board.stems]


def test_send_ends_with_2_and_a_sentence_where_something_is_wrong(osc):
    for arguments, words in [
        ((GAIN, 9), "give 0 to 4"),
        (("gain", 1), "begins with a slash"),
        (("/nowhere",), "no address /nowhere"),
        ((GAIN, "--types", "ff", 1), "for 2 values"),
        ((GAIN, "--types", "i", "0.5"), "no number of type i"),
        ((GAIN, "--types", "x", "0.5"), "no type 'x'"),
        (("/stemwire/preset/recall", "nowhere"), "no preset 'nowhere'"),
        (("/stemwire/model", "nothing"), "no model 'nothing'"),
    ]:
        done = osc("send", *arguments)
        assert done.exit_code == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_send_waits_for_what_takes_long(osc):
    assert osc("send", "/stemwire/preset/save", "verse").stdout == "/stemwire/preset/save verse\n"
    done = osc("send", "--json", "/stemwire/preset/list")
    assert json.loads(done.stdout) == {"address": "/stemwire/preset/list", "values": ["verse"]}


def test_a_word_that_looks_like_a_number_may_be_a_text(osc):
    done = osc("send", "/stemwire/preset/save", "--types", "s", "1")
    assert done.stdout == "/stemwire/preset/save 1\n"


def test_monitor_prints_what_is_and_what_changes(osc, board):
    timer = threading.Timer(0.3, lambda: board.set("stem/drums/gain", 2.0))
    timer.start()
    lines = osc("monitor", "//gain", "--seconds", 0.8, "--json").stdout.splitlines()
    timer.join()
    messages = [json.loads(line) for line in lines]
    assert [message["values"] for message in messages] == [[1.0]] * 4 + [[2.0]]
    assert osc("monitor", "//nothing").exit_code == 2


def test_a_monitor_does_not_let_its_lease_run_out(monkeypatch, osc, board):
    from plugin_host.osc import client, subscriptions

    monkeypatch.setattr(subscriptions, "LEASE_SECONDS", 0.4)
    monkeypatch.setattr(client, "_RENEW_SECONDS", 0.1)
    timer = threading.Timer(0.9, lambda: board.set("bypass", 1))
    timer.start()
    done = osc("monitor", "/stemwire/bypass", "--seconds", 1.3)
    timer.join()
    assert done.stdout.splitlines() == ["/stemwire/bypass 0", "/stemwire/bypass 1"]


def test_list_tells_ranges_and_meanings(osc, board):
    found = json.loads(osc("list", "--json").stdout)["addresses"]
    gain = next(row for row in found if row["address"] == GAIN)
    assert gain["values"] == [1.0]
    assert gain["ranges"] == [[0, 4.0]]
    assert gain["is_writable"] is True
    assert "loud" in gain["meaning"]
    table = osc("list", "//pan").stdout
    assert table.count("/pan") == len(board.stems)


def test_where_nobody_answers_that_is_said(osc):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
    for command, *arguments in (("send", GAIN), ("monitor",), ("list",)):
        start = time.monotonic()
        done = osc(command, *arguments, port=port)
        assert done.exit_code == 2
        assert "Nobody answers" in done.stderr
        assert time.monotonic() - start < 5
    assert osc("send", GAIN, "--host", "nowhere.invalid").exit_code == 2
