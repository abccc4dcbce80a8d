"""The server begins and ends without a trace, is found by name, and leaves the board alone."""

from __future__ import annotations

import http.client
import socket
import threading
import time

import pytest
from zeroconf import ServiceBrowser, Zeroconf

from engine import ConfigError
from plugin_host.errors import NetworkError
from plugin_host.web.discovery import Announcement
from plugin_host.web.server import start_web


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", "/stemwire/bypass?VALUE")
    body = connection.getresponse().read()
    connection.close()
    return body == b'{"VALUE": [0]}'


def test_a_port_that_is_taken_is_named_in_one_sentence(board):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NetworkError, match=f"127.0.0.1:{port} .*--web-port"):
            start_web(board, port=port)


@pytest.mark.parametrize(
    ("host", "port", "networks", "error"),
    [
        ("127.0.0.1", 70_000, (), ConfigError),
        ("127.0.0.1", -1, (), ConfigError),
        ("no such host.invalid", 0, (), NetworkError),
        ("203.0.113.7", 0, (), NetworkError),
        ("127.0.0.1", 0, ("kazoo",), ConfigError),
    ],
)
def test_what_cannot_be_listened_at_is_refused(board, host, port, networks, error):
    before = threading.active_count()
    with pytest.raises(error):
        start_web(board, host, port, networks)
    assert threading.active_count() == before


def test_it_ends_at_once_whoever_is_still_there_and_frees_its_port(board, connect, server):
    clients = [connect() for _ in range(3)]
    clients[0].command("LISTEN", "/stemwire")
    before = threading.active_count()
    start = time.monotonic()
    server.close()
    server.close()
    assert time.monotonic() - start < 5
    assert threading.active_count() < before
    with start_web(board, port=server.port, is_announced=False) as again:
        assert again.url == f"http://127.0.0.1:{server.port}/"


def test_ipv6_and_every_address_are_listened_at(board):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    for host in ("::1", "0.0.0.0", "::"):
        try:
            server = start_web(board, host, 0, is_announced=False)
        except NetworkError:
            assert host != "0.0.0.0"
            pytest.skip("no IPv6 here")
        with server:
            assert _answers("::1" if host == "::1" else "127.0.0.1", server.port)
            assert server.url.startswith("http://[::1]:" if host == "::1" else "http://127.0.0.1:")


def test_the_board_never_waits_for_the_server(board, connect):
    for _ in range(4):
        connect().command("LISTEN", "/stemwire")
    took = []
    for step in range(2_000):
        start = time.perf_counter()
        board.set("stem/drums/gain", step % 100 / 100)
        took.append(time.perf_counter() - start)
    assert sorted(took)[len(took) // 2] < 0.001


def test_a_mistake_of_ours_costs_one_pulse_and_is_logged(
    board, connect, monkeypatch, caplog, until
):
    client = connect()
    client.command("LISTEN", "/stemwire/bypass")
    assert client.receive() == ("/stemwire/bypass", (0,))
    with monkeypatch.context() as patched:
        patched.setattr(board, "meters", lambda: 1 / 0)
        client.command("LISTEN", "/stemwire/stem/drums/meter")
        until(lambda: "ZeroDivisionError" in caplog.text)
    assert ("/stemwire/bypass", (0,)) in client.ask("/stemwire/bypass")


class _Heard:
    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def add_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
        self.names[kind] = name

    def remove_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
        self.names.pop(kind, None)

    def update_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None: ...


def test_programs_find_it_by_zeroconf_on_this_machine(board, until):
    kinds = ["_oscjson._tcp.local.", "_osc._udp.local."]
    heard = _Heard()
    finder = Zeroconf(interfaces=["127.0.0.1"])
    try:
        with start_web(board, port=0, osc_port=9130) as server:
            browser = ServiceBrowser(finder, kinds, heard)
            until(lambda: len(heard.names) == 2 or server.trouble)
            assert server.trouble == ""
            info = finder.get_service_info(kinds[0], heard.names[kinds[0]])
            assert info.port == server.port
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert finder.get_service_info(kinds[1], heard.names[kinds[1]]).port == 9130
        until(lambda: not heard.names)
        browser.cancel()
    finally:
        finder.close()


def test_where_there_is_no_network_it_serves_all_the_same(board, monkeypatch, until):
    def broken(*args: object, **options: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("plugin_host.web.discovery.AsyncZeroconf", broken)
    with start_web(board, port=0) as server:
        until(lambda: server.trouble)
        assert "Network is unreachable" in server.trouble
        assert _answers("127.0.0.1", server.port)


def test_what_is_open_to_all_is_announced_with_addresses_that_others_reach():
    announcement = Announcement("0.0.0.0", 9131, None)
    addresses = announcement._addresses()
    assert addresses
    assert "0.0.0.0" not in addresses


def test_a_second_server_gets_a_name_of_its_own(board, until):
    with start_web(board, port=0) as first, start_web(board, port=0) as second:
        until(lambda: first.is_found and second.is_found)
        assert first.trouble == second.trouble == ""
