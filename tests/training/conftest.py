"""Small material that the tests make themselves: a soundfont of beeps and songs that play it."""

import struct
from pathlib import Path

import mido
import numpy as np
import pytest

MELODIC = (0, 33, 48, 80)  # piano, bass, strings, a lead


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(kind: bytes, *chunks: bytes) -> bytes:
    return _chunk(b"LIST", kind + b"".join(chunks))


def write_soundfont(path: Path, partials: tuple[float, ...]) -> None:
    """Write a SoundFont 2 file whose presets all play one looped tone with these partials."""
    period, cycles, rate = 100, 40, 44100  # 441 Hz, the A that it is declared to be
    phase = 2 * np.pi * np.arange(period * cycles) / period
    wave = sum(level * np.sin((i + 1) * phase) for i, level in enumerate(partials))
    samples = (wave / np.abs(wave).max() * 20000).astype("<i2")
    silence = np.zeros(46, "<i2")
    presets = [(0, program) for program in MELODIC] + [(128, 0)]
    headers = b"".join(
        struct.pack("<20sHHHIII", f"{bank}-{program}".encode(), program, bank, i, 0, 0, 0)
        for i, (bank, program) in enumerate(presets)
    )
    headers += struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    preset_bags = b"".join(struct.pack("<HH", i, 0) for i in range(len(presets) + 1))
    preset_generators = struct.pack("<HH", 41, 0) * len(presets) + struct.pack("<HH", 0, 0)
    instruments = struct.pack("<20sH", b"tone", 0) + struct.pack("<20sH", b"EOI", 1)
    instrument_bags = struct.pack("<HHHH", 0, 0, 2, 0)
    instrument_generators = struct.pack("<HHHHHH", 54, 1, 53, 0, 0, 0)  # looped, sample 0
    frames = len(samples)
    header = struct.pack(
        "<20sIIIIIBbHH", b"tone", 0, frames, period, frames - period, rate, 69, 0, 0, 1
    )
    header += struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    modulator_end = b"\0" * 10
    body = _list(
        b"INFO",
        _chunk(b"ifil", struct.pack("<HH", 2, 1)),
        _chunk(b"isng", b"EMU8000\0"),
        _chunk(b"INAM", b"test\0\0"),
    )
    body += _list(b"sdta", _chunk(b"smpl", samples.tobytes() + silence.tobytes()))
    body += _list(
        b"pdta",
        _chunk(b"phdr", headers),
        _chunk(b"pbag", preset_bags),
        _chunk(b"pmod", modulator_end),
        _chunk(b"pgen", preset_generators),
        _chunk(b"inst", instruments),
        _chunk(b"ibag", instrument_bags),
        _chunk(b"imod", modulator_end),
        _chunk(b"igen", instrument_generators),
        _chunk(b"shdr", header),
    )
    path.write_bytes(_chunk(b"RIFF", b"sfbk" + body))


def write_song(path: Path, seed: int, seconds: float = 8.0) -> None:
    """Write a song in which drums, bass, piano, strings and a lead play all the time."""
    rng = np.random.default_rng(seed)
    file = mido.MidiFile(ticks_per_beat=480)
    voices = [(9, 0, 36), (1, 33, 40), (2, 0, 60), (3, 48, 64), (4, 80, 72)]
    for channel, program, base in voices:
        track = mido.MidiTrack()
        file.tracks.append(track)
        track.append(mido.Message("program_change", channel=channel, program=program))
        for _ in range(int(seconds * 4)):  # eighths at 120 beats per minute
            key = base + int(rng.integers(12))
            velocity = int(rng.integers(60, 120))
            track.append(mido.Message("note_on", channel=channel, note=key, velocity=velocity))
            track.append(mido.Message("note_off", channel=channel, note=key, time=240))
    file.save(path)


@pytest.fixture(scope="session")
def soundfonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two small soundfonts."""
    folder = tmp_path_factory.mktemp("soundfonts")
    write_soundfont(folder / "a.sf2", (1.0, 0.5))
    write_soundfont(folder / "b.sf2", (1.0, 0.0, 0.4, 0.3))
    return folder


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three songs of eight seconds."""
    folder = tmp_path_factory.mktemp("songs")
    for seed in range(3):
        write_song(folder / f"song{seed}.mid", seed)
    return folder
