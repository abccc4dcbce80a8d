// One plugin in a host's project, whatever the host's format: parameters, and when it is switched
// on, the memory and the exchange. The faces (dpf_plugin.cpp, lv2_plugin.cpp) add only their ABI.

#pragma once

#include <atomic>
#include <memory>

#include "exchange.hpp"
#include "starter.hpp"

namespace stemwire {

constexpr int kInputs = kChannels;
constexpr int kOutputs = Exchange::kSignals;

class Instance {
public:
    Instance();  // makes no memory: hosts make instances that never play, just to look at them

    // Which rate and how many frames at once there will be; says how late the output will be.
    // Only while switched off.
    void prepare(double sample_rate, std::uint32_t max_frames) noexcept;
    std::uint32_t latency() const { return static_cast<std::uint32_t>(latency_); }

    void activate();    // makes the memory; for any thread but the audio thread
    void deactivate();  // lets go of it
    bool is_active() const { return exchange_ != nullptr; }

    void set(int parameter, float value) noexcept;  // any thread; NaN and the like are ignored
    float get(int parameter) const noexcept;

    // Any number of frames; latency holds up to what `prepare` was told. `is_offline`: the host
    // renders faster or slower than sound, and would rather wait than miss anything.
    void process(const float* const* in, float* const* out, std::uint32_t frames,
                 bool is_offline) noexcept;

private:
    int sample_rate_ = 0;
    Frames block_ = 0, latency_ = 0;
    std::atomic<float> values_[kParameterCount];
    std::unique_ptr<Segment> segment_;
    std::unique_ptr<Exchange> exchange_;
    std::unique_ptr<Starter> starter_;
};

// How many frames late the output is for a host's rate and largest block.
Frames latency_for(int sample_rate, Frames block);

}  // namespace stemwire
