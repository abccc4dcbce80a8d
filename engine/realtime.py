"""Real-time hygiene: what a thread asks of the system so that audio comes first.

Each measure stands for one thing that would otherwise make a block late:

    SCHED_FIFO         another program gets the core
    mlockall           a page of memory has to be read back
    gc off, freeze     Python stops to look for garbage (loops that make none need no collector)
    switch interval    another Python thread keeps the interpreter for 5 ms
"""

import ctypes
import gc
import os
import sys

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread of Python must hand over to another that waits."""

_MCL_CURRENT, _MCL_FUTURE = 1, 2


def enter_realtime(priority: int | None) -> tuple[str, ...]:
    """Makes the calling thread a real-time one, as far as the system lets it; never raises.

    Threads and processes that it starts later are ordinary ones again. Call it when everything is
    loaded and warm: what exists now is exempt from garbage collection for good.

    Args:
        priority: of SCHED_FIFO, 1 to 99; None to leave the scheduling as it is.

    Returns:
        One sentence for each thing that was not allowed or that this system does not have.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(SWITCH_INTERVAL)
    refusals = (_lock_memory(), None if priority is None else _schedule_first(priority))
    return tuple(refusal for refusal in refusals if refusal)


def _schedule_first(priority: int) -> str | None:
    if not hasattr(os, "sched_setscheduler"):
        return "There is no SCHED_FIFO on this system, so other programs may delay the sound."
    # Without the flag a thread that loads a model would inherit the priority, and delay the sound.
    policy = os.SCHED_FIFO | getattr(os, "SCHED_RESET_ON_FORK", 0)
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        return (
            "SCHED_FIFO is not permitted, so other programs may delay the sound; allow it with "
            "`rtprio 95` in /etc/security/limits.d (the group audio often has it)."
        )
    except OSError as error:
        return (
            f"SCHED_FIFO {priority} was refused ({error.strerror}), so other programs may delay "
            "the sound."
        )
    return None


def _lock_memory() -> str | None:
    """Keeps memory, also what is asked for later, from being taken away and read back from disk."""
    try:
        import resource

        mlockall = ctypes.CDLL(None, use_errno=True).mlockall
        limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
        unlimited = limit == resource.RLIM_INFINITY or os.geteuid() == 0
    except (AttributeError, ImportError, OSError, TypeError):
        return "This system cannot lock memory, so a page read back from disk may delay the sound."
    # Under a limit, what is asked for later would be refused for good instead of being unlocked.
    if mlockall(_MCL_CURRENT | (_MCL_FUTURE if unlimited else 0)) != 0:
        reason = os.strerror(ctypes.get_errno())
        return (
            f"Memory cannot be locked ({reason}), so a page read back from disk may delay the "
            "sound; allow it with `memlock unlimited` in /etc/security/limits.d."
        )
    return None
