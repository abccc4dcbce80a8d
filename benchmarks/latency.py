"""`stemwire-bench latency`: how long a block takes on its way through the live path.

Three processes, as when `stemwire serve` runs: this one is in charge, the engine computes, and an
audio link hands over blocks at the pace of the audio clock (`benchmarks.paced`). A loop that runs
as fast as it can lies: caches stay warm, clocks stay high, and nothing else gets a turn.

Two times are told of each block. "compute" is the engine's own work, separation and mixer;
"turn-around" is from the block being handed over to its output being there, so it holds the wake-up
as well. A block whose output is not there when it has to be played is an underrun.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from benchmarks.histogram import Panel, draw_histograms
from benchmarks.hogs import hogs
from benchmarks.link import FIFO_PRIORITY, Task, run_link
from benchmarks.machine import describe_machine, scheduling_of
from benchmarks.paced import Reals, Timings
from benchmarks.results import make_folder, write_json
from engine import ConfigError, HostConfig, find_model, read_manifest
from engine.worker import Session
from engine.worker.session import FIFO_PRIORITY as ENGINE_PRIORITY
from plugin_host import terminal
from plugin_host.spectrogram import can_draw

DEFAULT_BLOCK_SIZES = (64, 128, 256, 512)
DEFAULT_BLOCKS = 30_000
RESULT_FILE, PICTURE_FILE = "latency.json", "latency.png"


@dataclass(frozen=True)
class Times:
    """How times are distributed, in milliseconds.

    Attributes:
        p50: half of the blocks took no longer; p90, p99, p999 (99.9 %) and max likewise.
    """

    p50: float
    p90: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, seconds: Reals) -> Times | None:
        """Sums up times; those that are NaN do not count. None if that leaves nothing.

        Args:
            seconds: `(blocks,)`.
        """
        known = seconds[~np.isnan(seconds)]
        if not len(known):
            return None
        return cls(*(1e3 * float(x) for x in np.quantile(known, (0.5, 0.9, 0.99, 0.999, 1.0))))


@dataclass(frozen=True)
class Case:
    """The result for one model and block size.

    Attributes:
        model: its name.
        runtime: what computes it, one sentence.
        sample_rate: of the host, Hz.
        block_size: frames.
        deadline_ms: how long a block lasts.
        limit_ms: how long its turn-around may take: the worker's share of the latency.
        latency: frames from input to output; `ledger` says where they come from.
        ledger: (what, frames).
        blocks: that were handed over.
        underruns: of them, those whose output was not there when it had to be played.
        let_go: of them, those that the engine did not compute, to be in time again.
        left_out: blocks of the clock that the link missed itself.
        restarts: engines that had to be replaced.
        compute: times of the engine's own work.
        turn_around: from a block being handed over to its output being there.
        callback: times of the call in the link.
        wake: how late the system woke the link.
        load: mean compute time / deadline.
        p99_share: p99 of the turn-around / deadline.
        first_ms: the first block that the engine ever computed.
        open_ms: from nothing to a session that plays.
        scheduling: of the engine and the link.
        notes: what the system did not allow.
    """

    model: str
    runtime: str
    sample_rate: int
    block_size: int
    deadline_ms: float
    limit_ms: float
    latency: int
    ledger: tuple[tuple[str, int], ...]
    blocks: int
    underruns: int
    let_go: int
    left_out: int
    restarts: int
    compute: Times | None
    turn_around: Times | None
    callback: Times | None
    wake: Times | None
    load: float | None
    p99_share: float | None
    first_ms: float
    open_ms: float
    scheduling: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """What all cases of one run have in common.

    Attributes:
        blocks: to hand over for each case.
        runtime: as in `Separator.load`.
        fifo: whether to ask for real-time scheduling.
        spin: whether the engine looks for work all the time.
        busy: whether something else keeps the machine busy.
    """

    blocks: int = DEFAULT_BLOCKS
    runtime: str = "auto"
    fifo: bool = True
    spin: bool = False
    busy: bool = False


def measure(
    model: str, config: HostConfig, options: Options, on_blocks: Callable[[int], None]
) -> tuple[Case, Timings]:
    """Plays one model at one block size, at the audio clock.

    Args:
        model: name or path.
        config: of the host.
        options: see there.
        on_blocks: called now and then with the number of blocks since the last time.

    Raises:
        StemwireError: if the model or the engine's process cannot be used.
    """
    engine_priority, link_priority = (
        (ENGINE_PRIORITY, FIFO_PRIORITY) if options.fifo else (None, None)
    )
    begin = time.perf_counter()
    session = Session.open(
        model,
        config,
        runtime=options.runtime,
        spin=options.spin,
        fifo_priority=engine_priority,
    )
    opened = time.perf_counter() - begin
    with (
        session,
        tempfile.TemporaryDirectory() as folder,
        hogs() if options.busy else nullcontext(),
    ):
        file = Path(folder) / "timings.npz"
        task = Task("paced", session.segment_path, options.blocks, link_priority, str(file))
        played = run_link(task, on_blocks)
        with np.load(file) as arrays:
            timings = Timings(**arrays)
        status = session.status()
        scheduling = {
            "engine": scheduling_of(session.engine_pid),
            "link": str(played["scheduling"]),
        }
    turn_around = Times.of(timings.turn_around)
    deadline_ms = 1e3 * config.deadline
    known = timings.compute[~np.isnan(timings.compute)]
    case = Case(
        model=session.model,
        runtime=status.runtime,
        sample_rate=config.sample_rate,
        block_size=config.block_size,
        deadline_ms=deadline_ms,
        limit_ms=1e3 * dict(session.ledger)["worker"] / config.sample_rate,
        latency=session.latency,
        ledger=tuple(session.ledger),
        blocks=options.blocks,
        underruns=played["underruns"],
        let_go=options.blocks - len(known),
        left_out=played["left_out"],
        restarts=status.restarts,
        compute=Times.of(timings.compute),
        turn_around=turn_around,
        callback=Times.of(timings.call),
        wake=Times.of(timings.late),
        load=float(known.mean()) / config.deadline if len(known) else None,
        p99_share=turn_around.p99 / deadline_ms if turn_around else None,
        first_ms=1e3 * status.first_seconds,
        open_ms=1e3 * opened,
        scheduling=scheduling,
        notes=tuple(dict.fromkeys((*status.notes, *played["notes"]))),
    )
    return case, timings


def result_table(cases: Sequence[Case], title: str) -> Table:
    """Returns the results of one model as a table for people, 80 columns wide.

    Args:
        cases: one for each block size.
        title: what stands above.
    """
    delays = ", ".join(f"{case.latency} at {case.block_size}" for case in cases)
    table = Table(
        title=Text(title),
        caption=f"Times in ms; first: the first block ever. Latency in frames: {delays}.",
        title_justify="left",
        caption_justify="left",
        box=None,
        collapse_padding=True,
        pad_edge=False,
    )
    for heading in ("block", "lasts", "", "p50", "p90", "p99", "p99.9", "max"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for heading in ("underruns", "load", "first"):
        table.add_column(heading, justify="right", no_wrap=True)
    for case in cases:
        compute, turn_around = (_cells(times) for times in (case.compute, case.turn_around))
        load = "-" if case.load is None else f"{100 * case.load:.0f}%"
        counts = (str(case.underruns), load, f"{case.first_ms:.2f}")
        size = (str(case.block_size), f"{case.deadline_ms:.2f}")
        table.add_row(*size, "compute", *compute, *counts)
        table.add_row("", "", "turn-around", *turn_around)
    return table


def _cells(times: Times | None) -> list[str]:
    if times is None:
        return ["-"] * len(fields(Times))
    return [f"{value:.2f}" for value in astuple(times)]


def latency(
    model: Annotated[
        list[str], typer.Option(help="A model's name or path; may be given several times.")
    ] = ["default"],  # noqa: B006, typer copies it
    block_size: Annotated[
        list[int], typer.Option(help="Frames per block; may be given several times.")
    ] = list(DEFAULT_BLOCK_SIZES),  # noqa: B006
    blocks: Annotated[int, typer.Option(help="Blocks to measure for each.")] = DEFAULT_BLOCKS,
    sample_rate: Annotated[
        int | None, typer.Option(help="Of the host, in Hz.  [default: the model's]")
    ] = None,
    channels: Annotated[int, typer.Option(help="Of the host, 1 or 2.")] = 2,
    runtime: Annotated[str, typer.Option(help="auto, or a runtime's name.")] = "auto",
    fifo: Annotated[bool, typer.Option(help="Ask for real-time scheduling.")] = True,
    spin: Annotated[
        bool, typer.Option("--spin", help="Let the engine look for work without sleeping.")
    ] = False,
    busy: Annotated[
        bool, typer.Option("--busy", help="Keep two cores busy: with a thread and a process.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help=f"Folder for {RESULT_FILE} and {PICTURE_FILE}; made if need be."),
    ] = None,
) -> None:
    """Measures the time per block on the live path, paced at the audio clock."""
    if blocks < 1:
        raise ConfigError(f"--blocks is {blocks}; measure at least one.")
    options = Options(blocks, runtime, fifo, spin, busy)
    configs = [(name, _configs(name, block_size, sample_rate, channels)) for name in model]
    if output is not None:
        make_folder(output)
    machine = describe_machine()
    results: list[list[tuple[Case, Timings]]] = []
    for name, of_model in configs:
        results.append([_measure_and_tell(name, config, options) for config in of_model])
        cases = [case for case, _ in results[-1]]
        terminal.stdout().print(result_table(cases, _title(cases, options)))
        for note in dict.fromkeys(note for case in cases for note in case.notes):
            terminal.say(f"Note: {note}")
    if output is None:
        return
    result = {
        "benchmark": "latency",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": asdict(options),
        "channels": channels,
        "machine": machine,
        "cases": [asdict(case) for cases in results for case, _ in cases],
    }
    write_json(output / RESULT_FILE, result)
    _draw(results, options, output / PICTURE_FILE)


def _configs(
    model: str, block_sizes: Sequence[int], sample_rate: int | None, channels: int
) -> list[HostConfig]:
    rate = read_manifest(find_model(model)).sample_rate if sample_rate is None else sample_rate
    return [HostConfig(rate, size, channels) for size in block_sizes]


def _measure_and_tell(model: str, config: HostConfig, options: Options) -> tuple[Case, Timings]:
    seconds = options.blocks * config.deadline
    terminal.say(f"{options.blocks} blocks of {config.block_size} frames: {seconds:.0f} s")
    with terminal.progress_bar(f"{config.block_size} frames") as (on_start, on_blocks):
        on_start(options.blocks)
        return measure(model, config, options, on_blocks)


def _title(cases: Sequence[Case], options: Options) -> str:
    models = ", ".join(dict.fromkeys(case.model for case in cases))
    extras = (", busy machine" if options.busy else "") + (", spinning" if options.spin else "")
    return f"{models}, {options.blocks} blocks, {cases[0].scheduling['engine']}{extras}"


def _draw(
    results: Sequence[Sequence[tuple[Case, Timings]]], options: Options, picture: Path
) -> None:
    """Draws a row for each block size and a column for each model."""
    if not can_draw():
        terminal.say("Note: the histograms need matplotlib: pip install 'stemwire[demo]'.")
        return
    columns = [[_panel(case, timings) for case, timings in of_model] for of_model in results]
    cases = [case for of_model in results for case, _ in of_model]
    draw_histograms(_title(cases, options), list(zip(*columns, strict=True)), picture)
    terminal.say(f"Written: {picture}")


def _panel(case: Case, timings: Timings) -> Panel:
    return Panel(
        f"{case.model}, blocks of {case.block_size}, underruns: {case.underruns}",
        {"compute": timings.compute, "turn-around": timings.turn_around},
        {"a block": 1e-3 * case.deadline_ms, "has to be there": 1e-3 * case.limit_ms},
    )
