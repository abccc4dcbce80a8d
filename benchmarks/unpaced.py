"""Playing as fast as the engine computes, and looking at memory meanwhile.

"unpaced" looks at the two processes from outside, as the system counts. The "traced" ones look from
within: a second engine works in the session's free slot, in a process that runs the engine's loop
under `tracemalloc`, and so does the link that feeds both. That shows all that Python and numpy
allocate; not what the runtime allocates inside.
"""

import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmarks.link import Task
from benchmarks.memory import read_memory
from benchmarks.playing import Player
from engine import Separator
from engine.errors import WorkerError
from engine.realtime import enter_realtime
from engine.worker import Exchange
from engine.worker.layout import Engine, engine_word
from engine.worker.loop import EngineLoop
from engine.worker.segment import Segment
from plugin_host.links.line import Line

_SAMPLES = 50  # looks at memory, evenly over all blocks
_FREE_SLOT = 1  # a session begins with its engine in slot 0
_COMPUTED = engine_word(_FREE_SLOT) + Engine.BLOCKS
_PATIENCE = 60.0  # seconds


def run_unpaced(task: Task, line: Line) -> dict[str, Any]:
    """The job "unpaced": returns the seconds it took and samples of the memory.

    Raises:
        WorkerError: if there is no such session.
    """
    exchange = Exchange.attach(task.segment)
    player = Player(exchange, line)
    notes = enter_realtime(task.priority)
    every = max(1, task.blocks // _SAMPLES)
    samples = []
    begin = time.perf_counter()
    while player.blocks < task.blocks and player.tell():
        player.play(wait=True)
        if player.blocks in (task.settled, task.blocks) or player.blocks % every == 0:
            samples.append(_sample(player.blocks, task.engine_pid))
    seconds = time.perf_counter() - begin
    underruns = exchange.underruns
    return {"underruns": underruns, "seconds": seconds, "samples": samples, "notes": notes}


def _sample(blocks: int, engine_pid: int) -> dict[str, Any]:
    """Returns the memory of both processes."""
    link, engine = read_memory(os.getpid()), read_memory(engine_pid)
    return {
        "blocks": blocks,
        "link": asdict(link) if link else None,
        "engine": asdict(engine) if engine else None,
    }


def run_traced_link(task: Task, line: Line) -> dict[str, Any]:
    """The job "traced link": feeds the engines of both slots; returns what was allocated.

    Raises:
        WorkerError: if there is no such session, or no second engine that keeps up.
    """
    words = Segment.attach(task.segment).words
    player = Player(Exchange.attach(task.segment), line)
    enter_realtime(None)

    def play_until(blocks: int) -> None:
        while player.blocks < blocks and not line.is_over():
            player.play(wait=True)
            _wait_until(lambda: words[_COMPUTED] >= player.blocks)

    return _traced(task, play_until)


def run_traced_engine(task: Task, line: Line) -> dict[str, Any]:
    """The job "traced engine": serves the session's free slot; returns what was allocated.

    Raises:
        StemwireError: if there is no such session or model, or nobody feeds it.
    """
    segment = Segment.attach(task.segment)
    separator = Separator.load(task.model, runtime=task.runtime)
    separator.prepare(segment.layout.config)
    loop = EngineLoop(segment, _FREE_SLOT, separator)
    enter_realtime(None)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    line.say("ready")
    try:
        return _traced(task, lambda blocks: _wait_until(lambda: segment.words[_COMPUTED] >= blocks))
    finally:
        loop.stop()
        thread.join()


def _traced(task: Task, work_until: Callable[[int], None]) -> dict[str, Any]:
    """Returns what is allocated on the task's blocks, once it has settled.

    kept_bytes and kept_objects count what is still there at the end, peak_bytes the most that was
    there at any time.
    """
    tracemalloc.start()
    try:
        work_until(task.settled)
        objects, (before, _) = sys.getallocatedblocks(), tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        work_until(task.settled + task.blocks)
        after, peak = tracemalloc.get_traced_memory()
        objects = sys.getallocatedblocks() - objects
    finally:
        tracemalloc.stop()
    return {"kept_bytes": after - before, "kept_objects": objects, "peak_bytes": peak - before}


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.perf_counter() + _PATIENCE
    while not is_so():
        if time.perf_counter() > until:
            raise WorkerError("The traced engine stands still; try again on a quieter machine.")
        time.sleep(1e-4)
