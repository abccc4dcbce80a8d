"""Writes down for C++ and for LV2 hosts what the engine declares: `layout.hpp`, `stemwire.ttl`.

    python -m plugin_host.daw_plugin.header

The memory's words and sizes come from `engine.worker.layout`, the parameters from
`engine.controls`, and the latency that the plugin announces from the bundled model. The files are
kept beside this one, so that building the plugin needs no Python; a test compares them.

Parameters are known to a project by their number: new ones go to the end.
"""

from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from engine.config import MAX_BLOCK_SIZE, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, HostConfig
from engine.controls import Control, controls_for
from engine.framing import Schedule
from engine.manifest import Manifest
from engine.mixer import RAMP_SECONDS
from engine.separator import MAX_LEVEL, read_separator
from engine.worker.exchange import FADE_FRAMES
from engine.worker.layout import (
    MAGIC,
    MAX_SHARE_BLOCKS,
    NOWHERE,
    SLOTS,
    VERSION,
    Constant,
    Engine,
    GuestState,
    Host,
    Layout,
    Wish,
    engine_word,
)

STEMS = ("Drums", "Bass", "Piano", "Strings", "Other", "Stem 6", "Stem 7", "Stem 8")
"""The buses. A model's stems come in its own order; these are the default model's, and spare."""

CHANNELS = 2
QUANTUM = 64
"""Frames of the engine's steps, whatever the host's blocks are."""

