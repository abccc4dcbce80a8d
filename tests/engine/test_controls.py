"""Controls are declared once, take only what is allowed, and survive any garbage in memory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ConfigError
from engine.controls import Control, ControlTable, controls_for

STEMS = ("drums", "bass")
NAMES = (
    "stem/drums/gain", "stem/drums/mute", "stem/drums/solo", "stem/drums/pan",
    "stem/bass/gain", "stem/bass/mute", "stem/bass/solo", "stem/bass/pan",
    "master/gain", "bypass", "panic", "reset",
)  # fmt: skip


@pytest.fixture
def table() -> ControlTable:
    return ControlTable(controls_for(STEMS))


def test_each_stem_and_the_whole_have_the_controls_of_the_design(table: ControlTable) -> None:
    assert table.names == NAMES
    assert [table.slot(name) for name in NAMES] == list(range(len(NAMES)))
    assert table.as_dict() == {name: float(name.endswith("gain")) for name in NAMES}


@pytest.mark.parametrize("control", controls_for(STEMS), ids=lambda control: control.name)
def test_a_declaration_is_complete_and_consistent(control: Control) -> None:
    assert control.minimum <= control.default <= control.maximum
    assert control.meaning.endswith(".")
    assert control.unit == ("linear" if control.name.endswith("gain") else "")
    assert control.is_trigger == (control.name == "reset")
    is_switch = control.name.rpartition("/")[2] in ("mute", "solo", "bypass", "panic")
    assert control.is_switch == is_switch
    if is_switch:
        assert (control.minimum, control.maximum) == (0, 1)


def test_what_was_set_is_read_back_and_by_every_table_over_the_memory(table: ControlTable) -> None:
    other = ControlTable(controls_for(STEMS), table.values)
    values = {"stem/bass/pan": -0.25, "stem/drums/gain": 4, "bypass": True}
    table.set_all(values)
    assert {name: other.get(name) for name in values} == values
    other.set("stem/bass/pan", 1)
    assert table.get("stem/bass/pan") == 1
    other.restore_defaults()
    assert table.as_dict() == ControlTable(controls_for(STEMS)).as_dict()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("stem/flute/gain", 1, "no control 'stem/flute/gain'; there are stem/drums/gain"),
        ("stem/drums/gain", 4.01, "stem/drums/gain is 4.01; give 0 to 4"),
        ("stem/drums/gain", -0.1, "give 0 to 4"),
        ("stem/drums/pan", -2, "give -1 to 1"),
        ("master/gain", math.nan, "master/gain is nan"),
        ("master/gain", math.inf, "master/gain is inf"),
        ("master/gain", "loud", "'loud'; give a number"),
        ("master/gain", None, "give a number"),
        ("master/gain", 10**400, "give a number"),
        ("panic", 0.5, r"0 \(off\) or 1 \(on\)"),
    ],
)
def test_what_is_not_allowed_is_refused_and_changes_nothing(
    table: ControlTable, name: str, value: float, words: str
) -> None:
    before = table.as_dict()
    with pytest.raises(ConfigError, match=words):
        table.set(name, value)
    with pytest.raises(ConfigError, match=words):
        table.set_all({"stem/bass/gain": 2, name: value})
    assert table.as_dict() == before


@given(st.lists(st.floats(), min_size=len(NAMES), max_size=len(NAMES)))
def test_whatever_lies_in_the_memory_every_value_read_is_allowed(garbage: list[float]) -> None:
    table = ControlTable(controls_for(STEMS), np.array(garbage))
    for control, found in zip(table.controls, garbage, strict=True):
        value = table.get(control.name)
        assert control.checked(value) == value
        if math.isnan(found):
            assert value == control.default
        elif control.kind == "value" and control.minimum <= found <= control.maximum:
            assert value == found


def test_garbage_gives_the_nearest_allowed_value(table: ControlTable) -> None:
    table.values[:] = 1e300
    assert table.get("stem/drums/gain") == 4
    assert table.get("panic") == 1
    table.values[:] = -math.inf
    assert table.get("stem/drums/gain") == 0
    assert table.get("stem/drums/pan") == -1


def test_a_trigger_changes_every_time_and_never_leaves_its_range(table: ControlTable) -> None:
    seen = [table.get("reset")]
    for _ in range(3):
        table.trigger("reset")
        seen.append(table.get("reset"))
    table.values[table.slot("reset")] = table.controls[table.slot("reset")].maximum
    table.trigger("reset")
    seen.append(table.get("reset"))
    assert all(before != after for before, after in zip(seen, seen[1:], strict=False))
    with pytest.raises(ConfigError, match="no trigger"):
        table.trigger("panic")


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros(len(NAMES), np.float32)])
def test_memory_of_another_size_or_type_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="float64"):
        ControlTable(controls_for(STEMS), values)
