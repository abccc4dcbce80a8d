// What DPF wants to know before it compiles; see plugin.cpp.

#pragma once

#include "layout.hpp"

#define DISTRHO_PLUGIN_BRAND "Stemwire"
#define DISTRHO_PLUGIN_NAME "Stemwire"
#define DISTRHO_PLUGIN_URI "urn:stemwire:separator"
#define DISTRHO_PLUGIN_CLAP_ID "stemwire.separator"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "utility", "stereo"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Tools|Stereo"

#define DISTRHO_PLUGIN_NUM_INPUTS 2
#define DISTRHO_PLUGIN_NUM_OUTPUTS 18
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_WANT_LATENCY 1
#define DISTRHO_PLUGIN_WANT_STATE 1  // has none, but its CLAP saves the parameters only with it
