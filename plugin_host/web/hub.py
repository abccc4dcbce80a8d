"""What all WebSockets share: one board, and a pulse thirty times a second.

Binary messages are OSC and go to a dispatcher, as those over UDP do: they set, ask, subscribe and
are answered by the same rules. Text messages are commands:

    {"COMMAND": "LISTEN", "DATA": "/stemwire/bypass"}     its value now, and whenever it changes
    {"COMMAND": "IGNORE", "DATA": "/stemwire/bypass"}
    {"COMMAND": "SPECTRA", "DATA": true}                  ours: what the spectrograms show

LISTEN to a container means all that is in it. What comes back is OSC too; spectra come as
/stemwire/spectra, whose two arguments are the number of rows (the mix, then the stems) and a blob,
one byte for each band of each row. {"COMMAND": "PATH_CHANGED"} says that there are other addresses.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from typing import Any

from plugin_host.board import CONTROLS, Board
from plugin_host.errors import MessageError
from plugin_host.osc.address import ROOT, Address, Values
from plugin_host.osc.addresses import MAX_RATE_HZ, AddressTable
from plugin_host.osc.datagram import build
from plugin_host.osc.dispatcher import Dispatcher
from plugin_host.osc.peers import Peers
from plugin_host.osc.subscriptions import Subscriptions
from plugin_host.web.client import MAX_LISTENS, MESSAGES_PER_SECOND, Client
from plugin_host.web.spectra import Spectra
from plugin_host.web.tree import Tree

PULSE_SECONDS = 1.0 / MAX_RATE_HZ
SPECTRA_PATH = f"{ROOT}/spectra"

_COLUMN_SECONDS = 1.0 / 15.0
_IDLE_SECONDS = 0.25  # while nobody is there
_SHORTEST_SECONDS = 0.001
_LISTEN = "listen"  # the name of a client's one feed
_MAX_ABOUT = 80


class Hub:
    """Serves clients with a board. Belongs to the server's thread, but for `_hear`.

    Args:
        board: to serve.
        peers: who there is.
        clients: those who are connected.

    Attributes:
        board: which it serves.
        tree: its addresses.
    """

    def __init__(self, board: Board, peers: Peers, clients: Collection[Client]) -> None:
        self.board = board
        self._clients = clients
        self._dispatcher = Dispatcher(board, peers)
        self._listens = Subscriptions()
        self._spectra = Spectra()
        self._column_at = 0.0
        self._lock = threading.Lock()  # of the two that follow
        self._changed: dict[str, str] = {}  # the newest origin, by what has changed
        self._is_other = False  # there are other controls
        self._now: dict[str, tuple[Values, bytes]] = {}  # what was read in this pulse
        self._renew()
        self._unsubscribe = board.subscribe(self._hear)

    def close(self) -> None:
        """Lets go of the board."""
        self._unsubscribe()
        self._dispatcher.close()
        self._spectra.close()

    def _hear(self, name: str, value: float | str, origin: str) -> None:
        """Takes what the board tells, in its thread."""
        self._dispatcher.hear(name, value, origin)
        with self._lock:
            self._changed[name] = origin
            self._is_other |= name == CONTROLS

    # ---- what comes in --------------------------------------------------------------------------

    def take_packet(self, packet: bytes, client: Client) -> None:
        """Does what an OSC packet says."""
        client.peer.heard_at = now = time.monotonic()
        if client.peer.messages.take(now):
            self._dispatcher.take(packet, client.peer)
        else:
            self._complain(client, f"More than {MESSAGES_PER_SECOND:g} messages a second came.")

    def take_command(self, text: str, client: Client) -> None:
        """Does what a command of OSCQuery says."""
        if not client.peer.messages.take(time.monotonic()):
            self._complain(client, f"More than {MESSAGES_PER_SECOND:g} messages a second came.")
            return
        try:
            self._obey(text, client)
        except MessageError as error:
            self._complain(client, str(error), text[:_MAX_ABOUT])

    def _obey(self, text: str, client: Client) -> None:
        command, data = _read(text)
        if command == "LISTEN":
            path = _path(data)
            if path not in client.listening and len(client.listening) >= MAX_LISTENS:
                raise MessageError(f"You listen to {MAX_LISTENS} addresses: ignore one first.")
            if not self._under(path):
                raise MessageError(f"There is no address {path[:_MAX_ABOUT]} to listen to.")
            client.listening[path] = None
            client.is_dirty = True
        elif command == "IGNORE":
            client.listening.pop(_path(data), None)
            client.is_dirty = True
        elif command == "SPECTRA":
            client.wants_spectra = data is True
        else:
            raise MessageError("The commands are LISTEN, IGNORE and SPECTRA.")

    def _complain(self, client: Client, sentence: str, about: str = "") -> None:
        self._dispatcher.complain(client.peer, sentence, about)

    # ---- what goes out --------------------------------------------------------------------------

    def pulse(self) -> None:
        """Does what is due, and tells every client what has changed."""
        self._dispatcher.look()
        with self._lock:
            changed, self._changed = self._changed, {}
            is_other, self._is_other = self._is_other, False
        if is_other:
            self._renew()
        for name, origin in changed.items():
            self._listens.note(self._table.showing(name), origin)
        for client in self._clients:
            if client.is_dirty:
                self._listen(client)
        self._now.clear()
        now = time.monotonic()
        self._listens.send(now, self._read_address)
        if now >= self._column_at:
            self._column_at = now + _COLUMN_SECONDS - PULSE_SECONDS / 2
            self._show_spectra()

    def seconds_to_next(self) -> float:
        """Returns how long until the next pulse."""
        longest = PULSE_SECONDS if self._clients else _IDLE_SECONDS
        due = self._dispatcher.seconds_to_next()  # a bundle may be due before
        return longest if due is None else min(longest, max(due, _SHORTEST_SECONDS))

    def forget(self, client: Client) -> None:
        """Lets go of a client that has gone."""
        self._dispatcher.forget(client.peer.origin)
        self._listens.remove(client.peer.origin)

    def _renew(self) -> None:
        """Begins anew with the addresses that there are now, and says so."""
        self._table = AddressTable(self.board.stems, self.board.controls)
        self.tree = Tree(self._table)
        for client in self._clients:
            client.is_dirty = True
            client.tell(json.dumps({"COMMAND": "PATH_CHANGED", "DATA": ROOT}))

    def _listen(self, client: Client) -> None:
        client.is_dirty = False
        found = {at.path: at for path in client.listening for at in self._under(path)}
        if found:
            addresses = tuple(found.values())
            now = time.monotonic()
            try:
                self._listens.add(client.peer, _LISTEN, addresses, MAX_RATE_HZ, now)
            except MessageError as error:
                self._complain(client, str(error))
        else:
            self._listens.remove(client.peer.origin)

    def _under(self, path: str) -> list[Address]:
        """Returns an address, or all in a container."""
        above = path.rstrip("/") + "/"
        return [at for at in self._table if at.path == path or at.path.startswith(above)]

    def _read_address(self, address: Address) -> tuple[Values, bytes]:
        """What is to be told of an address; the same to all in one pulse."""
        known = self._now.get(address.path)
        if known is None:
            assert address.read is not None
            values = address.read(self.board)
            known = self._now[address.path] = values, build(address.path, values)
        return known

    def _show_spectra(self) -> None:
        looking = [client for client in self._clients if client.wants_spectra]
        if not looking:
            self._spectra.close()
            return
        column = self._spectra.column(self.board.session)
        if column is not None:
            message = build(SPECTRA_PATH, [len(column), column.tobytes()])
            for client in looking:
                client.show(message)


def _read(text: str) -> tuple[str, Any]:
    """Returns a command and its data."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MessageError("A text message is JSON, and this one is not.") from error
    if not isinstance(message, dict) or not isinstance(message.get("COMMAND"), str):
        raise MessageError('A text message is an object with a "COMMAND".')
    return message["COMMAND"], message.get("DATA")


def _path(data: Any) -> str:
    if not isinstance(data, str) or not data.startswith("/"):
        raise MessageError('"DATA" is an address, which begins with a slash.')
    return data
