"""Songs are read and played so that stems stay aligned and renders repeat."""

from pathlib import Path

import mido
import numpy as np
import pytest

from training.data.held_out import held_out
from training.data.midi import GRID, STEMS, find_midi, group_of, read_song
from training.data.render import Renderer, Voicing

VOICING = Voicing(dict.fromkeys(STEMS, 0))


@pytest.mark.parametrize(
    ("channel", "program", "group"),
    [(9, 0, "drums"), (9, 33, "drums"), (0, 39, "bass"), (0, 7, "piano"), (3, 45, "strings")]
    + [(3, 46, "other"), (3, 47, "other"), (3, 51, "strings"), (3, 52, "other"), (0, 8, "other")],
)
def test_programs_fall_into_the_reports_groups(channel: int, program: int, group: str) -> None:
    assert group_of(channel, program) == group


def test_song_has_all_groups_and_times_on_the_grid(songs: Path) -> None:
    song = read_song(songs / "song0.mid")
    assert {note.group for note in song.notes} == set(STEMS)
    assert all(note.start % GRID == 0 and note.end > note.start for note in song.notes)
    assert abs(song.frames / song.sample_rate - 8.0) < 0.01


def test_files_that_are_no_songs_are_refused_by_name(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.mid"
    garbage.write_bytes(b"MThd\0\0\0\6\0\1garbage")
    silent = tmp_path / "silent.mid"
    mido.MidiFile(tracks=[mido.MidiTrack()]).save(silent)
    for path in (garbage, silent):
        with pytest.raises(ValueError, match=path.name):
            read_song(path)
    with pytest.raises(ValueError, match="--midi"):
        find_midi(tmp_path / "nowhere")


@pytest.mark.parametrize("start", [0, 1000, 100_000])
def test_renders_repeat_bit_for_bit_and_shift_with_their_start(
    songs: Path, soundfonts: Path, start: int
) -> None:
    renderer = Renderer([soundfonts / "a.sf2"])
    song = read_song(songs / "song1.mid")
    first = renderer.render(song, start, 20_001, VOICING)
    renderer.render(song, 50_000, 9_999, VOICING)
    again = renderer.render(song, start, 20_001, VOICING)
    assert first.shape == (len(STEMS), 2, 20_001)
    np.testing.assert_array_equal(first, again)
    assert all(np.abs(stem).max() > 1e-3 for stem in first)


def test_stems_of_one_song_line_up_with_the_whole(songs: Path, soundfonts: Path) -> None:
    renderer = Renderer([soundfonts / "a.sf2"])
    song = read_song(songs / "song2.mid")
    onset = min(note.start for note in song.notes)
    for stem in renderer.render(song, 0, 8192, VOICING):
        heard = np.flatnonzero(np.abs(stem[0]) > 1e-3)[0]
        assert onset <= heard < onset + 4 * GRID


def test_a_file_that_is_no_soundfont_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "noise.sf2"
    path.write_bytes(b"noise" * 100)
    with pytest.raises(ValueError, match=r"noise\.sf2"):
        Renderer([path])


def test_held_out_excerpts_are_always_the_same(songs: Path, soundfonts: Path) -> None:
    def drawn() -> list[np.ndarray]:
        excerpts = held_out(songs, soundfonts / "b.sf2", 2, 1.5, seed=3)
        return [excerpt.references for excerpt in excerpts]

    for first, second in zip(drawn(), drawn(), strict=True):
        np.testing.assert_array_equal(first, second)
        assert first.shape == (5, 2, 66150)
    with pytest.raises(ValueError, match="ask for fewer"):
        list(held_out(songs, soundfonts / "b.sf2", 4, 1.5))
