"""What C++ and LV2 hosts are told is what the engine declares."""

import re
import subprocess
from pathlib import Path

import pytest

from engine.controls import controls_for
from engine.separator import read_separator
from plugin_host.daw_plugin import header

FOLDER = Path(header.__file__).parent


@pytest.mark.parametrize(
    ("name", "text"),
    [("layout.hpp", header.layout_header), ("stemwire.ttl", header.lv2_description)],
)
def test_the_committed_file_is_what_the_script_writes(name, text):
    assert (FOLDER / name).read_text(encoding="utf-8") == text()


def test_every_control_that_is_no_trigger_has_a_parameter_with_its_slot():
    controls = controls_for(header.STEMS)
    slots = [parameter.slot for parameter in header.parameters() if parameter.slot >= 0]
    assert slots == [slot for slot, control in enumerate(controls) if not control.is_trigger]


def test_numbers_of_parameters_do_not_change():
    # Projects and automation know them by number: this list may only grow at its end.
    symbols = [parameter.symbol for parameter in header.parameters()]
    stems = ["drums", "bass", "piano", "strings", "other", "stem_6", "stem_7", "stem_8"]
    expected = [f"{stem}_{knob}" for stem in stems for knob in ("gain", "mute", "solo", "pan")]
    expected += ["master_gain", "bypass", "panic", "status", "underruns"]
    assert symbols[: len(expected)] == expected


def test_at_any_rate_the_plugin_claims_what_the_model_takes(make_program):
    program = make_program(
        """
        #include <cstdio>
        #include <cstdlib>
        #include "instance.hpp"
        int main(int count, char** rates) {
            for (int i = 1; i < count; ++i) {
                const auto frames = stemwire::latency_for(std::atoi(rates[i]), 256);
                std::printf("%d ", static_cast<int>(frames));
            }
        }
        """
    )
    rates = (*header.USUAL_RATES, 22_051, 37_800, 44_056, 47_952, 50_000, 64_000, 191_999)
    done = subprocess.run([program, *map(str, rates)], capture_output=True, check=True)
    manifest = read_separator("default").manifest
    for rate, frames in zip(rates, done.stdout.split(), strict=True):
        claimed = int(frames) - (header.QUANTUM - 1) - 256
        needed = header.latency_of(manifest, rate)
        assert needed <= claimed <= needed * 1.25 + header.QUANTUM
        assert claimed == needed or rate not in header.USUAL_RATES


def test_the_files_say_nothing_of_this_machine():
    for name in ("layout.hpp", "stemwire.ttl", "dpf.patch"):
        assert not re.search(r"/home/|/root/|/tmp/", (FOLDER / name).read_text(encoding="utf-8"))
