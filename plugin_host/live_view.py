"""The live view: levels, load, latency and what can be typed, in a terminal of 80 by 24.

It is drawn anew several times a second from a report, and keeps nothing between two drawings but
the last news.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from plugin_host import terminal
from plugin_host.link_process import Message
from plugin_host.live_keys import Keys
from plugin_host.live_report import Report
from plugin_host.live_text import counted, sentence_for

_FLOOR_DB = -60.0
_METER_WIDTH = 40  # columns for 60 dB: 1.5 dB each
_NEWS_SECONDS = 8.0
_MAX_NOTES = 2
_ROWS = ("input", "mix")


class LiveView:
    """Draws on the terminal's other screen; what was there before comes back at the end."""

    interval = 0.1

    def __init__(self) -> None:
        self._console = terminal.stdout()
        self._live = Live(console=self._console, auto_refresh=False, screen=True)
        self._keys = Keys()
        self._news = ""
        self._news_until = 0.0

    def open(self, on_command: Callable[[Message], None]) -> None:
        """Begins to draw, and to take keys where there is a keyboard."""
        self._live.start()
        self._keys.open(on_command)

    def show(self, report: Report) -> None:
        """Draws a report."""
        self._keys.stems = stems_of(report)
        news = self._news if time.monotonic() < self._news_until else ""
        self._live.update(draw(report, news), refresh=True)

    def tell(self, event: str, report: Report, **fields: Any) -> None:
        """Shows news for a few seconds; the last ones when the screen is left."""
        sentence = sentence_for(event, report, **fields)
        if not self._live.is_started:
            terminal.say(sentence)
        elif event != "note":  # notes stay on the screen anyway
            self._news, self._news_until = sentence, time.monotonic() + _NEWS_SECONDS

    def close(self) -> None:
        """Gives the terminal back."""
        self._keys.close()
        self._live.stop()


def stems_of(report: Report) -> tuple[str, ...]:
    """The stems' names, in the order of the keys."""
    return tuple(row for row in report.meters if row not in _ROWS)


def draw(report: Report, news: str = "") -> RenderableType:
    """Draws a report.

    Args:
        report: How things stand.
        news: A sentence to show below.

    Returns:
        What fits into 80 columns and 24 lines, for up to ten stems.
    """
    parts: list[RenderableType] = [_head(report), Text()]
    if report.meters:
        parts += [_meters(report), Text()]
    parts += [_figures(report), Text(), _help(report)]
    if news:
        parts.append(Text(news, style="bold"))
    parts += [Text(f"Note: {note}", style="yellow") for note in report.notes[-_MAX_NOTES:]]
    return Group(*parts)


def _head(report: Report) -> Table:
    clock = time.strftime("%H:%M:%S", time.gmtime(report.seconds))
    style = {"running": "bold green", "waiting": "bold red"}.get(report.state, "bold yellow")
    table = Table.grid(expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    model = report.status.model if report.status else ""
    reached = ", ".join(f"{way} {where}" for way, where in report.reached.items())
    table.add_row(
        Text.assemble(("stemwire  ", "bold"), terminal.plain(model), (f"   {reached}", "dim")),
        Text.assemble((report.state, style), f"  {clock}"),
    )
    config = report.config
    form = ""
    if config is not None:
        sound = "mono" if config.channels == 1 else "stereo"
        form = f"{config.sample_rate} Hz, {sound}, {config.block_size} frames"
    table.add_row(terminal.plain(report.audio), Text(form))
    return table


def _meters(report: Report) -> Table:
    table = Table.grid(padding=(0, 1))
    for options in ({"justify": "right"}, {}, {"width": _METER_WIDTH}, {"justify": "right"}, {}):
        table.add_column(no_wrap=True, **options)
    stems = stems_of(report)
    for row, (peak, rms) in report.meters.items():
        key = str(stems.index(row) + 1) if row in stems[:9] else ""
        table.add_row(
            Text(key, style="dim"),
            Text(row, style="bold" if row in _ROWS else ""),
            meter(peak, rms),
            Text(_decibels(peak)),
            _faders(report, row),
        )
    return table


def meter(peak: float, rms: float) -> Text:
    """A bar as long as the RMS is loud, with a mark at the peak; red above full scale.

    Args:
        peak: Linear, full scale is 1.0.
        rms: Likewise.
    """
    filled, mark = _columns(rms), _columns(peak)
    colour = "red" if peak > 1.0 else "yellow" if peak > 0.7 else "green"
    bar = Text("━" * filled, style=colour)
    bar.append("─" * (_METER_WIDTH - filled), style="bright_black")
    if mark:
        bar = bar[: mark - 1] + Text("┃", style=colour) + bar[mark:]
    return bar


def _columns(level: float) -> int:
    if not level > 0.0:
        return 0
    share = 1.0 - 20.0 * math.log10(level) / _FLOOR_DB
    return round(_METER_WIDTH * min(max(share, 0.0), 1.0))


def _decibels(level: float) -> str:
    decibels = 20.0 * math.log10(level) if level > 0.0 else -math.inf
    return f"{decibels:.1f} dB" if decibels > -100.0 else "-inf dB"


def _faders(report: Report, row: str) -> Text:
    """What has been turned on a stem, and where it comes out."""
    controls = report.controls
    words = []
    gain = controls.get("master/gain" if row == "mix" else f"stem/{row}/gain", 1.0)
    if gain != 1.0:
        words.append(f"x{gain:.2f}")
    pan = controls.get(f"stem/{row}/pan", 0.0)
    if pan:
        words.append(f"{abs(pan):.0%} {'right' if pan > 0 else 'left'}")
    words += [word for word in ("mute", "solo") if controls.get(f"stem/{row}/{word}")]
    if row == "mix":
        words += [word for word in ("bypass", "panic") if controls.get(word)]
    return Text.assemble((" ".join(words), "bold yellow"))


def _figures(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    status = report.status
    if status is not None:
        table.add_row("load", f"{status.load:.0%} of the time that a block lasts")
        counts = [f"{status.underruns} of {status.blocks} blocks"]
        for count, what, of in (
            (report.xruns, "xrun", " of the device"),
            (status.restarts, "restart", " of the engine"),
            (status.nonfinite_samples, "bad sample", ""),
        ):
            counts += [counted(count, what) + of] if count else []
        table.add_row("underruns", ", ".join(counts))
        table.add_row("runtime", Text(status.runtime.partition(":")[0]))
    if report.ledger:
        ledger = " + ".join(f"{what} {frames}" for what, frames in report.ledger if frames)
        total = f"{report.latency} frames = {report.latency_ms:.1f} ms"
        table.add_row("latency", f"{ledger or 'none'} = {total}")
    if report.kind == "portaudio":  # JACK's ports have the buses' names
        outputs = ", ".join(f"{bus} {place}" for bus, place in report.places.items())
        table.add_row("outputs", Text(outputs))
    return table


def _help(report: Report) -> Text:
    most = min(len(stems_of(report)), 9)
    numbers = f"1-{most} mute  s1-s{most} solo  " if most else ""
    return Text(
        f"{numbers}b bypass  p panic  r reset  m next model  q end", style="dim", no_wrap=True
    )
