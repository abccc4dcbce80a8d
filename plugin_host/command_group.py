"""How all of our commands end when something is wrong: one sentence and an exit code."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from engine import StemwireError
from plugin_host import terminal

USER_ERROR = 2
INTERRUPTED = 130


class CommandGroup(TyperGroup):
    """The one place where an exception becomes a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a subcommand; anything unexpected keeps its traceback."""
        try:
            return super().invoke(ctx)
        except StemwireError as error:
            terminal.say(f"Error: {error}")
            raise typer.Exit(USER_ERROR) from error
        except KeyboardInterrupt as error:
            terminal.say("Interrupted.")
            raise typer.Exit(INTERRUPTED) from error
