// The shared memory of one switched-on plugin: a file that a server finds, maps and serves.
//
// Layout and meaning are those of engine/worker/layout.py. The file appears under its name with
// MAGIC still missing, and MAGIC is written last, so nobody takes a half-made one for whole.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "layout.hpp"

namespace stemwire {

constexpr std::int64_t power_of_two(std::int64_t frames) {
    const std::int64_t least = frames > kMaxBlock / 8 ? frames : kMaxBlock / 8;
    std::int64_t size = 1;
    while (size < least) size *= 2;
    return size;
}

// The sizes of a segment, and what follows from them.
struct Layout {
    std::int64_t sample_rate, block, latency;

    constexpr std::int64_t reach() const { return latency + (kMaxShareBlocks + 4) * block; }
    constexpr std::int64_t history() const { return 7 * sample_rate / 2; }
    constexpr std::int64_t in_frames() const {
        return power_of_two(reach() > history() ? reach() : history());
    }
    constexpr std::int64_t out_frames() const { return power_of_two(reach()); }

    constexpr std::int64_t output(int slot) const {
        const std::int64_t first = after(kInputAt, 4 * kChannels * in_frames());
        return slot == 0 ? first : after(output(slot - 1), 4 * kRows * kChannels * out_frames());
    }
    constexpr std::int64_t bytes() const { return output(kSlots); }

private:
    static constexpr std::int64_t after(std::int64_t place, std::int64_t size) {
        return place + (size + 63) / 64 * 64;
    }
};

class Segment {
public:
    // Makes the memory; if `share`, under a new name if it can. Without a name it is the plugin's
    // alone, and all works but that nobody will ever deliver. May take a while: not for the audio
    // thread. Throws std::bad_alloc if there is no memory at all.
    Segment(const Layout& layout, bool share);
    ~Segment();  // takes the name away, if it still is that of this very file
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    // Lets others see it: to be called when everything that they may read is written.
    void publish();

    bool is_shared() const { return is_shared_; }

    std::atomic<std::int64_t>& word(int number) const {
        return reinterpret_cast<std::atomic<std::int64_t>*>(memory_)[number];
    }
    std::atomic<double>& control(int slot) const {
        return reinterpret_cast<std::atomic<double>*>(memory_ + kControlsAt)[slot];
    }
    float* input() const { return reinterpret_cast<float*>(memory_ + kInputAt); }
    float* output(int slot) const {
        return reinterpret_cast<float*>(memory_ + layout.output(slot));
    }

    const Layout layout;

private:
    bool open();

    std::byte* memory_ = nullptr;
    bool is_shared_ = false;
    std::string path_;
    std::uint64_t device_ = 0, inode_ = 0;  // where files have those
};

static_assert(std::atomic<std::int64_t>::is_always_lock_free && sizeof(std::atomic<double>) == 8);
static_assert(std::atomic<double>::is_always_lock_free);

// A sleep on the low 4 bytes of a word until somebody wakes it: Linux's futex. Elsewhere `wake` has
// nothing to do, because engines look for themselves, and `sleep` is a short nap.
void wake(std::atomic<std::int64_t>& word);
void sleep(std::atomic<std::int64_t>& word, std::int64_t seen, double seconds);

bool is_alive(std::int64_t process);

}  // namespace stemwire
