"""The command `stemwire`: separate files, look at models and at this machine.

Results go to stdout, everything else to stderr. What the user can mend is one sentence and exit
code 2; anything unexpected keeps its traceback, because then the mistake is ours.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine import find_model, list_models, read_manifest
from plugin_host import terminal
from plugin_host.command_group import CommandGroup
from plugin_host.demo_song import run_demo
from plugin_host.doctor import examine
from plugin_host.separate import FORMATS, Job, separate_file
from plugin_host.spectrogram import can_draw

app = typer.Typer(
    cls=CommandGroup,
    help="Music in, stems out: drums, bass, piano, strings and the rest, in real time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
models_app = typer.Typer(help="The models there are.", invoke_without_command=True)
app.add_typer(models_app, name="models")

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
ModelOption = Annotated[str, typer.Option(help="A model's name or the path of an .onnx file.")]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"stemwire {version('stemwire')}")
        raise typer.Exit


@app.callback()
def _main(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    del show_version
    # A plain `kill` cleans up like Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@app.command()
def separate(
    audio: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A wav, flac, ogg or mp3 file, mono or stereo, any length."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the stems.")],
    model: ModelOption = "default",
    block_size: Annotated[
        int | None,
        typer.Option(
            help="Frames per block, 1 to 8192.  [default: 8192; 256 with --realtime]",
            show_default=False,
        ),
    ] = None,
    stems: Annotated[
        str,
        typer.Option(help="Only these, such as drums,bass.  [default: all]", show_default=False),
    ] = "",
    file_format: Annotated[
        str, typer.Option("--format", help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    ] = "wav",
    realtime: Annotated[
        bool, typer.Option("--realtime", help="At the pace of the audio clock, as when live.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Separate a song into OUTPUT/<song>.<stem>.wav (or .flac, or one <song>.stem.mp4).

    The stems have the song's length and rate and add up to it. wav files hold 32-bit floats and
    never clip; flac and stem.mp4 hold 24 bits. Existing files of those names are replaced. After
    an error or Ctrl-C nothing is left behind.
    """
    names = tuple(name.strip() for name in stems.split(",") if name.strip())
    job = Job(audio, output, model, block_size, names, file_format, realtime=realtime)
    with terminal.progress_bar(audio.name) as (on_start, on_frames):
        report = separate_file(job, on_start, on_frames)
    if as_json:
        terminal.print_json(terminal.report_json(report))
    else:
        terminal.stdout().print(terminal.report_table(report))
    terminal.say_notes(report)


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for stems and picture.")
    ] = Path("demo_out"),
    model: ModelOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Separate the bundled song and draw the spectrograms of mixture and stems."""
    with terminal.progress_bar("demo song") as (on_start, on_frames):
        report = run_demo(output, model, on_start, on_frames)
    if as_json:
        terminal.print_json(terminal.report_json(report))
    else:
        terminal.stdout().print(terminal.report_table(report))
    terminal.say_notes(report)
    if not can_draw():
        terminal.say("Note: the picture needs matplotlib: pip install 'stemwire[demo]'.")


@models_app.callback()
def models(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the models there are; `models show NAME` tells all about one."""
    if ctx.invoked_subcommand is not None:
        return
    found = list_models()
    if as_json:
        rows = [
            {
                "name": name,
                "path": str(path),
                "kind": manifest.kind,
                "stems": list(manifest.stems),
                "sample_rate": manifest.sample_rate,
                "latency": manifest.latency,
            }
            for name, path, manifest in found
        ]
        terminal.print_json({"models": rows})
        return
    if not found:
        terminal.say("There is no model: `stemwire doctor` says where to put one.")
    table = Table("name", "kind", "stems", "rate", "latency", "file", box=None)
    for name, path, manifest in found:
        table.add_row(
            name,
            manifest.kind,
            ", ".join(manifest.stems),
            f"{manifest.sample_rate} Hz",
            f"{manifest.latency} frames",
            terminal.plain(path),
        )
    terminal.stdout().print(table)


@models_app.command()
def show(
    name: Annotated[str, typer.Argument(help="A model's name or the path of an .onnx file.")],
) -> None:
    """Print a model's whole manifest as JSON: stems, latency, training, measured quality."""
    path = find_model(name)
    manifest = read_manifest(path)
    terminal.print_json({"path": str(path), **asdict(manifest)})


@app.command()
def doctor(model: ModelOption = "default", as_json: JsonOption = False) -> None:
    """Say what is installed, which runtime would be used and why, and what is missing.

    Exit code 1 if nothing can be separated as things are.
    """
    findings = examine(model)
    healthy = all(finding.found for finding in findings if finding.needed)
    if as_json:
        rows = [vars(finding) for finding in findings]
        terminal.print_json({"healthy": healthy, "findings": rows})
    else:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for _ in range(3):
            table.add_column(overflow="fold")
        for finding in findings:
            mark = "[green]yes[/]" if finding.found else "[red]NO[/]" if finding.needed else "no"
            table.add_row(mark, finding.what, terminal.plain(finding.detail))
        terminal.stdout().print(table)
    if not healthy:
        raise typer.Exit(1)
