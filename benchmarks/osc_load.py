"""`stemwire-bench osc`: how quick OSC is while it plays, and whether the audio notices.

All runs as with `stemwire serve`: an engine process, an audio link at the pace of the audio clock
(`benchmarks.paced`), and this process, which has the OSC server. Two clients, a process each, send
to the faders of all stems. Two times are told of each message: from sending to the table of
controls, which the engine reads, is "control"; how long blocks take meanwhile is "turn-around".

The same blocks are played without any message as well, before and after by turns, so that what the
machine does otherwise falls on both alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from benchmarks.latency import Times
from benchmarks.link import FIFO_PRIORITY, Link, Task
from benchmarks.machine import describe_machine
from benchmarks.osc_clients import MAX_MESSAGES, STEPS, Flood
from benchmarks.results import make_folder, write_json
from engine import ConfigError, HostConfig
from engine.errors import WorkerError
from engine.worker import Session
from engine.worker.session import FIFO_PRIORITY as ENGINE_PRIORITY
from plugin_host import terminal
from plugin_host.board import Board
from plugin_host.osc.address import ROOT
from plugin_host.osc.server import OscOptions, OscServer

RESULT_FILE = "osc.json"
CLIENTS = 2

_SETTLE_SECONDS = 0.5


class LoggingBoard(Board):
    """A board that notes when each value stood in the table."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.log: list[tuple[float, int]] = []

    def set(self, name: str, value: float, origin: str = "") -> None:
        """Sets a control, and notes it."""
        super().set(name, value, origin)
        self.log.append((value, time.perf_counter_ns()))


@dataclass(frozen=True)
class Part:
    """A while of playing.

    Attributes:
        sent: messages.
        arrived: of them, those that stood in the table.
        control: from sending to the table; NaN for those that were lost.
        turn_around: of the blocks meanwhile.
        underruns: blocks that were not there in time.
        blocks: that were played.
    """

    sent: int
    arrived: int
    control: NDArray[np.float64]
    turn_around: NDArray[np.float64]
    underruns: int
    blocks: int


@dataclass(frozen=True)
class Result:
    """What was found.

    Attributes:
        model: its name.
        block_size: frames.
        rate: messages per second, of all clients together.
        sent: messages.
        lost: of them, those that did not come to the table.
        control: milliseconds from sending to the table.
        quiet: milliseconds of the blocks' turn-around without messages.
        loaded: the same while they came.
        blocks: that were played in each of the two.
        underruns: blocks that were not there, without and with messages.
    """

    model: str
    block_size: int
    rate: float
    sent: int
    lost: int
    control: Times | None
    quiet: Times | None
    loaded: Times | None
    blocks: int
    underruns: tuple[int, int]


def measure(
    model: str, config: HostConfig, rate: float, seconds: float, rounds: int, *, fifo: bool = True
) -> Result:
    """Plays by turns with and without messages.

    Args:
        model: name or path.
        config: of the host.
        rate: messages per second, of all clients together.
        seconds: of messages altogether.
        rounds: how often to change.
        fifo: whether to ask for real-time scheduling.

    Raises:
        StemwireError: if the model or a process cannot be used.
    """
    parts: dict[bool, list[Part]] = {False: [], True: []}
    name = ""
    for _ in range(rounds):
        for is_loaded in parts:
            wanted = rate if is_loaded else 0.0
            name, part = _play(model, config, wanted, seconds / rounds, fifo=fifo)
            parts[is_loaded].append(part)
    quiet, loaded = parts[False], parts[True]
    sent = sum(part.sent for part in loaded)
    return Result(
        model=name,
        block_size=config.block_size,
        rate=rate,
        sent=sent,
        lost=sent - sum(part.arrived for part in loaded),
        control=Times.of(np.concatenate([part.control for part in loaded])),
        quiet=Times.of(np.concatenate([part.turn_around for part in quiet])),
        loaded=Times.of(np.concatenate([part.turn_around for part in loaded])),
        blocks=sum(part.blocks for part in loaded),
        underruns=(sum(part.underruns for part in quiet), sum(part.underruns for part in loaded)),
    )


