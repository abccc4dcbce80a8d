"""Chance in the training material: who plays, through which effects, how the stems are mixed.

Raw General MIDI leaves drums up to 26 dB under the mix, so every stem is first set to the same
RMS, then drawn a gain (remix, gain, pan and sign as in Demucs).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pedalboard

from training.data.midi import DRUM_CHANNEL, PROGRAMS, Song
from training.data.render import Renderer, Voicing

#: A stem below this RMS counts as silent: it is left at zero instead of being amplified.
SILENCE_RMS = 1e-4
_STEM_RMS = 0.08  # of full scale, before the drawn gains


def draw_voicing(rng: np.random.Generator, renderer: Renderer, song: Song) -> Voicing:
    """Draw soundfonts, programs, a drum kit and a tuning for one excerpt of a song."""
    indices = range(len(renderer.soundfonts))
    melodic = [i for i in indices if not renderer.is_drums_only(i)]
    kits = [i for i in indices if renderer.has_drums(i)]
    melodic_choice = rng.choice(melodic, size=4)
    if rng.random() < 0.5:  # half of the time one soundfont plays the whole band
        melodic_choice[:] = melodic_choice[0]
    names = ("bass", "piano", "strings", "other")
    soundfonts = {name: int(i) for name, i in zip(names, melodic_choice, strict=True)}
    soundfonts["drums"] = int(rng.choice(kits))
    programs = {}
    for channel, program in sorted({(n.channel, n.program) for n in song.notes}):
        group = next((g for g, members in PROGRAMS.items() if program in members), None)
        if channel != DRUM_CHANNEL and group is not None and rng.random() < 0.5:
            programs[channel, program] = int(rng.choice(PROGRAMS[group]))
    kit = int(rng.choice(renderer.drum_kits(soundfonts["drums"])))
    return Voicing(soundfonts, programs, kit, float(rng.uniform(-50.0, 50.0)))


def draw_effects(rng: np.random.Generator) -> pedalboard.Pedalboard:
    """Draw an equaliser, and at times compression, saturation and reverberation, for one stem."""
    chain: list[pedalboard.Plugin] = []
    if rng.random() < 0.7:
        chain += [
            pedalboard.LowShelfFilter(float(rng.uniform(80, 300)), float(rng.uniform(-6, 6))),
            pedalboard.PeakFilter(
                float(np.exp(rng.uniform(np.log(200), np.log(6000)))), float(rng.uniform(-8, 8))
            ),
            pedalboard.HighShelfFilter(float(rng.uniform(3000, 9000)), float(rng.uniform(-8, 8))),
        ]
    if rng.random() < 0.25:
        chain.append(pedalboard.Compressor(float(rng.uniform(-35, -15)), float(rng.uniform(2, 6))))
    if rng.random() < 0.15:
        chain.append(pedalboard.Distortion(float(rng.uniform(2, 12))))
    if rng.random() < 0.4:
        wet = float(rng.uniform(0.03, 0.25))
        room = float(rng.uniform(0.1, 0.8))
        chain.append(pedalboard.Reverb(room, wet_level=wet, dry_level=1.0 - wet))
    return pedalboard.Pedalboard(chain)


def apply_effects(rng: np.random.Generator, stems: np.ndarray, sample_rate: int) -> np.ndarray:
    """Play every stem that sounds through effects of its own.

    Args:
        rng: Source of chance.
        stems: float32 (stems, channels, frames); not changed.
        sample_rate: Hz.

    Returns:
        float32 (stems, channels, frames), every stem at the RMS that it had.
    """
    processed = np.zeros_like(stems)
    for index, stem in enumerate(stems):
        chain = draw_effects(rng)
        level = rms(stem)
        if level < SILENCE_RMS:
            continue
        # Effects with thresholds are met at a studio's level, whatever the soundfont's own is.
        wet = chain(stem * np.float32(0.15 / level), sample_rate)
        processed[index] = wet * np.float32(level / max(rms(wet), 1e-9))
    return processed


def rms(audio: np.ndarray) -> float:
    """Root mean square over all axes, in full scale."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def mix(
    rng: np.random.Generator,
    stems: Sequence[np.ndarray],
    levels: Sequence[float],
    gain_db: float = 6.0,
    augment: bool = True,
) -> np.ndarray:
    """Balance stems for one mixture; the mixture is the sum of what is returned.

    Args:
        rng: Source of chance.
        stems: One float32 (channels=2, frames) per stem.
        levels: RMS of the whole excerpt that each stem was cut from; silent below `SILENCE_RMS`.
        gain_db: Every stem is drawn a gain of plus or minus this many dB.
        augment: Also draw pan, sign, channel swap and a gain of the whole.

    Returns:
        float32 (stems, channels, frames), the sum within full scale.
    """
    mixed = np.zeros((len(stems), *stems[0].shape), np.float32)
    swap = augment and rng.random() < 0.5
    for index, (stem, level) in enumerate(zip(stems, levels, strict=True)):
        gain = _STEM_RMS * 10.0 ** (rng.uniform(-gain_db, gain_db) / 20.0)
        pan = rng.uniform(-0.35, 0.35) if rng.random() < 0.5 else 0.0
        sign = rng.choice((-1.0, 1.0))
        dropped = rng.random() < 0.08
        if level < SILENCE_RMS or (augment and dropped):
            continue
        gains = np.array([[1.0], [1.0]])
        if augment:
            gains = sign * np.array([[1.0 - pan], [1.0 + pan]])
        mixed[index] = (stem[::-1] if swap else stem) * np.float32(gain / level) * gains
    whole = 10.0 ** (rng.uniform(-12.0, 6.0) / 20.0) if augment else 1.0
    peak = float(np.max(np.abs(mixed.sum(axis=0)))) * whole
    return mixed * np.float32(whole / max(1.0, peak / 0.99))