USUAL_RATES = (22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
URI = "urn:stemwire:separator"

_ENGINE_WORDS = (Engine.OUT_FROM, Engine.OUT_END, Engine.BELL, Engine.IS_WAITING, Engine.BEAT)
"""What a host reads of an engine, or asks it."""

_STATES = ("No server", "Loading", "Playing", "Latency too small", "Restarting", "Unavailable")
_MAX_COUNT = 1_000_000  # that the counter of underruns shows; exact in a float
_FOLDER = Path(__file__).parent


class Parameter(NamedTuple):
    """What a host shows.

    Attributes:
        symbol: what a project's file calls it.
        name: for people.
        slot: in the table of controls; -1 for what the plugin says of itself.
        stem: whose it is, counted from 0; -1 for none.
        control: its range, default and meaning.
    """

    symbol: str
    name: str
    slot: int
    stem: int
    control: Control


def parameters() -> tuple[Parameter, ...]:
    """Returns the plugin's parameters, in the order of their numbers."""
    found = []
    for slot, control in enumerate(controls_for(STEMS)):
        if control.is_trigger:
            continue
        words = control.name.removeprefix("stem/").replace("/", " ")
        stem = STEMS.index(words.rsplit(" ", 1)[0]) if control.name.startswith("stem/") else -1
        symbol = words.lower().replace(" ", "_")
        found.append(Parameter(symbol, words[0].upper() + words[1:], slot, stem, control))
    status = "What the engine behind the plugin is doing."
    underruns = "Blocks that the engine did not deliver in time since the plugin was switched on."
    return (
        *found,
        Parameter(
            "status", "Status", -1, -1, Control("", 0, len(_STATES) - 1, 0, "", "value", status)
        ),
        Parameter(
            "underruns", "Underruns", -1, -1, Control("", 0, _MAX_COUNT, 0, "", "value", underruns)
        ),
    )


def latency_of(manifest: Manifest, sample_rate: int) -> int:
    """Returns the frames that the bundled model takes at a rate, worker and blocks left out."""
    return Schedule.of(manifest, HostConfig(sample_rate, QUANTUM, CHANNELS)).latency


# ---- C++ -----------------------------------------------------------------------------------------


def _words(words: Iterable[IntEnum], name: str) -> str:
    lines = "".join(f"constexpr int {word.name} = {word.value};\n" for word in words)
    return f"namespace {name} {{\n{lines}}}  // namespace {name}\n"


def _layout(sample_rate: int, block_size: int, latency: int) -> Layout:
    config = HostConfig(sample_rate, block_size, CHANNELS)
    return Layout.of(config, STEMS, len(controls_for(STEMS)), latency)


def _example(sample_rate: int, block_size: int, latency: int) -> str:
    layout = _layout(sample_rate, block_size, latency)
    numbers = (
        sample_rate,
        block_size,
        latency,
        layout.in_frames,
        layout.out_frames,
        layout.offset("output", 0),
        layout.offset("output", 1),
        layout.nbytes,
    )
    return f"    {{{', '.join(str(number) for number in numbers)}}},\n"


def _real(number: float) -> str:
    return repr(float(number))


def _parameter(parameter: Parameter) -> str:
    control = parameter.control
    kind = "Switch" if control.is_switch else "Output" if parameter.slot < 0 else "Value"
    numbers = (control.minimum, control.maximum, control.default)
    ranges = ", ".join(f"{_real(number)}F" for number in numbers)
    return (
        f'    {{"{parameter.symbol}", "{parameter.name}", {parameter.slot}, {parameter.stem}, '
        f"{ranges}, Kind::{kind},\n"
        f'     "{control.meaning}"}},\n'
    )


def layout_header() -> str:
    """Returns the text of `layout.hpp`."""
    manifest = read_separator("default").manifest
    controls = controls_for(STEMS)
    example = _layout(44_100, 512, 700)
    stride = engine_word(1) - engine_word(0)
    names = "".join(f'    "{stem}",\n' for stem in STEMS)
    states = "".join(f'    "{state}",\n' for state in _STATES)
    latencies = "".join(f"    {{{rate}, {latency_of(manifest, rate)}}},\n" for rate in USUAL_RATES)
    slots = {
        name: next(slot for slot, control in enumerate(controls) if control.name == name)
        for name in ("master/gain", "bypass", "panic")
    }
    return f"""\
// Written by `python -m plugin_host.daw_plugin.header` from what the engine declares; not by hand.

#pragma once

#include <cstdint>

namespace stemwire {{

constexpr std::int64_t kMagic = {MAGIC};
constexpr int kVersion = {VERSION};
constexpr int kSlots = {SLOTS};
constexpr std::int64_t kNowhere = {NOWHERE};
constexpr int kMaxShareBlocks = {MAX_SHARE_BLOCKS};

constexpr int kStems = {len(STEMS)};
constexpr int kRows = 1 + kStems;
constexpr int kChannels = {CHANNELS};
constexpr int kControls = {len(controls)};
constexpr int kQuantum = {QUANTUM};
constexpr int kMaxBlock = {MAX_BLOCK_SIZE};
constexpr int kMinRate = {MIN_SAMPLE_RATE};
constexpr int kMaxRate = {MAX_SAMPLE_RATE};
constexpr int kFadeFrames = {FADE_FRAMES};
constexpr float kMaxLevel = {MAX_LEVEL:.1f}F;
constexpr double kRampSeconds = {RAMP_SECONDS};

// Words of the header, each of 8 bytes.
{_words(Constant, "constant")}
{_words(Host, "host")}
{_words(Wish, "wish")}
{_words(_ENGINE_WORDS, "engine")}
constexpr int engine_word(int slot) {{ return {engine_word(0)} + {stride} * slot; }}

{_words(GuestState, "state")}
constexpr int kStateUnavailable = {len(GuestState)};  // there is no shared memory

// Bytes where parts begin whose place does not depend on the host.
constexpr std::int64_t kControlsAt = {example.offset("controls")};
constexpr std::int64_t kInputAt = {example.offset("input")};

// Frames that the bundled model takes, with blocks of kQuantum: at usual rates, and at any other
// as long as the longest of these lasts.
struct Latency {{ int sample_rate, frames; }};
constexpr Latency kLatencies[] = {{
{latencies}}};

// Layouts as the engine has them, to be compared with ours when this is compiled.
struct Example {{
    std::int64_t sample_rate, block, latency, in_frames, out_frames;
    std::int64_t output_0, output_1, bytes;
}};
constexpr Example kExamples[] = {{
{_example(44_100, 512, 700)}{_example(48_000, 8_192, 9_000)}{_example(22_050, 1, 160)}}};

constexpr const char* kStemNames[kStems] = {{
{names}}};

// Slots of controls that the plugin itself obeys.
constexpr int kMasterGain = {slots["master/gain"]};
constexpr int kBypass = {slots["bypass"]};
constexpr int kPanic = {slots["panic"]};
enum class Kind {{ Value, Switch, Output }};

struct Parameter {{
    const char *symbol, *name;
    int slot;  // in the table of controls, -1: what the plugin says of itself
    int stem;  // -1: none
    float minimum, maximum, initial;
    Kind kind;
    const char* meaning;
}};

// Known to projects by their number: new ones go to the end.
constexpr Parameter kParameters[] = {{
{"".join(_parameter(parameter) for parameter in parameters())}}};
constexpr int kParameterCount = sizeof(kParameters) / sizeof(kParameters[0]);
constexpr int kStatus = kParameterCount - 2, kUnderruns = kParameterCount - 1;

constexpr const char* kStateNames[] = {{
{states}}};

constexpr const char* kUri = "{URI}";

}}  // namespace stemwire
"""


# ---- LV2 -----------------------------------------------------------------------------------------


def _group(number: int, name: str, direction: str, more: str = "") -> str:
    return f"""
<#bus{number}{direction[0].lower()}>
    a pg:StereoGroup , pg:{direction}Group ;
    lv2:index {number} ;
    lv2:symbol "bus{number}{direction[0].lower()}" ;
    lv2:name "{name}"{more} .
"""


def _audio_port(index: int, bus: int, channel: int, direction: str, name: str) -> str:
    side = ("left", "right")[channel]
    symbol = f"{name.lower().replace(' ', '_')}_{side}"
    return f"""    [
        a lv2:{direction}Port , lv2:AudioPort ;
        lv2:index {index} ;
        lv2:symbol "{symbol}" ;
        lv2:name "{name} {side}" ;
        lv2:designation pg:{side} ;
        pg:group <#bus{bus}{direction[0].lower()}>
    ]"""


def _control_port(index: int, parameter: Parameter) -> str:
    control = parameter.control
    lines = [
        f"a lv2:{'Output' if parameter.slot < 0 else 'Input'}Port , lv2:ControlPort",
        f"lv2:index {index}",
        f'lv2:symbol "{parameter.symbol}"',
        f'lv2:name "{parameter.name}"',
        f"lv2:default {control.default:.1f}",
        f"lv2:minimum {control.minimum:.1f}",
        f"lv2:maximum {control.maximum:.1f}",
        f'rdfs:comment "{control.meaning}"',
    ]
    if control.is_switch:
        lines.append("lv2:portProperty lv2:toggled")
    elif parameter.symbol == "status":
        lines.append("lv2:portProperty lv2:integer , lv2:enumeration")
        lines.extend(
            f'lv2:scalePoint [ rdfs:label "{name}" ; rdf:value {value}.0 ]'
            for value, name in enumerate(_STATES)
        )
    elif parameter.slot < 0:
        lines.append("lv2:portProperty lv2:integer")
    return "    [\n        " + " ;\n        ".join(lines) + "\n    ]"


def lv2_description() -> str:
    """Returns the text of `stemwire.ttl`."""
    ports = [_audio_port(channel, 0, channel, "Input", "In") for channel in range(CHANNELS)]
    for bus, name in enumerate(("Mix", *STEMS)):
        ports += [
            _audio_port(CHANNELS * (1 + bus) + channel, bus, channel, "Output", name)
            for channel in range(CHANNELS)
        ]
    ports += [
        _control_port(len(ports) + number, parameter)
        for number, parameter in enumerate(parameters())
    ]
    groups = _group(0, "In", "Input") + _group(0, "Mix", "Output")
    for bus, name in enumerate(STEMS, 1):
        groups += _group(bus, name, "Output")
    latency, freewheel = len(ports), len(ports) + 1
    ports += [
        f"""    [
        a lv2:OutputPort , lv2:ControlPort ;
        lv2:index {latency} ;
        lv2:symbol "latency" ;
        lv2:name "Latency" ;
        lv2:designation lv2:latency ;
        lv2:portProperty lv2:reportsLatency , lv2:integer , pp:notOnGUI ;
        lv2:minimum 0.0 ;
        lv2:maximum {_MAX_COUNT}.0 ;
        units:unit units:frame
    ]""",
        f"""    [
        a lv2:InputPort , lv2:ControlPort ;
        lv2:index {freewheel} ;
        lv2:symbol "freewheel" ;
        lv2:name "Freewheel" ;
        rdfs:comment "1: the host has time, so wait for the engine." ;
        lv2:designation lv2:freeWheeling ;
        lv2:portProperty lv2:toggled , pp:notOnGUI ;
        lv2:default 0.0 ;
        lv2:minimum 0.0 ;
        lv2:maximum 1.0
    ]""",
    ]
    return f"""\
# Written by `python -m plugin_host.daw_plugin.header` from what the engine declares; not by hand.

@prefix bufs: <http://lv2plug.in/ns/ext/buf-size#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix opts: <http://lv2plug.in/ns/ext/options#> .
@prefix pg: <http://lv2plug.in/ns/ext/port-groups#> .
@prefix pp: <http://lv2plug.in/ns/ext/port-props#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix urid: <http://lv2plug.in/ns/ext/urid#> .
{groups}
<{URI}>
    a lv2:Plugin , lv2:SpectralPlugin ;
    doap:name "Stemwire" ;
    doap:license <http://opensource.org/licenses/MIT> ;
    rdfs:comment "Separates music into stems while it plays." ;
    lv2:minorVersion 2 ;
    lv2:microVersion 0 ;
    lv2:optionalFeature lv2:hardRTCapable , urid:map , opts:options , bufs:boundedBlockLength ;
    opts:supportedOption bufs:maxBlockLength , bufs:nominalBlockLength ;
    pg:mainInput <#bus0i> ;
    pg:mainOutput <#bus0o> ;
    lv2:port
{" ,".join(chr(10) + port for port in ports).lstrip(chr(10))} .
"""


def main() -> None:
    """Writes both files."""
    (_FOLDER / "layout.hpp").write_text(layout_header(), encoding="utf-8")
    (_FOLDER / "stemwire.ttl").write_text(lv2_description(), encoding="utf-8")


if __name__ == "__main__":
    main()
