// Written by `python -m plugin_host.daw_plugin.header` from what the engine declares; not by hand.

#pragma once

#include <cstdint>

namespace stemwire {

constexpr std::int64_t kMagic = 4995135576014672979;
constexpr int kVersion = 1;
constexpr int kSlots = 2;
constexpr std::int64_t kNowhere = 4611686018427387904;
constexpr int kMaxShareBlocks = 16;

constexpr int kStems = 8;
constexpr int kRows = 1 + kStems;
constexpr int kChannels = 2;
constexpr int kControls = 36;
constexpr int kQuantum = 64;
constexpr int kMaxBlock = 8192;
constexpr int kMinRate = 22050;
constexpr int kMaxRate = 192000;
constexpr int kFadeFrames = 64;
constexpr float kMaxLevel = 1000000.0F;
constexpr double kRampSeconds = 0.01;

// Words of the header, each of 8 bytes.
namespace constant {
constexpr int MAGIC = 0;
constexpr int VERSION = 1;
constexpr int BYTES = 2;
constexpr int SAMPLE_RATE = 3;
constexpr int BLOCK_SIZE = 4;
constexpr int CHANNELS = 5;
constexpr int STEMS = 6;
constexpr int CONTROLS = 7;
constexpr int IN_FRAMES = 8;
constexpr int OUT_FRAMES = 9;
constexpr int LATENCY = 10;
constexpr int IS_DIRECT = 11;
constexpr int IS_FIXED = 12;
constexpr int QUANTUM = 13;
constexpr int IS_GUEST = 14;
}  // namespace constant

namespace host {
constexpr int IN_END = 16;
constexpr int POSTED_NS = 17;
constexpr int BELL = 18;
constexpr int IS_PATIENT = 19;
constexpr int PLAYING = 20;
constexpr int BLOCKS = 21;
constexpr int UNDERRUNS = 22;
constexpr int NONFINITE = 23;
constexpr int IS_WAITING = 24;
}  // namespace host

namespace wish {
constexpr int SLOT = 32;
constexpr int SERVER = 33;
constexpr int STATE = 34;
}  // namespace wish

namespace engine {
constexpr int OUT_FROM = 0;
constexpr int OUT_END = 1;
constexpr int BELL = 2;
constexpr int IS_WAITING = 3;
constexpr int BEAT = 4;
}  // namespace engine

constexpr int engine_word(int slot) { return 40 + 24 * slot; }

namespace state {
constexpr int ALONE = 0;
constexpr int LOADING = 1;
constexpr int PLAYING = 2;
constexpr int REFUSED = 3;
constexpr int RESTARTING = 4;
}  // namespace state

constexpr int kStateUnavailable = 5;  // there is no shared memory

// Bytes where parts begin whose place does not depend on the host.
constexpr std::int64_t kControlsAt = 4608;
constexpr std::int64_t kInputAt = 201920;

// Frames that the bundled model takes, with blocks of kQuantum: at usual rates, and at any other
// as long as the longest of these lasts.
struct Latency { int sample_rate, frames; };
constexpr Latency kLatencies[] = {
    {22050, 96},
    {32000, 156},
    {44100, 64},
    {48000, 207},
    {88200, 320},
    {96000, 415},
    {176400, 704},
    {192000, 832},
};

// Layouts as the engine has them, to be compared with ours when this is compiled.
struct Example {
    std::int64_t sample_rate, block, latency, in_frames, out_frames;
    std::int64_t output_0, output_1, bytes;
};
constexpr Example kExamples[] = {
    {44100, 512, 700, 262144, 16384, 2299072, 3478720, 4658368},
    {48000, 8192, 9000, 262144, 262144, 2299072, 21173440, 40047808},
    {22050, 1, 160, 131072, 1024, 1250496, 1324224, 1397952},
};

constexpr const char* kStemNames[kStems] = {
    "Drums",
    "Bass",
    "Piano",
    "Strings",
    "Other",
    "Stem 6",
    "Stem 7",
    "Stem 8",
};

// Slots of controls that the plugin itself obeys.
constexpr int kMasterGain = 32;
constexpr int kBypass = 33;
constexpr int kPanic = 34;
enum class Kind { Value, Switch, Output };

struct Parameter {
    const char *symbol, *name;
    int slot;  // in the table of controls, -1: what the plugin says of itself
    int stem;  // -1: none
    float minimum, maximum, initial;
    Kind kind;
    const char* meaning;
};

// Known to projects by their number: new ones go to the end.
constexpr Parameter kParameters[] = {
    {"drums_gain", "Drums gain", 0, 0, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Drums is in the mix."},
    {"drums_mute", "Drums mute", 1, 0, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Drums, even while it is soloed."},
    {"drums_solo", "Drums solo", 2, 0, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Drums."},
    {"drums_pan", "Drums pan", 3, 0, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Drums: -1 is left, 1 is right."},
    {"bass_gain", "Bass gain", 4, 1, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Bass is in the mix."},
    {"bass_mute", "Bass mute", 5, 1, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Bass, even while it is soloed."},
    {"bass_solo", "Bass solo", 6, 1, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Bass."},
    {"bass_pan", "Bass pan", 7, 1, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Bass: -1 is left, 1 is right."},
    {"piano_gain", "Piano gain", 8, 2, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Piano is in the mix."},
    {"piano_mute", "Piano mute", 9, 2, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Piano, even while it is soloed."},
    {"piano_solo", "Piano solo", 10, 2, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Piano."},
    {"piano_pan", "Piano pan", 11, 2, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Piano: -1 is left, 1 is right."},
    {"strings_gain", "Strings gain", 12, 3, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Strings is in the mix."},
    {"strings_mute", "Strings mute", 13, 3, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Strings, even while it is soloed."},
    {"strings_solo", "Strings solo", 14, 3, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Strings."},
    {"strings_pan", "Strings pan", 15, 3, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Strings: -1 is left, 1 is right."},
    {"other_gain", "Other gain", 16, 4, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Other is in the mix."},
    {"other_mute", "Other mute", 17, 4, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Other, even while it is soloed."},
    {"other_solo", "Other solo", 18, 4, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Other."},
    {"other_pan", "Other pan", 19, 4, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Other: -1 is left, 1 is right."},
    {"stem_6_gain", "Stem 6 gain", 20, 5, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Stem 6 is in the mix."},
    {"stem_6_mute", "Stem 6 mute", 21, 5, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Stem 6, even while it is soloed."},
    {"stem_6_solo", "Stem 6 solo", 22, 5, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Stem 6."},
    {"stem_6_pan", "Stem 6 pan", 23, 5, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Stem 6: -1 is left, 1 is right."},
    {"stem_7_gain", "Stem 7 gain", 24, 6, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Stem 7 is in the mix."},
    {"stem_7_mute", "Stem 7 mute", 25, 6, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Stem 7, even while it is soloed."},
    {"stem_7_solo", "Stem 7 solo", 26, 6, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Stem 7."},
    {"stem_7_pan", "Stem 7 pan", 27, 6, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Stem 7: -1 is left, 1 is right."},
    {"stem_8_gain", "Stem 8 gain", 28, 7, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud Stem 8 is in the mix."},
    {"stem_8_mute", "Stem 8 mute", 29, 7, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences Stem 8, even while it is soloed."},
    {"stem_8_solo", "Stem 8 solo", 30, 7, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences every stem that is not soloed, but not Stem 8."},
    {"stem_8_pan", "Stem 8 pan", 31, 7, -1.0F, 1.0F, 0.0F, Kind::Value,
     "Balance of Stem 8: -1 is left, 1 is right."},
    {"master_gain", "Master gain", 32, -1, 0.0F, 4.0F, 1.0F, Kind::Value,
     "How loud the mix is."},
    {"bypass", "Bypass", 33, -1, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Plays the input as it came, just as late as the mix, and all stems at 1."},
    {"panic", "Panic", 34, -1, 0.0F, 1.0F, 0.0F, Kind::Switch,
     "Silences everything."},
    {"status", "Status", -1, -1, 0.0F, 5.0F, 0.0F, Kind::Output,
     "What the engine behind the plugin is doing."},
    {"underruns", "Underruns", -1, -1, 0.0F, 1000000.0F, 0.0F, Kind::Output,
     "Blocks that the engine did not deliver in time since the plugin was switched on."},
};
constexpr int kParameterCount = sizeof(kParameters) / sizeof(kParameters[0]);
constexpr int kStatus = kParameterCount - 2, kUnderruns = kParameterCount - 1;

constexpr const char* kStateNames[] = {
    "No server",
    "Loading",
    "Playing",
    "Latency too small",
    "Restarting",
    "Unavailable",
};

constexpr const char* kUri = "urn:stemwire:separator";

}  // namespace stemwire
