"""Values stream over the WebSocket, to everybody but who has set them, and nobody can stop them."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from plugin_host.board import Board
from plugin_host.osc.datagram import build, build_bundle
from plugin_host.osc.schedule import timetag_of
from plugin_host.web.client import MAX_LISTENS, Client
from plugin_host.web.server import MAX_CLIENTS, WebServer

GAIN, GAIN_DB, MUTE = (f"/stemwire/stem/drums/{name}" for name in ("gain", "gain_db", "mute"))
PULSES = 0.3  # seconds, for several


def _settle(client) -> list:
    """All that comes for a while."""
    time.sleep(PULSES)
    return client.until_pong()


def test_who_listens_gets_the_value_now_and_whenever_it_changes(connect, board):
    client = connect()
    client.command("LISTEN", GAIN)
    assert client.receive() == (GAIN, (1.0,))
    board.set("stem/drums/gain", 0.5)
    assert client.receive() == (GAIN, (0.5,))
    assert _settle(client) == [], "what has not changed is told"


def test_of_many_values_the_newest_comes(connect, board):
    client = connect()
    client.command("LISTEN", GAIN)
    assert client.receive() == (GAIN, (1.0,))
    for step in range(1_000):
        board.set("stem/drums/gain", step / 1_000)
    heard = _settle(client)
    assert heard[-1] == (GAIN, (pytest.approx(0.999),))
    assert len(heard) < 30


def test_who_ignores_hears_nothing_more(connect, board):
    client = connect()
    client.command("LISTEN", GAIN)
    client.command("LISTEN", MUTE)
    client.until(lambda message: message[0] == MUTE)
    client.command("IGNORE", GAIN)
    _settle(client)
    board.set("stem/drums/gain", 0.5)
    board.set("stem/drums/mute", 1)
    assert _settle(client) == [(MUTE, (1,))]


def test_to_listen_to_a_container_is_to_listen_to_all_in_it(connect, board):
    client = connect()
    client.command("LISTEN", "/stemwire/stem/drums")
    paths = {path for path, _ in _settle(client)}
    assert {GAIN, GAIN_DB, MUTE, "/stemwire/stem/drums/meter"} <= paths
    board.set("stem/bass/gain", 0.5)
    board.set("stem/drums/gain", 0.5)
    assert {path for path, _ in _settle(client)} == {GAIN, GAIN_DB}


def test_one_may_listen_to_every_address_on_its_own(connect, board):
    client = connect()
    paths = [f"/stemwire/{control.name}" for control in board.controls]
    for path in paths:
        client.command("LISTEN", path)
    assert {path for path, _ in _settle(client)} == set(paths)
    assert len(paths) < MAX_LISTENS


def test_no_echo_comes_to_who_has_set_it_but_all_others_follow(connect, board):
    ann, ben = connect(), connect()
    for client in (ann, ben):
        client.command("LISTEN", "/stemwire/stem/drums")
        _settle(client)
    ann.send(GAIN_DB, -20.0)
    assert ben.receive() == (GAIN, (pytest.approx(0.1),))
    assert ben.receive() == (GAIN_DB, (pytest.approx(-20.0),))
    assert _settle(ann) == [(GAIN, (pytest.approx(0.1),))], "only what he has not sent himself"
    assert board.get("stem/drums/gain") == pytest.approx(0.1)


def test_messages_mean_what_they_mean_over_udp(connect, board):
    client = connect()
    board.set("stem/bass/gain", 0.5)
    assert client.ask("/stemwire/stem/bass/gain") == [("/stemwire/stem/bass/gain", (0.5,))]
    assert len(client.ask("/stemwire/stem/*/mute")) == len(board.stems)
    client.send_raw(build_bundle([build(GAIN, [0.25]), build(MUTE, [1])]))
    client.until_pong()
    assert (board.get("stem/drums/gain"), board.get("stem/drums/mute")) == (0.25, 1)


def test_a_bundle_is_held_until_its_time(connect, board, until):
    client = connect()
    client.send_raw(build_bundle([build(GAIN, [0.25])], timetag_of(time.time() + 0.3)))
    client.until_pong()
    assert board.get("stem/drums/gain") == 1.0
    until(lambda: board.get("stem/drums/gain") == 0.25)


@pytest.mark.parametrize(
    ("packet", "about"),
    [
        (build(GAIN, [9.0]), "give 0 to 4"),
        (build(GAIN, ["loud"]), "takes a number"),
        (build("/stemwire/kazoo", [1]), "no address /stemwire/kazoo"),
        (build("/stemwire/model", ["../../etc/passwd"]), "no model"),
        (build("/stemwire/preset/recall", ["/etc/passwd"]), "cannot be called"),
        (b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc", "-4 bytes"),
        (b"", "Neither"),
        (b"\xff" * 100, "Neither"),
    ],
)
def test_what_is_wrong_with_a_packet_is_told(connect, packet, about):
    client = connect()
    client.send_raw(packet)
    path, values = client.receive()
    assert path == "/stemwire/error"
    assert about in values[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 50_000,
        "3",
        '{"COMMAND": 3}',
        '{"COMMAND": "KAZOO", "DATA": ""}',
        '{"COMMAND": "LISTEN"}',
        '{"COMMAND": "LISTEN", "DATA": "kazoo"}',
        '{"COMMAND": "LISTEN", "DATA": "/kazoo"}',
        '{"COMMAND": "LISTEN", "DATA": ["/stemwire"]}',
    ],
)
def test_what_is_wrong_with_a_command_is_told_and_the_client_stays(connect, text):
    client = connect()
    client.say(text)
    assert client.receive()[0] == "/stemwire/error"
    assert client.ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]


def test_a_message_that_is_too_long_ends_the_connection_and_no_other(connect):
    client, other = connect(), connect()
    client.send_raw(bytes(2**20))
    assert client.receive() is None
    assert other.ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]


def test_who_sends_too_much_is_stopped_and_the_others_are_not(connect, board):
    loud, calm = connect(), connect()
    for _ in range(6_000):
        loud.send(GAIN, 0.5)
    start = time.monotonic()
    assert calm.ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]
    assert time.monotonic() - start < 2
    path, values = loud.receive()
    assert path == "/stemwire/error"
    assert "messages a second" in values[0]


def test_who_does_not_read_gets_the_newest_when_he_does(connect, board):
    slow, quick = connect(), connect()
    for client in (slow, quick):
        client.command("LISTEN", "/stemwire")
    for step in range(200):
        board.set_all({c.name: step / 200 for c in board.controls if c.unit == "linear"})
        time.sleep(0.005)
    board.set("stem/drums/gain", 0.125)
    for client in (quick, slow):
        assert client.until(lambda message: message == (GAIN, (0.125,)))


class _Stuck:
    """The link of a client that reads nothing."""

    closed = False

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_free = asyncio.Event()

    async def send_bytes(self, message: bytes) -> None:
        await self.is_free.wait()
        self.sent.append(message)


def test_what_waits_for_a_client_has_an_end():
    asyncio.run(_fill_a_client())


async def _fill_a_client() -> None:
    link = _Stuck()
    client = Client("web test", link, None)
    sending = asyncio.create_task(client.send())
    taken = 0
    while client.transmit(bytes(100)):
        taken += 1
        client.show(b"column %d" % taken)
        await asyncio.sleep(0)
    assert taken < 200
    link.is_free.set()
    while len(link.sent) <= taken:
        await asyncio.sleep(0)
    assert link.sent[:-1] == [bytes(100)] * taken
    assert link.sent[-1] == b"column %d" % taken, "only the newest column is worth sending"
    assert client.transmit(b"again")
    sending.cancel()


def test_there_is_an_end_to_clients_and_who_goes_makes_room(connect):
    clients = [connect() for _ in range(MAX_CLIENTS)]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        connect()
    clients[0].send_raw(bytes(2**20))  # which ends it
    assert clients[0].receive() is None
    assert clients[1].ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]
    assert connect().ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]


def test_there_is_an_end_to_what_one_listens_to(connect):
    client = connect()
    for number in range(MAX_LISTENS):
        client.command("LISTEN", "/stemwire" + "/" * number)
    client.until_pong()
    client.command("LISTEN", GAIN)
    _, (sentence, *_) = client.until(lambda message: message[0] == "/stemwire/error")[-1]
    assert "ignore one first" in sentence


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_pages_of_others_get_no_connection(connect, headers):
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        connect(headers=headers)


def test_our_own_page_gets_one(connect, server):
    own = connect(headers={"Origin": f"http://127.0.0.1:{server.port}"})
    assert own.ask("/stemwire/bypass") == [("/stemwire/bypass", (0,))]


def test_all_are_told_when_the_addresses_are_others(connect, server: WebServer):
    client = connect()
    client.command("LISTEN", "/stemwire/stem")
    _settle(client)
    with Board(("voice", "rest"), "duet") as other:
        server.use(other)
        changed = {"COMMAND": "PATH_CHANGED", "DATA": "/stemwire"}
        heard = client.until(lambda message: message == changed)
        assert heard == [changed]
        paths = {path for path, _ in _settle(client)}
        assert "/stemwire/stem/voice/gain" in paths
        assert GAIN not in paths
        client.send("/stemwire/stem/rest/gain", 0.5)
        client.until_pong()
        assert other.get("stem/rest/gain") == 0.5
        server.close()


def test_addresses_that_come_with_a_session_are_told(connect, board):
    client = connect()
    board.tell("controls", "", "")
    assert client.receive() == {"COMMAND": "PATH_CHANGED", "DATA": "/stemwire"}


def test_what_somebody_has_asked_for_tells_him_how_it_went(connect, board):
    client = connect()
    client.send("/stemwire/preset/save", "verse")
    assert client.receive() == ("/stemwire/preset/save", ("verse",))
    client.send("/stemwire/preset/recall", "chorus")
    path, (sentence, *_) = client.receive()
    assert path == "/stemwire/error"
    assert "chorus" in sentence
