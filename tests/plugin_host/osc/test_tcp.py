"""OSC over TCP, in both framings, however the stream is cut."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_host.errors import MessageError
from plugin_host.osc.datagram import build, parse
from plugin_host.osc.tcp import Framing, LengthFraming, SlipFraming, framing_for

GAIN = "/stemwire/stem/drums/gain"
FRAMINGS = (LengthFraming, SlipFraming)


@pytest.mark.parametrize("make", FRAMINGS)
@given(
    messages=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_messages_come_out_whole_however_the_stream_is_cut(make, messages, cuts):
    framing: Framing = make()
    stream = b"".join(make().wrap(message) for message in messages)
    got: list[object] = []
    at = number = 0
    while at < len(stream):
        size = cuts[number % len(cuts)]
        got += framing.feed(stream[at : at + size])
        at, number = at + size, number + 1
    assert got == messages


def test_the_framing_is_told_by_the_first_byte():
    message = build("/stemwire/ping")
    for make in FRAMINGS:
        assert type(framing_for(make().wrap(message))) is make
    assert type(framing_for(message)) is SlipFraming  # without END at the beginning


@pytest.mark.parametrize("size", [-1, -(2**31), 0, 65_537, 2**31 - 1])
def test_a_size_that_cannot_be_ends_the_stream(size):
    with pytest.raises(MessageError, match=f" {size} bytes"):
        LengthFraming().feed(size.to_bytes(4, "big", signed=True))


def test_slip_goes_on_behind_what_is_wrong():
    framing = SlipFraming()
    bad, good = b"\xc0ab\xdbcd\xc0", b"\xc0good\xc0"
    [error, message] = framing.feed(bad + good)
    assert isinstance(error, MessageError)
    assert message == b"good"
    [error] = framing.feed(bytes(200_000))
    assert "longer than" in str(error)
    assert framing.feed(bytes(200_000)) == []
    assert framing.feed(b"\xc0" + good) == [b"good"]


class Link:
    """A client over TCP."""

    def __init__(self, port: int, make: type[Framing]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(5)
        self._framing = make()
        self._heard: list[object] = []

    def send(self, path: str, *values: object) -> None:
        self.socket.sendall(self._framing.wrap(build(path, values)))

    def receive(self):
        while not self._heard:
            data = self.socket.recv(65536)
            assert data, "the server has hung up"
            self._heard += self._framing.feed(data)
        return parse(self._heard.pop(0))


@pytest.fixture
def dial(server):
    links = []

    def connect(make: type[Framing]) -> Link:
        links.append(Link(server.port, make))
        return links[-1]

    yield connect
    for link in links:
        link.socket.close()


@pytest.mark.parametrize("make", FRAMINGS)
def test_setting_asking_and_subscribing_work_as_over_udp(dial, make, board, until):
    link = dial(make)
    link.send(GAIN, 0.5)
    link.send(GAIN)
    assert link.receive() == (GAIN, (0.5,))
    link.send("/stemwire/subscribe", "/stemwire/bypass")
    assert link.receive() == ("/stemwire/subscribe", ("/stemwire/bypass", 30.0, 0.0))
    assert link.receive() == ("/stemwire/bypass", (0,))
    board.set("bypass", 1)
    assert link.receive() == ("/stemwire/bypass", (1,))
    link.send("/nowhere", 1)
    assert link.receive()[0] == "/stemwire/error"


def test_a_stream_that_cannot_go_on_is_told_why_and_ended(dial):
    link = dial(LengthFraming)
    link.send("/stemwire/ping")
    assert link.receive() == ("/stemwire/pong", ())
    link.socket.sendall(b"\x7f\xff\xff\xff")
    path, (sentence, _) = link.receive()
    assert path == "/stemwire/error"
    assert "2147483647 bytes" in sentence
    assert link.socket.recv(100) == b""


def test_clients_over_tcp_and_udp_hear_each_other(dial, client):
    link = dial(SlipFraming)
    link.send("/stemwire/subscribe", GAIN)
    link.receive(), link.receive()
    client.send("/stemwire/subscribe", GAIN)
    client.hear_until(lambda heard: len(heard) == 2)
    client.send(GAIN, 0.5)
    assert link.receive() == (GAIN, (0.5,))
    link.send(GAIN, 0.25)
    assert client.receive() == (GAIN, (0.25,))


def test_a_client_that_does_not_read_blocks_nobody(dial, client, server):
    lazy = dial(LengthFraming)
    lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.send("/stemwire/subscribe", "//*", 30)
    ask = LengthFraming().wrap(build("//*"))
    lazy.socket.settimeout(0.5)
    for _ in range(200):
        lazy.socket.sendall(ask)
    for _ in range(20):
        assert client.until_pong() == []


def test_a_client_that_hangs_up_is_forgotten(dial, board, until, server):
    for _ in range(80):  # more than there may be at once
        link = dial(SlipFraming)
        link.send("/stemwire/subscribe", "//*")
        link.receive()
        link.socket.close()
    link = dial(SlipFraming)
    link.send("/stemwire/ping")
    assert link.receive() == ("/stemwire/pong", ())
