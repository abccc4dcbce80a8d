"""`stemwire preset`: the controls of a running server, kept under names."""

from __future__ import annotations

from typing import Annotated

import typer

from plugin_host import presets, terminal
from plugin_host.osc.address import ROOT
from plugin_host.osc.client import OscClient
from plugin_host.osc.commands import HostOption, PortOption
from plugin_host.osc.server import DEFAULT_HOST, DEFAULT_PORT

preset_app = typer.Typer(
    help="Keep all controls of a running `stemwire serve` under a name.", no_args_is_help=True
)

NameArgument = Annotated[str, typer.Argument(help="The preset's name.")]


@preset_app.command()
def save(
    name: NameArgument, host: HostOption = DEFAULT_HOST, port: PortOption = DEFAULT_PORT
) -> None:
    """Save all controls as they are now."""
    presets.checked_name(name)
    with OscClient(host, port) as client:
        client.send(f"{ROOT}/preset/save", [name])
    terminal.say(f"Saved: {name}")


@preset_app.command()
def recall(
    name: NameArgument, host: HostOption = DEFAULT_HOST, port: PortOption = DEFAULT_PORT
) -> None:
    """Set all controls as they were saved."""
    presets.checked_name(name)
    with OscClient(host, port) as client:
        client.send(f"{ROOT}/preset/recall", [name])
    terminal.say(f"Recalled: {name}")


@preset_app.command("list")
def list_presets(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """List the presets of this machine."""
    names = presets.names()
    if as_json:
        terminal.print_json({"folder": str(presets.folder()), "presets": list(names)})
        return
    for name in names:
        typer.echo(name)
    if not names:
        terminal.say(f"There is no preset in {presets.folder()}.")


@preset_app.command()
def delete(name: NameArgument) -> None:
    """Remove a preset of this machine."""
    presets.remove(name)
