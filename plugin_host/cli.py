"""The command `stemwire`: separate files or live, look at models, devices and this machine.

Results go to stdout, everything else to stderr. What the user can mend is one sentence and exit
code 2; anything unexpected keeps its traceback, because then the mistake is ours.
"""

from __future__ import annotations

import itertools
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
from plugin_host.chain_presets import read_chains
from plugin_host.command_group import CommandGroup
from plugin_host.control_room import ControlPlan
from plugin_host.demo_song import run_demo
from plugin_host.devices import find_devices
from plugin_host.doctor import examine
from plugin_host.live_plan import PLUGIN, Plan, parse_controls
from plugin_host.live_report import View
from plugin_host.live_text import JsonView, PlainView
from plugin_host.live_view import LiveView
from plugin_host.midi_commands import midi_app
from plugin_host.osc.commands import osc_app
from plugin_host.osc.server import DEFAULT_HOST, DEFAULT_PORT, OscOptions
from plugin_host.preset_commands import preset_app
from plugin_host.separate import FORMATS, Job, separate_file
from plugin_host.serve import serve as run_live
from plugin_host.serve_plugins import (
    JsonPluginView,
    LivePluginView,
    PlainPluginView,
    serve_plugins,
)
from plugin_host.spectrogram import can_draw
from plugin_host.web import options as web_options
from plugin_host.web.options import WebOptions

