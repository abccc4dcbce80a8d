"""How the web server is reached. Light: what it takes to serve is imported elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine import ConfigError

DEFAULT_PORT = 9131
DEFAULT_HOST = "127.0.0.1"


@dataclass(frozen=True)
class WebOptions:
    """How the server is reached.

    Attributes:
        port: TCP; 0 for any that is free.
        host: the address to listen at; 127.0.0.1 is heard on this machine alone, 0.0.0.0 and ::
            everywhere.
        networks: whose requests are heard, such as "192.168.1.0/24"; empty for private networks.
    """

    port: int = DEFAULT_PORT
    host: str = DEFAULT_HOST
    networks: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"The web port is {self.port}; give 0 to 65535.")
