"""Picks the runtime: the first that works, and says why.

A new runtime is a module beside this one and an entry in `_CANDIDATES`, fastest first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from engine.artifact import Artifact
from engine.errors import ConfigError, ModelError
from engine.runtime.protocol import Runtime

AUTO = "auto"
MAX_THREADS = 64


@dataclass(frozen=True)
class Candidate:
    """A runtime that may be chosen.

    Attributes:
        option: what a user asks for it by.
        name: what it is called when it runs.
        load: makes one from a model and a number of threads.
    """

    option: str
    name: str
    load: Callable[[Artifact, int], Runtime]


@dataclass(frozen=True)
class Choice:
    """The runtime that was chosen.

    Attributes:
        name: what it is called.
        reason: one sentence that says why it and not another.
        runtime: prepared once, for the smallest step, which shows that it works.
        load: makes another one of the same kind.
    """

    name: str
    reason: str
    runtime: Runtime
    load: Callable[[], Runtime]


def _load_onnxruntime_cpu(artifact: Artifact, threads: int) -> Runtime:
    from engine.runtime.onnxruntime_cpu import OnnxRuntimeCpu

    return OnnxRuntimeCpu(artifact, threads)


_CANDIDATES = (Candidate("cpu", "onnxruntime-cpu", _load_onnxruntime_cpu),)


def runtime_names() -> tuple[str, ...]:
    """Returns what `Separator.load` takes as `runtime`."""
    return (AUTO, *(candidate.option for candidate in _CANDIDATES))


def choose(option: str, artifact: Artifact, threads: int) -> Choice:
    """Loads the model into the runtime that was asked for, or the first that works.

    Raises:
        ConfigError: if there is no such runtime, or no such number of threads.
        ModelError: if no runtime can run the model; the message is the last one's.
    """
    if option not in runtime_names():
        raise ConfigError(f"There is no runtime {option!r}; choose {' or '.join(runtime_names())}.")
    if not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS:
        raise ConfigError(f"threads is {threads!r}; 1 to {MAX_THREADS} work, and 1 is best.")
    failures: list[ModelError] = []
    for candidate in _CANDIDATES:
        if option not in (AUTO, candidate.option):
            continue
        try:
            runtime = candidate.load(artifact, threads)
            runtime.prepare([artifact.manifest.hop], 1)
        except ModelError as error:
            failures.append(error)
            continue
        reason = _reason(option, runtime, failures)
        return Choice(candidate.name, reason, runtime, partial(candidate.load, artifact, threads))
    raise failures[-1]


def _reason(option: str, runtime: Runtime, failures: list[ModelError]) -> str:
    if option != AUTO:
        return f"{runtime.description}: asked for by name."
    if not failures:
        return f"{runtime.description}: the first choice, and it works."
    tried = " ".join(str(failure) for failure in failures)
    return f"{runtime.description}: the first that works; before it: {tried}"
