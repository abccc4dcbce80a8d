"""`stemwire-train`: train separators from the command line."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Train Stemwire's models."""


@app.command()
def separator(
    midi: Annotated[Path, typer.Option(help="Folder of MIDI songs to train on.")],
    soundfonts: Annotated[Path, typer.Option(help="Folder of soundfonts to play them with.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and TensorBoard events.")],
    config: Annotated[str, typer.Option(help="A preset, or a JSON file.")] = "wavenet-frame",
    drums: Annotated[Path | None, typer.Option(help="Folder of drum takes (MIDI).")] = None,
    valid_midi: Annotated[Path | None, typer.Option(help="Songs kept apart.")] = None,
    valid_soundfont: Annotated[Path | None, typer.Option(help="Soundfont kept apart.")] = None,
    start: Annotated[Path | None, typer.Option(help="Checkpoint to begin with.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="After the warm-up.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the whole run.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and data.")] = None,
) -> None:
    """Train a separator; called again with the same --out, it goes on where it stopped."""
    from training.config import preset
    from training.data.held_out import held_out
    from training.trainer import resume_or_begin

    console = Console(stderr=True)
    try:
        chosen = preset(config)
        data = replace(chosen.data, midi=str(midi), soundfonts=str(soundfonts))
        data = replace(data, drums=str(drums) if drums else "")
        chosen = replace(chosen, data=data)
        if steps is not None:
            chosen = replace(chosen, steps=steps)
        if seed is not None:
            chosen = replace(chosen, seed=seed)
        if learning_rate is not None:
            chosen = replace(chosen, learning_rate=learning_rate)
        valid = []
        if valid_midi is not None and valid_soundfont is not None:
            valid = list(held_out(valid_midi, valid_soundfont, count=12, seconds=8.0))
        out.mkdir(parents=True, exist_ok=True)
        trainer = resume_or_begin(chosen, out, start)
    except (ValueError, OSError) as error:
        console.print(f"stemwire-train: {error}", style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    columns = (
        TextColumn("[bold]step"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  {task.fields[scores]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(
            "", total=chosen.steps, completed=trainer.step, loss=0.0, scores=""
        )
        smooth = 0.0

        def report(step: int, loss: float, scores: dict[str, float]) -> None:
            nonlocal smooth
            smooth = loss if smooth == 0.0 else 0.98 * smooth + 0.02 * loss
            text = " ".join(f"{name} {score:+.1f}" for name, score in scores.items())
            progress.update(task, completed=step, loss=smooth, scores=text)
            if not console.is_terminal and step % 50 == 0:
                typer.echo(f"step {step} loss {smooth:.4f} {text}")

        signal.signal(signal.SIGTERM, signal.default_int_handler)  # both leave a checkpoint
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & ignores it
        try:
            trainer.run(out, valid, report)
        except KeyboardInterrupt:
            console.print(f"Stopped at step {trainer.step}; the same command goes on from here.")
            raise typer.Exit(130) from None
        except (FloatingPointError, ValueError, OSError) as error:
            console.print(f"stemwire-train: {error}", style="red", soft_wrap=True)
            raise typer.Exit(2) from error
