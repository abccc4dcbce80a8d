"""How much memory a process has, as the system counts it (Linux)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Memory of a process, in bytes.

    Attributes:
        rss: all that is in RAM for it.
        pss: the same, but of what it shares with other processes only its part; moves when those
            come and go.
        anonymous: what it has asked for itself, so neither files nor shared memory.
    """

    rss: int
    pss: int
    anonymous: int


def read_memory(pid: int) -> Memory | None:
    """Returns the memory of a process, or None where the system does not tell.

    Args:
        pid: the process's number.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    sizes = {
        name: 1024 * int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)
    }
    return Memory(sizes["Rss"], sizes["Pss"], sizes["Anonymous"])
