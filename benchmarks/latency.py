"""How long a block takes, paced at the audio clock.

A loop that runs as fast as it can lies: caches stay warm, clocks stay high, and nothing else gets a
turn. So block i is taken when a sound card would bring it, and must be done one block later:

    time        0         1         2         3         blocks
    brought     ^ 0       ^ 1       ^ 2
    computed     [===]     [===]     [=============]
    wanted                0         1         2         block 2 is late: an underrun

The thread sleeps until each block is brought. A block that is late makes the clock skip whole
blocks, as a sound card does, so one late block is counted once. The median of an unpaced loop
stands beside, to show the difference.
"""

import gc
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.machine import describe_machine, scheduling
from engine import ConfigError, HostConfig, Separator

DEFAULT_BLOCK_SIZES = (64, 128, 256, 512)
DEFAULT_BLOCKS = 30_000
RESULT_FILE = "latency.json"

_UNPACED_BLOCKS = 1_000
_LEAD_IN = 0.05  # seconds before the first block is brought


@dataclass(frozen=True)
class Paced:
    """What happened to each block, in the order of time; all in seconds.

    Attributes:
        compute: from taking the block to having its stems, `(blocks,)`.
        wake: from the block being brought to being taken, `(blocks,)`.
        underruns: blocks that were not ready when the next one was brought.
    """

    compute: NDArray[np.float64]
    wake: NDArray[np.float64]
    underruns: int


@dataclass(frozen=True)
class Case:
    """The result for one block size; times in milliseconds.

    Attributes:
        block_size: frames.
        deadline_ms: how long a block lasts.
        latency: frames from input to output; `ledger` says where they come from.
        ledger: (what, frames).
        blocks: paced blocks that were measured.
        p50_ms: half of the blocks took no longer; p90, p99, p99.9 and max likewise.
        p99_share: p99_ms / deadline_ms.
        wake_p99_ms: how late the system woke the thread, 99 % of the time at most.
        underruns: blocks that were not ready in time.
        rtf: real-time factor: mean compute time / deadline.
        prepare_ms: the call of `prepare`.
        first_ms: the first block after it.
        unpaced_p50_ms: the median block of a loop that never sleeps.
    """

    block_size: int
    deadline_ms: float
    latency: int
    ledger: tuple[tuple[str, int], ...]
    blocks: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    p99_share: float
    wake_p99_ms: float
    underruns: int
    rtf: float
    prepare_ms: float
    first_ms: float
    unpaced_p50_ms: float


def run_paced(separator: Separator, audio: NDArray[np.float32], blocks: int) -> Paced:
    """Plays audio in a circle through a prepared separator, at the audio clock.

    Args:
        separator: prepared.
        audio: `(channels, frames)`, at least one block long.
        blocks: how many to play.
    """
    config = separator.config
    out = np.empty((len(separator.stems), config.channels, config.block_size), np.float32)
    starts = _block_starts(audio, config.block_size)
    compute, wake = np.zeros(blocks), np.zeros(blocks)
    underruns = 0
    brought = time.perf_counter() + _LEAD_IN
    for i in range(blocks):
        start = starts[i % len(starts)]
        block = audio[:, start : start + config.block_size]
        time.sleep(max(0.0, brought - time.perf_counter()))
        begin = time.perf_counter()
        separator.process(block, out)
        end = time.perf_counter()
        compute[i], wake[i] = end - begin, begin - brought
        brought += config.deadline
        if end > brought:
            underruns += 1
            brought += int((end - brought) / config.deadline) * config.deadline
    return Paced(compute, wake, underruns)


def measure(separator: Separator, config: HostConfig, blocks: int) -> Case:
    """Prepares a separator and measures one block size.

    Args:
        separator: is prepared here.
        config: of the host.
        blocks: paced blocks.
    """
    audio = _noise(config)
    out = np.empty((len(separator.stems), config.channels, config.block_size), np.float32)
    block = audio[:, : config.block_size]
    prepare = _seconds(lambda: separator.prepare(config))
    first = _seconds(lambda: separator.process(block, out))
    gc.collect()
    gc.disable()
    try:
        paced = run_paced(separator, audio, blocks)
        unpaced = [
            _seconds(lambda: separator.process(block, out))
            for _ in range(min(blocks, _UNPACED_BLOCKS))
        ]
    finally:
        gc.enable()
    p50, p90, p99, p999 = np.quantile(paced.compute, (0.5, 0.9, 0.99, 0.999))
    return Case(
        block_size=config.block_size,
        deadline_ms=1e3 * config.deadline,
        latency=separator.latency,
        ledger=tuple(separator.ledger),
        blocks=blocks,
        p50_ms=1e3 * float(p50),
        p90_ms=1e3 * float(p90),
        p99_ms=1e3 * float(p99),
        p999_ms=1e3 * float(p999),
        max_ms=1e3 * float(paced.compute.max()),
        p99_share=float(p99) / config.deadline,
        wake_p99_ms=1e3 * float(np.quantile(paced.wake, 0.99)),
        underruns=paced.underruns,
        rtf=float(paced.compute.mean()) / config.deadline,
        prepare_ms=1e3 * prepare,
        first_ms=1e3 * first,
        unpaced_p50_ms=1e3 * float(np.median(unpaced)),
    )


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _noise(config: HostConfig) -> NDArray[np.float32]:
    """Returns two seconds of noise at -20 dBFS, at least one block, the same each time."""
    frames = max(2 * config.sample_rate, config.block_size)
    noise = np.random.default_rng(0).normal(0.0, 0.1, (config.channels, frames))
    return noise.astype(np.float32)


