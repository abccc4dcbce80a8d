// The plugin's LV2 face, by hand: DPF's demands options of its host, and some hosts have none.
// Ports are those of stemwire.ttl, which is written from the same declarations.

#include <cstring>

#include "instance.hpp"
#include "lv2/buf-size.h"
#include "lv2/lv2.h"
#include "lv2/options.h"
#include "lv2/urid.h"

namespace {

using stemwire::Instance;

constexpr std::uint32_t kDefaultBlock = 1024;  // for hosts that do not say; more comes in pieces
constexpr int kFirstControl = stemwire::kInputs + stemwire::kOutputs;
constexpr int kLatencyPort = kFirstControl + stemwire::kParameterCount;
constexpr int kFreewheelPort = kLatencyPort + 1;
constexpr int kPorts = kFreewheelPort + 1;

struct Plugin {
    Instance instance;
    float* ports[kPorts] = {};
};

// Returns how many frames the host usually hands over at once, or at most if it does not say that;
// 0 if it says nothing. Some announce a maximum that is sixteen times what they ever do in real time.
std::uint32_t announced_block(const LV2_Feature* const* features) {
    const LV2_URID_Map* map = nullptr;
    const LV2_Options_Option* options = nullptr;
    for (; features != nullptr && *features != nullptr; ++features) {
        if (std::strcmp((*features)->URI, LV2_URID__map) == 0) {
            map = static_cast<const LV2_URID_Map*>((*features)->data);
        } else if (std::strcmp((*features)->URI, LV2_OPTIONS__options) == 0) {
            options = static_cast<const LV2_Options_Option*>((*features)->data);
        }
    }
    if (map == nullptr || options == nullptr) return 0;
    const LV2_URID usual = map->map(map->handle, LV2_BUF_SIZE__nominalBlockLength);
    const LV2_URID most = map->map(map->handle, LV2_BUF_SIZE__maxBlockLength);
    std::int32_t found = 0;
    for (; options->key != 0; ++options) {
        if (options->size != sizeof(std::int32_t)) continue;
        const auto block = *static_cast<const std::int32_t*>(options->value);
        if (options->key == usual && block > 0) return static_cast<std::uint32_t>(block);
        if (options->key == most) found = block;
    }
    return found > 0 ? static_cast<std::uint32_t>(found) : 0;
}

LV2_Handle instantiate(const LV2_Descriptor*, double sample_rate, const char*,
                       const LV2_Feature* const* features) {
    auto* plugin = new Plugin;
    const std::uint32_t block = announced_block(features);
    plugin->instance.prepare(sample_rate, block != 0 ? block : kDefaultBlock);
    return plugin;
}

void connect_port(LV2_Handle handle, std::uint32_t port, void* data) {
    if (port < kPorts) static_cast<Plugin*>(handle)->ports[port] = static_cast<float*>(data);
}

void activate(LV2_Handle handle) { static_cast<Plugin*>(handle)->instance.activate(); }

void run(LV2_Handle handle, std::uint32_t frames) {
    auto& [instance, ports] = *static_cast<Plugin*>(handle);
    for (int i = 0; i < stemwire::kParameterCount; ++i) {
        const float* port = ports[kFirstControl + i];
        if (port != nullptr && stemwire::kParameters[i].slot >= 0) instance.set(i, *port);
    }
    const float* freewheel = ports[kFreewheelPort];
    const bool is_offline = freewheel != nullptr && *freewheel >= 0.5F;
    if (ports[0] != nullptr && ports[1] != nullptr) {
        instance.process(ports, ports + stemwire::kInputs, frames, is_offline);
    }
    for (int i = 0; i < stemwire::kParameterCount; ++i) {
        float* port = ports[kFirstControl + i];
        if (port != nullptr && stemwire::kParameters[i].slot < 0) *port = instance.get(i);
    }
    if (ports[kLatencyPort] != nullptr) {
        *ports[kLatencyPort] = static_cast<float>(instance.latency());
    }
}

void deactivate(LV2_Handle handle) { static_cast<Plugin*>(handle)->instance.deactivate(); }

void cleanup(LV2_Handle handle) { delete static_cast<Plugin*>(handle); }

const void* extension_data(const char*) { return nullptr; }

constexpr LV2_Descriptor kDescriptor = {stemwire::kUri, instantiate, connect_port, activate,
                                        run,            deactivate,  cleanup,      extension_data};

}  // namespace

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(std::uint32_t index) {
    return index == 0 ? &kDescriptor : nullptr;
}
