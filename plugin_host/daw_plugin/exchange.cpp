#include "exchange.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

namespace stemwire {

namespace {

constexpr double kPatience = 30.0;     // seconds: an offline render waits so long for a block
constexpr double kGrace = 2.0;         // and so long for a server that nobody has promised
constexpr double kLookAgain = 0.05;    // after which it looks whether there is any point
constexpr double kSignOfLife = 1.5;    // an engine beats at least 20 times a second
constexpr std::int64_t kLargestCount = INT64_MAX;

static_assert(kParameters[kMasterGain].slot == kMasterGain);

std::int64_t now_ns() {
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

Frames modulo(Frames position, Frames size) { return position & (size - 1); }  // a power of two

}  // namespace

Exchange::Exchange(Segment& segment, Frames latency, bool may_start)
    : segment_(segment),
      latency_(latency),
      block_(segment.layout.block),
      in_frames_(segment.layout.in_frames()),
      out_frames_(segment.layout.out_frames()),
      sample_rate_(static_cast<double>(segment.layout.sample_rate)),
      clean_(static_cast<std::size_t>(kChannels * block_)),
      mixture_(static_cast<std::size_t>(kChannels * block_)),
      heard_(static_cast<std::size_t>(kSignals * block_)),
      old_(static_cast<std::size_t>(kSignals * block_)),
      past_(static_cast<std::size_t>(kChannels * out_frames_)),
      may_start_(may_start) {
    for (int i = 0; i < kFadeFrames; ++i) {
        fade_[i] = static_cast<float>(1.0 - (i + 1) / static_cast<double>(kFadeFrames + 1));
    }
    gain_ = fallback_gain();
    if (!segment.is_shared()) status_ = kStateUnavailable;
}

std::int64_t Exchange::underruns() const {
    return segment_.word(host::UNDERRUNS).load(std::memory_order_relaxed);
}

void Exchange::process(const float* const* in, float* const* out, Frames frames,
                       bool wait) noexcept {
    if (wait && position_ == 0) await_begin();
    take(in, frames);
    hand_over(frames, wait);
    const Frames wanted = position_ - latency_;
    write_ring(past_.data(), out_frames_, position_, frames);
    read_ring(past_.data(), out_frames_, wanted, frames, kChannels, mixture_.data(), block_);
    int source = wait ? await(wanted, frames) : deliverer(wanted, frames);
    if (source_ != kMixture && fade_left_ == 0) gain_ = fallback_gain();  // unheard: no ramp
    if (source == kMixture || !fill(source, wanted, frames, heard_)) {
        source = kMixture;
        fill_with_mixture(frames, heard_);
        if (wanted + frames <= 0) {
            source = source_;  // the stream is younger than its latency: nothing is late
        } else {
            count_up(host::UNDERRUNS);
        }
    }
    smooth(source, wanted, frames);
    for (int signal = 0; signal < kSignals; ++signal) {
        const float* heard = heard_.data() + signal * block_;
        last_[signal] = heard[frames - 1];
        if (out[signal] != nullptr) {
            std::memcpy(out[signal], heard, sizeof(float) * static_cast<std::size_t>(frames));
        }
    }
    for (int channel = 0; channel < kChannels; ++channel) {
        mixture_before_[channel] = mixture_[static_cast<std::size_t>(channel * block_ + frames - 1)];
    }
    position_ += frames;
    count_up(host::BLOCKS);
    watch(frames);
}

// ---- input --------------------------------------------------------------------------------------

void Exchange::take(const float* const* in, Frames frames) noexcept {
    Frames bad = 0;
    for (int channel = 0; channel < kChannels; ++channel) {
        float* clean = clean_.data() + channel * block_;
        for (Frames i = 0; i < frames; ++i) {
            const bool is_good = std::fabs(in[channel][i]) <= kMaxLevel;  // false for a NaN
            clean[i] = is_good ? in[channel][i] : 0.0F;
            bad += is_good ? 0 : 1;
        }
    }
    if (bad != 0) count_up(host::NONFINITE, bad);
}

void Exchange::hand_over(Frames frames, bool wait) noexcept {
    write_ring(segment_.input(), in_frames_, position_, frames);
    // Patience comes before the data, or the engine might skip what it takes for late.
    segment_.word(host::IS_PATIENT).store(wait ? 1 : 0, std::memory_order_relaxed);
    segment_.word(host::POSTED_NS).store(now_ns(), std::memory_order_relaxed);
    segment_.word(host::IN_END).store(position_ + frames, std::memory_order_release);
    Word& bell = segment_.word(host::BELL);
    bell.store((bell.load(std::memory_order_relaxed) + 1) & 0x7FFFFFFF, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (int slot = 0; slot < kSlots; ++slot) {
        if (engine_at(slot, engine::IS_WAITING).load(std::memory_order_relaxed) != 0) {
            wake(bell);
            return;
        }
    }
}

// ---- output -------------------------------------------------------------------------------------

bool Exchange::delivers(int slot, Frames start, Frames frames) const noexcept {
    const Frames end = engine_at(slot, engine::OUT_END).load(std::memory_order_acquire);
    const Frames from = engine_at(slot, engine::OUT_FROM).load(std::memory_order_acquire);
    return from <= std::max<Frames>(start, 0) && start + frames <= end;
}

int Exchange::deliverer(Frames start, Frames frames) const noexcept {
    const int first = wished_slot();
    for (const int slot : {first, 1 - first}) {
        if (delivers(slot, start, frames)) return slot;
    }
    return kMixture;
}

// Waits for somebody to deliver; returns who does, or kMixture if there is no hope of it.
int Exchange::await(Frames start, Frames frames) noexcept {
    const std::int64_t begin = now_ns();
    for (;;) {
        const int slot = wished_slot();
        const std::int64_t seen = engine_at(slot, engine::BELL).load(std::memory_order_acquire);
        const int source = deliverer(start, frames);
        if (source != kMixture) {
            gave_up_on_ = kNobody;
            return source;
        }
        if (start + frames <= 0) return kMixture;  // silence from before the stream, worth no wait
        const Frames from = engine_at(slot, engine::OUT_FROM).load(std::memory_order_relaxed);
        if (std::max<Frames>(start, 0) < from && from < kNowhere) return kMixture;  // it is past it
        if (!is_worth_waiting(begin)) return kMixture;
        nap(slot, seen);
    }
}

// A render has its first frames computed, too: it waits for an engine before it begins.
void Exchange::await_begin() noexcept {
    const std::int64_t begin = now_ns();
    for (;;) {
        const int slot = wished_slot();
        const std::int64_t seen = engine_at(slot, engine::BELL).load(std::memory_order_acquire);
        if (engine_at(slot, engine::OUT_FROM).load(std::memory_order_acquire) <= 0) return;
        if (!is_worth_waiting(begin)) return;
        nap(slot, seen);
    }
}

int Exchange::wished_slot() const noexcept {
    return segment_.word(wish::SLOT).load(std::memory_order_relaxed) == 1 ? 1 : 0;
}

void Exchange::nap(int slot, std::int64_t seen) noexcept {
    Word& waiting = segment_.word(host::IS_WAITING);
    Word& bell = engine_at(slot, engine::BELL);
    waiting.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (bell.load(std::memory_order_relaxed) == seen) sleep(bell, seen, kLookAgain);
    waiting.store(0, std::memory_order_relaxed);
}

// A render that has waited its whole patience away once does not do so again for every block,
// unless another server comes.
bool Exchange::is_worth_waiting(std::int64_t since) noexcept {
    const std::int64_t now = segment_.word(wish::STATE).load(std::memory_order_relaxed);
    const std::int64_t server = segment_.word(wish::SERVER).load(std::memory_order_relaxed);
    if (!segment_.is_shared() || now == state::REFUSED || server == gave_up_on_) return false;
    const bool is_served = server > 0 && is_alive(server);
    const double patience = is_served || may_start_ ? kPatience : kGrace;
    if (static_cast<double>(now_ns() - since) * 1e-9 < patience) return true;
    gave_up_on_ = server;
    return false;
}

bool Exchange::fill(int slot, Frames start, Frames frames, std::vector<float>& heard) noexcept {
    read_ring(segment_.output(slot), out_frames_, start, frames, kSignals, heard.data(), block_);
    return is_sound(heard, frames);
}

bool Exchange::is_sound(const std::vector<float>& audio, Frames frames) const noexcept {
    int bad = 0;
    for (int signal = 0; signal < kSignals; ++signal) {
        const float* samples = audio.data() + signal * block_;
        for (Frames i = 0; i < frames; ++i) bad |= std::fabs(samples[i]) <= kMaxLevel ? 0 : 1;
    }
    return bad == 0;
}

// What the delayed mixture is multiplied with where it takes the place of a late mix; see
// engine/mixer.py. What stands in the table is not trusted.
float Exchange::fallback_gain() const noexcept {
    const auto is_on = [this](int slot) { return segment_.control(slot).load() >= 0.5; };
    if (is_on(kPanic)) return 0.0F;
    if (is_on(kBypass)) return 1.0F;
    const double gain = segment_.control(kMasterGain).load(std::memory_order_relaxed);
    const Parameter& range = kParameters[kMasterGain];
    if (std::isnan(gain)) return range.initial;
    return std::min(std::max(static_cast<float>(gain), range.minimum), range.maximum);
}

void Exchange::fill_with_mixture(Frames frames, std::vector<float>& heard) noexcept {
    std::fill(heard.begin() + kChannels * block_, heard.end(), 0.0F);
    const float wanted = fallback_gain(), before = gain_;
    // At the pace of the mixer's ramps, so that the master fader makes no step here either.
    const auto pace = static_cast<float>(1.0 / (kRampSeconds * sample_rate_));
    const float step = wanted > before ? pace : -pace;
    for (Frames i = 0; i < frames; ++i) {
        float gain = wanted;
        if (wanted != before) {
            gain = before + static_cast<float>(i + 1) * step;
            gain = std::min(std::max(gain, std::min(wanted, before)), std::max(wanted, before));
        }
        for (int channel = 0; channel < kChannels; ++channel) {
            const auto place = static_cast<std::size_t>(channel * block_ + i);
            heard[place] = mixture_[place] * gain;
        }
        gain_ = gain;
    }
}

// ---- crossfade ----------------------------------------------------------------------------------

// Fades from what was heard to what is now to be heard.
void Exchange::smooth(int source, Frames start, Frames all_frames) noexcept {
    if (source != source_) {
        fading_from_ = fade_left_ == 0 ? source_ : kOffset;
        fade_left_ = kFadeFrames;
        take_offset(source, start);
        source_ = source;
        segment_.word(host::PLAYING).store(source, std::memory_order_relaxed);
    }
    if (fade_left_ == 0) return;
    const Frames frames = std::min(all_frames, fade_left_);
    const Frames done = kFadeFrames - fade_left_;
    if (old_goes_on(start, frames)) {
        if (fading_from_ == kMixture) {
            fill_with_mixture(frames, old_);
        } else {
            read_ring(segment_.output(fading_from_), out_frames_, start, frames, kSignals,
                      old_.data(), block_);
        }
        for (int signal = 0; signal < kSignals; ++signal) {
            const auto at = static_cast<std::size_t>(signal * block_);
            for (Frames i = 0; i < frames; ++i) {
                old_[at + static_cast<std::size_t>(i)] -= heard_[at + static_cast<std::size_t>(i)];
            }
        }
    } else {
        if (fading_from_ != kOffset) {
            fading_from_ = kOffset;
            if (done != 0) {
                take_offset(source, start);
                // The offset as seen now belongs to the weight before this block.
                for (float& offset : offset_) offset /= fade_[done - 1];
            }
        }
        for (int signal = 0; signal < kSignals; ++signal) {
            std::fill_n(old_.begin() + signal * block_, frames, offset_[signal]);
        }
    }
    if (is_sound(old_, frames)) {
        for (int signal = 0; signal < kSignals; ++signal) {
            const auto at = static_cast<std::size_t>(signal * block_);
            for (Frames i = 0; i < frames; ++i) {
                const auto place = at + static_cast<std::size_t>(i);
                heard_[place] += old_[place] * fade_[done + i];
            }
        }
    }
    fade_left_ -= frames;
}

// Whether what fades out still has frames to play.
bool Exchange::old_goes_on(Frames start, Frames frames) const noexcept {
    if (fading_from_ == kOffset) return false;
    return fading_from_ == kMixture || delivers(fading_from_, start, frames);
}

// Notes how far what was heard last is from the new source at the same frame.
void Exchange::take_offset(int source, Frames start) noexcept {
    float before[kSignals] = {};
    if (source == kMixture) {
        for (int channel = 0; channel < kChannels; ++channel) {
            before[channel] = mixture_before_[channel] * gain_;
        }
    } else if (delivers(source, start - 1, 1)) {
        read_ring(segment_.output(source), out_frames_, start - 1, 1, kSignals, before, 1);
    } else {
        for (int signal = 0; signal < kSignals; ++signal) {
            before[signal] = heard_[static_cast<std::size_t>(signal * block_)];
        }
    }
    for (int signal = 0; signal < kSignals; ++signal) {
        offset_[signal] = last_[signal] - before[signal];
    }
}

// ---- what it says of itself ---------------------------------------------------------------------

// The server says what it does; where it was killed, it says so no more, but its engine is silent.
void Exchange::watch(Frames frames) noexcept {
    if (!segment_.is_shared()) return;
    std::uint64_t beats = 0;
    for (int slot = 0; slot < kSlots; ++slot) {
        beats += static_cast<std::uint64_t>(
            engine_at(slot, engine::BEAT).load(std::memory_order_relaxed));
    }
    frames_since_beat_ = beats == beats_ ? frames_since_beat_ + frames : 0;
    beats_ = beats;
    std::int64_t now = segment_.word(wish::STATE).load(std::memory_order_relaxed);
    const bool is_silent =
        static_cast<double>(frames_since_beat_) > kSignOfLife * sample_rate_;
    if (now < state::ALONE || now > state::RESTARTING) now = state::ALONE;
    if (segment_.word(wish::SERVER).load(std::memory_order_relaxed) <= 0) now = state::ALONE;
    if (now == state::PLAYING && is_silent) now = state::ALONE;
    status_.store(static_cast<int>(now), std::memory_order_relaxed);
}

void Exchange::count_up(int number, std::int64_t by) noexcept {
    Word& word = segment_.word(number);
    const auto sum = static_cast<std::uint64_t>(word.load(std::memory_order_relaxed)) +
                     static_cast<std::uint64_t>(by);
    word.store(static_cast<std::int64_t>(sum & kLargestCount), std::memory_order_relaxed);
}

// ---- rings --------------------------------------------------------------------------------------

void Exchange::write_ring(float* ring, Frames size, Frames position, Frames frames) noexcept {
    const Frames start = modulo(position, size), first = std::min(frames, size - start);
    for (int channel = 0; channel < kChannels; ++channel) {
        const float* block = clean_.data() + channel * block_;
        std::copy_n(block, first, ring + channel * size + start);
        std::copy_n(block + first, frames - first, ring + channel * size);
    }
}

void Exchange::read_ring(const float* ring, Frames size, Frames position, Frames frames,
                         int signals, float* block, Frames stride) noexcept {
    const Frames start = modulo(position, size), first = std::min(frames, size - start);
    for (int signal = 0; signal < signals; ++signal) {
        std::copy_n(ring + signal * size + start, first, block + signal * stride);
        std::copy_n(ring + signal * size, frames - first, block + signal * stride + first);
    }
}

}  // namespace stemwire
