"""`stemwire midi`: which inputs there are, and which controller turns what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from plugin_host import midi, terminal
from plugin_host.midi_map import map_file, read_map
from plugin_host.osc.address import ROOT
from plugin_host.osc.client import OscClient
from plugin_host.osc.commands import HostOption, PortOption
from plugin_host.osc.server import DEFAULT_HOST, DEFAULT_PORT

midi_app = typer.Typer(help="Turn controls with MIDI controllers.", no_args_is_help=True)

ControlArgument = Annotated[str, typer.Argument(help="A control, such as stem/drums/gain.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@midi_app.command()
def ports(as_json: JsonOption = False) -> None:
    """List the MIDI inputs there are, for `stemwire serve --midi`."""
    names = midi.input_names()
    if as_json:
        terminal.print_json({"inputs": names})
        return
    for name in names:
        typer.echo(name)
    if not names:
        terminal.say("There is no MIDI input: connect a controller.")


@midi_app.command("map")
def show_map(as_json: JsonOption = False) -> None:
    """List which controller turns what; the file may be edited by hand."""
    path = map_file()
    controllers = read_map(path)
    if as_json:
        terminal.print_json({"file": str(path), "controllers": list(map(asdict, controllers))})
        return
    table = Table("channel", "number", "control", "mode", box=None)
    for known in controllers:
        table.add_row(
            str(known.channel), str(known.number), terminal.plain(known.control), known.mode
        )
    terminal.stdout().print(table)
    terminal.say(f"File: {path}")


@midi_app.command()
def learn(
    control: ControlArgument,
    toggle: Annotated[
        bool, typer.Option("--toggle", help="Each press turns the switch the other way.")
    ] = False,
    host: HostOption = DEFAULT_HOST,
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Give the next controller that is moved to a control of a running server, and wait for it."""
    terminal.say(f"Move a controller: it will turn {control}.")
    with OscClient(host, port) as client:
        client.send(f"{ROOT}/midi/learn", [control, "toggle" if toggle else "follow"])
    terminal.say(f"Learned: {control}")


@midi_app.command()
def forget(
    control: ControlArgument, host: HostOption = DEFAULT_HOST, port: PortOption = DEFAULT_PORT
) -> None:
    """Free the controllers of a control of a running server."""
    with OscClient(host, port) as client:
        client.send(f"{ROOT}/midi/forget", [control])
