"""The command `stemwire-bench`: one subcommand for each benchmark."""

import typer

from benchmarks import latency, osc_load, quality, soak
from plugin_host.command_group import CommandGroup

app = typer.Typer(
    cls=CommandGroup,
    help="Measures the engine and its models on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _main() -> None:
    """Measures the engine and its models on this machine."""


app.command("latency")(latency.latency)
app.command("osc")(osc_load.osc)
app.command("quality")(quality.quality)
app.command("soak")(soak.soak)
