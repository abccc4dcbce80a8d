"""One client over TCP."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

from plugin_host.errors import MessageError
from plugin_host.osc.peers import Peer
from plugin_host.osc.tcp import Framing, framing_for

MAX_UNSENT = 256 * 1024
"""Bytes that wait for a client to read; it gets no more until it does."""

_READ_BYTES = 65_536


class Connection:
    """A connected socket, and what has come and goes over it. Never waits.

    Args:
        link: the socket, not blocking.
        selector: that watches it; it is registered there.

    Attributes:
        peer: who is at the other end; set by whoever makes it.
    """

    peer: Peer

    def __init__(self, link: socket.socket, selector: selectors.BaseSelector) -> None:
        self._link = link
        self._selector = selector
        self._framing: Framing | None = None
        self._unsent = bytearray()
        self._watched = selectors.EVENT_READ
        self.is_open = True
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def watch(self, handler: Callable[[int], None]) -> None:
        """Has a function called when something has come, or can go."""
        self._handler = handler
        self._selector.register(self._link, selectors.EVENT_READ, handler)

    def receive(self) -> list[bytes | MessageError]:
        """Returns the messages that have come, and errors where some are lost.

        Raises:
            MessageError: if the stream cannot go on.
            ConnectionError: if the client has gone.
        """
        try:
            data = self._link.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ConnectionError from error
        if not data:
            raise ConnectionError
        if self._framing is None:
            self._framing = framing_for(data)
        return self._framing.feed(data)

    def transmit(self, message: bytes) -> bool:
        """Sends a message as far as that goes now; returns False if too much waits already."""
        if not self.is_open or self._framing is None or len(self._unsent) > MAX_UNSENT:
            return False
        self._unsent += self._framing.wrap(message)
        self.flush()
        return True

    def flush(self) -> None:
        """Sends what waits, as far as that goes now."""
        try:
            sent = self._link.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:  # it has gone, which reading will tell
            sent = len(self._unsent)
        del self._unsent[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        if self.is_open and wanted != self._watched:
            self._watched = wanted
            self._selector.modify(self._link, wanted, self._handler)

    def close(self) -> None:
        """Ends it; harmless when done twice."""
        if self.is_open:
            self.is_open = False
            self._selector.unregister(self._link)
            self._link.close()
