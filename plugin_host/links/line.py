"""The line between a link and the process that started it: one JSON object on each line.

The link says what happens; the parent says what to do.

    link    {"event": "open", "name", "sample_rate", "block_size", "channels"}
                                                a device of this form is there, or has become so
    parent  {"do": "attach", "segment": path}   an engine of that form is there: play
    link    {"event": "running", "name", "latency": [in, out], "places": {"mix": "1/2", ...}}
            {"event": "status", "xruns"}        now and then
            {"event": "device", "latency": [in, out]}           the device's share has changed
            {"event": "connections", "connections": {...}}      for the link that may come after
            {"event": "note", "message"}        the musician should know
            {"event": "lost", "message"}        the device is gone; "open" follows when it is back
            {"event": "ended", "outputs"}       the song is over; the link ends
            {"event": "error", "message"}       it cannot go on; the link ends

The end of stdin means that the parent is gone or has had enough: the link ends at once.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from typing import Any, TextIO

Message = dict[str, Any]

_GRACE_SECONDS = 60.0  # to complete a recording


class Line:
    """The link's end of the line.

    Attributes:
        inbox: What the parent said, and what callbacks post; None is the end of the line. Putting
            something in never waits.
        has_lost_parent: Whether the line has ended at the parent's end.
    """

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        self.inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.has_lost_parent = False
        self._stdout = stdout
        self._stdin = stdin
        threading.Thread(target=self._listen, daemon=True, name="line").start()

    @classmethod
    def of_this_process(cls) -> Line:
        """Takes over stdin and stdout; what libraries print goes to stderr from here on."""
        stdin = os.fdopen(os.dup(0), encoding="utf-8")
        stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        line = cls(stdin, stdout)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
        signal.signal(signal.SIGTERM, lambda *_: line.inbox.put(None))
        return line

    def say(self, event: str, **fields: Any) -> None:
        """Tells the parent something."""
        try:
            self._stdout.write(json.dumps({"event": event, **fields}) + "\n")
            self._stdout.flush()
        except (OSError, ValueError):
            self.inbox.put(None)  # nobody listens any more

    def post(self, event: str, **fields: Any) -> None:
        """Puts something into the link's own inbox; for callbacks."""
        self.inbox.put({"event": event, **fields})

    def next(self, seconds: float) -> Message | None:
        """Waits for the next message.

        Args:
            seconds: How long at most.

        Returns:
            The message; an empty one if none came; None at the end of the line.
        """
        try:
            return self.inbox.get(timeout=seconds)
        except queue.Empty:
            return {}

    def wait_for_segment(self) -> str | None:
        """Waits for the first engine.

        Returns:
            The path of the shared memory to attach, or None at the end of the line.
        """
        while True:
            message = self.inbox.get()
            if message is None:
                return None
            if message.get("do") == "attach":
                return str(message["segment"])

    def is_over(self) -> bool:
        """Whether the line has ended; never waits. Other messages are passed over."""
        while not self.inbox.empty():
            if self.inbox.get() is None:
                return True
        return False

    def _listen(self) -> None:
        try:
            for text in self._stdin:
                message = _parsed(text)
                if message is not None:
                    self.inbox.put(message)
        except (OSError, ValueError):
            pass  # as good as the end
        self.has_lost_parent = True
        self.inbox.put(None)
        time.sleep(_GRACE_SECONDS)
        os._exit(1)  # the link hangs, in a sound library for instance


def _parsed(text: str) -> Message | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
