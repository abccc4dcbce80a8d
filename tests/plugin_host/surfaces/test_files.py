"""The surfaces are what the address table says: made anew they are the same; nothing is lost."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from engine import ConfigError
from engine.controls import Control, controls_for
from plugin_host.osc.addresses import AddressTable
from plugin_host.surfaces import Surface, make_surfaces
from plugin_host.surfaces.catalog import DEFAULT_STEMS
from plugin_host.surfaces.max_patch import max_patch
from plugin_host.surfaces.open_stage_control import open_stage_control
from plugin_host.surfaces.pd_patch import pd_patch
from plugin_host.surfaces.plan import Target, full_title, limits, plan
from plugin_host.surfaces.touchosc import touchosc_xml

FILES = files("plugin_host.surfaces").joinpath("files")
SURFACES = {surface.name: surface for surface in make_surfaces()}
PLAN = plan(AddressTable(DEFAULT_STEMS))


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_the_files_are_those_that_the_table_makes(surface: Surface):
    body = FILES.joinpath(surface.name).read_bytes()
    text = zlib.decompress(body) if surface.name.endswith(".tosc") else body
    assert text.decode() == surface.text, "run python -m plugin_host.surfaces"


def test_there_are_no_other_files():
    assert {file.name for file in FILES.iterdir()} == set(SURFACES)


def test_every_control_of_the_table_stands_once_in_the_plan():
    shown = [address.path for address in PLAN.controls]
    assert len(shown) == len(set(shown))
    missing = {a.path for a in AddressTable(DEFAULT_STEMS) if a.kind == "control"} - set(shown)
    assert {path.rpartition("/")[2] for path in missing} == {"gain"}, "by gain_db, each"
    assert {f"{path}_db" for path in missing} <= set(shown)


def test_parameters_of_effects_are_knobs_of_their_strip():
    knobs = [
        Control(name, 0, 10, 1, "", "value", "How much.")
        for name in ("stem/drums/plugin/0/ratio", "stem/drums/plugin/1/ratio", "mix/plugin/0/drive")
    ]
    shown = plan(AddressTable(DEFAULT_STEMS, [*controls_for(DEFAULT_STEMS), *knobs]))
    drums, mix = shown.strips[0], shown.strips[-1]
    assert [full_title(drums, knob) for knob in drums.knobs] == [
        "drums plugin 0 ratio",
        "drums plugin 1 ratio",
    ]
    assert [full_title(mix, knob) for knob in mix.knobs] == ["mix plugin 0 drive"]
    patch = _Max(max_patch(shown, Target()))
    names = [box["varname"] for box in patch.boxes.values() if "varname" in box]
    assert len(names) == len(set(names))
    for path in ("/stemwire/stem/drums/plugin/1/ratio", "/stemwire/mix/plugin/0/drive"):
        assert path in touchosc_xml(shown)
        assert path in open_stage_control(shown, Target())
        assert f"r {path[1:]};" in pd_patch(shown, Target())


def test_other_stems_and_places_make_other_files():
    made = {
        s.name: s.text for s in make_surfaces(["voice", "rest"], Target("10.0.0.7", 7000, 7001))
    }
    assert set(made) == set(SURFACES)
    for text in made.values():
        assert "voice" in text
        assert "drums" not in text
    assert "udpsend 10.0.0.7 7000" in made["stemwire.maxpat"]
    assert "udpreceive 7001" in made["stemwire.maxpat"]
    assert "connect 10.0.0.7 7000" in made["stemwire.pd"]
    assert "10.0.0.7:7000" in made["stemwire.open-stage-control.json"]


@pytest.mark.parametrize("stems", [[], ["a b"], ["a;b"], [""], ["x" * 33], ["<b>"]])
def test_names_that_no_stem_has_are_refused(stems):
    with pytest.raises(ConfigError, match="no list of stems"):
        make_surfaces(stems)


def test_the_script_writes_them_and_tells_where(tmp_path: Path):
    script = [sys.executable, "-m", "plugin_host.surfaces", "-o", str(tmp_path / "new")]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(SURFACES)
    assert done.stderr.count(str(tmp_path)) == len(SURFACES)
    (tmp_path / "file").write_text("")
    script[-1] = str(tmp_path / "file")
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_opening_a_surface_turns_nothing():
    """None of them has a value that it would send when it is opened."""
    assert "parameter_initial" not in SURFACES["stemwire.maxpat"].text
    session = json.loads(SURFACES["stemwire.open-stage-control.json"].text)
    assert not any("default" in widget for widget in session["content"]["widgets"])
    for line in SURFACES["stemwire.pd"].text.splitlines():
        words = line.split()
        if words[:2] == ["#X", "obj"] and words[4] in ("vsl", "hsl", "tgl"):
            assert words[10 if words[4] != "tgl" else 6] == "0", "init"


# ---- Max ----------------------------------------------------------------------------------------


class _Max:
    """A patch, to be followed along its lines."""

    def __init__(self, text: str) -> None:
        patcher = json.loads(text)["patcher"]
        self.boxes: dict[str, dict[str, Any]] = {}
        for entry in patcher["boxes"]:
            assert entry["box"]["id"] not in self.boxes
            self.boxes[entry["box"]["id"]] = entry["box"]
        self.lines = [
            (*x["patchline"]["source"], *x["patchline"]["destination"]) for x in patcher["lines"]
        ]

    def after(self, box: str, outlet: int = 0) -> Iterator[str]:
        return (end for start, at, end, _ in self.lines if (start, at) == (box, outlet))

    def text(self, box: str) -> str:
        return self.boxes[box].get("text", "")

    def find(self, beginning: str) -> str:
        [box] = [name for name in self.boxes if self.text(name).startswith(beginning)]
        return box


def test_in_max_every_line_joins_what_is_there():
    patch = _Max(SURFACES["stemwire.maxpat"].text)
    for source, outlet, target, inlet in patch.lines:
        assert outlet < patch.boxes[source]["numoutlets"]
        assert inlet < patch.boxes[target]["numinlets"]


def test_in_max_every_control_goes_out_and_shows_what_comes_back():
    patch = _Max(SURFACES["stemwire.maxpat"].text)
    send, route = patch.find("udpsend"), patch.find("route")
    assert [route] == list(patch.after(patch.find("udpreceive")))
    coming = patch.text(route).split()[1:]
    for address in PLAN.controls:
        if address.is_trigger:
            [message] = [b for b in patch.boxes if patch.text(b) == f"{address.path} 1"]
            assert send in patch.after(message)
            continue
        [out] = [box for box in patch.boxes if patch.text(box) == f"prepend {address.path}"]
        assert send in patch.after(out)
        [widget] = {start for start, _, end, _ in patch.lines if end == out}
        [quietly] = patch.after(route, coming.index(address.path))
        assert patch.text(quietly) == "prepend set"
        assert list(patch.after(quietly)) == [widget]
        values = patch.boxes[widget]["saved_attribute_attributes"]["valueof"]
        if values["parameter_type"] == 0:
            assert (values["parameter_mmin"], values["parameter_mmax"]) == limits(address)
        else:
            assert values["parameter_enum"] == ["off", "on"]


def test_in_max_parameters_have_names_of_their_own():
    patch = _Max(SURFACES["stemwire.maxpat"].text)
    names = [box["varname"] for box in patch.boxes.values() if "varname" in box]
    assert len(names) == len(set(names)) > 20


# ---- TouchOSC -----------------------------------------------------------------------------------


def test_in_touchosc_every_control_goes_both_ways_within_its_limits():
    root = ElementTree.fromstring(SURFACES["stemwire.tosc"].text)
    assert (
        zlib.decompress(SURFACES["stemwire.tosc"].body).decode() == SURFACES["stemwire.tosc"].text
    )
    names = [node.get("ID") for node in root.iter("node")]
    assert len(names) == len(set(names))
    found = {}
    for node in root.iter("node"):
        for osc in node.findall("messages/osc"):
            path = osc.findtext("path/partial/value")
            found[path] = (node, osc)
    for address in PLAN.controls:
        node, osc = found[address.path]
        assert (osc.findtext("send"), osc.findtext("receive")) == ("1", "1")
        low, high = (0.0, 1.0) if node.get("type") == "BUTTON" else limits(address)
        scale = osc.find("arguments/partial")
        assert float(scale.findtext("scaleMin")) == low
        assert float(scale.findtext("scaleMax")) == pytest.approx(high)
        values = {v.findtext("key"): v.findtext("default") for v in node.findall("values/value")}
        assert low + float(values["x"]) * (high - low) == pytest.approx(0, abs=1e-3)
    assert PLAN.model.path in found


def test_in_touchosc_nothing_lies_outside_or_over_another():
    root = ElementTree.fromstring(SURFACES["stemwire.tosc"].text)
    frames = []
    for node in root.iter("node"):
        for part in node.findall("properties/property"):
            if part.findtext("key") == "frame":
                frame = tuple(float(part.findtext(f"value/{side}")) for side in "xywh")
                frames.append((node.get("type"), frame))
    (_, (_, _, width, height)), *inside = frames
    touched = [frame for kind, frame in inside if kind in ("FADER", "BUTTON")]
    for x, y, w, h in touched:
        assert min(w, h) >= 44
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
    for number, (x, y, w, h) in enumerate(touched):
        for u, v, s, t in touched[:number]:
            assert x >= u + s or u >= x + w or y >= v + t or v >= y + h


# ---- Open Stage Control -------------------------------------------------------------------------


def test_in_open_stage_control_every_control_has_a_widget_within_its_limits():
    session = json.loads(SURFACES["stemwire.open-stage-control.json"].text)
    assert session["type"] == "session"
    root = session["content"]
    assert root["target"] == "127.0.0.1:9130"
    widgets = {w["address"]: w for w in root["widgets"] if "address" in w}
    assert len({w["id"] for w in root["widgets"]}) == len(root["widgets"])
    for address in PLAN.controls:
        widget = widgets[address.path]
        assert widget["typeTags"] == address.tags
        if widget["type"] == "fader":
            numbers = [
                next(iter(stop.values())) if isinstance(stop, dict) else stop
                for stop in widget["range"].values()
            ]
            assert (min(numbers), max(numbers)) == limits(address)
        else:
            assert (widget["on"], widget["off"]) == (1, 0)


# ---- for people ---------------------------------------------------------------------------------


def test_abletons_page_leaves_the_ports_of_abletonosc_alone():
    page = SURFACES["ableton.md"].text
    for address in PLAN.controls:
        assert f"`{address.path}`" in page
    for surface in SURFACES.values():
        if surface.name != "ableton.md":
            assert not re.search(r"\b1100[01]\b", surface.text)
