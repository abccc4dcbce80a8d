"""`stemwire-bench quality`: how well a model separates, on its streamed output.

Two kinds of material: MIDI songs kept apart, played by a soundfont kept apart (`--midi`,
`--soundfont`), and recorded songs with their stems as files (`--songs`, one folder per song with
`mixture.*` and a file per stem). Scores are SI-SDR and its gain over the mixture (Le Roux et al.
2019), and SDR, SIR, SAR, ISR of BSS-eval v4 (museval), each stem where it sounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import describe_machine
from engine import Separator, StemwireError

Audio = NDArray[np.float32]

_BSS_SCORES = ("sdr", "isr", "sir", "sar")
_DITHER_DB = -60.0


@dataclass(frozen=True)
class Example:
    """A mixture (channels, frames) and the references that there are, by stem."""

    name: str
    sample_rate: int
    mixture: Audio
    references: dict[str, Audio]


def quality(
    model: Annotated[str, typer.Option(help="Name or path of a model.")] = "default",
    midi: Annotated[Path | None, typer.Option(help="Folder of MIDI songs kept apart.")] = None,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont kept apart.")] = None,
    songs: Annotated[Path | None, typer.Option(help="Folder of recorded songs.")] = None,
    stem: Annotated[list[str] | None, typer.Option(help="Score only these stems.")] = None,
    count: Annotated[int, typer.Option(min=1, help="MIDI excerpts.")] = 60,
    seconds: Annotated[float, typer.Option(min=1.0, help="Length of each.")] = 10.0,
    bss: Annotated[bool, typer.Option(help="Also BSS-eval v4 (slow).")] = True,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file.")] = None,
) -> None:
    """Score a model against the stems it should have found."""
    console = Console()
    try:
        separator = Separator.load(model)
        examples = list(_examples(midi, soundfont, songs, count, seconds))
        scores = _score_all(separator, examples, stem, bss, console)
    except (StemwireError, ValueError, OSError) as error:
        Console(stderr=True).print(f"stemwire-bench: {error}", style="red", soft_wrap=True)
        raise typer.Exit(2) from error
    summary = summarise(scores)
    console.print(_table(separator, summary))
    if output is not None:
        report = {
            "model": model,
            "graph_sha256": separator.manifest.graph_sha256,
            "material": {
                "midi": midi.name if midi else None,
                "soundfont": soundfont.name if soundfont else None,
                "songs": songs.name if songs else None,
                "excerpts": len(examples),
                "seconds": seconds,
            },
            "stems": summary,
            "machine": describe_machine(),
        }
        output.write_text(json.dumps(report, indent=2) + "\n")
        console.print(f"Written to {output}.")


def _examples(
    midi: Path | None, soundfont: Path | None, songs: Path | None, count: int, seconds: float
) -> Iterator[Example]:
    if songs is not None:
        yield from _recorded(songs)
    elif midi is not None and soundfont is not None:
        from training.data.held_out import held_out
        from training.data.midi import STEMS

        for excerpt in held_out(midi, soundfont, count, seconds, seed=1):
            references = dict(zip(STEMS, excerpt.references, strict=True))
            yield Example(excerpt.song, 44100, excerpt.references.sum(axis=0), references)
    else:
        raise ValueError("Nothing to score: give --midi and --soundfont, or --songs.")


def _recorded(folder: Path) -> Iterator[Example]:
    import soundfile

    for song in sorted(path for path in folder.iterdir() if path.is_dir()):
        parts = {}
        sample_rate = 0
        for path in sorted(song.glob("*")):
            if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3"):
                audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
                parts[path.stem] = audio.T
        if "mixture" in parts:
            yield Example(song.name, sample_rate, parts.pop("mixture"), parts)


Scores = dict[str, dict[str, list[float]]]


def _score_all(
    separator: Separator,
    examples: list[Example],
    only: list[str] | None,
    bss: bool,
    console: Console,
) -> Scores:
    wanted = [name for name in separator.stems if not only or name in only]
    if not wanted:
        raise ValueError(
            f"The model has no stem {', '.join(only or [])}; it has {', '.join(separator.stems)}."
        )
    scores: Scores = {name: {} for name in wanted}
    for example in track(examples, "Scoring", console=console, transient=True):
        stems = separator.separate(example.mixture, example.sample_rate)
        estimates = dict(zip(separator.stems, stems, strict=True))
        for name, values in score(example, estimates, wanted, bss).items():
            for metric, value in values.items():
                scores[name].setdefault(metric, []).append(value)
    return scores


def score(
    example: Example, estimates: dict[str, Audio], wanted: list[str], bss: bool
) -> dict[str, dict[str, float]]:
    """Scores of one example, by stem and metric, for the wanted stems that sound in it."""
    from training.data.augment import rms
    from training.data.held_out import SCORED_RMS
    from training.metrics import si_sdr, si_sdr_improvement

    sounding = [name for name, audio in example.references.items() if rms(audio) >= SCORED_RMS]
    results: dict[str, dict[str, float]] = {}
    for name in wanted:
        if name in sounding:
            reference, estimate = example.references[name], estimates[name]
            results[name] = {
                "si_sdr_improvement": si_sdr_improvement(estimate, reference, example.mixture),
                "si_sdr": si_sdr(estimate, reference),
            }
    # BSS-eval projects on all references at once: silent ones must stay out, and all else in
    scored = [name for name in sounding if name in estimates]
    if bss and len(scored) >= 2:
        from museval.metrics import bss_eval

        references = _dithered(np.stack([example.references[name].T for name in scored]))
        guesses = np.stack([estimates[name].T for name in scored])
        window = example.sample_rate
        sdr, isr, sir, sar, _ = bss_eval(references, guesses, window=window, hop=window)
        for index, name in enumerate(scored):
            if name in results:
                frames = zip(_BSS_SCORES, (sdr, isr, sir, sar), strict=True)
                results[name] |= {m: float(np.nanmedian(v[index])) for m, v in frames}
    return results


def _dithered(references: Audio) -> Audio:
    """References (stems, frames, channels) with noise 60 dB below each.

    BSS-eval solves for filters from all channels of all references. Where two channels are the same
    (a bass in the middle) or hold nothing above some frequency, the equations have no one solution,
    and SIR and SAR come out as nonsense (-30 dB and 0 dB were seen). The noise makes them well
    posed; SDR and ISR did not move by 0.1 dB, nor did any score between -80 and -50 dB of noise.
    """
    rng = np.random.default_rng(0)
    level = np.sqrt(np.mean(np.square(references), axis=(1, 2), keepdims=True))
    noise = rng.standard_normal(references.shape)
    return np.asarray(references + 10.0 ** (_DITHER_DB / 20.0) * level * noise)


def summarise(scores: Scores) -> dict[str, dict[str, Any]]:
    """Median, mean and quartiles over the examples, by stem and metric."""
    summary: dict[str, dict[str, Any]] = {}
    for name, metrics in scores.items():
        if metrics:
            summary[name] = {"examples": len(metrics["si_sdr_improvement"])}
            for metric, values in metrics.items():
                finite = np.array(values)[np.isfinite(values)]
                low, median, high = np.percentile(finite, [25, 50, 75])
                summary[name][metric] = {
                    "median": round(float(median), 2),
                    "mean": round(float(finite.mean()), 2),
                    "p25": round(float(low), 2),
                    "p75": round(float(high), 2),
                }
    return summary


def _table(separator: Separator, summary: dict[str, dict[str, Any]]) -> Table:
    titles = {"si_sdr_improvement": "SI-SDR gain", "si_sdr": "SI-SDR"}
    titles |= {name: name.upper() for name in _BSS_SCORES}
    present = [m for m in titles if any(m in values for values in summary.values())]
    table = Table(title=f"{separator.manifest.name}: medians in dB (quartiles of the gain)")
    table.add_column("stem")
    for title in ("n", *(titles[m] for m in present)):
        table.add_column(title, justify="right")
    for name, values in summary.items():
        gain = values["si_sdr_improvement"]
        cells = [f"{values[m]['median']:.1f}" if m in values else "-" for m in present]
        cells[0] += f" ({gain['p25']:.1f} to {gain['p75']:.1f})"
        table.add_row(name, str(values["examples"]), *cells)
    return table
