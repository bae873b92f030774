#include "engine/query/input_journal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "engine/base/crc32c.h"
#include "engine/query/on_worker.h"

namespace tidemill::query {
namespace {

constexpr std::uint32_t kMagic = 0x314a4d54;  // "TMJ1"
constexpr std::size_t kEntryBytes = 56;
constexpr std::string_view kSuffix = ".journal";

void append_entry(std::vector<std::byte>& to, const JournalEntry& entry) {
    const auto at = to.size();
    to.resize(at + kEntryBytes);
    std::byte* const bytes = to.data() + at;
    store_le(bytes, kMagic);
    store_le(bytes + 4, static_cast<std::uint32_t>(entry.kind));
    store_le(bytes + 8, entry.input);
    store_le(bytes + 12, entry.shard.value);
    store_le(bytes + 16, std::uint64_t{entry.from});
    store_le(bytes + 24, std::uint64_t{entry.to});
    store_le(bytes + 32, static_cast<std::uint64_t>(entry.bound));
    store_le(bytes + 40, static_cast<std::uint64_t>(entry.now));
    store_le(bytes + 48, std::uint32_t{0});
    store_le(bytes + 52, crc32c(Bytes(bytes, 52)));
}

bool read_entry(const std::byte* bytes, JournalEntry& entry) {
    if (load_le<std::uint32_t>(bytes) != kMagic ||
        load_le<std::uint32_t>(bytes + 52) != crc32c(Bytes(bytes, 52)))
        return false;
    entry.kind = static_cast<JournalEntry::Kind>(load_le<std::uint32_t>(bytes + 4));
    entry.input = load_le<std::uint32_t>(bytes + 8);
    entry.shard = ShardUid{load_le<std::uint32_t>(bytes + 12)};
    entry.from = load_le<std::uint64_t>(bytes + 16);
    entry.to = load_le<std::uint64_t>(bytes + 24);
    entry.bound = static_cast<std::int64_t>(load_le<std::uint64_t>(bytes + 32));
    entry.now = static_cast<std::int64_t>(load_le<std::uint64_t>(bytes + 40));
    return entry.kind == JournalEntry::Kind::Slice || entry.kind == JournalEntry::Kind::Bound;
}

std::filesystem::path path_of(const QueryLimits& limits, const std::string& name,
                              std::uint64_t number) {
    return std::filesystem::path(limits.journal_directory) /
           fmt::format("{}.{}{}", name, number, kSuffix);
}

/// The numbers of an application's files, ascending.
std::vector<std::uint64_t> numbers_of(const QueryLimits& limits, const std::string& name) {
    std::vector<std::uint64_t> numbers;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(limits.journal_directory, error)) {
        std::string file = entry.path().filename().string();
        if (!file.ends_with(kSuffix) || !file.starts_with(name + ".") ||
            file.size() <= name.size() + 1 + kSuffix.size())
            continue;
        file = file.substr(name.size() + 1, file.size() - name.size() - 1 - kSuffix.size());
        std::uint64_t number = 0;
        const auto read = std::from_chars(file.data(), file.data() + file.size(), number);
        if (read.ec == std::errc() && read.ptr == file.data() + file.size())
            numbers.push_back(number);
    }
    std::ranges::sort(numbers);
    return numbers;
}

Status sync_directory(const std::string& directory) {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::IoFailed, "cannot open " + directory, errno);
    const int done = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (done != 0) return fail(Errc::IoFailed, "cannot sync " + directory, error);
    return {};
}

Result<std::vector<JournalEntry>> read_entries(const QueryLimits& limits, const std::string& name,
                                               std::uint64_t first) {
    std::error_code error;
    std::filesystem::create_directories(limits.journal_directory, error);
    if (error)
        return fail(Errc::IoFailed, "cannot make " + limits.journal_directory, error.value());
    std::vector<JournalEntry> entries;
    bool is_cut = false;
    for (const auto number : numbers_of(limits, name)) {
        const auto path = path_of(limits, name, number);
        if (number < first) {
            std::filesystem::remove(path, error);
            continue;
        }
        std::ifstream in(path, std::ios::binary);
        const std::string text(std::istreambuf_iterator<char>(in), {});
        if (in.bad()) return fail(Errc::IoFailed, "cannot read " + path.string());
        if (is_cut && !text.empty())
            return fail(Errc::Corrupt, path.string() + " follows a journal that is damaged");
        std::size_t at = 0;
        JournalEntry entry;
        while (at + kEntryBytes <= text.size() &&
               read_entry(reinterpret_cast<const std::byte*>(text.data()) + at, entry)) {
            entries.push_back(entry);
            at += kEntryBytes;
        }
        is_cut = at != text.size();
    }
    return entries;
}

}  // namespace

