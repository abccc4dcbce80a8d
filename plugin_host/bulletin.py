"""Who wants to hear of changes, and the thread that tells them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

News = tuple[str, float | str, str]
"""Name, value and origin of a change."""

Listener = Callable[[str, float | str, str], None]
"""Called with name, value and origin; it returns at once."""

_LOOKS_PER_SECOND = 60
_MAX_NEWS = 256


class Bulletin:
    """Looks for changes 60 times a second and tells listeners, one after the other.

    Args:
        look: returns the changes of controls since it was last called.
    """

    def __init__(self, look: Callable[[], list[News]]) -> None:
        self._look = look
        self._news: deque[News] = deque(maxlen=_MAX_NEWS)
        self._listeners: dict[object, tuple[Listener, str]] = {}
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread. Harmless when done twice."""
        self._is_closed.set()
        self._thread.join()

    def subscribe(self, listener: Listener, origin: str) -> Callable[[], None]:
        """Adds a listener that need not hear what an origin does to controls.

        Returns:
            A function that ends it.
        """
        key = object()
        with self._lock:
            self._listeners[key] = (listener, origin)
        return lambda: self._unsubscribe(key)

    def tell(self, name: str, value: float | str, origin: str) -> None:
        """Tells everybody, its origin as well."""
        self._news.append((name, value, origin))

    def _unsubscribe(self, key: object) -> None:
        with self._lock:
            self._listeners.pop(key, None)

    def _run(self) -> None:
        while not self._is_closed.wait(1 / _LOOKS_PER_SECOND):
            changes = self._look()
            news = [self._news.popleft() for _ in range(len(self._news))]
            with self._lock:
                listeners = tuple(self._listeners.values())
            for listener, own in listeners:
                for change in changes:
                    if not own or change[2] != own:
                        listener(*change)
                for item in news:
                    listener(*item)
