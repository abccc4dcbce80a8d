"""How an engine's process answers whoever started it: one JSON object a line on stdout."""

import json
import os
import threading
from contextlib import suppress
from typing import Any

from engine.errors import StemwireError


class Pipe:
    """Writes answers, from any thread. Makes the process's own stdout a copy of its stderr."""

    def __init__(self) -> None:
        # Libraries may print; only answers shall reach the pipe.
        self._stream = os.fdopen(os.dup(1), "w", buffering=1)
        self._lock = threading.Lock()
        os.dup2(2, 1)

    def say(self, **answer: Any) -> None:
        """Writes an answer; its `event` tells what it is about."""
        with self._lock, suppress(OSError):  # nobody listens any more; stdin says the same
            self._stream.write(json.dumps(answer) + "\n")

    def say_error(self, error: StemwireError) -> None:
        """Writes what went wrong, so that the other side can raise the same."""
        self.say(event="error", kind=type(error).__name__, message=str(error))
