"""`python -m plugin_host.surfaces`: writes the surfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from plugin_host import terminal
from plugin_host.command_group import CommandGroup
from plugin_host.errors import OutputError
from plugin_host.surfaces.catalog import DEFAULT_STEMS, make_surfaces
from plugin_host.surfaces.plan import REPLY_PORT, Target

app = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False, add_completion=False)


_FILES = Path(__file__).with_name("files")
_STEMS = ",".join(DEFAULT_STEMS)


@app.callback(invoke_without_command=True)
def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the files.")] = (
        _FILES
    ),
    stems: Annotated[str, typer.Option(help="Of the model, such as voice,rest.")] = _STEMS,
    host: Annotated[str, typer.Option(help="Where the server runs.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of OSC.", min=1, max=65_535)] = 9_130,
    reply_port: Annotated[
        int, typer.Option(help="Where Max listens.", min=1, max=65_535)
    ] = REPLY_PORT,
) -> None:
    """Write patches and layouts for Max, Pd, TouchOSC, Open Stage Control and Ableton Live."""
    names = [name.strip() for name in stems.split(",") if name.strip()]
    try:
        output.mkdir(parents=True, exist_ok=True)
        for surface in make_surfaces(names, Target(host, port, reply_port)):
            path = output / surface.name
            path.write_bytes(surface.body)
            terminal.say(str(path))
    except OSError as error:
        raise OutputError(f"{output} cannot be written ({error.strerror}).") from error


if __name__ == "__main__":
    app()
