"""General MIDI songs as note and controller events, sorted into stem groups.

A song becomes a list of events on a 64-frame grid: the synthesizer applies events only between its
own 64-frame blocks, and stems rendered apart stay aligned with each other only on that grid.
Groups follow the WaveNet report (INFO8010, section VI): drums, bass, piano, strings; every other
program is `other`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mido

STEMS = ("drums", "bass", "piano", "strings", "other")
GRID = 64  # frames
DRUM_CHANNEL = 9

#: Programs (0-based) that a group may be played with when the program is drawn at random.
PROGRAMS: dict[str, tuple[int, ...]] = {
    "bass": tuple(range(32, 40)),
    "piano": tuple(range(0, 8)),
    "strings": (40, 41, 42, 43, 44, 45, 48, 49, 50, 51),
}
_GROUP_OF_PROGRAM = {program: name for name, group in PROGRAMS.items() for program in group}


def group_of(channel: int, program: int) -> str:
    """The stem that a note on this channel (0-based) with this program (0-based) belongs to."""
    if channel == DRUM_CHANNEL:
        return "drums"
    return _GROUP_OF_PROGRAM.get(program, "other")


@dataclass(frozen=True)
class Note:
    """One note: `start` and `end` in frames on the grid, `program` as the song asks for it."""

    start: int
    end: int
    channel: int
    key: int
    velocity: int
    program: int
    group: str


@dataclass(frozen=True)
class Controller:
    """A control change (`number` 0..127) or a pitch bend (`number` -1, value 0..16383)."""

    start: int
    channel: int
    number: int
    value: int


@dataclass(frozen=True)
class Song:
    """The events of one MIDI file, both lists sorted by `start`.

    Attributes:
        path: The file.
        frames: Length up to the end of the last note, in frames at `sample_rate`.
        sample_rate: Hz.
    """

    path: Path
    notes: tuple[Note, ...]
    controllers: tuple[Controller, ...]
    frames: int
    sample_rate: int

    def active_groups(self, start: int, frames: int) -> set[str]:
        """Groups with a note that sounds between `start` and `start + frames`."""
        return {n.group for n in self.notes if n.start < start + frames and n.end > start}


def read_song(path: Path, sample_rate: int = 44100) -> Song:
    """Read one MIDI file.

    Args:
        path: A Standard MIDI File.
        sample_rate: Rate in Hz that event times are counted in.

    Raises:
        ValueError: The file is no MIDI file or holds no notes.
    """
    try:
        messages = list(_timed_messages(mido.MidiFile(path, clip=True), sample_rate))
    except (OSError, EOFError, ValueError, KeyError, IndexError, mido.KeySignatureError) as error:
        raise ValueError(f"{path} is not a readable MIDI file ({error}); leave it out.") from error
    notes: list[Note] = []
    controllers: list[Controller] = []
    sounding: dict[tuple[int, int], tuple[int, int, int]] = {}
    program = [0] * 16
    for frame, message in messages:
        channel = getattr(message, "channel", -1)
        if message.type == "program_change":
            program[channel] = message.program
        elif message.type == "control_change":
            controllers.append(Controller(frame, channel, message.control, message.value))
        elif message.type == "pitchwheel":
            controllers.append(Controller(frame, channel, -1, message.pitch + 8192))
        elif message.type in ("note_on", "note_off"):
            key = (channel, message.note)
            if key in sounding:
                start, velocity, voice = sounding.pop(key)
                group = group_of(channel, voice)
                end = max(frame, start + GRID)
                notes.append(Note(start, end, channel, message.note, velocity, voice, group))
            if message.type == "note_on" and message.velocity > 0:
                sounding[key] = (frame, message.velocity, program[channel])
    if not notes:
        raise ValueError(f"{path} holds no notes; leave it out.")
    notes.sort(key=lambda note: note.start)
    frames = max(note.end for note in notes)
    return Song(path, tuple(notes), tuple(controllers), frames, sample_rate)


def _timed_messages(
    file: mido.MidiFile, sample_rate: int
) -> Iterable[tuple[int, mido.Message | mido.MetaMessage]]:
    seconds = 0.0
    for message in file:  # mido merges the tracks and turns ticks into seconds
        seconds += message.time
        yield round(seconds * sample_rate / GRID) * GRID, message


def find_midi(folder: Path) -> list[Path]:
    """All MIDI files below a folder, sorted.

    Raises:
        ValueError: There are none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi"))
    if not paths:
        raise ValueError(f"No .mid files below {folder}; point --midi at a folder that has some.")
    return paths
