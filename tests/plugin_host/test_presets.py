"""Presets keep all that can be turned, under names that are never paths."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ConfigError
from engine.controls import ControlTable, controls_for
from plugin_host import presets
from plugin_host.errors import OutputError

CONTROLS = controls_for(("drums", "bass"))
DEFAULTS = ControlTable(CONTROLS).as_dict()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEMWIRE_PRESETS", str(tmp_path / "presets"))
    return tmp_path / "presets"


def test_what_is_saved_comes_back_exactly():
    values = {**DEFAULTS, "stem/drums/gain": 0.1 + 0.2, "stem/bass/mute": 1.0, "bypass": 1.0}
    presets.save("verse", values, CONTROLS, "default")
    expected = {name: value for name, value in values.items() if name not in ("panic", "reset")}
    assert presets.read("verse", CONTROLS) == expected


def test_a_preset_can_be_read_by_people():
    path = presets.save("verse", {**DEFAULTS, "stem/bass/mute": 1.0}, CONTROLS, "default")
    text = path.read_text()
    assert '"stem/bass/mute" = 1\n' in text
    assert '"stem/drums/gain" = 1.0\n' in text
    assert tomllib.loads(text)["model"] == "default"
    assert [file.name for file in path.parent.iterdir()] == ["verse.toml"], "nothing is left over"


def test_presets_are_listed_by_name(folder):
    assert presets.names() == ()
    for name in ("verse", "Chorus 2", "brücke"):
        presets.save(name, DEFAULTS, CONTROLS, "")
    (folder / "notes.txt").write_text("")
    (folder / "..hidden.toml").write_text("")
    assert presets.names() == ("brücke", "Chorus 2", "verse")
    presets.remove("verse")
    assert presets.names() == ("brücke", "Chorus 2")


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a/b",
        "../a",
        "/etc/passwd",
        "a\\b",
        "a\0b",
        "a\n",
        " a",
        "a ",
        ".a",
        "C:a",
        "x" * 65,
    ],
)
def test_what_is_no_name_is_refused(name, folder):
    for act in (
        lambda: presets.save(name, DEFAULTS, CONTROLS, ""),
        lambda: presets.read(name, CONTROLS),
        lambda: presets.remove(name),
    ):
        with pytest.raises(ConfigError, match="cannot be called"):
            act()
    assert not folder.exists()


@given(st.text(max_size=12))
def test_no_name_leaves_the_folder(name):
    try:
        presets.checked_name(name)
    except ConfigError:
        return
    assert (Path("/folder") / f"{name}.toml").parent == Path("/folder")
    assert Path(f"{name}.toml").name == f"{name}.toml"


def test_a_preset_of_other_stems_sets_what_both_have_and_the_rest_to_its_default(folder):
    other = controls_for(("drums", "piano"))
    values = {**ControlTable(other).as_dict(), "stem/drums/gain": 0.5, "stem/piano/gain": 0.5}
    presets.save("other", values, other, "")
    read = presets.read("other", CONTROLS)
    assert read["stem/drums/gain"] == 0.5
    assert read["stem/bass/gain"] == 1.0
    assert "stem/piano/gain" not in read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no preset of format"),
        ("format = 2\n[controls]", "no preset of format"),
        ("format = 1", "no preset of format"),
        ("format = ", "cannot be read"),
        ("\xff", "cannot be read"),
        ('format = 1\n[controls]\n"stem/drums/gain" = 9', "0 to 4"),
        ('format = 1\n[controls]\n"stem/drums/gain" = nan', "0 to 4"),
        ('format = 1\n[controls]\n"stem/drums/gain" = "loud"', "give a number"),
        ('format = 1\n[controls]\n"stem/drums/gain" = [1]', "give a number"),
        ("format = 1\n" + "#" * 2**21, "too large"),
    ],
)
def test_a_damaged_preset_is_refused_with_its_path(folder, text, words):
    folder.mkdir()
    (folder / "broken.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=words) as caught:
        presets.read("broken", CONTROLS)
    assert str(folder / "broken.toml") in str(caught.value)


def test_a_preset_that_is_not_there_is_refused_with_those_that_are():
    presets.save("verse", DEFAULTS, CONTROLS, "")
    with pytest.raises(ConfigError, match="'chorus'; there are verse"):
        presets.read("chorus", CONTROLS)
    with pytest.raises(ConfigError, match="no preset 'chorus'"):
        presets.remove("chorus")


def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in its place")
    with pytest.raises(OutputError, match=r"verse\.toml cannot be written"):
        presets.save("verse", DEFAULTS, CONTROLS, "")
