"""A board, a server on a free port, and clients that speak to it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin_host.board import Board
from plugin_host.osc.datagram import build, parse, unpack
from plugin_host.osc.server import OscOptions, OscServer

STEMS = ("drums", "bass", "other")
Message = tuple[str, tuple[Any, ...]]


class Client:
    """A client over UDP that hears its answers."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self._pings = 0

    @property
    def origin(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"osc udp {host}:{port}"

    def send(self, path: str, *values: Any) -> None:
        self.socket.send(build(path, values))

    def send_raw(self, datagram: bytes) -> None:
        self.socket.send(datagram)

    def receive(self, seconds: float = 5.0) -> Message:
        """The next message; fails if none comes in time."""
        self.socket.settimeout(seconds)
        [packet] = unpack(self.socket.recv(65536))
        return parse(packet.data)

    def until_pong(self) -> list[Message]:
        """All that has come up to now, and nothing that comes later."""
        self._pings += 1
        self.send("/stemwire/ping", self._pings)
        heard = []
        while (message := self.receive()) != ("/stemwire/pong", (self._pings,)):
            heard.append(message)
        return heard

    def ask(self, path: str, *values: Any) -> list[Message]:
        """The answers to one message."""
        self.send(path, *values)
        return self.until_pong()

    def hear_until(
        self, condition: Callable[[list[Message]], Any], seconds: float = 5.0
    ) -> list[Message]:
        """All messages up to the one that makes a condition true."""
        until = time.monotonic() + seconds
        heard: list[Message] = []
        while not condition(heard):
            heard.append(self.receive(max(until - time.monotonic(), 0.001)))
        return heard

    def hear_for(self, seconds: float) -> list[Message]:
        """All messages of a while."""
        until = time.monotonic() + seconds
        heard = []
        while (left := until - time.monotonic()) > 0:
            try:
                heard.append(self.receive(left))
            except TimeoutError:
                break
        return heard

    def close(self) -> None:
        self.socket.close()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEMWIRE_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setenv("STEMWIRE_MODELS", str(tmp_path / "models"))


@pytest.fixture
def board() -> Iterator[Board]:
    with Board(STEMS, "default") as board:
        yield board


@pytest.fixture
def serve(board: Board) -> Iterator[Callable[..., OscServer]]:
    """Starts servers on free ports: `serve(reply_port=9000)`."""
    servers: list[OscServer] = []

    def start(**options: Any) -> OscServer:
        servers.append(OscServer(board, OscOptions(**{"port": 0, **options})))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def server(serve: Callable[..., OscServer]) -> OscServer:
    return serve()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Makes clients: `connect(server)`."""
    clients: list[Client] = []

    def make(server: OscServer, host: str = "127.0.0.1") -> Client:
        clients.append(Client(server.port, host))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(server: OscServer, connect: Callable[..., Client]) -> Client:
    return connect(server)


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for a condition; fails if it does not come true in time."""

    def wait(condition: Callable[[], Any], seconds: float = 5.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.002)

    return wait