app = typer.Typer(
    cls=CommandGroup,
    help="Music in, stems out: drums, bass, piano, strings and the rest, in real time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
models_app = typer.Typer(help="The models there are.", invoke_without_command=True)
app.add_typer(models_app, name="models")
app.add_typer(osc_app, name="osc")
app.add_typer(preset_app, name="preset")
app.add_typer(midi_app, name="midi")

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
ModelOption = Annotated[str, typer.Option(help="A model's name or the path of an .onnx file.")]
ChainOption = Annotated[
    Path | None,
    typer.Option(
        "--chain",
        metavar="FILE",
        help="Effects and VST3 plugins on stems and mix: a .toml or .json file.",
    ),
]


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
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Separate a song into OUTPUT/<song>.<stem>.wav (or .flac, or one <song>.stem.mp4).

    The stems have the song's length and rate and, unless effects change them, add up to it. wav
    files hold 32-bit floats and never clip; flac and stem.mp4 hold 24 bits. Effects on the mix
    give <song>.mix.wav as well. Existing files of those names are replaced. After an error or
    Ctrl-C nothing is left behind.
    """
    names = tuple(name.strip() for name in stems.split(",") if name.strip())
    job = Job(
        audio,
        output,
        model,
        block_size,
        names,
        file_format,
        realtime=realtime,
        chains=None if chain is None else read_chains(chain),
    )
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


@app.command()
def serve(
    audio: Annotated[
        str,
        typer.Option(
            metavar="jack|portaudio|file:SONG|plugin",
            help="Where sound comes from and goes to; plugin: the DAWs with Stemwire on a track.  "
            "[default: jack if a server runs, else portaudio]",
            show_default=False,
        ),
    ] = "",
    model: ModelOption = "default",
    block_size: Annotated[
        int | None,
        typer.Option(
            help="Frames per block, 1 to 8192; JACK has its own.  [default: 256]",
            show_default=False,
        ),
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(help="Hz, for portaudio.  [default: the output device's]", show_default=False),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(help="1 or 2.  [default: 2 where the device has them]", show_default=False),
    ] = None,
    input_device: Annotated[
        str, typer.Option("--input", help="PortAudio device: number or part of its name.")
    ] = "",
    output_device: Annotated[str, typer.Option("--output", help="Likewise.")] = "",
    autoconnect: Annotated[
        bool, typer.Option("--autoconnect", help="Connect to JACK's physical ports.")
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Begin the song anew at its end.")] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder for mix and stems of the song as heard, less the latency."),
    ] = None,
    controls: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="CONTROL=VALUE",
            help="Such as stem/drums/gain=0.5; may be given several times.",
        ),
    ] = None,
    chain: ChainOption = None,
    runtime: Annotated[str, typer.Option(help="auto, or a runtime's name.")] = "auto",
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Wait for the engine in the callback: less latency."),
    ] = False,
    spin: Annotated[
        bool, typer.Option("--spin", help="Look for work all the time: takes a core.")
    ] = False,
    osc_port: Annotated[
        int | None,
        typer.Option(
            help="Where OSC is heard, UDP and TCP; 0 for any that is free.  [default: 9130]",
            show_default=False,
        ),
    ] = None,
    osc_host: Annotated[
        str,
        typer.Option(help="The address to listen at; 0.0.0.0 opens it to the network."),
    ] = DEFAULT_HOST,
    osc_reply_port: Annotated[
        int | None,
        typer.Option(
            help="Where UDP answers go, at the sender's address.  [default: the sender's port]",
            show_default=False,
        ),
    ] = None,
    osc_allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="Who is heard, such as 192.168.1.0/24; may be given several times.  [default: "
            "private networks]",
            show_default=False,
        ),
    ] = None,
    no_osc: Annotated[bool, typer.Option("--no-osc", help="Hear no OSC.")] = False,
    web_port: Annotated[
        int | None,
        typer.Option(
            help="Where browsers find the mixer, and programs OSCQuery; 0 for any that is free.  "
            "[default: 9131]",
            show_default=False,
        ),
    ] = None,
    web_host: Annotated[
        str,
        typer.Option(help="The address to listen at; 0.0.0.0 opens it to the network."),
    ] = web_options.DEFAULT_HOST,
    web_allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="Who may enter, as with --osc-allow.  [default: private networks]",
            show_default=False,
        ),
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="Serve no browsers.")] = False,
    midi: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INPUT",
            help="MIDI inputs to follow: parts of their names, all, or virtual for one of our own.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[str, typer.Option(help="Begin with the controls of a preset.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what goes wrong.")] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object a line on stdout; commands likewise on stdin."
        ),
    ] = False,
) -> None:
    """Separate while it plays: from JACK, a sound card or a song, with a fader for every stem.

    Ends with Ctrl-C, with `kill` or at the song's end; all of these are exit code 0.
    """
    osc = OscOptions(
        port=DEFAULT_PORT if osc_port is None else osc_port,
        host=osc_host,
        reply_port=osc_reply_port,
        networks=tuple(osc_allow or ()),
    )
    web = WebOptions(
        port=web_options.DEFAULT_PORT if web_port is None else web_port,
        host=web_host,
        networks=tuple(web_allow or ()),
    )
    reach = ControlPlan(
        osc=None if no_osc else osc,
        is_osc_needed=osc_port is not None and not no_osc,
        web=None if no_web else web,
        is_web_needed=web_port is not None and not no_web,
        midi=tuple(midi or ()),
        preset=preset,
    )
    plan = Plan(
        audio=audio,
        model=model,
        sample_rate=sample_rate,
        block_size=block_size,
        channels=channels,
        input=input_device,
        output=output_device,
        is_autoconnected=autoconnect,
        is_looped=loop,
        record=record,
        runtime=runtime,
        is_direct=direct,
        is_spinning=spin,
        controls=parse_controls(controls or []),
        chains=None if chain is None else read_chains(chain),
        reach=reach,
    )
    is_plain = quiet or not terminal.stdout().is_terminal
    if audio == PLUGIN:
        if as_json:
            serve_plugins(model, runtime, JsonPluginView())
        elif is_plain:
            serve_plugins(model, runtime, PlainPluginView(is_quiet=quiet))
        else:
            serve_plugins(model, runtime, LivePluginView())
        return
    view: View
    if as_json:
        view = JsonView()
    elif is_plain:
        view = PlainView(is_quiet=quiet)
    else:
        view = LiveView()
    run_live(plan, view)


@app.command()
def devices(as_json: JsonOption = False) -> None:
    """List the sound devices that PortAudio sees, and the JACK server with its ports."""
    found = find_devices()
    if as_json:
        terminal.print_json(asdict(found))
        return
    console = terminal.stdout()
    if found.portaudio:
        table = Table("", "device", "through", "in", "out", "rate", "default", box=None)
        for device in found.portaudio:
            defaults = (device.is_default_input, "input"), (device.is_default_output, "output")
            table.add_row(
                str(device.index),
                terminal.plain(device.name),
                device.system,
                str(device.inputs),
                str(device.outputs),
                f"{device.sample_rate} Hz",
                ", ".join(side for is_default, side in defaults if is_default),
            )
        console.print(table)
    else:
        console.print(found.portaudio_problem, markup=False, soft_wrap=True)
    console.print()
    if found.jack is None:
        console.print(found.jack_problem, markup=False, soft_wrap=True)
        return
    server = found.jack
    console.print(
        f"JACK {server.version}: {server.sample_rate} Hz, blocks of {server.block_size} frames",
        markup=False,
    )
    table = Table("gives sound", "takes sound", box=None)
    for source, sink in itertools.zip_longest(server.inputs, server.outputs, fillvalue=""):
        table.add_row(terminal.plain(source), terminal.plain(sink))
    console.print(table)


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
