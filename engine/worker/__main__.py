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
from engine.processors import in_order
from engine.rack import Rack, Watcher
from engine.realtime import enter_realtime
from engine.separator import Separator, StreamState
from engine.worker.child import Task
from engine.worker.layout import Engine, engine_word
from engine.worker.loop import EngineLoop
from engine.worker.pipe import Pipe
from engine.worker.segment import Segment
from engine.worker.wake import forget_sleepers

_TRIAL_SECONDS = 0.1  # of audio, for how long a block takes
_MAX_TRIAL_BLOCKS = 64


def main() -> int:
    """Runs one engine until it is told to stop; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who started it
    np.seterr(all="ignore")  # the loop deals with numbers that are none, and prints nothing
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


class _Watch(Watcher):
    """Lets whoever started this process know which processor is being called.

    While a session begins, the pipe tells until each has seen its first block; later a word in
    shared memory does at every call, also when this process is no longer able to.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._labels: list[str] = []
        self._words = memoryview(bytearray(8)).cast("q")
        self._inside = 0

    def tell(self, labels: list[str]) -> None:
        """Tells by the pipe from now on; nothing more where there are no labels."""
        self._labels = labels
        self._pipe.say(event="loading", what="")

    def note(self, segment: Segment, slot: int) -> None:
        """Notes in shared memory from now on."""
        self._words, self._inside = segment.words, engine_word(slot) + Engine.INSIDE
        self.leave()

    def enter(self, index: int) -> None:
        self._words[self._inside] = 1 + index
        if self._labels:
            self._pipe.say(event="loading", what=self._labels[index])

    def leave(self) -> None:
        self._words[self._inside] = 0

    def bypass(self, index: int, sentence: str) -> None:
        self._pipe.say(event="bypass", part=index, sentence=sentence)


def _serve(task: Task, pipe: Pipe) -> None:
    watch = _Watch(pipe)
    if task.segment:
        watch.note(Segment.attach(task.segment), task.slot)
    separator = Separator.load(task.model, runtime=task.runtime)
    separator.prepare(task.config, quantum=task.quantum)
    rack = _load_rack(task, separator, watch)
    first, burst = _try_out(separator, rack, watch)
    pipe.say(
        event="ready",
        model=separator.manifest.name,
        latency=separator.latency,
        runtime=separator.runtime,
        reason=separator.runtime_reason,
        first_seconds=first,
        burst_seconds=burst,
        chain_latency=rack.latency,
        parts=[part.as_json() for part in rack.parts],
    )
    order = json.loads(sys.stdin.readline() or "{}")
    if order.get("do") != "go":
        if task.segment:
            Segment.attach(task.segment).unlink()
        return
    segment = Segment.attach(order["segment"])
    watch.note(segment, task.slot)
    loop = EngineLoop(segment, task.slot, separator, rack, past=task.past, spin=task.spin)
    # Started first, so that it is not scheduled like the loop.
    threading.Thread(target=_listen, args=(loop, segment, pipe), daemon=True).start()
    pipe.say(event="going", notes=enter_realtime(task.priority))
    loop.run()


def _load_rack(task: Task, separator: Separator, watch: _Watch) -> Rack:
    stems = separator.stems
    makers = task.processors.load(stems) if task.processors else {}
    if not task.segment:
        order = in_order(makers, stems)
        watch.tell([f"plugin {number} of {place}" for place, number, _ in order])
    return Rack.load(
        makers, stems, separator.config, known=task.parts, faulty=task.faulty, watcher=watch
    )


def _try_out(separator: Separator, rack: Rack, watch: _Watch) -> tuple[float, float]:
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
        rack.process_stems(out)
        rack.process_mix(out[0])
        seconds[number] = time.perf_counter() - begin
        if number == 0:
            watch.tell([])
    separator.reset()
    rack.reset()
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
