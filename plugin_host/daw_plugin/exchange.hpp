// The host's end of the shared memory: what the audio thread calls, and all that it calls.
//
//     block --> input ring --> (engines) --> output rings --> mix and stems
//          `--> delay of the whole latency --> the mixture, where the engine's output is missing
//
// The counterpart of engine/worker/exchange.py, which explains the crossfades; here, too:
//
//     heard[i] = new[i] + (last heard - new[-1]) * fade[i]
//
// Nothing in here allocates, locks, or touches a file. The one system call is the futex that wakes
// a waiting engine; an offline render, which has time, also sleeps on one.

#pragma once

#include <cstdint>
#include <vector>

#include "segment.hpp"

namespace stemwire {

// A position in the stream, or a count of frames; signed, because output begins before frame 0.
using Frames = std::int64_t;

class Exchange {
public:
    static constexpr int kSignals = kRows * kChannels;  // the mix's channels, then each stem's

    // Allocates. `may_start`: a server may still be on its way, so an offline render waits for it.
    Exchange(Segment& segment, Frames latency, bool may_start);

    // Takes one block and fills one of each output.
    //
    //   in      kChannels pointers. Samples that are not finite, or beyond kMaxLevel, count as 0.
    //   out     kSignals pointers; null for those that nobody listens to. May be the same memory
    //           as `in`.
    //   frames  1 to the segment's block.
    //   wait    whether the host has time: then every block is waited for, within reason.
    void process(const float* const* in, float* const* out, Frames frames, bool wait) noexcept;

    // What the engine is doing: a value of `state`, or kStateUnavailable. Any thread.
    int status() const { return status_.load(std::memory_order_relaxed); }
    std::int64_t underruns() const;

private:
    static constexpr int kMixture = -1;  // what plays where no engine's output does

    using Word = std::atomic<std::int64_t>;
    Word& engine_at(int slot, int word) const { return segment_.word(engine_word(slot) + word); }
    void count_up(int word, std::int64_t by = 1) noexcept;

    void take(const float* const* in, Frames frames) noexcept;
    void hand_over(Frames frames, bool wait) noexcept;
    bool delivers(int slot, Frames start, Frames frames) const noexcept;
    int deliverer(Frames start, Frames frames) const noexcept;
    int await(Frames start, Frames frames) noexcept;
    void await_begin() noexcept;
    bool is_worth_waiting(std::int64_t since) noexcept;
    int wished_slot() const noexcept;
    void nap(int slot, std::int64_t seen) noexcept;
    bool fill(int slot, Frames start, Frames frames, std::vector<float>& heard) noexcept;
    void fill_with_mixture(Frames frames, std::vector<float>& heard) noexcept;
    void smooth(int source, Frames start, Frames frames) noexcept;
    bool old_goes_on(Frames start, Frames frames) const noexcept;
    void take_offset(int source, Frames start) noexcept;
    void watch(Frames frames) noexcept;
    float fallback_gain() const noexcept;
    bool is_sound(const std::vector<float>& audio, Frames frames) const noexcept;

    // Copies between a ring and the first `frames` of every signal of a block.
    void write_ring(float* ring, Frames size, Frames position, Frames frames) noexcept;
    static void read_ring(const float* ring, Frames size, Frames position, Frames frames,
                          int signals, float* block, Frames stride) noexcept;

    Segment& segment_;
    const Frames latency_, block_, in_frames_, out_frames_;
    const double sample_rate_;

    // Blocks: each signal is `block_` frames after the one before it.
    std::vector<float> clean_, mixture_, heard_, old_;
    std::vector<float> past_;  // our own copy of the input: what is shared, others may write to
    float last_[kSignals] = {}, offset_[kSignals] = {}, mixture_before_[kChannels] = {};
    float fade_[kFadeFrames];
    float gain_;

    Frames position_ = 0;
    int source_ = 0;
    static constexpr int kOffset = -2;  // what fades out is no source any more, but the offset
    int fading_from_ = kOffset;
    Frames fade_left_ = 0;

    const bool may_start_;
    static constexpr std::int64_t kNobody = -1;
    std::int64_t gave_up_on_ = kNobody;  // the server for which a render has waited in vain
    std::uint64_t beats_ = 0;
    Frames frames_since_beat_ = 0;
    std::atomic<int> status_{state::ALONE};
};

}  // namespace stemwire
