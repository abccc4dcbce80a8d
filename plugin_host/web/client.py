"""One browser or program at the other end of a WebSocket, and what waits to be sent to it.

What waits has an end. A client that does not read gets no more, but what it has missed is not
lost: who tells it (the subscriptions) keeps the addresses, and sends their newest values later.
Columns of spectrograms are only good while they are new: the newest replaces one that waits.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress

from aiohttp import web

from plugin_host.osc.peers import Allowance, Peer

MESSAGES_PER_SECOND = 2_000.0
MAX_LISTENS = 1_024

_MAX_UNSENT = 16_384  # bytes
_SEND_BUFFER = 32_768  # bytes that the system may hold: what waits there is already old


class Client:
    """A WebSocket. Belongs to the server's thread.

    Args:
        origin: its name on the board.
        link: that has been opened.
        transport: below it; None if the client has gone already.

    Attributes:
        peer: as the dispatcher knows it.
        listening: what it wants to hear of: addresses, and containers for all in them.
        wants_spectra: whether it draws spectrograms.
        is_dirty: whether `listening` has changed since somebody has looked.
    """

    def __init__(
        self, origin: str, link: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        self.peer = Peer(origin, self.transmit, Allowance(MESSAGES_PER_SECOND), is_connected=True)
        self.listening: dict[str, None] = {}
        self.wants_spectra = False
        self.is_dirty = False
        self._link = link
        self._transport = transport
        self._texts: dict[str, None] = {}  # in order, each once
        self._waiting: deque[bytes] = deque()
        self._unsent = 0
        self._column = b""
        self._bell = asyncio.Event()
        if transport is not None:
            transport.set_write_buffer_limits(high=_MAX_UNSENT)
            with suppress(OSError):
                _socket_of(transport).setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def transmit(self, message: bytes) -> bool:
        """Sends a message soon; returns False if too much waits already."""
        if self._unsent > _MAX_UNSENT:
            return False
        self._waiting.append(message)
        self._unsent += len(message)
        self._bell.set()
        return True

    def tell(self, text: str) -> None:
        """Sends a command of OSCQuery soon; one that waits already is not sent twice."""
        self._texts[text] = None
        self._bell.set()

    def show(self, column: bytes) -> None:
        """Sends a column of spectrograms, if nothing else waits; the newest only."""
        self._column = column
        self._bell.set()

    async def send(self) -> None:
        """Sends what waits, as fast as the client takes it, until it has gone."""
        with suppress(ConnectionError):
            while not self._link.closed:
                await self._bell.wait()
                self._bell.clear()
                while self._texts:
                    text = next(iter(self._texts))
                    del self._texts[text]
                    await self._link.send_str(text)
                while self._waiting:
                    message = self._waiting.popleft()
                    self._unsent -= len(message)
                    await self._link.send_bytes(message)
                if self._column and not self._is_behind:
                    column, self._column = self._column, b""
                    await self._link.send_bytes(column)

    @property
    def _is_behind(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    async def close(self) -> None:
        """Ends the conversation, as when the server ends."""
        with suppress(ConnectionError, TimeoutError):
            await self._link.close(code=1001, message=b"Stemwire ends")


def _socket_of(transport: asyncio.Transport) -> socket.socket:
    link = transport.get_extra_info("socket")
    if link is None:
        raise OSError("there is no socket")
    found: socket.socket = link
    return found
