// A CLAP host for tests: plays a file of samples through the plugin, in blocks of any sizes.
//
//   clap_host PLUGIN IN OUT [--max 512] [--blocks 64,1,300] [--rate 44100] [--offline] [--paced]
//             [--set id=value]... [--load-state FILE] [--save-state FILE] [--no-latency]
//             [--passes N] [--main-bus]
//
// IN holds float32 stereo frames; OUT gets all buses of each frame, side by side. What it saw goes
// to stdout as JSON. The audio thread calls getppid() before its first block and after its last,
// so that whoever traces it knows where to look.

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "clap/entry.h"
#include "clap/ext/audio-ports.h"
#include "clap/ext/latency.h"
#include "clap/ext/params.h"
#include "clap/ext/state.h"
#include "clap/plugin-factory.h"

namespace {

#ifdef _WIN32
void* open_library(const char* path) { return reinterpret_cast<void*>(LoadLibraryA(path)); }
const void* find(void* library, const char* name) {
    const auto found = GetProcAddress(static_cast<HMODULE>(library), name);
    return reinterpret_cast<const void*>(found);
}
void mark() {}
long own_pid() { return static_cast<long>(GetCurrentProcessId()); }
#else
void* open_library(const char* path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
const void* find(void* library, const char* name) { return dlsym(library, name); }
void mark() { getppid(); }
long own_pid() { return getpid(); }
#endif

struct Render {  // clap/ext/render.h
    bool (*has_hard_realtime_requirement)(const clap_plugin_t*);
    bool (*set)(const clap_plugin_t*, int32_t mode);
};

struct Options {
    std::string plugin, in, out, load_state, save_state;
    std::vector<uint32_t> blocks;
    std::vector<std::pair<uint32_t, double>> values;
    double rate = 44100;
    uint32_t max = 512;
    int passes = 1;
    bool is_offline = false, is_paced = false, has_latency = true, main_bus_only = false;
};

int latency_calls = 0, restart_calls = 0;
bool answers_latency = true;

const clap_host_latency_t kHostLatency = {[](const clap_host_t*) { ++latency_calls; }};

const void* host_extension(const clap_host_t*, const char* id) {
    return answers_latency && std::strcmp(id, CLAP_EXT_LATENCY) == 0 ? &kHostLatency : nullptr;
}

const clap_host_t kHost = {CLAP_VERSION,
                           nullptr,
                           "test host",
                           "",
                           "",
                           "1",
                           host_extension,
                           [](const clap_host_t*) { ++restart_calls; },
                           [](const clap_host_t*) {},
                           [](const clap_host_t*) {}};

[[noreturn]] void fail(const std::string& what) {
    std::cerr << what << std::endl;
    std::exit(1);
}

Options parse(int count, char** words) {
    if (count < 4) fail("too few arguments");
    Options options;
    options.plugin = words[1];
    options.in = words[2];
    options.out = words[3];
    for (int i = 4; i < count; ++i) {
        const std::string word = words[i];
        const auto next = [&] { return std::string(i + 1 < count ? words[++i] : ""); };
        if (word == "--offline") options.is_offline = true;
        else if (word == "--paced") options.is_paced = true;
        else if (word == "--no-latency") options.has_latency = false;
        else if (word == "--main-bus") options.main_bus_only = true;
        else if (word == "--max") options.max = static_cast<uint32_t>(std::stoul(next()));
        else if (word == "--rate") options.rate = std::stod(next());
        else if (word == "--passes") options.passes = std::stoi(next());
        else if (word == "--load-state") options.load_state = next();
        else if (word == "--save-state") options.save_state = next();
        else if (word == "--set") {
            const std::string pair = next();
            const auto equals = pair.find('=');
            options.values.emplace_back(std::stoul(pair), std::stod(pair.substr(equals + 1)));
        } else if (word == "--blocks") {
            std::string list = next();
            for (char* part = std::strtok(&list[0], ","); part; part = std::strtok(nullptr, ",")) {
                options.blocks.push_back(static_cast<uint32_t>(std::stoul(part)));
            }
        } else fail("unknown option " + word);
    }
    if (options.blocks.empty()) options.blocks.push_back(options.max);
    return options;
}

// What goes to the plugin before a block, and what came from it.
struct Events {
    std::vector<clap_event_param_value_t> in;
    std::map<uint32_t, double> out;
};

uint32_t events_size(const clap_input_events_t* list) {
    return static_cast<uint32_t>(static_cast<Events*>(list->ctx)->in.size());
}
const clap_event_header_t* events_get(const clap_input_events_t* list, uint32_t index) {
    return &static_cast<Events*>(list->ctx)->in[index].header;
}
bool events_push(const clap_output_events_t* list, const clap_event_header_t* event) {
    if (event->type == CLAP_EVENT_PARAM_VALUE) {
        const auto* value = reinterpret_cast<const clap_event_param_value_t*>(event);
        static_cast<Events*>(list->ctx)->out[value->param_id] = value->value;
    }
    return true;
}

void play(const clap_plugin_t* plugin, const Options& options, const std::vector<float>& in,
          std::vector<float>& out, uint32_t buses, Events& events) {
    const size_t frames = in.size() / 2;
    std::vector<std::vector<float>> memory(2 + 2 * buses, std::vector<float>(options.max));
    std::vector<float*> pointers;
    for (auto& channel : memory) pointers.push_back(channel.data());
    clap_audio_buffer_t from = {};
    from.data32 = pointers.data();
    from.channel_count = 2;
    std::vector<clap_audio_buffer_t> to(options.main_bus_only ? 1 : buses);
    for (size_t bus = 0; bus < to.size(); ++bus) {
        to[bus] = {};
        to[bus].data32 = pointers.data() + 2 + 2 * bus;
        to[bus].channel_count = 2;
    }
    const clap_input_events_t event_in = {&events, events_size, events_get};
    const clap_output_events_t event_out = {&events, events_push};
    clap_process_t process = {};
    process.audio_inputs = &from;
    process.audio_inputs_count = 1;
    process.audio_outputs = to.data();
    process.audio_outputs_count = static_cast<uint32_t>(to.size());
    process.in_events = &event_in;
    process.out_events = &event_out;
    plugin->start_processing(plugin);
    const auto begin = std::chrono::steady_clock::now();
    mark();
    size_t number = 0;
    for (size_t position = 0; position < frames; ++number) {
        const uint32_t wanted = options.blocks[number % options.blocks.size()];
        const auto block = static_cast<uint32_t>(std::min<size_t>(wanted, frames - position));
        for (uint32_t i = 0; i < block; ++i) {
            memory[0][i] = in[2 * (position + i)];
            memory[1][i] = in[2 * (position + i) + 1];
        }
        process.frames_count = block;
        process.steady_time = static_cast<int64_t>(position);
        if (plugin->process(plugin, &process) == CLAP_PROCESS_ERROR) fail("process failed");
        events.in.clear();
        for (uint32_t i = 0; i < block; ++i) {
            for (uint32_t channel = 0; channel < 2 * buses; ++channel) {
                out[(position + i) * 2 * buses + channel] = memory[2 + channel][i];
            }
        }
        position += block;
        if (options.is_paced) {
            std::this_thread::sleep_until(
                begin + std::chrono::duration<double>(static_cast<double>(position) / options.rate));
        }
    }
    mark();
    plugin->stop_processing(plugin);
}

// Streams that take and give a few bytes at a time, as hosts may.
int64_t write_some(const clap_ostream_t* stream, const void* data, uint64_t size) {
    const uint64_t some = std::min<uint64_t>(size, 7);
    static_cast<std::string*>(stream->ctx)->append(static_cast<const char*>(data), some);
    return static_cast<int64_t>(some);
}
int64_t read_some(const clap_istream_t* stream, void* data, uint64_t size) {
    auto* text = static_cast<std::string*>(stream->ctx);
    const size_t some = std::min<size_t>({static_cast<size_t>(size), text->size(), 5});
    std::memcpy(data, text->data(), some);
    text->erase(0, some);
    return static_cast<int64_t>(some);
}

template <class T>
std::vector<T> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

}  // namespace

int main(int count, char** words) {
    const Options options = parse(count, words);
    answers_latency = options.has_latency;
    void* library = open_library(options.plugin.c_str());
    if (library == nullptr) fail("the library cannot be loaded");
    const auto* entry = static_cast<const clap_plugin_entry_t*>(find(library, "clap_entry"));
    if (entry == nullptr || !entry->init(options.plugin.c_str())) fail("no entry");
    const auto* factory = static_cast<const clap_plugin_factory_t*>(
        entry->get_factory(CLAP_PLUGIN_FACTORY_ID));
    const auto* about = factory->get_plugin_descriptor(factory, 0);
    const clap_plugin_t* plugin = factory->create_plugin(factory, &kHost, about->id);
    if (plugin == nullptr || !plugin->init(plugin)) fail("no plugin");
    const auto* ports = static_cast<const clap_plugin_audio_ports_t*>(
        plugin->get_extension(plugin, CLAP_EXT_AUDIO_PORTS));
    const auto* params = static_cast<const clap_plugin_params_t*>(
        plugin->get_extension(plugin, CLAP_EXT_PARAMS));
    const auto* state = static_cast<const clap_plugin_state_t*>(
        plugin->get_extension(plugin, CLAP_EXT_STATE));
    const auto* latency = static_cast<const clap_plugin_latency_t*>(
        plugin->get_extension(plugin, CLAP_EXT_LATENCY));
    const auto* render = static_cast<const Render*>(plugin->get_extension(plugin, "clap.render"));
    const uint32_t buses = ports->count(plugin, false);
    std::string json = "{\"pid\": " + std::to_string(own_pid()) + ", \"ports\": [";
    for (uint32_t bus = 0; bus < buses; ++bus) {
        clap_audio_port_info_t info;
        ports->get(plugin, bus, false, &info);
        json += std::string(bus ? ", " : "") + "[\"" + info.name + "\", " +
                std::to_string(info.channel_count) + ", \"" +
                (info.port_type ? info.port_type : "") + "\"]";
    }
    json += "]";
    if (!options.load_state.empty()) {
        const auto bytes = read_file<char>(options.load_state);
        std::string text(bytes.begin(), bytes.end());
        const clap_istream_t stream = {&text, read_some};
        if (!state->load(plugin, &stream)) fail("state is not loaded");
    }
    render->set(plugin, options.is_offline ? 1 : 0);
    const std::vector<float> in = read_file<float>(options.in);
    std::vector<float> out(in.size() * buses);
    Events events;
    for (const auto& [id, value] : options.values) {
        clap_event_param_value_t event = {};
        event.header.size = sizeof(event);
        event.header.type = CLAP_EVENT_PARAM_VALUE;
        event.param_id = id;
        event.value = value;
        events.in.push_back(event);
    }
    for (int pass = 0; pass < options.passes; ++pass) {
        if (!plugin->activate(plugin, options.rate, 1, options.max)) fail("not activated");
        std::thread(
            [&] { play(plugin, options, in, out, buses, events); }).join();
        json += pass == 0 ? ", \"latency\": " + std::to_string(latency->get(plugin)) : "";
        double status = 0, underruns = 0;
        const uint32_t last = params->count(plugin) - 1;
        params->get_value(plugin, last - 1, &status);
        params->get_value(plugin, last, &underruns);
        if (pass == 0) {
            json += ", \"status\": " + std::to_string(static_cast<int>(status)) +
                    ", \"underruns\": " + std::to_string(static_cast<int>(underruns)) +
                    ", \"reported_status\": " + std::to_string(static_cast<int>(events.out[last - 1]));
        }
        plugin->deactivate(plugin);
    }
    if (!options.save_state.empty()) {
        std::string text;
        const clap_ostream_t stream = {&text, write_some};
        if (!state->save(plugin, &stream)) fail("state is not saved");
        std::ofstream(options.save_state, std::ios::binary) << text;
    }
    json += ", \"values\": [";
    for (uint32_t id = 0; id < params->count(plugin); ++id) {
        double value = 0;
        params->get_value(plugin, id, &value);
        json += (id ? ", " : "") + std::to_string(value);
    }
    json += "], \"names\": [";
    for (uint32_t id = 0; id < params->count(plugin); ++id) {
        clap_param_info_t info;
        params->get_info(plugin, id, &info);
        json += std::string(id ? ", " : "") + "\"" + info.name + "\"";
    }
    std::cout << json << "], \"latency_calls\": " << latency_calls
              << ", \"restart_calls\": " << restart_calls << "}" << std::endl;
    plugin->destroy(plugin);
    entry->deinit();
    std::ofstream file(options.out, std::ios::binary);
    file.write(reinterpret_cast<const char*>(out.data()),
               static_cast<std::streamsize>(out.size() * sizeof(float)));
    return 0;
}
