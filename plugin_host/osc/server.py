"""The OSC server: one thread between the network and the board, which never waits for anybody.

    UDP   --+-> may he? -> not too often? -> dispatcher -+-> board: the engine's shared memory
    TCP   --'                    `-> inbox --^           |
    board -----------------------------------^           `-> answers, subscribers, complaints

Each turn of the loop deals with what has come, and tells subscribers what is due. Everything has an
end: the peers, their feeds, what waits, what is to be sent, and how often each may speak.
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine import ConfigError
from plugin_host.board import Board
from plugin_host.errors import MessageError, NetworkError
from plugin_host.osc.connection import Connection
from plugin_host.osc.datagram import MAX_BYTES
from plugin_host.osc.dispatcher import Dispatcher
from plugin_host.osc.inbox import Inbox
from plugin_host.osc.peers import PRIVATE_NETWORKS, Allowance, Guests, Peer, Peers

DEFAULT_PORT = 9130
DEFAULT_HOST = "127.0.0.1"

_RECEIVE_BUFFER = 4 * 2**20  # bytes; the system gives as much of it as it allows
_MAX_CONNECTIONS = 64
_AT_ONCE = 256  # datagrams in one turn
_FIFO_PRIORITY = 20  # far below the audio's
_CLIENTS_AT_FULL_SPEED = 4  # all clients together may send as much as so many
_RETRY_SECONDS = 0.005  # while something waits for its sender's allowance
_IDLE_SECONDS = 1.0
_ATTEMPTS = 8

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OscOptions:
    """How the server is reached.

    Attributes:
        port: UDP and TCP; 0 for any that is free.
        host: the address to listen at; 127.0.0.1 is heard on this machine alone, 0.0.0.0 and ::
            everywhere.
        reply_port: where UDP answers go, at the sender's address; None for the sender's port.
        networks: whose messages are heard; empty for private networks.
        messages_per_second: that one client may send.
    """

    port: int = DEFAULT_PORT
    host: str = DEFAULT_HOST
    reply_port: int | None = None
    networks: Sequence[str] = ()
    messages_per_second: float = 10_000.0

    def __post_init__(self) -> None:
        for what, port, lowest in (
            ("The OSC port", self.port, 0),
            ("The OSC reply port", self.reply_port, 1),
        ):
            if port is not None and not lowest <= port <= 65_535:
                raise ConfigError(f"{what} is {port}; give {lowest} to 65535.")
        if not self.messages_per_second >= 1:
            raise ConfigError(
                f"{self.messages_per_second:g} messages a second are too few; give 1 or more."
            )


class OscServer:
    """Serves a board over OSC. A context manager.

    Args:
        board: to serve.
        options: how it is reached.

    Attributes:
        host: the address that it listens at.
        port: the number that it listens at.

    Raises:
        NetworkError: if the port or the address cannot be had.
        ConfigError: if a network is none.
    """

    def __init__(self, board: Board, options: OscOptions | None = None) -> None:
        options = options or OscOptions()
        self._options = options
        self._guests = Guests(options.networks or PRIVATE_NETWORKS)
        self._counters = board.counters
        self._peers = Peers()
        self._messages = Allowance(_CLIENTS_AT_FULL_SPEED * options.messages_per_second)
        self._dispatcher = Dispatcher(board, self._peers)
        self._inbox = Inbox(self._dispatcher.control_of)
        self._buffer = bytearray(MAX_BYTES)
        self._connections: set[Connection] = set()
        self._is_closed = threading.Event()
        self._udp, self._tcp = _sockets(options)
        self.host, self.port = self._udp.getsockname()[:2]
        self._bell, self._rope = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        handlers: tuple[tuple[socket.socket, Callable[[int], None]], ...] = (
            (self._udp, self._on_datagrams),
            (self._tcp, self._on_connection),
            (self._bell, self._on_bell),
        )
        for sock, handler in handlers:
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ, handler)
        self._rope.setblocking(False)
        self._unsubscribe = board.subscribe(self._hear)
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and frees its ports. Harmless when done twice."""
        if self._is_closed.is_set():
            return
        self._unsubscribe()
        self._is_closed.set()
        self._ring()
        self._thread.join()
        for connection in tuple(self._connections):
            connection.close()
        self._selector.close()
        for sock in (self._udp, self._tcp, self._bell, self._rope):
            sock.close()
        self._dispatcher.close()

    # ---- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        _prefer_this_thread()
        while not self._is_closed.is_set():
            for key, events in self._selector.select(self._wait()):
                self._guarded(key.data, events)
            for datagram, peer in self._inbox.take(self._may_send):
                self._guarded(self._dispatcher.take, datagram, peer)
            self._guarded(self._dispatcher.look)

    def _wait(self) -> float:
        """How long nothing is to be done unless something comes."""
        wait = self._dispatcher.seconds_to_next()
        longest = _RETRY_SECONDS if len(self._inbox) else _IDLE_SECONDS
        return longest if wait is None else min(wait, longest)

    def _guarded(self, deed: Callable[..., None], *arguments: Any) -> None:
        """Does something; a mistake of ours costs one message, not the whole server."""
        try:
            deed(*arguments)
        except Exception:
            _logger.exception("OSC: a message could not be dealt with.")
            self._count("osc_faults")

    def _hear(self, name: str, value: float | str, origin: str) -> None:
        """Takes what the board tells, in its thread."""
        self._dispatcher.hear(name, value, origin)
        if self._dispatcher.has_listeners or isinstance(value, str):
            self._ring()

    def _ring(self) -> None:
        with suppress(OSError):  # full: it has been rung often enough
            self._rope.send(b"\0")

    def _on_bell(self, events: int) -> None:
        del events
        with suppress(BlockingIOError):
            self._bell.recv(4_096)

    def _count(self, name: str) -> None:
        self._counters[name] = self._counters.get(name, 0) + 1

    # ---- what comes in --------------------------------------------------------------------------

    def _may_send(self, peer: Peer) -> bool:
        now = time.monotonic()
        return peer.messages.take(now) and self._messages.take(now)

    def _put(self, datagram: bytes, peer: Peer) -> None:
        """Deals with a datagram, or lets it wait if its sender is too quick."""
        if self._may_send(peer):
            self._inbox.overtake(datagram)
            self._guarded(self._dispatcher.take, datagram, peer)
            return
        if not self._inbox.put(datagram, peer):
            self._count("osc_dropped")
        self._counters["osc_replaced"] = self._inbox.replaced
        limit = self._options.messages_per_second
        self._dispatcher.complain(peer, f"Messages are lost: send at most {limit:g} a second.")

    def _on_datagrams(self, events: int) -> None:
        del events
        for _ in range(_AT_ONCE):
            try:
                size, address = self._udp.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:  # Windows: somebody who was sent something has gone
                continue
            if not self._guests.may_enter(address[0]):
                self._count("osc_denied")
                continue
            target = (address[0], self._options.reply_port or address[1], *address[2:])
            origin = f"osc udp {target[0]}:{target[1]}"
            make = partial(self._udp_peer, target)
            peer = self._peers.greet(origin, make, time.monotonic())
            self._put(bytes(memoryview(self._buffer)[:size]), peer)

    def _udp_peer(self, target: tuple[Any, ...], origin: str) -> Peer:
        def transmit(message: bytes) -> bool:
            try:
                self._udp.sendto(message, target)
            except BlockingIOError:
                return False
            except OSError:  # there is nobody; if he comes back, he will say so
                return True
            return True

        return Peer(origin, transmit, Allowance(self._options.messages_per_second))

    def _on_connection(self, events: int) -> None:
        del events
        try:
            link, address = self._tcp.accept()
        except OSError:
            return
        if not self._guests.may_enter(address[0]) or len(self._connections) >= _MAX_CONNECTIONS:
            self._count("osc_denied")
            link.close()
            return
        link.setblocking(False)
        connection = Connection(link, self._selector)
        connection.peer = self._peers.greet(
            f"osc tcp {address[0]}:{address[1]}",
            lambda origin: Peer(
                origin,
                connection.transmit,
                Allowance(self._options.messages_per_second),
                is_connected=True,
            ),
            time.monotonic(),
        )
        self._connections.add(connection)
        connection.watch(lambda events: self._on_stream(connection, events))

    def _on_stream(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            connection.flush()
        if not events & selectors.EVENT_READ:
            return
        peer = connection.peer
        try:
            for message in connection.receive():
                if isinstance(message, MessageError):
                    self._dispatcher.complain(peer, str(message))
                else:
                    self._put(message, peer)
        except MessageError as error:
            self._dispatcher.complain(peer, str(error))
            self._let_go(connection)
        except ConnectionError:
            self._let_go(connection)

    def _let_go(self, connection: Connection) -> None:
        connection.close()
        self._connections.discard(connection)
        self._dispatcher.forget(connection.peer.origin)
        self._peers.forget(connection.peer.origin)


def _prefer_this_thread() -> None:
    """Lets the calling thread run as soon as something comes, where the system allows that.

    On a machine with all cores busy, 99 % of the messages were in the table after 0.2 ms with it,
    and after 5 to 10 ms without.
    """
    with suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIFO_PRIORITY))


def _sockets(options: OscOptions) -> tuple[socket.socket, socket.socket]:
    """Returns a UDP and a TCP socket at the same port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise NetworkError(f"There is no address {options.host!r} to listen at.") from error
    for attempt in range(_ATTEMPTS):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        try:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if os.name == "posix":  # no wait for connections of the server before
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                tcp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            udp.bind(address)
            tcp.bind(udp.getsockname())
            tcp.listen()
        except OSError as error:
            udp.close()
            tcp.close()
            if options.port == 0 and attempt + 1 < _ATTEMPTS:
                continue  # any port will do, and this one is free for UDP alone
            raise NetworkError(
                f"OSC cannot listen at {options.host}:{options.port} ({error.strerror}): end the "
                "program that does, or give another --osc-port."
            ) from error
        return udp, tcp
    raise AssertionError("unreachable")
