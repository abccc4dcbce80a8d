"""Who may enter: browsers and programs out of the networks that are let in, and not too often.

Beside the networks there is another way in to guard: any page on the web that the musician looks at
can have *his own browser* talk to this machine. Two headers tell that:

    Origin   the page that talks. It must be ours, and be there with every WebSocket of a browser.
             Programs that are no browsers send none.
    Host     the name that the browser has looked up. A stranger's name may be made to point at this
             machine (DNS rebinding), so it must be a number or a name of this machine.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Sequence

from aiohttp import web

from plugin_host.osc.peers import PRIVATE_NETWORKS, Allowance, Guests

REQUESTS_PER_SECOND = 200.0
_MAX_HOSTS = 1_024
_LOCAL_SUFFIXES = (".local", ".localhost", ".lan", ".home.arpa")


class Door:
    """Lets requests in, or says why not.

    Args:
        networks: of those who may enter; empty for private networks.

    Raises:
        ConfigError: if one of them is no network.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._guests = Guests(networks or PRIVATE_NETWORKS)
        self._names = {"localhost", socket.gethostname().lower()}
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    def refusal(self, request: web.BaseRequest) -> web.Response | None:
        """Returns what is answered to who must not enter; None if he may."""
        host = request.remote
        if host is None or not self._guests.may_enter(host):
            return _text(403, "Stemwire is not open to this network: see --web-allow.")
        if not self._allowance(host).take(time.monotonic()):
            return _text(429, f"More than {REQUESTS_PER_SECOND:g} requests a second came.")
        if not self._is_ours(_hostname(request.headers.get("Host", ""))):
            return _text(403, "Stemwire is asked for by a name that is not this machine's.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("Host"):
            return _text(403, "Another page than Stemwire's own asks.")
        return None

    def _allowance(self, host: str) -> Allowance:
        allowance = self._allowances.pop(host, None) or Allowance(REQUESTS_PER_SECOND)
        self._allowances[host] = allowance
        if len(self._allowances) > _MAX_HOSTS:
            self._allowances.popitem(last=False)
        return allowance

    def _is_ours(self, name: str) -> bool:
        try:
            ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            return name in self._names or name.endswith(_LOCAL_SUFFIXES)
        return True


def _hostname(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _text(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, text=f"{sentence}\n")
