#include "starter.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;
#endif

namespace stemwire {

namespace {

// A server that runs looks for new plugins several times a second.
constexpr auto kTimeToCome = std::chrono::milliseconds(1500);

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string config_file() {
#ifdef _WIN32
    const std::string folder = from_environment("APPDATA");
#else
    std::string folder = from_environment("XDG_CONFIG_HOME");
    if (folder.empty()) {
        folder = from_environment("HOME");
        if (!folder.empty()) folder += "/.config";
    }
#endif
    return folder.empty() ? "" : folder + "/stemwire/plugin.conf";
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string allowed_command() {
    std::ifstream file(config_file());
    std::string command;
    for (std::string line; std::getline(file, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos || trimmed(line.substr(0, equals)) != "start") continue;
        command = trimmed(line.substr(equals + 1));
    }
    return command;
}

#ifdef _WIN32

void start(const std::string& command) {
    static std::atomic<bool> was_started{false};
    if (was_started.exchange(true)) return;
    std::string line = "cmd /c " + command;
    STARTUPINFOA how = {};
    how.cb = sizeof(how);
    PROCESS_INFORMATION what = {};
    if (CreateProcessA(nullptr, &line[0], nullptr, nullptr, FALSE, CREATE_NO_WINDOW, nullptr,
                       nullptr, &how, &what)) {
        CloseHandle(what.hThread);
        CloseHandle(what.hProcess);
    }
}

#else

// The lock goes to the server with the open file, and is there as long as the server lives.
void start(const std::string& command) {
    std::string folder = from_environment("XDG_RUNTIME_DIR");
    if (folder.empty()) folder = "/tmp";
    const std::string path = folder + "/stemwire-started-" + std::to_string(getuid()) + ".lock";
    const int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) return;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
        // The shell goes at once, so the server is nobody's child whom we should have to bury.
        const std::string script = "{ " + command + "; } </dev/null >/dev/null 2>&1 &";
        char shell[] = "/bin/sh", option[] = "-c";
        char* const arguments[] = {shell, option, const_cast<char*>(script.c_str()), nullptr};
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_adddup2(&files, lock, 3);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
        posix_spawn_file_actions_addclosefrom_np(&files, 4);  // nothing of the host's goes along
#endif
        posix_spawnattr_init(&attributes);
#ifdef POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);  // it outlives the host
#endif
        pid_t child = 0;
        if (posix_spawn(&child, shell, &files, &attributes, arguments, environ) == 0) {
            int status = 0;
            waitpid(child, &status, 0);
        }
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    close(lock);
}

#endif

}  // namespace

Starter::Starter(const std::atomic<std::int64_t>& server)
    : server_(server), command_(allowed_command()) {}

Starter::~Starter() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_stopped_ = true;
    }
    stopping_.notify_all();
    thread_.join();
}

void Starter::begin() {
    if (may_start()) thread_ = std::thread(&Starter::run, this);
}

void Starter::run() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopping_.wait_for(lock, kTimeToCome, [this] { return is_stopped_; })) return;
    if (server_.load() <= 0) start(command_);
}

}  // namespace stemwire
