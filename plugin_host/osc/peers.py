"""Peers: who talks to us, over which way, how often, and whether he may.

A peer is an (ip, port), over UDP or TCP, where answers go to. Each has an allowance of messages and
one of complaints, so that a flood costs little and one client cannot take the others' time.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine import ConfigError

MAX_PEERS = 1_024
PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Who is heard when the server is opened and nothing else is said: the networks of homes, studios
and stages."""

_COMPLAINTS_PER_SECOND = 20.0
_MAX_KNOWN_HOSTS = 4_096

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Allowance:
    """So much each second, and for a moment as much as for a whole second.

    Args:
        per_second: how much.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left = per_second
        self._at = 0.0

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Takes of it if there is enough left.

        Args:
            now: seconds, on a clock that never goes back.
            amount: how much; of more than a second's worth, only that is asked.
        """
        self._left = min(self._left + (now - self._at) * self._per_second, self._per_second)
        self._at = now
        if self._left < min(amount, self._per_second):
            return False
        self._left -= amount
        return True


@dataclass
class Peer:
    """Somebody who talks to us.

    Attributes:
        origin: his name on the board.
        transmit: sends him a message, if that goes without waiting; returns whether it did.
        messages: that he may send.
        complaints: that he may get.
        is_connected: whether a connection tells that he is still there.
        is_subscribed: whether he is told of changes.
        heard_at: when he last said something.
        silent_faults: that he was not told of.
        turned: for every control that he turns, by which address.
    """

    origin: str
    transmit: Callable[[bytes], bool]
    messages: Allowance
    is_connected: bool = False
    is_subscribed: bool = False
    complaints: Allowance = field(default_factory=lambda: Allowance(_COMPLAINTS_PER_SECOND))
    heard_at: float = 0.0
    silent_faults: int = 0
    turned: dict[str, str] = field(default_factory=dict)


class Peers:
    """All peers, as many as there may be; who has been silent for longest is forgotten first.

    Those who are subscribed stay; they are fewer.
    """

    def __init__(self) -> None:
        self._peers: OrderedDict[str, Peer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._peers)

    def find(self, origin: str) -> Peer | None:
        """Returns a peer by his name."""
        return self._peers.get(origin)

    def greet(self, origin: str, make: Callable[[str], Peer], now: float) -> Peer:
        """Returns the peer who has just said something, made when he is new."""
        peer = self._peers.get(origin)
        if peer is None:
            peer = self._peers[origin] = make(origin)
            if len(self._peers) > MAX_PEERS:
                oldest = (name for name, other in self._peers.items() if not other.is_subscribed)
                del self._peers[next(oldest)]
        else:
            self._peers.move_to_end(origin)
        peer.heard_at = now
        return peer

    def forget(self, origin: str) -> None:
        """Forgets a peer."""
        self._peers.pop(origin, None)


class Guests:
    """Whose messages are heard.

    Args:
        networks: such as "192.168.1.0/24"; a single address is one as well.

    Raises:
        ConfigError: if one of them is no network.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [_network(text) for text in networks]
        self._known: dict[str, bool] = {}

    def may_enter(self, host: str) -> bool:
        """Whether somebody at an IP address is heard."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _MAX_KNOWN_HOSTS:
                self._known.clear()
            known = self._known[host] = self._is_listed(host)
        return known

    def _is_listed(self, host: str) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no network: give one such as 192.168.1.0/24.") from error
