"""The command `stemwire-bench`: one subcommand for each benchmark."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from benchmarks import latency, quality
from engine import StemwireError

USER_ERROR = 2
INTERRUPTED = 130


class _Group(TyperGroup):
    """The one place where an exception becomes a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except StemwireError as error:
            sys.stderr.write(f"Error: {error}\n")
            raise typer.Exit(USER_ERROR) from error
        except KeyboardInterrupt as error:
            sys.stderr.write("Interrupted.\n")
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    cls=_Group,
    help="Measures the engine and its models on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _main() -> None:
    """Measures the engine and its models on this machine."""


app.command("latency")(latency.latency)
app.command("quality")(quality.quality)