/// The file that is written to.
struct InputJournal::File {
    int fd = -1;
    std::uint64_t number = 0;
    std::uint64_t size = 0;  // of what is whole

    ~File() { close(); }
    void close() {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }

    Status write(const QueryLimits& limits, const std::string& name, const Part& part) {
        const auto path = path_of(limits, name, part.number);
        if (fd < 0 || number != part.number) {
            close();
            fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
            if (fd < 0) return fail(Errc::IoFailed, "cannot write " + path.string(), errno);
            number = part.number;
            size = 0;
            if (limits.syncs_journal) TRY(sync_directory(limits.journal_directory));
        }
        // At its place: what a failed attempt has left is written over.
        for (std::size_t done = 0; done < part.bytes.size();) {
            const auto n = ::pwrite(fd, part.bytes.data() + done, part.bytes.size() - done,
                                    static_cast<off_t>(size + done));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return fail(Errc::IoFailed, "cannot write " + path.string(), errno);
            done += static_cast<std::size_t>(n);
        }
        if (limits.syncs_journal && ::fdatasync(fd) != 0)
            return fail(Errc::IoFailed, "cannot sync " + path.string(), errno);
        size += part.bytes.size();
        return {};
    }
};

InputJournal::InputJournal(Reactor& reactor, const QueryLimits& limits, std::string name)
    : reactor_(reactor), limits_(limits), name_(std::move(name)), file_(std::make_unique<File>()) {}

InputJournal::~InputJournal() = default;

Task<Result<std::vector<JournalEntry>>> InputJournal::open(std::uint64_t first) {
    auto entries = co_await on_worker(worker_, reactor_, [this, first] {
        auto found = read_entries(limits_, name_, first);
        const auto numbers = numbers_of(limits_, name_);
        number_ = std::max(first, numbers.empty() ? 0 : numbers.back() + 1);
        return found;
    });
    co_return entries;
}

void InputJournal::add(const JournalEntry& entry) {
    if (waiting_.empty() || waiting_.back().number != number_) waiting_.push_back({number_, {}});
    append_entry(waiting_.back().bytes, entry);
    ++added_;
}

std::uint64_t InputJournal::rotate() { return ++number_; }

Task<bool> InputJournal::wait_durable() {
    const auto wanted = added_;
    while (durable_ < wanted && !is_stopped_) {
        if (!is_writing_) {
            is_writing_ = true;
            reactor_.spawn(gate_, write_on());
        }
        co_await changed_.wait_until(MonoTime::max());
    }
    co_return durable_ >= wanted;
}

// Writes until nothing waits: entries that come meanwhile share the next write.
Task<void> InputJournal::write_on() {
    auto delay = limits_.retry_first;
    while (!waiting_.empty() && !is_stopped_) {
        const auto parts = std::exchange(waiting_, {});
        const auto until = added_;
        std::size_t next = 0;
        for (;;) {
            const auto written =
                co_await on_worker(worker_, reactor_, [this, &parts, &next]() -> Status {
                    for (; next < parts.size(); ++next)
                        TRY(file_->write(limits_, name_, parts[next]));
                    return {};
                });
            trouble_ = written ? "" : written.error().to_string();
            if (written || is_stopped_) break;
            const auto at = reactor_.clock().mono_now() + delay;
            delay = std::min(delay * 2, limits_.retry_last);
            if (!co_await gate_.sleep_until(at)) break;
        }
        if (!trouble_.empty()) break;
        durable_ = until;
        changed_.notify_all();
    }
    is_writing_ = false;
    changed_.notify_all();
}

Task<void> InputJournal::drop_before(std::uint64_t number) {
    co_await on_worker(worker_, reactor_, [this, number] {
        std::error_code error;
        for (const auto old : numbers_of(limits_, name_))
            if (old < number) std::filesystem::remove(path_of(limits_, name_, old), error);
        return true;
    });
}

Task<void> InputJournal::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    changed_.notify_all();
    co_await gate_.close();
}

void InputJournal::remove(const QueryLimits& limits, const std::string& name) {
    std::error_code error;
    if (limits.journal_directory.empty()) return;
    for (const auto number : numbers_of(limits, name))
        std::filesystem::remove(path_of(limits, name, number), error);
}

}  // namespace tidemill::query
