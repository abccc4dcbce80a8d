"""The web server: a thread of its own in the control process, with an asyncio loop in it.

    server = start_web(board, "127.0.0.1", 9131, ())
    print(server.url)
    server.close()

It never waits for the board, nor the board for it. Everything has an end: how many connections
there are, what waits in each, how often each may ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from aiohttp import WSMsgType, web

from plugin_host.board import Board
from plugin_host.errors import NetworkError
from plugin_host.osc.datagram import MAX_BYTES
from plugin_host.osc.peers import Peers
from plugin_host.web.client import Client
from plugin_host.web.discovery import Announcement
from plugin_host.web.door import Door
from plugin_host.web.hub import Hub
from plugin_host.web.options import DEFAULT_HOST, DEFAULT_PORT, WebOptions
from plugin_host.web.pages import Pages, answer
from plugin_host.web.tree import host_info

MAX_CLIENTS = 32

_logger = logging.getLogger(__name__)

_MAX_CONNECTIONS = 128
_HEARTBEAT_SECONDS = 10.0  # a phone that has gone without a word is noticed by this
_GOODBYE_SECONDS = 1.0  # for a client to answer that it has understood the end
_PAUSE_SECONDS = 0.1
_CLOSE_SECONDS = 10.0


def start_web(
    board: Board,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    networks: Sequence[str] = (),
    *,
    osc_port: int | None = None,
    is_announced: bool = True,
) -> WebServer:
    """Begins to serve the web mixer and OSCQuery.

    Args:
        board: to serve.
        host: the address to listen at; 127.0.0.1 is heard on this machine alone, 0.0.0.0 and ::
            everywhere.
        port: TCP; 0 for any that is free.
        networks: whose requests are heard, such as "192.168.1.0/24"; empty for private networks.
        osc_port: where OSC is heard over UDP, for those who ask; None for nowhere.
        is_announced: whether programs may find us by zeroconf.

    Raises:
        NetworkError: if the port or the address cannot be had.
        ConfigError: if a network is none, or the port no port.
    """
    options = WebOptions(port, host, networks)
    door = Door(networks)
    return WebServer(board, _listen(options), door, osc_port, is_announced)


class WebServer:
    """A running server. A context manager.

    Attributes:
        host: the address that it listens at.
        port: the number that it listens at.
    """

    def __init__(
        self,
        board: Board,
        listener: socket.socket,
        door: Door,
        osc_port: int | None,
        is_announced: bool,
    ) -> None:
        self.host, self.port = listener.getsockname()[:2]
        self._listener = listener
        self._door = door
        self._osc_port = osc_port
        self._announcement = Announcement(self.host, self.port, osc_port) if is_announced else None
        self._pages = Pages()
        self._peers = Peers()
        self._clients: set[Client] = set()
        self._board = board
        self._hub: Hub
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event
        self._is_closed = False
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=[ready], name="web", daemon=True)
        self._thread.start()
        ready.result()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the mixer."""
        address = ipaddress.ip_address(self.host)
        if address.is_unspecified:
            return f"http://127.0.0.1:{self.port}/"
        return f"http://{f'[{address}]' if address.version == 6 else address}:{self.port}/"

    @property
    def trouble(self) -> str:
        """What does not work, one sentence; empty while all is well."""
        return self._announcement.trouble if self._announcement is not None else ""

    @property
    def is_found(self) -> bool:
        """Whether programs find us by zeroconf by now."""
        return self._announcement is not None and self._announcement.is_heard

    def use(self, board: Board) -> None:
        """Lets the server speak to another board, as when a model of other stems plays.

        All clients are told that the addresses are others now.
        """
        self._loop.call_soon_threadsafe(self._use, board)

    def close(self) -> None:
        """Ends the server and frees its port. Harmless when done twice."""
        if not self._is_closed:
            self._is_closed = True
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(_CLOSE_SECONDS)

    # ---- the thread -----------------------------------------------------------------------------

    def _run(self, ready: Future[None]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._hub = Hub(self._board, self._peers, self._clients)
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=30.0, shutdown_timeout=_GOODBYE_SECONDS
        )
        await runner.setup()
        serving = runner.server
        assert serving is not None

        tasks = [
            asyncio.create_task(work)
            for work in (self._accept(serving), self._pulse(), self._announce())
        ]
        ready.set_result(None)
        try:
            await self._end.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._listener.close()
            await asyncio.gather(*(client.close() for client in tuple(self._clients)))
            await runner.cleanup()
            if self._announcement is not None:
                await self._announcement.end()
            self._hub.close()

    async def _accept(self, serving: web.Server) -> None:
        """Lets connections in, as many as there may be."""
        self._listener.setblocking(False)
        while True:
            try:
                link, _ = await self._loop.sock_accept(self._listener)
            except OSError:  # there are no more of the system's own
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if len(serving.connections) >= _MAX_CONNECTIONS:
                link.close()
                continue
            with contextlib.suppress(OSError):  # it has gone at once
                await self._loop.connect_accepted_socket(serving, link)

    async def _announce(self) -> None:
        if self._announcement is not None:
            await self._announcement.begin()

    async def _pulse(self) -> None:
        while True:
            try:
                self._hub.pulse()
            except Exception:  # a mistake of ours costs one pulse, not the concert
                _logger.exception("The web mixer: a pulse could not be dealt with.")
            await asyncio.sleep(self._hub.seconds_to_next())

    def _use(self, board: Board) -> None:
        self._hub.close()
        self._hub = Hub(board, self._peers, self._clients)

    # ---- requests -------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        refusal = self._door.refusal(request)
        if refusal is not None:
            return refusal
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(request)
        page = self._pages.find(request)
        if page is not None:
            return page
        if request.query_string.partition("&")[0] == "HOST_INFO":
            host = _reached_at(request) or self.host
            info = host_info(host=host, port=self.port, osc_port=self._osc_port)
            return answer(info, "")
        return answer(self._hub.tree.node(request.path, self._hub.board), request.query_string)

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        """Speaks with a client over a WebSocket, until it goes."""
        if len(self._clients) >= MAX_CLIENTS:
            return web.Response(status=503, text=f"{MAX_CLIENTS} clients are here already.\n")
        link = web.WebSocketResponse(
            timeout=_GOODBYE_SECONDS,
            heartbeat=_HEARTBEAT_SECONDS,
            max_msg_size=MAX_BYTES,
            compress=False,
        )
        await link.prepare(request)
        transport = request.transport
        peername = transport.get_extra_info("peername") if transport is not None else None
        origin = f"web {peername[0]}:{peername[1]}" if peername else f"web {id(link)}"
        client = Client(origin, link, transport)
        self._clients.add(client)
        self._peers.greet(origin, lambda _: client.peer, self._loop.time())
        sending = asyncio.create_task(client.send())
        try:
            async for message in link:
                if message.type == WSMsgType.BINARY:
                    self._hub.take_packet(message.data, client)
                elif message.type == WSMsgType.TEXT:
                    self._hub.take_command(message.data, client)
                await asyncio.sleep(0)  # a flood from one leaves the others their turn
        finally:
            self._clients.discard(client)
            self._hub.forget(client)
            self._peers.forget(origin)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
        return link


def _reached_at(request: web.Request) -> str:
    """The address of ours that a client has reached."""
    name = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return str(name[0]) if name else ""


def _listen(options: WebOptions) -> socket.socket:
    host, port = options.host, options.port
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise NetworkError(f"There is no address {host!r} to listen at.") from error
    is_dual = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server(address[:2], family=family, backlog=64, dualstack_ipv6=is_dual)
    except OSError as error:
        raise NetworkError(
            f"The web mixer cannot listen at {host}:{port} ({error.strerror}): end the program "
            "that does, or give another --web-port."
        ) from error
