"""An audio link's process, seen from the process that starts it. See `plugin_host.links.line`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import plugin_host

Message = dict[str, Any]
Listener = Callable[["LinkProcess", Message], None]

_STOP_SECONDS = 2.0
_LAST_WORDS = 20  # lines on stderr that are kept


class LinkProcess:
    """Starts a link and talks to it.

    Attributes:
        kind: "jack", "portaudio" or "file".
    """

    def __init__(self, kind: str, options: Message, listener: Listener) -> None:
        """Starts the process.

        Args:
            kind: Which link.
            options: Fields of its options; what JSON can hold.
            listener: Called from another thread with everything that the link says, and in the end
                with the event "exit" and why.
        """
        self.kind = kind
        self._listener = listener
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._process = subprocess.Popen(
            # -P: the folder that a musician works in may hold a file of any module's name.
            [sys.executable, "-P", "-m", "plugin_host.links", kind, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C is for us; we end the link ourselves
            env=child_environment(),
        )
        self._notes = threading.Thread(target=self._note, daemon=True)
        self._notes.start()
        threading.Thread(target=self._hear, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def attach(self, segment: str) -> None:
        """Has the link play through another engine; one that is dead does not hear it."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended, or is about to; the listener is told
            self._process.stdin.write(json.dumps({"do": "attach", "segment": segment}) + "\n")
            self._process.stdin.flush()

    def close(self, seconds: float = _STOP_SECONDS) -> None:
        """Ends the link; returns when its process is gone. Harmless when done twice.

        Args:
            seconds: How long it may take, for instance to complete a recording.
        """
        assert self._process.stdin is not None
        with suppress(OSError):  # what was not sent yet is no longer wanted
            self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with suppress(ValueError):  # cut short by its death
                    self._listener(self, json.loads(line))
        code = self._process.wait()
        self._notes.join(1.0)
        self._listener(self, {"event": "exit", "message": self._why(code)})

    def _note(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._last_words.extend(lines)

    def _why(self, code: int) -> str:
        if code and self._last_words:
            return self._last_words[-1].strip().rstrip(".")
        return f"signal {-code}" if code < 0 else f"exit code {code}"


def child_environment() -> dict[str, str]:
    """What a child is started with, so that it imports the packages that this process has."""
    root = str(Path(plugin_host.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