def _block_starts(audio: NDArray[np.float32], block_size: int) -> range:
    return range(0, audio.shape[1] - block_size + 1, block_size)


def result_table(cases: Sequence[Case], title: str) -> Table:
    """Returns the results as a table for people, 80 columns wide; times in milliseconds."""
    delays = ", ".join(f"{case.latency} at {case.block_size}" for case in cases)
    table = Table(
        title=Text(title),
        caption=f"Times in ms. Latency in frames: {delays}.",
        title_justify="left",
        caption_justify="left",
        box=None,
        collapse_padding=True,
        pad_edge=False,
    )
    for heading in (
        "block", "lasts", "p50", "p90", "p99", "p99.9", "max", "share", "underruns", "rtf",
        "first", "unpaced",
    ):  # fmt: skip
        table.add_column(heading, justify="right", no_wrap=True)
    for case in cases:
        table.add_row(
            str(case.block_size),
            f"{case.deadline_ms:.2f}",
            *(
                f"{value:.2f}"
                for value in (case.p50_ms, case.p90_ms, case.p99_ms, case.p999_ms, case.max_ms)
            ),
            f"{100 * case.p99_share:.0f}%",
            str(case.underruns),
            f"{case.rtf:.3f}",
            f"{case.first_ms:.2f}",
            f"{case.unpaced_p50_ms:.2f}",
        )
    return table


def latency(
    model: Annotated[str, typer.Option(help="A model's name or path.")] = "default",
    block_size: Annotated[
        list[int], typer.Option(help="Frames per block; may be given several times.")
    ] = list(DEFAULT_BLOCK_SIZES),  # noqa: B006, typer copies it
    blocks: Annotated[int, typer.Option(help="Blocks to measure at each size.")] = DEFAULT_BLOCKS,
    sample_rate: Annotated[
        int | None, typer.Option(help="Of the host, in Hz. [default: the model's]")
    ] = None,
    channels: Annotated[int, typer.Option(help="Of the host, 1 or 2.")] = 2,
    runtime: Annotated[str, typer.Option(help="auto, or a runtime's name.")] = "auto",
    fifo: Annotated[bool, typer.Option("--fifo", help="Ask for real-time scheduling.")] = False,
    output: Annotated[
        Path | None, typer.Option(help=f"Folder for {RESULT_FILE}; made if need be.")
    ] = None,
) -> None:
    """Measures the time per block, paced at the audio clock."""
    if blocks < 1:
        raise ConfigError(f"--blocks is {blocks}; measure at least one.")
    separator = Separator.load(model, runtime=runtime)
    rate = separator.manifest.sample_rate if sample_rate is None else sample_rate
    configs = [HostConfig(rate, size, channels) for size in block_size]
    if output is not None:
        _make_folder(output)
    console, status = Console(), Console(stderr=True)
    machine = describe_machine()
    cases = []
    with scheduling(fifo) as schedule:
        for config in configs:
            seconds = blocks * config.deadline
            status.print(f"{blocks} blocks of {config.block_size} frames: {seconds:.0f} s")
            cases.append(measure(separator, config, blocks))
    name = separator.manifest.name
    title = f"{name}, {rate} Hz, {separator.runtime}, {blocks} blocks, scheduling {schedule}"
    console.print(result_table(cases, title))
    if output is not None:
        result = {
            "benchmark": "latency",
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": name,
            "graph_sha256": separator.manifest.graph_sha256,
            "runtime": separator.runtime,
            "runtime_reason": separator.runtime_reason,
            "sample_rate": rate,
            "channels": channels,
            "scheduling": schedule,
            "machine": machine,
            "cases": [asdict(case) for case in cases],
        }
        path = output / RESULT_FILE
        try:
            path.write_text(json.dumps(result, indent=2) + "\n")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        status.print(f"Written: {path}", soft_wrap=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The output folder {folder} cannot be made: {error.strerror}."
        ) from error
