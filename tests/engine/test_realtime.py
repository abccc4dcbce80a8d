"""Real time where the system allows it, a sentence where not, and never an exception.

Everything here happens in processes of their own, because none of it can be undone altogether.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PROBE = """
import gc, json, os, resource, sys, threading
from engine.realtime import SWITCH_INTERVAL, enter_realtime

{before}
notes = enter_realtime({priority})
policies = []

def look():
    policies.append(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)

look()
thread = threading.Thread(target=look)
thread.start()
thread.join()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{
    "notes": notes,
    "policies": policies,
    "gc": gc.isenabled(),
    "frozen": gc.get_freeze_count(),
    "hands_over_soon": abs(sys.getswitchinterval() - SWITCH_INTERVAL) < 1e-5,
    "locked_kb": int(status["VmLck"].split()[0]),
}}))
"""
_WITHOUT_RIGHTS = """
for limit in (resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK):
    resource.setrlimit(limit, (0, 0))
if os.geteuid() == 0:
    os.setuid(65534)
"""
_ELSEWHERE = """
import ctypes
del os.sched_setscheduler
def no_library(*_, **__):
    raise TypeError
ctypes.CDLL = no_library
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into Linux's /proc")


def enter(priority: int | None, before: str = "") -> dict[str, Any]:
    """Enters real time in a fresh process, after the code `before`; returns what is found there."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(priority=priority, before=before)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("before", ["", _WITHOUT_RIGHTS, _ELSEWHERE])
def test_python_itself_is_made_ready_whatever_the_system_allows(before: str) -> None:
    found = enter(70, before)
    assert not found["gc"]
    assert found["frozen"] > 1000
    assert found["hands_over_soon"]


def test_the_thread_is_first_and_those_it_starts_are_ordinary() -> None:
    found = enter(70)
    refused = any("SCHED_FIFO" in note for note in found["notes"])
    assert found["policies"] == [os.SCHED_OTHER if refused else os.SCHED_FIFO, os.SCHED_OTHER]
    locked = found["locked_kb"] > 0
    assert locked != any("Memory cannot be locked" in note for note in found["notes"])


def test_without_rights_there_is_one_sentence_for_each_refusal() -> None:
    found = enter(70, _WITHOUT_RIGHTS)
    assert found["policies"] == [os.SCHED_OTHER] * 2
    assert found["locked_kb"] == 0
    memory, scheduling = found["notes"]
    assert "memlock" in memory
    assert "rtprio" in scheduling
    for note in found["notes"]:
        assert note.endswith(".")
        assert "\n" not in note


def test_no_priority_leaves_the_scheduling_alone_and_is_no_complaint() -> None:
    found = enter(None)
    assert found["policies"] == [os.SCHED_OTHER] * 2
    assert not any("SCHED_FIFO" in note for note in found["notes"])


def test_a_priority_that_does_not_exist_is_told() -> None:
    found = enter(1000)
    assert any("SCHED_FIFO 1000 was refused" in note for note in found["notes"])


def test_a_system_without_these_calls_is_told() -> None:
    memory, scheduling = enter(70, _ELSEWHERE)["notes"]
    assert "cannot lock memory" in memory
    assert "no SCHED_FIFO" in scheduling
