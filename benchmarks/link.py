"""The benchmarks' audio link, a process of its own, seen from the process that starts it.

It plays noise through a session as an audio link does: over the shared memory, with a thin call for
each block. See `benchmarks.link_process`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import WorkerError

FIFO_PRIORITY = 75
"""Of the link; above the engine's, as a sound card does not wait either."""

_END_SECONDS = 5.0


@dataclass(frozen=True)
class Task:
    """What a process of the benchmarks shall do.

    Attributes:
        job: "paced", see `benchmarks.paced`; "unpaced", "traced link" or "traced engine", see
            `benchmarks.unpaced`.
        segment: path of the session's shared memory.
        blocks: how many.
        priority: of SCHED_FIFO, None to leave the scheduling alone.
        timings: the .npz file to write (paced).
        engine_pid: the engine's process, whose memory is looked at (unpaced).
        settled: blocks after which nothing should grow any more (all but paced).
        model: path of the model (traced engine).
        runtime: as in `Separator.load` (traced engine).
    """

    job: Literal["paced", "unpaced", "traced link", "traced engine"]
    segment: str
    blocks: int
    priority: int | None = None
    timings: str = ""
    engine_pid: int = 0
    settled: int = 0
    model: str = ""
    runtime: str = "auto"


class Link:
    """A process at work; a context manager, at whose end it ends.

    Args:
        task: what it shall do.
    """

    def __init__(self, task: Task) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.link_process", json.dumps(asdict(task))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )

    def wait_for(
        self, event: str, on_blocks: Callable[[int], None] = lambda _: None
    ) -> dict[str, Any]:
        """Returns what it says with an event.

        Args:
            event: for example "done".
            on_blocks: called now and then with the number of blocks since the last time.

        Raises:
            WorkerError: if it cannot go on, or has ended.
        """
        told = 0
        for line in self._process.stdout or ():
            message: dict[str, Any] = json.loads(line)
            if message["event"] == event:
                return message
            if message["event"] == "progress":
                on_blocks(message["blocks"] - told)
                told = message["blocks"]
            elif message["event"] == "error":
                raise WorkerError(message["message"])
        code = self._process.wait()
        raise WorkerError(f"The process that plays the blocks has ended with exit code {code}.")

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *error: object) -> None:
        process = self._process
        if process.stdin:
            process.stdin.close()  # which ends it
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def run_link(task: Task, on_blocks: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Has a task done; returns what is told at the end.

    Args:
        task: what to do.
        on_blocks: as in `Link.wait_for`.

    Raises:
        WorkerError: if it cannot be done.
    """
    with Link(task) as link:
        return link.wait_for("done", on_blocks)


def _environment() -> dict[str, str]:
    """The child imports the very packages that this process has imported."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
