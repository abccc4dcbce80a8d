"""The engine's process for plugins: one model, and a loop in a thread of its own for each guest.

Started by `engine.worker.guests` as `python -m engine.worker.guest_engine`; it reads and answers
JSON lines as `engine.worker.__main__` does. The streams share the model's weights, so that eight of
them need hardly more memory, and cache, than one. ONNX Runtime computes without Python's lock, so
the loops run side by side on as many cores as there are.
"""

import json
import signal
import sys
import threading
from typing import Any

import numpy as np

from engine.config import HostConfig
from engine.errors import StemwireError
from engine.realtime import enter_realtime
from engine.separator import Separator
from engine.worker.child import Task
from engine.worker.layout import Constant
from engine.worker.loop import EngineLoop
from engine.worker.pipe import Pipe
from engine.worker.segment import Segment

_WARM_UP = HostConfig(44_100, 256, 2)


class _Stream:
    """One guest's loop in its thread."""

    def __init__(self, order: dict[str, Any], separator: Separator, priority: int | None) -> None:
        self._segment = segment = Segment.attach(order["segment"])
        config, quantum = segment.layout.config, segment.words[Constant.QUANTUM]
        separator.prepare(config, quantum=quantum)
        self._loop = EngineLoop(segment, order["slot"], separator, past=order["past"])
        self._priority = priority
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        enter_realtime(self._priority)
        self._loop.run()

    def stop(self) -> None:
        self._loop.stop()
        self._thread.join()
        del self._loop
        self._segment.close()


def main() -> int:
    """Serves guests until told to stop, or until stdin ends; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who started it
    np.seterr(all="ignore")  # the loop deals with numbers that are none, and prints nothing
    pipe = Pipe()
    line = sys.stdin.readline()
    if not line:
        return 0
    task = Task.from_json(line)
    try:
        first = Separator.load(task.model, runtime=task.runtime)
        first.prepare(_WARM_UP)
    except StemwireError as error:
        pipe.say_error(error)
        return 2
    # In this thread, which only listens, for what it says; each loop does it for itself.
    pipe.say(event="ready", reason=first.runtime_reason, notes=enter_realtime(None))
    streams: dict[str, _Stream] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "stop":
            break
        path = order["segment"]
        if path in streams:
            streams.pop(path).stop()
        if order["do"] == "serve":
            try:
                streams[path] = _Stream(order, first.sibling(), task.priority)
            except StemwireError as error:
                pipe.say_error(error)
    for stream in streams.values():
        stream.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
