"""Single keys typed while the live view is shown, and the commands that they stand for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from plugin_host.link_process import Message

_SOLO = "s"


class Keys:
    """Takes keys from the terminal.

    Attributes:
        stems: Their names, in the order of the number keys.
    """

    def __init__(self) -> None:
        self.stems: tuple[str, ...] = ()
        self._last = ""
        self._before: Any = None

    def open(self, on_command: Callable[[Message], None]) -> None:
        """Begins to listen, where stdin is a terminal of a kind that can hand over single keys."""
        try:
            import termios
            import tty
        except ImportError:
            return
        try:
            descriptor = sys.stdin.fileno()
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor)
        except (OSError, ValueError, termios.error):
            return
        arguments = (descriptor, on_command)
        threading.Thread(target=self._listen, args=arguments, daemon=True, name="keys").start()

    def close(self) -> None:
        """Gives the terminal back as it was."""
        if self._before is not None:
            import termios

            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)

    def command(self, key: str) -> Message | None:
        """What a key means after the one before it.

        Args:
            key: One character.

        Returns:
            The command, or None.
        """
        last, self._last = self._last, key
        if key.isdecimal() and 1 <= int(key) <= len(self.stems):
            switch = "solo" if last == _SOLO else "mute"
            return {"toggle": f"stem/{self.stems[int(key) - 1]}/{switch}"}
        known: dict[str, Message] = {
            "b": {"toggle": "bypass"},
            "p": {"toggle": "panic"},
            "r": {"trigger": "reset"},
            "m": {"swap": None},
            "q": {"quit": True},
        }
        return known.get(key)

    def _listen(self, descriptor: int, on_command: Callable[[Message], None]) -> None:
        with suppress(OSError):
            while key := os.read(descriptor, 1):
                command = self.command(key.decode(errors="replace"))
                if command is not None:
                    on_command(command)
