"""`stemwire-bench soak`: does anything grow when it runs for hours?

A million blocks go through the live path, each as soon as the one before is back, and the memory of
the link's process and of the engine's is looked at on the way, from outside. Then the same two
loops run for a while under `tracemalloc`, which sees all that Python and numpy allocate, and what
of it is kept. See `benchmarks.unpaced`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from benchmarks.link import FIFO_PRIORITY, Link, Task, run_link
from benchmarks.machine import describe_machine, scheduling_of
from benchmarks.results import make_folder, write_json
from engine import ConfigError, HostConfig, find_model, read_manifest
from engine.worker import Session
from engine.worker.session import FIFO_PRIORITY as ENGINE_PRIORITY
from plugin_host import terminal

DEFAULT_BLOCKS = 1_000_000
RESULT_FILE = "soak.json"

GROWTH_LIMIT = 2**20
"""Bytes that a process may grow by after it has settled."""

_SETTLED = 10_000
_TRACED, _TRACED_SETTLED = 2_000, 500
_MIB = 2**20


@dataclass(frozen=True)
class Soak:
    """What was found.

    Attributes:
        model: its name.
        runtime: what computes it, one sentence.
        block_size: frames.
        latency: frames from input to output.
        blocks: that were played.
        settled: blocks after which nothing should grow any more.
        seconds: that they took.
        speed: seconds of audio per second.
        underruns: blocks that were not there although they were waited for.
        restarts: engines that had to be replaced.
        growth: bytes by process ("link", "engine") and kind of memory, from `settled` to the end;
            empty where the system does not tell.
        samples: memory on the way.
        traced: what Python and numpy have allocated: "blocks", and by process the bytes and objects
            kept and the most bytes in use at once.
        scheduling: of the engine and the link.
        notes: what the system did not allow.
    """

    model: str
    runtime: str
    block_size: int
    latency: int
    blocks: int
    settled: int
    seconds: float
    speed: float
    underruns: int
    restarts: int
    growth: dict[str, dict[str, int]]
    samples: list[dict[str, Any]]
    traced: dict[str, Any]
    scheduling: dict[str, str]
    notes: tuple[str, ...]

    @property
    def has_grown(self) -> bool:
        """Whether a process has grown by more than `GROWTH_LIMIT`."""
        return any(
            max(kinds["rss"], kinds["anonymous"]) > GROWTH_LIMIT for kinds in self.growth.values()
        )


def measure(
    model: str,
    config: HostConfig,
    blocks: int,
    *,
    runtime: str = "auto",
    fifo: bool = True,
    traced: int = _TRACED,
    on_blocks: Callable[[int], None],
) -> Soak:
    """Plays, and looks at memory.

    Args:
        model: name or path.
        config: of the host.
        blocks: to play.
        runtime: as in `Separator.load`.
        fifo: whether to ask for real-time scheduling.
        traced: blocks to play under `tracemalloc` after that.
        on_blocks: called now and then with the number of blocks since the last time.

    Raises:
        StemwireError: if the model or the engine's process cannot be used.
    """
    engine_priority, link_priority = (ENGINE_PRIORITY, FIFO_PRIORITY) if fifo else (None, None)
    settled = min(_SETTLED, blocks // 2)
    with Session.open(model, config, runtime=runtime, fifo_priority=engine_priority) as session:
        task = Task(
            "unpaced",
            session.segment_path,
            blocks,
            link_priority,
            engine_pid=session.engine_pid,
            settled=settled,
        )
        played = run_link(task, on_blocks)
        scheduling = {
            "engine": scheduling_of(session.engine_pid),
            "link": str(played["scheduling"]),
        }
        status = session.status()
    return Soak(
        model=status.model,
        runtime=status.runtime,
        block_size=config.block_size,
        latency=status.latency,
        blocks=blocks,
        settled=settled,
        seconds=played["seconds"],
        speed=blocks * config.deadline / played["seconds"],
        underruns=played["underruns"],
        restarts=status.restarts,
        growth=_growth(played["samples"], settled),
        samples=played["samples"],
        traced=_trace(model, config, runtime, traced),
        scheduling=scheduling,
        notes=tuple(dict.fromkeys((*status.notes, *played["notes"]))),
    )


def _trace(model: str, config: HostConfig, runtime: str, blocks: int) -> dict[str, Any]:
    """Returns what link and engine allocate on so many blocks, as their jobs tell it."""
    kinds = ("kept_bytes", "kept_objects", "peak_bytes")
    with Session.open(model, config, runtime=runtime, fifo_priority=None) as session:
        path = session.segment_path
        settled = _TRACED_SETTLED
        task = Task("traced engine", path, blocks, settled=settled, model=model, runtime=runtime)
        with Link(task) as engine:
            engine.wait_for("ready")
            link = run_link(Task("traced link", path, blocks, settled=settled))
            found = {"link": link, "engine": engine.wait_for("done")}
    processes = {name: {kind: told[kind] for kind in kinds} for name, told in found.items()}
    return {"blocks": blocks, **processes}


def _growth(samples: Sequence[dict[str, Any]], settled: int) -> dict[str, dict[str, int]]:
    """Returns the bytes by which each process has grown, by kind of memory."""
    first = next(sample for sample in samples if sample["blocks"] == settled)
    last = samples[-1]
    return {
        process: {kind: last[process][kind] - size for kind, size in first[process].items()}
        for process in ("link", "engine")
        if first[process] and last[process]
    }


def result_table(found: Soak) -> Table:
    """Returns the memory as a table for people, in MiB."""
    table = Table(
        title=Text(
            f"{found.model}, {found.blocks:,} blocks of {found.block_size} frames in "
            f"{found.seconds:.0f} s ({found.speed:.1f} times as fast as they play)"
        ),
        caption=Text(
            f"MiB at the end, and growth since block {found.settled:,}. Python and numpy, in "
            f"{found.traced['blocks']:,} blocks: bytes kept, and most in use at once. "
            f"Underruns: {found.underruns}, restarts: {found.restarts}."
        ),
        title_justify="left",
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("process")
    for heading in ("rss", "growth", "pss", "growth", "anonymous", "growth", "kept", "most"):
        table.add_column(heading, justify="right", no_wrap=True)
    for process in ("link", "engine"):
        traced, growth, last = (
            found.traced[process],
            found.growth.get(process),
            found.samples[-1][process],
        )
        cells = (
            cell
            for kind in ("rss", "pss", "anonymous")
            for cell in (
                (f"{last[kind] / _MIB:.1f}", f"{growth[kind] / _MIB:+.2f}")
                if growth
                else ("-", "-")
            )
        )
        table.add_row(process, *cells, f"{traced['kept_bytes']:,}", f"{traced['peak_bytes']:,}")
    return table


def soak(
    model: Annotated[str, typer.Option(help="A model's name or path.")] = "default",
    block_size: Annotated[int, typer.Option(help="Frames per block.")] = 256,
    blocks: Annotated[int, typer.Option(help="Blocks to play.")] = DEFAULT_BLOCKS,
    sample_rate: Annotated[
        int | None, typer.Option(help="Of the host, in Hz.  [default: the model's]")
    ] = None,
    channels: Annotated[int, typer.Option(help="Of the host, 1 or 2.")] = 2,
    runtime: Annotated[str, typer.Option(help="auto, or a runtime's name.")] = "auto",
    fifo: Annotated[bool, typer.Option(help="Ask for real-time scheduling.")] = True,
    output: Annotated[
        Path | None, typer.Option(help=f"Folder for {RESULT_FILE}; made if need be.")
    ] = None,
) -> None:
    """Plays a million blocks as fast as it can and watches what memory does."""
    if blocks < 10:
        raise ConfigError(
            f"--blocks is {blocks}; play at least 10, or nothing can be seen to grow."
        )
    rate = read_manifest(find_model(model)).sample_rate if sample_rate is None else sample_rate
    config = HostConfig(rate, block_size, channels)
    if output is not None:
        make_folder(output)
    machine = describe_machine()
    with terminal.progress_bar(f"{block_size} frames") as (on_start, on_blocks):
        on_start(blocks)
        found = measure(model, config, blocks, runtime=runtime, fifo=fifo, on_blocks=on_blocks)
    terminal.stdout().print(result_table(found))
    for note in found.notes:
        terminal.say(f"Note: {note}")
    if not found.growth:
        terminal.say("Note: this system does not tell how much memory a process has.")
    if output is not None:
        result = {
            "benchmark": "soak",
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "sample_rate": rate,
            "channels": channels,
            "machine": machine,
            **asdict(found),
        }
        write_json(output / RESULT_FILE, result)
    if found.has_grown:
        terminal.say(f"Memory has grown by more than {GROWTH_LIMIT / _MIB:.0f} MiB.")
        raise typer.Exit(1)