def _play(
    model: str, config: HostConfig, rate: float, seconds: float, *, fifo: bool
) -> tuple[str, Part]:
    """Plays for a while; returns the model's name and what was found."""
    blocks = round((seconds + 2 * _SETTLE_SECONDS) / config.deadline)
    link_priority, engine_priority = (FIFO_PRIORITY, ENGINE_PRIORITY) if fifo else (None, None)
    with (
        tempfile.TemporaryDirectory() as folder,
        Session.open(model, config, fifo_priority=engine_priority) as session,
        LoggingBoard(session.stems) as board,
        OscServer(board, OscOptions(port=0)) as server,
    ):
        board.connect(session)
        timings = str(Path(folder) / "timings.npz")
        task = Task("paced", session.segment_path, blocks, link_priority, timings=timings)
        with Link(task) as link:
            time.sleep(_SETTLE_SECONDS)
            sent = _flood(server.port, session.stems, rate, seconds) if rate else []
            told = link.wait_for("done")
        with np.load(timings) as found:
            turn_around = found["turn_around"]
        control = _times(sent, board.log)
        return session.model, Part(
            sent=len(sent),
            arrived=int((~np.isnan(control)).sum()),
            control=control,
            turn_around=turn_around,
            underruns=int(told["underruns"]),
            blocks=len(turn_around),
        )


def _flood(port: int, stems: Sequence[str], rate: float, seconds: float) -> list[tuple[int, int]]:
    """Has clients send; returns the number in the value of each message, and when it was sent."""
    paths = [f"{ROOT}/stem/{stem}/gain" for stem in stems]
    messages = round(seconds * rate / CLIENTS)
    floods = [
        Flood(port, paths, number, CLIENTS, rate / CLIENTS, messages) for number in range(CLIENTS)
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.osc_clients", flood.as_json()],
            stdin=subprocess.PIPE,  # whose end ends them, should this process die
            stdout=subprocess.PIPE,
            text=True,
        )
        for flood in floods
    ]
    found: list[tuple[int, int]] = []
    for process in processes:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.communicate()
        if process.returncode:
            raise WorkerError(f"A client has ended with exit code {process.returncode}.")
        found += map(tuple, json.loads(line)["sent"])
    return found


def _times(
    sent: Sequence[tuple[int, int]], log: Sequence[tuple[float, int]]
) -> NDArray[np.float64]:
    """Returns the seconds from sending each message to its value standing in the table."""
    stood = {round(value * STEPS): moment for value, moment in log}
    return np.array([1e-9 * (stood.get(unique, np.nan) - moment) for unique, moment in sent])


def result_table(result: Result) -> Table:
    """Returns the times as a table for people, in milliseconds."""
    table = Table(
        title=Text(
            f"{result.model}, blocks of {result.block_size} frames; {result.rate:g} messages a "
            f"second from {CLIENTS} clients: {result.sent:,} sent, {result.lost:,} lost"
        ),
        caption=Text(
            f"Milliseconds. Underruns: {result.underruns[0]} of {result.blocks:,} blocks without "
            f"messages, {result.underruns[1]} with them."
        ),
        title_justify="left",
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("")
    for heading in ("p50", "p90", "p99", "p99.9", "max"):
        table.add_column(heading, justify="right")
    for what, times in (
        ("from datagram to control table", result.control),
        ("turn-around of blocks, quiet", result.quiet),
        ("turn-around of blocks, loaded", result.loaded),
    ):
        cells = [f"{value:.3f}" for value in asdict(times).values()] if times else ["-"] * 5
        table.add_row(what, *cells)
    return table


def osc(
    model: Annotated[str, typer.Option(help="A model's name or path.")] = "default",
    block_size: Annotated[int, typer.Option(help="Frames per block.")] = 256,
    sample_rate: Annotated[int, typer.Option(help="Of the host, in Hz.")] = 44_100,
    rate: Annotated[float, typer.Option(help="Messages per second, of two clients.")] = 5_000.0,
    seconds: Annotated[float, typer.Option(help="Of messages altogether.")] = 20.0,
    rounds: Annotated[int, typer.Option(help="Times of quiet and load, by turns.")] = 4,
    fifo: Annotated[bool, typer.Option(help="Ask for real-time scheduling.")] = True,
    output: Annotated[
        Path | None, typer.Option(help=f"Folder for {RESULT_FILE}; made if need be.")
    ] = None,
) -> None:
    """Measures OSC while it plays: is every message heard, how soon, and does the audio notice?"""
    if rounds < 1 or rate < 1 or not 0 < rate * seconds / rounds <= MAX_MESSAGES:
        raise ConfigError(
            f"--rate, --seconds and --rounds must make 1 to {MAX_MESSAGES:,} messages a round."
        )
    if output is not None:
        make_folder(output)
    machine = describe_machine()
    config = HostConfig(sample_rate, block_size, 2)
    result = measure(model, config, rate, seconds, rounds, fifo=fifo)
    terminal.stdout().print(result_table(result))
    if output is not None:
        write_json(
            output / RESULT_FILE,
            {
                "benchmark": "osc",
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "sample_rate": sample_rate,
                "machine": machine,
                **asdict(result),
            },
        )
    if result.lost:
        terminal.say(f"{result.lost} messages were lost.")
        raise typer.Exit(1)
