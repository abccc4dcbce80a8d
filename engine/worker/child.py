"""One engine's process, seen from the process that starts it."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

import engine.errors
from engine.config import HostConfig
from engine.errors import StemwireError, WorkerError
from engine.processors import Part, Processors

READY_SECONDS = 60.0
"""How long an engine may take to load its model."""

_GUESTS_CONFIG = HostConfig(44_100, 256, 2)  # for want of one; each guest has its own
_LOADING_SECONDS = 300.0  # the same with processors: there are plugins that take minutes

_STOP_SECONDS = 2.0
_LAST_WORDS = 20  # lines on stderr that are kept


@dataclass(frozen=True)
class Task:
    """What an engine shall do; the first line that it reads.

    Attributes:
        segment: path of the shared memory; empty if it is made when the engine is ready, which says
            how much of it is needed.
        slot: the engine's own in there.
        model: name or path.
        runtime: as in `Separator.load`.
        past: frames before now to warm up on.
        priority: of SCHED_FIFO; None to leave the scheduling alone.
        spin: whether to look for work all the time.
        config: of the host.
        quantum: as in `Separator.prepare`.
        processors: to load; None for none.
        parts: what they were when the session began; none if it begins just now.
        faulty: numbers of the parts that are to be left out.
    """

    segment: str
    slot: int
    model: str
    runtime: str
    past: int
    priority: int | None
    spin: bool
    config: HostConfig = _GUESTS_CONFIG
    quantum: int = _GUESTS_CONFIG.block_size
    processors: Processors | None = None
    parts: tuple[Part, ...] = ()
    faulty: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, line: str) -> "Task":
        """Reads what `asdict` and JSON have made of one."""
        fields = json.loads(line)
        processors = fields["processors"]
        fields["config"] = HostConfig(**fields["config"])
        fields["processors"] = Processors(**processors) if processors else None
        fields["parts"] = tuple(map(Part.from_json, fields["parts"]))
        fields["faulty"] = tuple(fields["faulty"])
        return cls(**fields)

    @property
    def ready_seconds(self) -> float:
        """How long the engine may take until it is ready."""
        return _LOADING_SECONDS if self.processors else READY_SECONDS


@dataclass(frozen=True)
class Ready:
    """What an engine says when it is ready to play.

    Attributes:
        reason: which runtime computes and why, one sentence.
        first_seconds: that the first block took.
        burst_seconds: that a usual block takes in which the model steps, processors included.
        chain_latency: frames that the processors add.
        parts: the processors.
    """

    reason: str
    first_seconds: float
    burst_seconds: float
    chain_latency: int
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Ready":
        """Reads the engine's answer."""
        fields = {field.name: answer[field.name] for field in dataclass_fields(cls)}
        return cls(**{**fields, "parts": tuple(map(Part.from_json, fields["parts"]))})


class EngineProcess:
    """Starts an engine and talks to it. No method is called from two threads at once.

    Args:
        task: what it shall do.
        module: that the process runs.

    Attributes:
        bypassed: processors that the engine has bypassed: a sentence by their number.
        loading: which processor is being loaded and tried out; empty if none is.
    """

    def __init__(self, task: Task, module: str = "engine.worker") -> None:
        self.task = task
        self.bypassed: dict[int, str] = {}
        self.loading = ""
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        # Of a session of its own, so that a Ctrl-C in the terminal does not reach it.
        self._process = subprocess.Popen(
            # -P: nothing in the folder that a musician happens to be in shall pass for a module.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=_environment(),
        )
        for reads in (self._hear, self._note):
            threading.Thread(target=reads, daemon=True).start()
        self._tell(asdict(task))

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, negative for a signal; None if it runs."""
        return self._process.poll()

    def wait_until_ready(self) -> Ready:
        """Returns what the engine says when it is ready.

        Raises:
            StemwireError: as `wait_for`.
        """
        return Ready.of(self.wait_for("ready", self.task.ready_seconds))

    def wait_for(self, event: str, seconds: float) -> dict[str, Any]:
        """Returns the answer with that event.

        Raises:
            StemwireError: what the engine says went wrong, or `WorkerError` if it says nothing in
                time or has died.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise WorkerError(
                    f"The engine's process has not answered for {seconds:.0f} s"
                    f"{self._where()}; the machine may be overloaded, so try again."
                ) from None
            if answer is None:
                self._answers.put(None)
                raise WorkerError(
                    f"The engine's process has ended ({self._why()}){self._where()}; try again."
                )
            if answer["event"] == "error":
                raise _error(answer)
            if answer["event"] == event:
                return answer

    def order(self, do: str, **more: Any) -> None:
        """Tells the engine what to do; one that is dead does not hear it."""
        self._tell({"do": do, **more})

    def stop(self) -> None:
        """Lets the engine end, and ends it if it does not."""
        self.order("stop")
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """Ends the process at once, even one that is stopped."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        try:
            if self._process.stdin:
                self._process.stdin.close()
        except OSError:
            pass  # what was not sent yet is no longer wanted

    def _tell(self, order: dict[str, Any]) -> None:
        stdin = self._process.stdin
        try:
            if stdin and not stdin.closed:
                stdin.write(json.dumps(order) + "\n")
                stdin.flush()
        except OSError:
            pass  # it has died; whoever waits for an answer is told so

    def _hear(self) -> None:
        with self._process.stdout or open(os.devnull) as answers:
            for line in answers:
                answer = json.loads(line)
                if answer["event"] == "loading":
                    self.loading = answer["what"]
                elif answer["event"] == "bypass":
                    self.bypassed[answer["part"]] = answer["sentence"]
                else:
                    self._answers.put(answer)
        self._answers.put(None)

    def _note(self) -> None:
        with self._process.stderr or open(os.devnull) as lines:
            self._last_words.extend(lines)

    def _why(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"signal {-code}"
        if self._last_words:
            return self._last_words[-1].strip().rstrip(".")
        return f"exit code {code}"

    def _where(self) -> str:
        return f" while it loaded {self.loading}" if self.loading else ""


def _error(answer: dict[str, Any]) -> StemwireError:
    kind = getattr(engine.errors, answer.get("kind", ""), WorkerError)
    error: StemwireError = kind(answer["message"])
    return error


def _environment() -> dict[str, str]:
    """The child imports the very engine that this process has imported."""
    root = str(Path(engine.errors.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
