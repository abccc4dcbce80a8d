"""Play a MIDI song through soundfonts, one stem at a time.

Every stem keeps the controllers of all channels and only the notes of its own group, so the stems
add up to what the whole song would sound like, bar the synthesizer's voice limit. tinysoundfont
renders about 100 times faster than real time on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import tinysoundfont

from training.data.midi import DRUM_CHANNEL, GRID, STEMS, Note, Song

_PREROLL_SECONDS = 2.0  # notes and reverberation that began before the excerpt
_FLUSH = 8192  # frames until voices that were cut have died away: renders repeat bit for bit
_DRUM_BANK = 128
# banks are ours to choose; "all off" would cut the tails of other groups on the channel
_IGNORED_CONTROLLERS = (0, 32, 120, 121, 123)


@dataclass(frozen=True)
class Voicing:
    """How an excerpt is played.

    Attributes:
        soundfonts: Stem name to index of the soundfont that plays it.
        programs: (channel, program of the song) to the program that is played instead.
        drum_kit: Preset number of the drum kit.
        detune: Cents that everything but the drums is shifted by.
    """

    soundfonts: Mapping[str, int]
    programs: Mapping[tuple[int, int], int] = field(default_factory=dict)
    drum_kit: int = 0
    detune: float = 0.0


class Renderer:
    """Soundfonts loaded once and played many times (not thread-safe)."""

    def __init__(self, soundfonts: list[Path], sample_rate: int = 44100) -> None:
        """Load the soundfonts.

        Raises:
            ValueError: A file is missing or no soundfont, or the list is empty.
        """
        if not soundfonts:
            raise ValueError("No soundfont given; point --soundfonts at a folder with .sf2 files.")
        self.sample_rate = sample_rate
        self.soundfonts = soundfonts
        self._synths = []
        for path in soundfonts:
            synth = tinysoundfont.Synth(samplerate=sample_rate)
            try:
                synth.sfload(str(path))
            except Exception as error:  # the binding raises its own type
                raise ValueError(f"{path} is not a readable soundfont ({error}).") from error
            self._synths.append(synth)

    def has_preset(self, soundfont: int, bank: int, program: int) -> bool:
        """Whether soundfont number `soundfont` defines this preset itself."""
        return self._synths[soundfont].sfpreset_name(0, bank, program) is not None

    def has_drums(self, soundfont: int) -> bool:
        """Whether a drum kit is there (bank 128, or a kit at bank 0 in drum-only soundfonts)."""
        return self.has_preset(soundfont, _DRUM_BANK, 0) or self.is_drums_only(soundfont)

    def is_drums_only(self, soundfont: int) -> bool:
        """Whether the soundfont holds one kit and no melodic programs."""
        return not any(self.has_preset(soundfont, 0, p) for p in (1, 33, 48))

    def drum_kits(self, soundfont: int) -> list[int]:
        """Preset numbers of the kits at bank 128; [0] for a drum-only soundfont."""
        kits = [p for p in range(128) if self.has_preset(soundfont, _DRUM_BANK, p)]
        return kits or [0]

    def render(self, song: Song, start: int, frames: int, voicing: Voicing) -> np.ndarray:
        """Render an excerpt of a song.

        Args:
            song: The song, read at this renderer's sample rate.
            start: First frame of the excerpt, rounded down to the 64-frame grid.
            frames: Length of the excerpt.
            voicing: Soundfonts and programs.

        Returns:
            float32 (stems, channels=2, frames), in the order of `STEMS`, at the synthesizer's
            own levels.
        """
        start = start // GRID * GRID
        active = song.active_groups(start - round(_PREROLL_SECONDS * self.sample_rate), frames)
        active |= song.active_groups(start, frames)
        stems = np.zeros((len(STEMS), 2, frames), np.float32)
        for index, group in enumerate(STEMS):
            if group in active:
                stems[index] = self._render_group(song, group, start, frames, voicing)
        return stems

    def _render_group(
        self, song: Song, group: str, start: int, frames: int, voicing: Voicing
    ) -> np.ndarray:
        synth = self._synths[voicing.soundfonts[group]]
        begin = max(0, start - math.ceil(_PREROLL_SECONDS * self.sample_rate / GRID) * GRID)
        end = start + math.ceil(frames / GRID) * GRID
        events = self._events(song, group, begin, end, voicing)
        self._silence(synth)
        audio = np.empty((end - begin, 2), np.float32)
        position = begin
        for frame, call in events:
            if frame > position:
                _generate(synth, audio[position - begin : frame - begin])
                position = frame
            call()
        _generate(synth, audio[position - begin :])
        self._silence(synth)
        return audio[start - begin : start - begin + frames].T

    def _silence(self, synth: tinysoundfont.Synth) -> None:
        synth.sounds_off()
        synth.generate(_FLUSH)
        for channel in range(16):
            synth.control_change(channel, 121, 0)  # reset all controllers
            synth.control_change(channel, 7, 100)
            synth.control_change(channel, 10, 64)
            synth.pitchbend(channel, 8192)
            synth.pitchbend_range(channel, 2.0)
            synth.set_tuning(channel, 0.0)

    def _events(
        self, song: Song, group: str, begin: int, end: int, voicing: Voicing
    ) -> list[tuple[int, Callable[[], object]]]:
        """Calls on the synthesizer with their frames, in playing order."""
        soundfont = voicing.soundfonts[group]
        synth = self._synths[soundfont]
        events: list[tuple[int, int, Callable[[], object]]] = []
        for c in song.controllers:
            if c.start >= end:
                break
            if c.number in _IGNORED_CONTROLLERS:
                continue
            call = (
                partial(synth.pitchbend, c.channel, c.value)
                if c.number < 0
                else partial(synth.control_change, c.channel, c.number, c.value)
            )
            events.append((max(c.start, begin), 0, call))  # set before: set at the start
        for n in song.notes:
            if n.start >= end:
                break
            if n.group == group and n.end > begin:
                start_note = partial(self._start_note, synth, soundfont, n, voicing)
                events.append((max(n.start, begin), 2, start_note))
                if n.end < end:
                    events.append((n.end, 1, partial(synth.noteoff, n.channel, n.key)))
        events.sort(key=lambda event: event[:2])
        return [(frame, call) for frame, _, call in events]

    def _start_note(
        self, synth: tinysoundfont.Synth, soundfont: int, note: Note, voicing: Voicing
    ) -> None:
        if note.channel == DRUM_CHANNEL:
            if self.is_drums_only(soundfont):
                synth.program_select(note.channel, 0, 0, 0, False)
            else:
                synth.program_select(note.channel, 0, _DRUM_BANK, voicing.drum_kit, True)
        else:
            program = voicing.programs.get((note.channel, note.program), note.program)
            if not self.has_preset(soundfont, 0, program):
                program = note.program
            synth.program_select(note.channel, 0, 0, program, False)
            synth.set_tuning(note.channel, voicing.detune / 100.0)
        synth.noteon(note.channel, note.key, note.velocity)


def _generate(synth: tinysoundfont.Synth, audio: np.ndarray) -> None:
    if len(audio):
        synth.generate_simple(len(audio), memoryview(audio).cast("B"))
