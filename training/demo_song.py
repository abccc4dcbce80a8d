"""The demo song: eight bars for drums, bass, piano, strings and a flute, written as code.

    python -m training.demo_song SOUNDFONT -o DIR [--references]

Composes a MIDI file, plays it through a soundfont stem by stem, balances the stems and writes the
mixture as a 16-bit FLAC file, `song.flac`, and on demand the stems beside it. The same soundfont
gives the same song, sample by sample. No file of it is training material.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import mido
import numpy as np
import soundfile
import typer

from training.data.midi import DRUM_CHANNEL, STEMS, read_song
from training.data.render import Renderer, Voicing

SAMPLE_RATE = 44_100
TEMPO = 108  # beats per minute
BEATS = 4  # per bar
SECONDS = 19.0  # the last chord rings out
TICKS = 480  # per beat
PEAK = 0.9

CHANNELS = {"drums": DRUM_CHANNEL, "bass": 0, "piano": 1, "strings": 2, "other": 3}
PROGRAMS = {"bass": 33, "piano": 0, "strings": 48, "other": 73}  # fingered bass ... flute
#: dB against equal loudness, by ear; within the ±3 dB that leave every stem well audible.
BALANCE = {"drums": 0.0, "bass": 0.0, "piano": 0.5, "strings": -1.5, "other": 0.0}

KICK, SNARE, SIDE, HAT, OPEN_HAT, CRASH, HIGH_TOM, LOW_TOM = 36, 38, 37, 42, 46, 49, 48, 45


class Event(NamedTuple):
    """A note: `beat` and `beats` (its length) in quarter notes."""

    beat: float
    beats: float
    key: int
    velocity: int


class Bar(NamedTuple):
    """One bar's harmony: the bass's root and fifth, the piano's and the strings' voicings."""

    root: int
    fifth: int
    piano: tuple[int, ...]
    strings: tuple[int, ...]


BARS = (
    Bar(41, 48, (57, 60, 64, 67), (60, 69, 76)),  # Fmaj9
    Bar(43, 50, (59, 62, 64, 67), (59, 67, 74)),  # G6
    Bar(40, 47, (55, 59, 62, 64), (59, 67, 71)),  # Em7
    Bar(45, 52, (55, 59, 60, 64), (57, 64, 72)),  # Am9
    Bar(38, 45, (53, 57, 60, 64), (57, 65, 72)),  # Dm9
    Bar(43, 38, (53, 57, 59, 64), (59, 65, 71)),  # G13
    Bar(36, 43, (52, 55, 59, 62), (60, 64, 71)),  # Cmaj9
    Bar(36, 43, (52, 57, 62, 67), (60, 67, 76)),  # C6/9
)

#: (beat in the song, beats, key)
MELODY = (
    *((0.0, 1.4, 76), (1.5, 0.5, 79), (2.0, 1.4, 81), (3.5, 0.5, 79)),
    *((4.0, 1.0, 76), (5.0, 0.5, 74), (5.5, 0.5, 71), (6.0, 1.7, 74)),
    *((8.0, 1.0, 79), (9.0, 0.5, 76), (9.5, 0.5, 74), (10.0, 1.0, 76)),
    *((11.0, 0.5, 79), (11.5, 0.5, 83), (12.0, 2.2, 81), (14.5, 0.5, 79)),
    *((15.0, 0.5, 76), (15.5, 0.5, 72), (16.0, 0.5, 74), (16.5, 0.5, 76)),
    *((17.0, 1.0, 77), (18.0, 1.0, 81), (19.0, 1.0, 84), (20.0, 1.4, 83)),
    *((21.5, 0.5, 81), (22.0, 0.7, 79), (22.75, 0.25, 77), (23.0, 0.5, 76)),
    *((23.5, 0.5, 74), (24.0, 1.4, 76), (25.5, 0.5, 74), (26.0, 1.0, 72)),
    *((27.0, 0.5, 71), (27.5, 0.5, 67), (28.0, 3.5, 76)),
)


def compose() -> dict[str, list[Event]]:
    """Writes the piece.

    Returns:
        The notes of each stem.
    """
    return {
        "drums": list(_drums()),
        "bass": list(_bass()),
        "piano": list(_piano()),
        "strings": list(_strings()),
        "other": [Event(beat, beats, key, 92) for beat, beats, key in MELODY],
    }


def _drums() -> Iterator[Event]:
    last = len(BARS) - 1
    for bar in range(last):
        start = bar * BEATS
        for beat, key, velocity in (
            (0.0, KICK, 112),
            (1.0, SNARE, 104),
            (1.75, SIDE, 52),
            (2.0, KICK, 92),
            (2.5, KICK, 104),
            (3.0, SNARE, 108),
        ):
            yield Event(start + beat, 0.25, key, velocity)
        for eighth in range(2 * BEATS):
            is_lifted = eighth == 7 and bar % 2
            accent = 88 if eighth % 2 == 0 else 64
            yield Event(start + eighth / 2, 0.25, OPEN_HAT if is_lifted else HAT, accent)
    fill = (last - 1) * BEATS + 3.25
    for step, key in enumerate((HIGH_TOM, HIGH_TOM, LOW_TOM)):
        yield Event(fill + step / 4, 0.25, key, 90 + 8 * step)
    for beat in (0, last * BEATS):
        yield Event(beat, 2.0, CRASH, 96)
    yield Event(last * BEATS, 0.5, KICK, 116)


def _bass() -> Iterator[Event]:
    last = len(BARS) - 1
    for index, bar in enumerate(BARS[:last]):
        start = index * BEATS
        approach = BARS[index + 1].root - 1
        for beat, beats, key, velocity in (
            (0.0, 1.3, bar.root, 104),
            (1.5, 0.4, bar.root, 88),
            (2.0, 0.9, bar.fifth, 96),
            (3.0, 0.4, bar.root, 92),
            (3.5, 0.45, approach, 84),
        ):
            yield Event(start + beat, beats, key, velocity)
    yield Event(last * BEATS, 3.5, BARS[last].root, 104)


def _piano() -> Iterator[Event]:
    last = len(BARS) - 1
    for index, bar in enumerate(BARS[:last]):
        for beat, beats, velocity in ((0.0, 1.2, 84), (1.5, 0.4, 72), (2.5, 1.2, 80)):
            for key in bar.piano:
                yield Event(index * BEATS + beat, beats, key, velocity)
        if index % 2:  # an answer to the flute, while it holds its note
            for step, key in enumerate(bar.piano):
                yield Event(index * BEATS + 3.0 + step / 4, 0.3, key + 12, 70 + 4 * step)
    for step, key in enumerate(BARS[last].piano):  # the last chord, spread
        yield Event(last * BEATS + step / 8, 3.4, key, 82)


def _strings() -> Iterator[Event]:
    for index, bar in enumerate(BARS):
        for key in bar.strings:
            yield Event(index * BEATS, 3.9, key, 80)


def write_midi(parts: dict[str, list[Event]], path: Path) -> None:
    """Writes the piece as a Standard MIDI File.

    Args:
        parts: See `compose`.
        path: The file to write.
    """
    human = random.Random(108)  # small, repeatable unevenness
    file = mido.MidiFile(ticks_per_beat=TICKS)
    tempo = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(TEMPO))])
    file.tracks.append(tempo)
    for stem, events in parts.items():
        channel = CHANNELS[stem]
        timed: list[tuple[int, mido.Message]] = []
        for event in events:
            velocity = min(127, event.velocity + human.randint(-5, 5))
            start = round(event.beat * TICKS) + human.randint(0, 6)
            end = start + round(event.beats * TICKS)
            on = mido.Message("note_on", channel=channel, note=event.key, velocity=velocity)
            timed.append((start, on))
            timed.append((end, mido.Message("note_off", channel=channel, note=event.key)))
        timed.sort(key=lambda item: (item[0], item[1].type == "note_on"))
        program = mido.Message("program_change", channel=channel, program=PROGRAMS.get(stem, 0))
        track = mido.MidiTrack([program])
        now = 0
        for tick, message in timed:
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(path)


def render(midi: Path, soundfont: Path) -> np.ndarray:
    """Plays the piece and balances its stems.

    Args:
        midi: The piece.
        soundfont: An .sf2 file with the General MIDI programs.

    Returns:
        float32 (stems, channels=2, frames) in the order of `STEMS`, whose sum peaks at `PEAK`.
    """
    frames = round(SECONDS * SAMPLE_RATE)
    voicing = Voicing(soundfonts=dict.fromkeys(STEMS, 0))
    stems = Renderer([soundfont], SAMPLE_RATE).render(
        read_song(midi, SAMPLE_RATE), 0, frames, voicing
    )
    for index, stem in enumerate(STEMS):
        rms = float(np.sqrt(np.mean(stems[index] ** 2)))
        stems[index] *= 10 ** (BALANCE[stem] / 20) / rms
    fade = round(0.5 * SAMPLE_RATE)
    stems[..., -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    stems *= PEAK / float(np.abs(stems.sum(axis=0)).max())
    return stems


def main(
    soundfont: Annotated[Path, typer.Argument(help="An .sf2 file with General MIDI programs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
    references: Annotated[
        bool, typer.Option("--references", help="Write the stems as wav files, too.")
    ] = False,
) -> None:
    """Compose, play and write the demo song."""
    out.mkdir(parents=True, exist_ok=True)
    midi = out / "song.mid"
    write_midi(compose(), midi)
    stems = render(midi, soundfont)
    song = out / "song.flac"
    soundfile.write(song, stems.sum(axis=0).T, SAMPLE_RATE, subtype="PCM_16")
    if references:
        for stem, audio in zip(STEMS, stems, strict=True):
            soundfile.write(out / f"{stem}.wav", audio.T, SAMPLE_RATE, subtype="FLOAT")
    typer.echo(f"Wrote {song}.")


if __name__ == "__main__":
    typer.run(main)
