"""`stemwire serve --audio plugin`: one engine for all the plugins in the DAWs of this machine.

Plugins come and go by themselves; there is nothing to do here but to show which are there, how they
are doing, and to end when asked to.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.worker.guests import Guests, GuestStatus
from engine.worker.layout import GuestState
from plugin_host import terminal
from plugin_host.end_signals import end_signals

_INTERVAL = 0.2
_WORDS = {
    GuestState.ALONE: ("alone", "yellow"),
    GuestState.LOADING: ("loading", "yellow"),
    GuestState.PLAYING: ("playing", "green"),
    GuestState.REFUSED: ("refused", "red"),
    GuestState.RESTARTING: ("restarting", "yellow"),
}


class PluginView(Protocol):
    """Shows which plugins there are."""

    def open(self) -> None:
        """Begins."""

    def show(self, guests: Guests, plugins: tuple[GuestStatus, ...]) -> None:
        """Takes how things stand."""

    def close(self) -> None:
        """Ends; always called."""


def serve_plugins(model: str, runtime: str, view: PluginView) -> None:
    """Serves plugins until Ctrl-C or a `kill`.

    Args:
        model: A model's name or path.
        runtime: "auto" or a runtime's name.
        view: Who is told.

    Raises:
        StemwireError: If the engine cannot be started.
    """
    is_over = threading.Event()
    with end_signals(is_over.set), Guests(model, runtime=runtime) as guests:
        view.open()
        try:
            while not is_over.wait(_INTERVAL):
                view.show(guests, guests.statuses())
        finally:
            view.close()


def describe(plugin: GuestStatus) -> dict[str, Any]:
    """A plugin, ready for JSON."""
    return {
        "pid": plugin.pid,
        "host": program_of(plugin.pid),
        "sample_rate": plugin.config.sample_rate,
        "block_size": plugin.config.block_size,
        "latency": plugin.latency,
        "state": _WORDS[plugin.state][0],
        "load": round(plugin.load, 4),
        "blocks": plugin.blocks,
        "underruns": plugin.underruns,
        "note": plugin.note,
    }


def program_of(pid: int) -> str:
    """The name of a program that runs, as far as this system tells."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class JsonPluginView:
    """One JSON object a line on stdout, whenever a plugin comes, goes or changes its state."""

    def __init__(self) -> None:
        self._shown: list[tuple[int, int, GuestState]] | None = None

    def open(self) -> None:
        """Has nothing to begin."""

    def show(self, guests: Guests, plugins: tuple[GuestStatus, ...]) -> None:
        """Prints what has changed."""
        now = [(plugin.pid, plugin.latency, plugin.state) for plugin in plugins]
        if now != self._shown:
            self._shown = now
            self._print("plugins", guests, plugins)

    def close(self) -> None:
        """Has nothing to end."""

    def _print(self, event: str, guests: Guests, plugins: Iterable[GuestStatus]) -> None:
        line = {
            "event": event,
            "model": guests.model,
            "runtime": guests.runtime,
            "restarts": guests.restarts,
            "notes": list(guests.notes),
            "plugins": [describe(plugin) for plugin in plugins],
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


class PlainPluginView:
    """A sentence on stderr for each plugin that comes, goes or changes its state.

    Args:
        is_quiet: Only what goes wrong.
    """

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._known: dict[tuple[int, int], GuestState] = {}
        self._notes: tuple[str, ...] = ()

    def open(self) -> None:
        """Says that plugins may come."""
        if not self._is_quiet:
            terminal.say("Waiting for plugins; Ctrl-C ends.")

    def show(self, guests: Guests, plugins: tuple[GuestStatus, ...]) -> None:
        """Says what has changed."""
        for note in guests.notes:
            if note not in self._notes:
                terminal.say(f"Note: {note}")
        self._notes = guests.notes
        now = {(plugin.pid, number): plugin for number, plugin in enumerate(plugins)}
        for key, plugin in now.items():
            if self._known.get(key) != plugin.state:
                self._say_state(plugin)
        self._known = {key: plugin.state for key, plugin in now.items()}

    def close(self) -> None:
        """Has nothing to end."""

    def _say_state(self, plugin: GuestStatus) -> None:
        name = program_of(plugin.pid) or f"process {plugin.pid}"
        if plugin.note:
            terminal.say(f"The plugin in {name} is refused: {plugin.note}")
        elif not self._is_quiet:
            config = plugin.config
            terminal.say(
                f"The plugin in {name} is {_WORDS[plugin.state][0]}: {config.sample_rate} Hz, "
                f"up to {config.block_size} frames, latency {plugin.latency} frames."
            )


class LivePluginView:
    """A table on the terminal's other screen."""

    def __init__(self) -> None:
        self._live = Live(console=terminal.stdout(), auto_refresh=False, screen=True)
        self._began = time.monotonic()

    def open(self) -> None:
        """Begins to draw."""
        self._live.start()

    def show(self, guests: Guests, plugins: tuple[GuestStatus, ...]) -> None:
        """Draws how things stand."""
        seconds = time.monotonic() - self._began
        self._live.update(draw(guests, plugins, seconds), refresh=True)

    def close(self) -> None:
        """Gives the terminal back."""
        self._live.stop()


def draw(guests: Guests, plugins: tuple[GuestStatus, ...], seconds: float) -> RenderableType:
    """Draws the plugins in 80 columns.

    Args:
        guests: Who serves them.
        plugins: How each is doing.
        seconds: Since the beginning.
    """
    head = Table.grid(expand=True)
    head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    head.add_column(justify="right", no_wrap=True)
    clock = time.strftime("%H:%M:%S", time.gmtime(seconds))
    head.add_row(Text.assemble(("stemwire  ", "bold"), terminal.plain(guests.model)), Text(clock))
    parts: list[RenderableType] = [head, terminal.plain(guests.runtime), Text()]
    if plugins:
        parts.append(_table(plugins))
    else:
        parts.append(Text("No plugin yet: put Stemwire on a track.", style="bold"))
    notes = [plugin.note for plugin in plugins if plugin.note] + list(guests.notes)
    parts += [Text(f"Note: {note}", style="yellow") for note in notes]
    parts += [Text(), Text("Ctrl-C ends.", style="dim")]
    return Group(*parts)


def _table(plugins: tuple[GuestStatus, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    columns: tuple[tuple[str, Callable[[GuestStatus], str]], ...] = (
        ("rate", lambda plugin: f"{plugin.config.sample_rate} Hz"),
        ("block", lambda plugin: str(plugin.config.block_size)),
        ("latency", lambda plugin: f"{1e3 * plugin.latency / plugin.config.sample_rate:.1f} ms"),
        ("load", lambda plugin: f"{100 * plugin.load:.0f} %"),
        ("blocks", lambda plugin: str(plugin.blocks)),
        ("underruns", lambda plugin: str(plugin.underruns)),
    )
    table.add_column("host", no_wrap=True, max_width=20)
    table.add_column("state")
    for name, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for plugin in plugins:
        word, style = _WORDS[plugin.state]
        host = terminal.plain(f"{program_of(plugin.pid)} ({plugin.pid})")
        table.add_row(host, Text(word, style=style), *(show(plugin) for _, show in columns))
    return table
