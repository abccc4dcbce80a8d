"""Whether an engine lives: its process runs, and its loop goes round."""

import time

from engine.worker.child import EngineProcess
from engine.worker.layout import Engine, engine_word

STALL_SECONDS = 1.5
"""An engine without a sign of life for so long counts as dead."""


class Pulse:
    """Feels the pulse of one engine whose loop has been told to run.

    Args:
        engine: the process.
        words: header of the shared memory.
    """

    def __init__(self, engine: EngineProcess, words: memoryview) -> None:
        self.engine = engine
        self._words = words
        self._beat = engine_word(engine.task.slot) + Engine.BEAT
        self._last = words[self._beat]
        self._felt = time.monotonic()

    def is_there(self) -> bool:
        """Whether the engine lives; to be asked more often than every `STALL_SECONDS`."""
        beat = self._words[self._beat]
        if beat != self._last:
            self._last, self._felt = beat, time.monotonic()
        return self.engine.is_alive and time.monotonic() - self._felt < STALL_SECONDS
