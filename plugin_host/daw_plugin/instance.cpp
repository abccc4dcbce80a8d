#include "instance.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

namespace stemwire {

namespace {

// Where an engine is late by several blocks, its output still finds room in the ring.
constexpr Frames kRoom = 1024;

Frames model_latency(int sample_rate) {
    double longest = 0;
    for (const Latency& known : kLatencies) {
        if (known.sample_rate == sample_rate) return known.frames;
        longest = std::max(longest, static_cast<double>(known.frames) / known.sample_rate);
    }
    return static_cast<Frames>(std::ceil(longest * sample_rate)) + kQuantum;  // odd ratios
}

}  // namespace

// The engine steps by kQuantum, and the host may hand over any number of frames up to its block:
// then the last frame that a step waits for comes so much later.
Frames latency_for(int sample_rate, Frames block) {
    return model_latency(sample_rate) + (kQuantum - 1) + block;
}

Instance::Instance() {
    for (int i = 0; i < kParameterCount; ++i) values_[i] = kParameters[i].initial;
}

void Instance::prepare(double sample_rate, std::uint32_t max_frames) noexcept {
    const double rate = std::min(std::max(sample_rate, 1.0), 1e6);  // a NaN becomes 1
    sample_rate_ = static_cast<int>(std::lround(rate));
    block_ = std::min<Frames>(std::max<Frames>(max_frames, 1), kMaxBlock);
    latency_ = latency_for(sample_rate_, block_);
}

void Instance::activate() {
    deactivate();
    const bool can_be_served = kMinRate <= sample_rate_ && sample_rate_ <= kMaxRate;
    // The engine takes whole steps, and no more of them at once than fit into a block.
    const Frames whole = (block_ + kQuantum - 1) / kQuantum * kQuantum;
    const Layout layout{sample_rate_, whole, latency_ + kRoom};
    try {
        segment_ = std::make_unique<Segment>(layout, can_be_served);
        segment_->word(constant::LATENCY) = latency_;
        for (int i = 0; i < kParameterCount; ++i) {
            const int slot = kParameters[i].slot;
            if (slot >= 0) segment_->control(slot) = values_[i].load();
        }
        starter_ = std::make_unique<Starter>(segment_->word(wish::SERVER));
        exchange_ = std::make_unique<Exchange>(*segment_, latency_, starter_->may_start());
        if (segment_->is_shared()) {
            segment_->publish();
            starter_->begin();
        }
    } catch (const std::exception&) {  // no memory: silence is all that is left to play
        deactivate();
    }
}

void Instance::deactivate() {
    starter_.reset();  // it looks at the memory
    exchange_.reset();
    segment_.reset();
}

void Instance::set(int parameter, float value) noexcept {
    if (parameter < 0 || parameter >= kParameterCount) return;
    const Parameter& about = kParameters[parameter];
    if (about.slot < 0 || std::isnan(value)) return;
    value = std::min(std::max(value, about.minimum), about.maximum);
    if (about.kind == Kind::Switch) value = value >= 0.5F ? 1.0F : 0.0F;
    // Only what is new goes to the table: others turn its knobs as well, and the last one wins.
    if (values_[parameter].exchange(value) == value) return;
    if (segment_) segment_->control(about.slot).store(value, std::memory_order_relaxed);
}

float Instance::get(int parameter) const noexcept {
    if (parameter < 0 || parameter >= kParameterCount) return 0.0F;
    if (parameter != kStatus && parameter != kUnderruns) return values_[parameter];
    if (!exchange_) return 0.0F;
    if (parameter == kStatus) return static_cast<float>(exchange_->status());
    const auto most = static_cast<std::int64_t>(kParameters[kUnderruns].maximum);
    return static_cast<float>(std::min(std::max<std::int64_t>(exchange_->underruns(), 0), most));
}

void Instance::process(const float* const* in, float* const* out, std::uint32_t frames,
                       bool is_offline) noexcept {
    if (!exchange_) {  // switched off, or there was no memory at all
        for (int signal = 0; signal < kOutputs; ++signal) {
            if (out[signal] != nullptr) std::fill_n(out[signal], frames, 0.0F);
        }
        return;
    }
    const float* from[kInputs];
    float* to[kOutputs];
    for (Frames done = 0; done < frames;) {
        const Frames now = std::min<Frames>(frames - done, block_);
        for (int i = 0; i < kInputs; ++i) from[i] = in[i] + done;
        for (int i = 0; i < kOutputs; ++i) to[i] = out[i] != nullptr ? out[i] + done : nullptr;
        exchange_->process(from, to, now, is_offline);
        done += now;
    }
}

}  // namespace stemwire
