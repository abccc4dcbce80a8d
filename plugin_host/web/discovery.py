"""Announcing ourselves, so that programs find us without an address: zeroconf, or Bonjour.

    _oscjson._tcp   OSCQuery, and the mixer
    _osc._udp       OSC

Where there is no network, or something in it goes wrong, nothing is announced and nothing else
changes. What is heard on this machine alone is announced on this machine alone.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from contextlib import suppress

from zeroconf import Error as ZeroconfError
from zeroconf import InterfaceChoice, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

_KINDS = ("_oscjson._tcp.local.", "_osc._udp.local.")
_SECONDS = 5.0  # to say good-bye
_FAULTS = (OSError, ZeroconfError, TimeoutError, RuntimeError, ValueError)


class Announcement:
    """What is announced.

    Args:
        host: the address that is listened at.
        port: of HTTP.
        osc_port: of OSC over UDP; None for none.

    Attributes:
        is_heard: whether all of it is announced by now.
        trouble: why nothing is announced, one sentence; empty while all is well.
    """

    def __init__(self, host: str, port: int, osc_port: int | None) -> None:
        self.is_heard = False
        self.trouble = ""
        self._host = ipaddress.ip_address(host)
        self._ports = (port, osc_port)
        self._zeroconf: AsyncZeroconf | None = None

    async def begin(self) -> None:
        """Announces us. Takes a second or two, as names are checked to be free."""
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces(), ip_version=IPVersion.All)
            for kind, port in zip(_KINDS, self._ports, strict=True):
                if port is not None:
                    info = self._info(kind, port)
                    await self._zeroconf.async_register_service(info, allow_name_change=True)
            self.is_heard = True
        except _FAULTS as error:
            self.trouble = f"Other programs do not find us by name: {error or type(error).__name__}"
            await self.end()

    async def end(self) -> None:
        """Takes it back."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            with suppress(*_FAULTS):
                await asyncio.wait_for(zeroconf.async_unregister_all_services(), _SECONDS)
            with suppress(*_FAULTS):
                await asyncio.wait_for(zeroconf.async_close(), _SECONDS)

    def _interfaces(self) -> Sequence[str] | InterfaceChoice:
        return InterfaceChoice.All if self._host.is_unspecified else [str(self._host)]

    def _info(self, kind: str, port: int) -> ServiceInfo:
        machine = socket.gethostname().partition(".")[0]
        return ServiceInfo(
            kind,
            f"Stemwire on {machine}.{kind}",
            port=port,
            properties={"txtvers": "1", "path": "/"},
            server=f"{machine}.local.",
            parsed_addresses=self._addresses(),
        )

    def _addresses(self) -> list[str]:
        if not self._host.is_unspecified:
            return [str(self._host)]
        import ifaddr

        found = [
            ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            for adapter in ifaddr.get_adapters()
            for ip in adapter.ips
        ]
        return [ip for ip in found if not ipaddress.ip_address(ip).is_loopback] or ["127.0.0.1"]
