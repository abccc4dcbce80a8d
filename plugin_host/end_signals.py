"""Ctrl-C and `kill` are how live sessions end; they are wishes, not accidents."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def end_signals(on_end: Callable[[], None]) -> Iterator[None]:
    """Takes what would end the process as a wish; puts everything back afterwards."""

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        on_end()

    numbers = [getattr(signal, name) for name in _END_SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
