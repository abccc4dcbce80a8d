// Starts a server, if the user has allowed it and none comes by itself.
//
// The permission is a line in a file of the user's own, ~/.config/stemwire/plugin.conf (on Windows
// %APPDATA%\stemwire\plugin.conf):
//
//     start = /home/me/.venv/bin/stemwire serve --audio plugin

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace stemwire {

class Starter {
public:
    // Reads the user's file. `server`: the word in which a server says who it is.
    explicit Starter(const std::atomic<std::int64_t>& server);
    ~Starter();
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;

    bool may_start() const { return !command_.empty(); }

    // From now on a thread of its own gives a server that runs already some time to come, and then
    // starts one, unless one that was started before still lives.
    void begin();

private:
    void run();

    const std::atomic<std::int64_t>& server_;
    const std::string command_;
    std::mutex mutex_;
    std::condition_variable stopping_;
    bool is_stopped_ = false;
    std::thread thread_;
};

}  // namespace stemwire
