"""The demo song's score: five parts that the training code takes for what they are."""

from training.data.midi import STEMS, read_song
from training.demo_song import BARS, BEATS, SECONDS, TEMPO, compose, write_midi


def test_every_stem_plays_and_the_song_ends_in_time():
    parts = compose()
    assert tuple(parts) == STEMS
    end = max(event.beat + event.beats for events in parts.values() for event in events)
    assert end <= len(BARS) * BEATS
    assert end * 60 / TEMPO < SECONDS - 0.5  # before the fade


def test_the_midi_file_holds_each_note_in_its_group(tmp_path):
    parts = compose()
    write_midi(parts, tmp_path / "song.mid")

    song = read_song(tmp_path / "song.mid", 44_100)

    for stem, events in parts.items():
        assert sum(note.group == stem for note in song.notes) == len(events)


def test_the_same_score_every_time(tmp_path):
    for name in ("a.mid", "b.mid"):
        write_midi(compose(), tmp_path / name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
