"""Which of a session's processors have failed, whichever engine ran them.

A processor that raises, or gives no sound, is bypassed by the engine itself, which tells. One that
takes the engine's process down, or does not come back, cannot be survived; but the engine notes in
shared memory which processor it is about to call. Whoever starts the next engine looks there first,
and has it leave that one out. A crash is proof; that an engine stood still just there may once be
chance, when the whole machine stood still, so the second time counts.
"""

import signal
from collections import Counter
from collections.abc import Sequence

from engine.processors import Part
from engine.rack import bypass_sentence
from engine.worker.child import EngineProcess

_CRASHES: dict[int | None, str] = {
    -getattr(signal, name): name
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")
    if hasattr(signal, name)
}
_KILLED = -9  # by somebody else
_STRIKES = 2


class Faults:
    """The failures of a session.

    Args:
        parts: the session's processors.

    Attributes:
        sentences: what is to be said of each that has failed, by its number.
    """

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self.sentences: dict[int, str] = {}
        self._parts = tuple(parts)
        self._strikes: Counter[int] = Counter()

    def gather(self, engine: EngineProcess) -> None:
        """Takes over what an engine has bypassed by itself."""
        self.sentences |= engine.bypassed

    def accuse(self, engine: EngineProcess, inside: int) -> None:
        """Looks for the fault of an engine that has died or stands still.

        Args:
            engine: not yet killed by us.
            inside: number of the part that it was calling; anything else if none.
        """
        self.gather(engine)
        if inside not in range(len(self._parts)) or inside in self.sentences:
            return
        code = engine.exit_code
        if code == _KILLED:
            return
        self._strikes[inside] += 1
        if code in _CRASHES:
            trouble = f"it brought the engine down ({_CRASHES[code]})"
        elif self._strikes[inside] >= _STRIKES:
            trouble = "the engine stood still in it, or ended, more than once"
        else:
            return
        self.sentences[inside] = bypass_sentence(self._parts[inside], trouble)
