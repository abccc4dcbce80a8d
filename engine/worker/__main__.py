"""The engine's process: `python -m engine.worker`, started by `engine.worker.child`.

JSON lines on stdin tell it what to do, the first of them the `Task`; it answers by JSON lines on
stdout. When stdin ends, whoever started it is dead: then it removes the shared memory and ends.
"""

import json
import signal
import sys
import threading
import time
from typing import Any

import numpy as np

from engine.errors import ConfigError, StemwireError
from engine.fifo import Samples
from engine.realtime import enter_realtime
from engine.separator import Separator, StreamState
from engine.worker.child import Task
from engine.worker.layout import Constant
from engine.worker.loop import EngineLoop
from engine.worker.pipe import Pipe
from engine.worker.segment import Segment
from engine.worker.wake import forget_sleepers

_TRIAL_SECONDS = 0.1  # of audio, for how long a block takes
_MAX_TRIAL_BLOCKS = 64


def main() -> int:
    """Runs one engine until it is told to stop; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who started it
    pipe = Pipe()
    line = sys.stdin.readline()
    if not line:
        return 0
    try:
        _serve(Task.from_json(line), pipe)
    except StemwireError as error:
        pipe.say_error(error)
        return 2
    return 0


def _serve(task: Task, pipe: Pipe) -> None:
    segment = Segment.attach(task.segment)
    separator = Separator.load(task.model, runtime=task.runtime)
    separator.prepare(segment.layout.config, quantum=segment.words[Constant.QUANTUM])
    first, burst = _try_out(separator)
    pipe.say(
        event="ready",
        model=separator.manifest.name,
        latency=separator.latency,
        runtime=separator.runtime,
        reason=separator.runtime_reason,
        first_seconds=first,
        burst_seconds=burst,
    )
    if json.loads(sys.stdin.readline() or "{}").get("do") != "go":
        segment.unlink()
        return
    loop = EngineLoop(segment, task.slot, separator, past=task.past, spin=task.spin)
    # Started first, so that it is not scheduled like the loop.
    threading.Thread(target=_listen, args=(loop, segment, pipe), daemon=True).start()
    pipe.say(event="going", notes=enter_realtime(task.priority))
    loop.run()


def _try_out(separator: Separator) -> tuple[float, float]:
    """Returns the seconds of the first block, and of a usual one in which the model steps."""
    config = separator.config
    blocks = int(np.clip(_TRIAL_SECONDS / config.deadline, 16, _MAX_TRIAL_BLOCKS))
    noise = np.random.default_rng(0).normal(0, 0.1, (config.channels, config.block_size))
    block: Samples = noise.astype(np.float32)
    out: Samples = np.zeros((len(separator.stems), *block.shape), np.float32)
    seconds = np.zeros(blocks)
    for number in range(blocks):
        begin = time.perf_counter()
        separator.process(block, out)
        seconds[number] = time.perf_counter() - begin
    separator.reset()
    # Where blocks are shorter than a hop, only some of them hold a step: the median of those.
    hop = separator.manifest.hop * config.sample_rate / separator.manifest.sample_rate
    steps = min(1.0, config.block_size / hop)
    return float(seconds[0]), float(np.quantile(seconds[1:], 1 - steps / 2))


def _listen(loop: EngineLoop, segment: Segment, pipe: Pipe) -> None:
    """Does what the lines on stdin say, until they end."""
    snapshots: dict[str, StreamState] = {}

    def snapshot(separator: Separator, name: str) -> None:
        snapshots[name] = separator.snapshot()

    def restore(separator: Separator, name: str) -> None:
        if name not in snapshots:
            raise ConfigError(f"There is no snapshot {name!r} in this engine; take one first.")
        separator.restore(snapshots[name])

    deeds = {"snapshot": snapshot, "restore": restore}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "stop":
            loop.stop()
            return
        deed, name = deeds[order["do"]], order["name"]

        def command(separator: Separator, deed: Any = deed, name: str = name) -> None:
            try:
                deed(separator, name)
            except StemwireError as error:
                pipe.say_error(error)
            else:
                pipe.say(event="done")

        loop.call(command)
    segment.unlink()
    forget_sleepers(segment)
    loop.stop()


if __name__ == "__main__":
    sys.exit(main())
