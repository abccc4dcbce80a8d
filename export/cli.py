"""`stemwire-export`: turn a checkpoint into `model.onnx`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint that stemwire-train wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    quality: Annotated[
        Path | None, typer.Option(help="JSON that `stemwire-bench quality` wrote.")
    ] = None,
    notes: Annotated[str, typer.Option(help="Origin and licence of the training material.")] = "",
    weights: Annotated[
        str, typer.Option(help="float32, or int8: faster on processors, wavenet-frame only.")
    ] = "float32",
) -> None:
    """Export a separator; nothing is written unless offline = streamed = exported."""
    from export.parity import ParityError
    from export.separator import export_separator
    from training.checkpoint import load

    console = Console(stderr=True)
    try:
        scores = json.loads(quality.read_text()) if quality else None
        exported = export_separator(load(checkpoint), output, scores, notes, weights)
    except (ValueError, OSError, ParityError) as error:
        console.print(f"stemwire-export: {error}", style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    size = output.stat().st_size / 2**20
    parity = f"largest parity error {exported.error:.1e} of full scale"
    if exported.noise_db is not None:
        parity += f" in float32, integers at {exported.noise_db:.1f} dB"
    console.print(f"{output}: {size:.1f} MiB, {parity}", highlight=False, soft_wrap=True)
