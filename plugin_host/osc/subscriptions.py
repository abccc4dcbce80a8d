"""Subscriptions: who is told what, and how often.

A feed is one client's wish to be told of the addresses that a pattern means. What has changed is
noted in it, and when its time comes it sends what is there *then*: however much happens, a feed
holds each address once and sends it at most `MAX_RATE_HZ` times a second, the newest value alone.
A client that cannot take any more keeps what it has missed, and gets it later.

Controls are noted when the board tells of them. Meters and figures move by themselves: they are
read when the feed's time comes, and sent if they are others than before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from engine import ConfigError
from plugin_host.errors import MessageError
from plugin_host.osc.address import Address, Values
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.peers import Peer

LEASE_SECONDS = 60.0
"""For so long after its last message a client without a connection is told things."""

MAX_SUBSCRIBERS = 64
MAX_FEEDS = 32
_MAX_AT_ONCE = 256  # messages to one client; the others follow

Read = Callable[[Address], tuple[Values, bytes]]
"""Returns an address's values, and the message that tells of them."""


@dataclass
class Feed:
    """What one pattern of one client means.

    Attributes:
        addresses: all of them.
        interval: seconds between two sendings, at least.
        next_at: when to send next.
        own: of the addresses, by path, those that no quicker feed of the client tells of.
        moving: of its own, those that move by themselves.
        changed: paths of what is to be sent.
        last: what was sent last, of what moves by itself.
    """

    addresses: tuple[Address, ...]
    interval: float
    next_at: float
    own: dict[str, Address] = field(default_factory=dict)
    moving: tuple[Address, ...] = ()
    changed: dict[str, Address] = field(default_factory=dict)
    last: dict[str, Values] = field(default_factory=dict)


class Subscriptions:
    """All feeds of all clients. Used by the server's thread alone."""

    def __init__(self) -> None:
        self._feeds: dict[str, dict[str, Feed]] = {}  # by the client's name, by pattern
        self._peers: dict[str, Peer] = {}

    def __len__(self) -> int:
        return len(self._feeds)

    def add(
        self, peer: Peer, pattern: str, addresses: Sequence[Address], rate: float, now: float
    ) -> None:
        """Begins to tell a client of addresses; their values at once, then what changes.

        Raises:
            MessageError: if there are too many subscriptions already.
        """
        feeds = self._feeds.get(peer.origin, {})
        if not feeds and len(self._feeds) >= MAX_SUBSCRIBERS:
            raise MessageError(f"{MAX_SUBSCRIBERS} clients are subscribed already.")
        if pattern not in feeds and len(feeds) >= MAX_FEEDS:
            raise MessageError(f"You have {MAX_FEEDS} subscriptions: end one, or use a pattern.")
        told = _told(addresses)
        feed = Feed(told, 1.0 / rate, now, changed={address.path: address for address in told})
        self._feeds[peer.origin] = {**feeds, pattern: feed}
        self._peers[peer.origin] = peer
        peer.is_subscribed = True
        _share_out(self._feeds[peer.origin])

    def remove(self, origin: str, pattern: str | None = None) -> None:
        """Ends one of a client's subscriptions, or all of them; harmless where there is none."""
        feeds = self._feeds.get(origin, {})
        if pattern is not None:
            feeds.pop(pattern, None)
            _share_out(feeds)
        if pattern is None or not feeds:
            self._feeds.pop(origin, None)
            if (peer := self._peers.pop(origin, None)) is not None:
                peer.is_subscribed = False

    def renew(self, table: AddressTable) -> None:
        """Lets every feed mean what its pattern means in another table, and begin anew."""
        for feeds in self._feeds.values():
            for pattern, feed in feeds.items():
                try:
                    feed.addresses = _told(table.match(pattern))
                except ConfigError:  # nothing of the kind is there any more
                    feed.addresses = ()
                feed.changed = {address.path: address for address in feed.addresses}
                feed.last.clear()
            _share_out(feeds)

    def note(self, addresses: Iterable[Address], origin: str) -> None:
        """Notes that values have changed.

        Args:
            addresses: that show them.
            origin: who has changed them; he knows what he has sent to the address that he used.
        """
        for name, feeds in self._feeds.items():
            turned = self._peers[name].turned if name == origin else {}
            for address in addresses:
                if turned.get(address.shows) == address.path:
                    continue
                for feed in feeds.values():
                    if address.path in feed.own:
                        feed.changed[address.path] = address

    def seconds_to_next(self, now: float) -> float | None:
        """Returns how long until there may be something to send; None if there is nobody."""
        times = [
            feed.next_at
            for feeds in self._feeds.values()
            for feed in feeds.values()
            if feed.changed or feed.moving
        ]
        if times:
            return max(min(times) - now, 0.0)
        return LEASE_SECONDS if self._feeds else None

    def send(self, now: float, read: Read) -> None:
        """Sends what is due, and lets go of clients that have been silent for too long."""
        for name, feeds in list(self._feeds.items()):
            peer = self._peers[name]
            if not peer.is_connected and now - peer.heard_at > LEASE_SECONDS:
                self.remove(name)
                continue
            for feed in feeds.values():
                if feed.next_at <= now and (feed.changed or feed.moving):
                    _send(feed, peer, read)
                    feed.next_at = now + feed.interval


def _told(addresses: Iterable[Address]) -> tuple[Address, ...]:
    return tuple(address for address in addresses if address.read is not None)


def _share_out(feeds: dict[str, Feed]) -> None:
    """Gives each address to the quickest of a client's feeds, so that none is told twice."""
    taken: set[str] = set()
    for feed in sorted(feeds.values(), key=lambda feed: feed.interval):
        feed.own = {at.path: at for at in feed.addresses if at.path not in taken}
        feed.moving = tuple(address for address in feed.own.values() if not address.shows)
        feed.changed = {path: at for path, at in feed.changed.items() if path in feed.own}
        taken |= feed.own.keys()


def _send(feed: Feed, peer: Peer, read: Read) -> None:
    for address in feed.moving:
        if feed.last.get(address.path) != read(address)[0]:
            feed.changed[address.path] = address
    for path, address in list(feed.changed.items())[:_MAX_AT_ONCE]:
        values, message = read(address)
        if not peer.transmit(message):
            return
        del feed.changed[path]
        if not address.shows:
            feed.last[path] = values
