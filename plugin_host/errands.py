"""Errands: what takes long, done by one thread of its own, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from engine import ConfigError, StemwireError

_MAX_WAITING = 32
_CLOSE_SECONDS = 2.0


class Errands:
    """A queue of things to do, and the thread that does them.

    Args:
        on_error: called by that thread with the sentence and the origin of an errand that failed.
    """

    def __init__(self, on_error: Callable[[str, str], None]) -> None:
        self._on_error = on_error
        self._waiting: queue.SimpleQueue[tuple[Callable[[], None], str] | None]
        self._waiting = queue.SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for its turn."""
        return self._waiting.empty()

    def add(self, errand: Callable[[], None], origin: str) -> None:
        """Has something done in its turn; returns at once.

        Args:
            errand: what to do; it may raise a `StemwireError`.
            origin: who wishes it.

        Raises:
            ConfigError: if too much is waiting already.
        """
        if self._waiting.qsize() >= _MAX_WAITING:
            raise ConfigError("Too much is being done already: try again in a moment.")
        self._waiting.put((errand, origin))

    def close(self) -> None:
        """Drops what has not begun, and waits a little for what has."""
        self._is_closed = True
        self._waiting.put(None)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while (errand := self._waiting.get()) is not None and not self._is_closed:
            do, origin = errand
            try:
                do()
            except StemwireError as error:
                self._on_error(str(error), origin)
