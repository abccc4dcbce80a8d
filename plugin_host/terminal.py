"""How the command line speaks: tables and JSON on stdout, progress and notes on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from plugin_host.separate import Progress as OnFrames
from plugin_host.separate import Report


def stdout() -> Console:
    """A console on stdout as it is now (tests replace it)."""
    return Console(file=sys.stdout, highlight=False)


def stderr() -> Console:
    """A console on stderr as it is now."""
    return Console(file=sys.stderr, highlight=False)


def say(text: str) -> None:
    """Writes one line to stderr, unbroken, so that scripts and people find it whole."""
    stderr().print(text, markup=False, soft_wrap=True)


def plain(value: object) -> Text:
    """A table's cell that shows a name or path as it is, whatever brackets or bytes are in it."""
    return Text(os.fsencode(str(value)).decode(errors="replace"))


def print_json(value: Any) -> None:
    """Writes one JSON value to stdout.

    Args:
        value: Anything of dict, list, tuple, str, numbers and paths.
    """
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


@contextmanager
def progress_bar(title: str) -> Iterator[tuple[OnFrames, OnFrames]]:
    """A progress bar on stderr, if that is a terminal.

    Args:
        title: What stands before the bar.

    Yields:
        Two functions for `separate_file`: on_start and on_frames.
    """
    console = stderr()
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(title, total=None)
        yield (
            lambda total: bar.update(task, total=total),
            lambda frames: bar.advance(task, frames),
        )


def report_json(report: Report) -> dict[str, Any]:
    """A report as the JSON object that `--json` prints."""
    return {
        "input": str(report.input),
        "model": report.model,
        "runtime": report.runtime,
        "sample_rate": report.sample_rate,
        "channels": report.channels,
        "frames": report.frames,
        "seconds": report.seconds,
        "block_size": report.block_size,
        "latency": report.latency,
        "latency_ms": report.latency_ms,
        "ledger": [{"what": what, "frames": frames} for what, frames in report.ledger],
        "compute_seconds": report.compute_seconds,
        "rtf": report.rtf,
        "underruns": report.underruns,
        "outputs": {name: str(path) for name, path in report.outputs.items()},
        "clipped": report.clipped,
        "is_cut_short": report.is_cut_short,
        "notes": list(report.notes),
    }


def report_table(report: Report) -> Table:
    """A report as a table for people."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, path in report.outputs.items():
        table.add_row(name, plain(path))
    form = "mono" if report.channels == 1 else "stereo"
    table.add_row("song", f"{report.seconds:.1f} s, {form}, {report.sample_rate} Hz")
    table.add_row("model", plain(f"{report.model} on {report.runtime}"))
    ledger = " + ".join(f"{what} {frames}" for what, frames in report.ledger if frames)
    table.add_row(
        "latency",
        f"{report.latency} frames = {report.latency_ms:.2f} ms live, "
        f"in blocks of {report.block_size} ({ledger or 'none'})",
    )
    pace = (
        f"{1 / report.rtf:.1f} times faster" if report.rtf < 1 else f"{report.rtf:.1f} times slower"
    )
    table.add_row("real-time factor", f"{report.rtf:.3f} ({pace} than it plays)")
    if report.underruns is not None:
        table.add_row("underruns", str(report.underruns))
    return table


def say_notes(report: Report) -> None:
    """Says on stderr what a musician should know about a result."""
    if report.clipped:
        where = ", ".join(f"{name} ({count})" for name, count in report.clipped.items())
        say(
            f"Note: samples above full scale were clipped in {where}, so the stems do not quite "
            "add up there; --format wav keeps them."
        )
    if report.is_cut_short:
        say(
            f"Note: {report.input} holds less than its header announces; what it holds was "
            "separated."
        )
    for note in report.notes:
        say(f"Note: {note}")
