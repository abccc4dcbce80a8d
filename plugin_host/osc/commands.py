"""`stemwire osc`: a small client for scripts and for looking what goes on."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing, suppress
from typing import Annotated

import typer
from rich.table import Table

from engine import ConfigError
from plugin_host import terminal
from plugin_host.osc.address import ROOT, Address
from plugin_host.osc.addresses import AddressTable
from plugin_host.osc.client import Message, OscClient, values_of
from plugin_host.osc.dispatcher import EVERYTHING
from plugin_host.osc.server import DEFAULT_HOST, DEFAULT_PORT

osc_app = typer.Typer(help="Speak OSC to a running `stemwire serve`.", no_args_is_help=True)

HostOption = Annotated[str, typer.Option(help="Where it runs.")]
PortOption = Annotated[int, typer.Option(help="Its OSC port.", min=1, max=65_535)]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@osc_app.command(context_settings={"ignore_unknown_options": True})
def send(
    address: Annotated[str, typer.Argument(help=f"Such as {ROOT}/stem/drums/gain, or a pattern.")],
    values: Annotated[list[str] | None, typer.Argument(help="What to send; nothing asks.")] = None,
    types: Annotated[str, typer.Option(help="Such as fs.  [default: guess]")] = "",
    host: HostOption = DEFAULT_HOST,
    port: PortOption = DEFAULT_PORT,
    as_json: JsonOption = False,
) -> None:
    """Send a message and print the answers. What is wrong with it is told, with exit code 2."""
    if not address.startswith("/"):
        raise ConfigError(f"An address begins with a slash, and {address!r} does not.")
    with OscClient(host, port) as client:
        for answer in client.send(address, values_of(values or [], types)):
            _print(answer, as_json)


@osc_app.command()
def monitor(
    pattern: Annotated[str, typer.Argument(help="Which addresses.")] = EVERYTHING,
    rate: Annotated[float, typer.Option(help="How often each may come, in Hz.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(help="End after that long.  [default: Ctrl-C]")
    ] = None,
    host: HostOption = DEFAULT_HOST,
    port: PortOption = DEFAULT_PORT,
    as_json: JsonOption = False,
) -> None:
    """Print what changes, the values of now first, until Ctrl-C."""
    until = None if seconds is None else time.monotonic() + seconds
    with (
        OscClient(host, port) as client,
        closing(client.listen(pattern, rate, until)) as messages,
        suppress(KeyboardInterrupt),
    ):
        for message in messages:
            _print(message, as_json)


@osc_app.command("list")
def list_addresses(
    pattern: Annotated[str, typer.Argument(help="Which addresses.")] = EVERYTHING,
    host: HostOption = DEFAULT_HOST,
    port: PortOption = DEFAULT_PORT,
    as_json: JsonOption = False,
) -> None:
    """List the addresses with their values, ranges and meanings."""
    with OscClient(host, port) as client:
        [(_, stems)] = client.send(f"{ROOT}/stems")
        answers = client.send(pattern)
    known = AddressTable([str(stem) for stem in stems])
    if as_json:
        rows = [_as_json(answer, known.get(answer.path)) for answer in answers]
        terminal.print_json({"addresses": rows})
        return
    table = Table("address", "value", "range", "meaning", box=None)
    for answer in answers:
        address = known.get(answer.path)
        shown = str(answer).partition(" ")[2]
        meaning = address.meaning if address else ""
        table.add_row(answer.path, terminal.plain(shown), _range(address), terminal.plain(meaning))
    terminal.stdout().print(table)


def _print(message: Message, as_json: bool) -> None:
    line = json.dumps(_as_json(message, None)) if as_json else str(message)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _as_json(message: Message, address: Address | None) -> dict[str, object]:
    values = [v.hex() if isinstance(v, bytes) else v for v in message.values]
    fields: dict[str, object] = {"address": message.path, "values": values}
    if address is not None:
        ranges = [[argument.minimum, argument.maximum] for argument in address.arguments]
        units = [argument.unit for argument in address.arguments]
        fields |= {"types": address.tags, "ranges": ranges, "units": units}
        fields |= {"meaning": address.meaning, "is_writable": address.write is not None}
    return fields


def _range(address: Address | None) -> str:
    """The range and unit of an address that has one value, for people."""
    if address is None or not address.arguments:
        return ""
    argument = address.arguments[0]
    limits = [f"{limit:g}" for limit in (argument.minimum, argument.maximum) if limit is not None]
    return " ".join([" to ".join(limits) if len(limits) == 2 else "", argument.unit]).strip()
