#include "segment.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#endif
#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

namespace stemwire {

namespace {

constexpr bool same(const Example& e) {
    const Layout ours{e.sample_rate, e.block, e.latency};
    return ours.in_frames() == e.in_frames && ours.out_frames() == e.out_frames &&
           ours.output(0) == e.output_0 && ours.output(1) == e.output_1 && ours.bytes() == e.bytes;
}
static_assert(same(kExamples[0]) && same(kExamples[1]) && same(kExamples[2]),
              "the engine lays its memory out differently");

std::string file_name(unsigned long process) {
    char name[64];
    std::snprintf(name, sizeof(name), "stemwire-%lu-%08x", process,
                  static_cast<unsigned>(std::random_device{}()));
    return name;
}

constexpr int kTries = 8;  // for a name that nobody has

}  // namespace

Segment::Segment(const Layout& its_layout, bool share) : layout(its_layout) {
    const auto size = static_cast<std::size_t>(layout.bytes());
    is_shared_ = share && open();
    if (!is_shared_) memory_ = static_cast<std::byte*>(std::malloc(size));
    if (memory_ == nullptr) throw std::bad_alloc();
    std::memset(memory_, 0, size);  // every page is touched now and not in the audio thread

    const std::int64_t constants[][2] = {
        {constant::VERSION, kVersion},
        {constant::BYTES, layout.bytes()},
        {constant::SAMPLE_RATE, layout.sample_rate},
        {constant::BLOCK_SIZE, layout.block},
        {constant::CHANNELS, kChannels},
        {constant::STEMS, kStems},
        {constant::CONTROLS, kControls},
        {constant::IN_FRAMES, layout.in_frames()},
        {constant::OUT_FRAMES, layout.out_frames()},
        {constant::QUANTUM, kQuantum},
        {constant::IS_GUEST, 1},
    };
    for (const auto& [number, value] : constants) word(static_cast<int>(number)) = value;
    for (int slot = 0; slot < kSlots; ++slot) {
        word(engine_word(slot) + engine::OUT_FROM) = kNowhere;
    }
    for (const Parameter& parameter : kParameters) {
        if (parameter.slot >= 0) control(parameter.slot) = parameter.initial;
    }
}

void Segment::publish() { word(constant::MAGIC).store(kMagic, std::memory_order_release); }

#ifdef _WIN32

bool Segment::open() {
    char folder[MAX_PATH + 1];
    if (GetTempPathA(sizeof(folder), folder) == 0) return false;
    HANDLE file = INVALID_HANDLE_VALUE;
    for (int i = 0; i < kTries && file == INVALID_HANDLE_VALUE; ++i) {
        path_ = folder + file_name(GetCurrentProcessId());
        file = CreateFileA(path_.c_str(), GENERIC_READ | GENERIC_WRITE,
                           FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, CREATE_NEW,
                           FILE_ATTRIBUTE_TEMPORARY, nullptr);
    }
    if (file == INVALID_HANDLE_VALUE) return false;
    const auto size = static_cast<unsigned long long>(layout.bytes());
    HANDLE mapping = CreateFileMappingA(file, nullptr, PAGE_READWRITE,
                                        static_cast<DWORD>(size >> 32), static_cast<DWORD>(size),
                                        nullptr);
    if (mapping != nullptr) {
        memory_ = static_cast<std::byte*>(MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0));
        CloseHandle(mapping);  // the view keeps it
    }
    CloseHandle(file);
    if (memory_ == nullptr) DeleteFileA(path_.c_str());
    return memory_ != nullptr;
}

Segment::~Segment() {
    if (!is_shared_) {
        std::free(memory_);
        return;
    }
    // A server that has it open keeps the name; without MAGIC it knows that we are gone.
    word(constant::MAGIC) = 0;
    UnmapViewOfFile(memory_);
    DeleteFileA(path_.c_str());
}

void wake(std::atomic<std::int64_t>&) {}

void sleep(std::atomic<std::int64_t>&, std::int64_t, double) { Sleep(1); }

bool is_alive(std::int64_t process) {
    HANDLE handle = OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(process));
    if (handle == nullptr) return GetLastError() == ERROR_ACCESS_DENIED;
    const bool alive = WaitForSingleObject(handle, 0) == WAIT_TIMEOUT;
    CloseHandle(handle);
    return alive;
}

#else

namespace {

std::string folder() {
    struct stat about;
    if (stat("/dev/shm", &about) == 0 && S_ISDIR(about.st_mode)) return "/dev/shm/";
    const char* temporary = std::getenv("TMPDIR");
    return std::string(temporary != nullptr && *temporary != '\0' ? temporary : "/tmp") + "/";
}

// Takes the memory now: a page that is not there later would kill who touches it.
bool reserve(int file, off_t size) {
    if (ftruncate(file, size) != 0) return false;
#ifdef __linux__
    return posix_fallocate(file, 0, size) == 0;
#else
    return true;
#endif
}

}  // namespace

bool Segment::open() {
    int file = -1;
    for (int i = 0; i < kTries && file < 0; ++i) {
        path_ = folder() + file_name(static_cast<unsigned long>(getpid()));
        file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    if (file < 0) return false;
    struct stat about;
    const auto size = static_cast<std::size_t>(layout.bytes());
    void* memory = MAP_FAILED;
    if (fstat(file, &about) == 0 && reserve(file, static_cast<off_t>(size))) {
        memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    if (memory == MAP_FAILED) {
        unlink(path_.c_str());
        return false;
    }
    memory_ = static_cast<std::byte*>(memory);
    device_ = static_cast<std::uint64_t>(about.st_dev);
    inode_ = static_cast<std::uint64_t>(about.st_ino);
    (void)mlock(memory_, size);  // where the system allows it
    return true;
}

Segment::~Segment() {
    if (!is_shared_) {
        std::free(memory_);
        return;
    }
    struct stat about;
    if (lstat(path_.c_str(), &about) == 0 &&
        static_cast<std::uint64_t>(about.st_dev) == device_ &&
        static_cast<std::uint64_t>(about.st_ino) == inode_) {
        unlink(path_.c_str());
    }
    munmap(memory_, static_cast<std::size_t>(layout.bytes()));
}

#ifdef __linux__

void wake(std::atomic<std::int64_t>& word) {
    syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

void sleep(std::atomic<std::int64_t>& word, std::int64_t seen, double seconds) {
    timespec time;
    time.tv_sec = static_cast<time_t>(seconds);
    time.tv_nsec = static_cast<long>((seconds - static_cast<double>(time.tv_sec)) * 1e9);
    syscall(SYS_futex, &word, FUTEX_WAIT, static_cast<std::uint32_t>(seen), &time, nullptr, 0);
}

#else

void wake(std::atomic<std::int64_t>&) {}

void sleep(std::atomic<std::int64_t>&, std::int64_t, double) { usleep(200); }

#endif

bool is_alive(std::int64_t process) {
    return kill(static_cast<pid_t>(process), 0) == 0 || errno != ESRCH;
}

#endif

}  // namespace stemwire
