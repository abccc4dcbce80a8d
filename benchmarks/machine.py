"""What the numbers were measured on, and how the process was scheduled."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FIFO_PRIORITY = 70
_PACKAGES = ("stemwire", "numpy", "onnxruntime", "onnxruntime-gpu", "soxr")


def describe_machine() -> dict[str, Any]:
    """Returns processor, cores, memory, system, load and versions, ready for JSON."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_gib": _memory_gib(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


@contextmanager
def scheduling(fifo: bool) -> Iterator[str]:
    """Runs a `with` block under SCHED_FIFO, if that is asked for and allowed.

    Args:
        fifo: whether to ask.

    Yields:
        What the process is scheduled as, in words.
    """
    if not fifo:
        yield "default"
        return
    if not hasattr(os, "sched_setscheduler"):
        yield "default (this system has no SCHED_FIFO)"
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIFO_PRIORITY))
    except PermissionError:
        yield "default (SCHED_FIFO is not permitted)"
        return
    try:
        yield f"SCHED_FIFO {FIFO_PRIORITY}"
    finally:
        os.sched_setscheduler(0, *before)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_gib() -> float | None:
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
    return round(pages * size / 2**30, 1)


def _first_line(path: str) -> str | None:
    try:
        return Path(path).read_text().splitlines()[0]
    except (IndexError, OSError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
