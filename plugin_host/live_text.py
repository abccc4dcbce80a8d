"""Live sessions without a screen: JSON lines for scripts, a few sentences for logs."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

from plugin_host import terminal
from plugin_host.link_process import Message
from plugin_host.live_report import Report, report_json, status_json


class JsonView:
    """One JSON object a line on stdout; commands, one JSON object a line, on stdin.

    The end of stdin ends nothing, so that a service may run without one.
    """

    interval = 1.0

    def __init__(self) -> None:
        self._on_command: Callable[[Message], None] | None = None

    def open(self, on_command: Callable[[Message], None]) -> None:
        """Begins to listen."""
        self._on_command = on_command
        if hasattr(signal, "SIGTTIN"):  # in the background of a terminal, reading fails instead
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        arguments = (sys.stdin, on_command)
        threading.Thread(target=_listen, args=arguments, daemon=True, name="commands").start()

    def show(self, report: Report) -> None:
        """Prints what changes from moment to moment."""
        self._print({"event": "status", **status_json(report)})

    def tell(self, event: str, report: Report, **fields: Any) -> None:
        """Prints what happened; with the whole report where something new begins or all ends."""
        whole = report_json(report) if event in ("running", "ended") else {}
        self._print({"event": event, **whole, **fields})

    def close(self) -> None:
        """Does nothing: the thread that listens ends with the process."""

    def _print(self, message: Message) -> None:
        try:
            sys.stdout.write(json.dumps(message, default=str) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read this has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if self._on_command is not None:
                self._on_command({"quit": True})


class PlainView:
    """Sentences on stderr, for terminals that can do no more, and for logs."""

    interval = 1.0

    def __init__(self, *, is_quiet: bool) -> None:
        """Says nothing yet.

        Args:
            is_quiet: Say only what is wrong.
        """
        self._is_quiet = is_quiet

    def open(self, on_command: Callable[[Message], None]) -> None:
        """Begins; nothing can be typed."""

    def show(self, report: Report) -> None:
        """Says nothing: reports are too many for a log."""

    def tell(self, event: str, report: Report, **fields: Any) -> None:
        """Says what happened, in a sentence."""
        sentence = sentence_for(event, report, **fields)
        if sentence and (event in ("lost", "error") or not self._is_quiet):
            terminal.say(sentence)

    def close(self) -> None:
        """Does nothing."""


def sentence_for(event: str, report: Report, **fields: Any) -> str:
    """Puts news into words.

    Args:
        event: See `plugin_host.live_report.View.tell`.
        report: How things stand.
        **fields: What came with the event.

    Returns:
        A line or more; empty where there is nothing to say.
    """
    if event == "running":
        ledger = " + ".join(f"{what} {frames}" for what, frames in report.ledger if frames)
        return (
            f"Playing: {report.audio}, latency {report.latency} frames = {report.latency_ms:.1f} ms"
            f" ({ledger or 'none'}). Ctrl-C ends."
        )
    if event == "swapped":
        return f"Now playing through {fields['model']}."
    if event == "ended":
        lines = [_summary(report)] if report.status else []
        return "\n".join([*lines, *(f"Recorded: {path}" for path in fields["outputs"].values())])
    message = str(fields.get("message", ""))
    return {"error": f"Error: {message}", "note": f"Note: {message}", "lost": message}.get(
        event, ""
    )


def _summary(report: Report) -> str:
    assert report.status is not None
    status = report.status
    return (
        f"Played {report.seconds:.1f} s, {counted(status.blocks, 'block')}: "
        f"{counted(status.underruns, 'underrun')}, {counted(status.restarts, 'restart')} of the "
        "engine."
    )


def counted(count: int, what: str) -> str:
    """A number of things: "1 block", "2 blocks"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def _listen(stdin: TextIO, on_command: Callable[[Message], None]) -> None:
    try:
        for line in stdin:
            if line.strip():
                on_command(_parsed(line))
    except (OSError, ValueError):
        return  # closed


def _parsed(line: str) -> Message:
    try:
        command = json.loads(line)
    except ValueError:
        return {}
    return command if isinstance(command, dict) else {}
