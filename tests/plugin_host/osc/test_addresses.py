"""The address table is derived from the controls, and reads and writes a board."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from engine import ConfigError
from engine.controls import Control, controls_for
from plugin_host.board import MODEL, Board
from plugin_host.osc.addresses import AddressTable

STEMS = ("drums", "bass", "other")


@pytest.fixture
def board() -> Iterator[Board]:
    with Board(STEMS, "default") as board:
        yield board


@pytest.fixture
def table() -> AddressTable:
    return AddressTable(STEMS)


def test_every_control_of_the_engine_has_an_address(table):
    for control in controls_for(STEMS):
        address = table[f"/stemwire/{control.name}"]
        assert address.shows == control.name
        assert address.meaning == control.meaning
        assert address.arguments[0].minimum == control.minimum


def test_every_address_can_be_read_or_written_and_says_what_it_means(table, board):
    served_by_the_server = {"/stemwire/subscribe", "/stemwire/unsubscribe", "/stemwire/ping"}
    for address in table:
        assert address.meaning.endswith(".")
        assert address.read or address.write or address.path in served_by_the_server
        if address.read is not None and not address.path.endswith(("models", "list")):
            values = address.read(board)
            kinds = {"f": float, "i": int, "s": str}
            tags = address.tags if address.name != "stems" else "s" * len(STEMS)
            assert [type(value) for value in values] == [kinds[tag] for tag in tags]


def test_what_is_written_is_read_again(table, board):
    for address in table:
        if address.kind == "control" and address.name != "reset":
            highest = address.arguments[0].maximum
            address.write(board, (highest,), "")
            assert address.read(board) == (pytest.approx(highest, abs=1e-4),)


@pytest.mark.parametrize("value", [1, 1.0, True])
def test_int_float_and_boolean_are_the_same_number(table, board, value):
    for name in ("stem/drums/pan", "stem/drums/mute", "bypass"):
        table[f"/stemwire/{name}"].write(board, (value,), "")
        assert board.get(name) == 1.0


@pytest.mark.parametrize(
    ("decibels", "gain"), [(0, 1.0), (-70, 0.0), (-20.0, 0.1), (12.0412, 4.0), (6.0206, 2.0)]
)
def test_a_fader_in_decibels_moves_the_gain(table, board, decibels, gain):
    address = table["/stemwire/stem/drums/gain_db"]
    address.write(board, (decibels,), "")
    assert board.get("stem/drums/gain") == pytest.approx(gain, rel=1e-5)
    assert address.read(board) == (pytest.approx(decibels, abs=1e-4),)


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("stem/drums/gain", (), "one value"),
        ("stem/drums/gain", (0.5, 0.5), "one value"),
        ("stem/drums/gain", ("loud",), "takes a number"),
        ("stem/drums/gain", (b"\0" * 9,), "blob of 9 bytes"),
        ("stem/drums/gain", (float("nan"),), "0 to 4"),
        ("stem/drums/gain", (float("inf"),), "0 to 4"),
        ("stem/drums/gain", (1e300,), "0 to 4"),
        ("stem/drums/gain", (-0.1,), "0 to 4"),
        ("stem/drums/gain_db", (13,), "-70 .* to 12"),
        ("stem/drums/gain_db", (float("nan"),), "-70 .* to 12"),
        ("stem/drums/mute", (0.5,), "0 .off. or 1"),
        ("reset", ("now",), "takes a number"),
        ("model", (3,), "takes a name"),
        ("preset/save", ("../../etc/passwd",), "cannot be called"),
        ("preset/recall", ("/etc/passwd",), "cannot be called"),
        ("midi/learn", ("stem/drums/gain",), "No MIDI"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(table, board, path, values, words):
    before = board.as_dict()
    with pytest.raises(ConfigError, match=words):
        table[f"/stemwire/{path}"].write(board, values, "")
    assert board.as_dict() == before


def test_a_button_triggers_when_it_is_pressed_and_not_when_it_is_let_go(table, board):
    address = table["/stemwire/reset"]
    before = board.get("reset")
    address.write(board, (1,), "")
    assert board.get("reset") == before + 1
    address.write(board, (0,), "")
    assert board.get("reset") == before + 1
    assert address.read(board) == (0,)


def test_addresses_that_show_the_same_control_are_known(table):
    paths = {address.path for address in table.showing("stem/bass/gain")}
    assert paths == {"/stemwire/stem/bass/gain", "/stemwire/stem/bass/gain_db"}
    assert [address.path for address in table.showing(MODEL)] == ["/stemwire/model"]
    assert table.showing("nothing") == ()


def test_an_unknown_address_is_named(table):
    with pytest.raises(ConfigError, match="/stemwire/stem/kazoo/gain"):
        table.match("/stemwire/stem/kazoo/gain")
    with pytest.raises(ConfigError, match="/nothing/"):
        table.match("/nothing/*")


@pytest.mark.parametrize("limit", [0.1, -0.1, 12.3, 20_000.1, 1e-5])
def test_a_limit_stays_one_when_it_comes_as_a_float32(limit):
    control = Control("limited", min(limit, 0), max(limit, 0), 0, "", "value", "A test's.")
    address = AddressTable((), [control])["/stemwire/limited"]
    heard = {}
    board = SimpleNamespace(set=lambda name, value, origin: heard.update({name: value}))
    (as_float32,) = struct.unpack("f", struct.pack("f", limit))
    assert as_float32 != limit
    address.write(board, (as_float32,), "")
    assert heard == {"limited": limit}
    address.write(board, (limit / 2,), "")
    assert heard == {"limited": limit / 2}
