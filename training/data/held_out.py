"""Fixed excerpts of songs that were never trained on, played by a soundfont never trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.augment import SILENCE_RMS, mix, rms
from training.data.midi import STEMS, find_midi, read_song
from training.data.render import Renderer, Voicing

_GAIN_DB = 4.0
_SECONDS_APART = 5  # grid of possible starts
#: A stem quieter than this in an excerpt (full scale 1) is not scored.
SCORED_RMS = 0.01


@dataclass(frozen=True)
class HeldOut:
    """One excerpt: the song's file name and references (stems, channels, frames)."""

    song: str
    references: np.ndarray


def held_out(
    midi: Path, soundfont: Path, count: int, seconds: float, seed: int = 0
) -> Iterator[HeldOut]:
    """Render `count` excerpts of songs drawn from a folder, always the same for the same seed.

    Every stem that sounds is set to an equal RMS plus or minus 4 dB; nothing else is changed.
    Passages in which fewer than three stems sound are passed over.

    Args:
        midi: Folder of MIDI songs.
        soundfont: The soundfont that plays them.
        count: Number of excerpts, at most one per song.
        seconds: Length of each.
        seed: Draws songs, passages and gains.

    Raises:
        ValueError: The folder has too few usable songs.
    """
    renderer = Renderer([soundfont])
    rng = np.random.default_rng(seed)
    paths = find_midi(midi)
    frames = round(seconds * renderer.sample_rate)
    voicing = Voicing(dict.fromkeys(STEMS, 0))
    made = 0
    for index in rng.permutation(len(paths)):
        song = read_song(paths[index])
        starts = np.arange(0, song.frames - frames, _SECONDS_APART * renderer.sample_rate)
        for start in rng.permutation(starts)[:3]:
            stems = renderer.render(song, int(start), frames, voicing)
            levels = [rms(stem) for stem in stems]
            if sum(level >= SILENCE_RMS for level in levels) >= 3:
                yield HeldOut(paths[index].name, mix(rng, stems, levels, _GAIN_DB, augment=False))
                made += 1
                break
        if made == count:
            return
    raise ValueError(f"{midi} gives only {made} excerpts of {seconds} s; ask for fewer.")
