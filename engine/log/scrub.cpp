#include "engine/log/scrub.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/log/segment_scanner.h"
#include "engine/log/verify.h"

namespace tidemill {
namespace {

/// One read: long enough to be cheap, short enough not to stand in a producer's way.
constexpr std::size_t kScrubRead = 256_KiB;
constexpr std::uint64_t kBusyBytes = 256_KiB;
constexpr auto kFirstAfter = 10s;

}  // namespace

Task<void> Scrub::run() {
    if (parts_.config.scrub_bytes_per_second == 0) co_return;
    MonoTime begin = parts_.mono_now() + kFirstAfter;
    while (co_await parts_.gate.sleep_until(begin)) {
        if (!co_await pass()) co_return;
        ++parts_.stats.scrub_passes;
        begin = std::max(parts_.mono_now() + kFirstAfter, begin + parts_.config.scrub_interval);
    }
}

const Segment* Scrub::sealed(std::uint64_t number) const {
    for (const auto& segment : parts_.segments.live())
        if (segment->header.number == number) return segment->is_sealed ? segment.get() : nullptr;
    return nullptr;
}

Task<bool> Scrub::pass() {
    std::vector<std::uint64_t> numbers;
    std::uint64_t left = 0;
    for (const auto& segment : parts_.segments.live()) {
        if (!segment->is_sealed) continue;
        numbers.push_back(segment->header.number);
        left += segment->end_position;
    }
    if (numbers.empty()) co_return true;
    std::ranges::rotate(
        numbers, numbers.begin() + static_cast<std::ptrdiff_t>(random_.below(numbers.size())));
    parts_.stats.scrub_left_bytes = left;
    for (const auto number : numbers) {
        const std::uint64_t before = parts_.stats.scrub_left_bytes;
        const auto* segment = sealed(number);
        const std::uint64_t bytes = segment != nullptr ? segment->end_position : 0;
        if (segment != nullptr && !co_await look_at(number)) co_return false;
        parts_.stats.scrub_left_bytes = before - std::min(before, bytes);
    }
    parts_.stats.scrub_left_bytes = 0;
    co_return true;
}

// The file is opened a second time and nothing is pinned: retention, recycling and a reopening lane
// need not wait for us. So what is found counts only while the file is still that segment.
Task<bool> Scrub::look_at(std::uint64_t number) {
    const auto* segment = sealed(number);
    const SegmentHeader header = segment->header;
    const SegmentSeal seal = segment->seal;
    const auto file = parts_.reactor.disk().open(
        LaneParts::folder_of(parts_.config, parts_.id) + "/" + segment->name, {.writable = false});
    if (!file) co_return !parts_.gate.is_closed();
    const auto status = co_await scan(**file, header, seal);
    if (!status && status.error().code == Errc::Cancelled) co_return false;
    if (!status) report(header, 0, fmt::format("cannot be read: {}", status.error().to_string()));
    co_return !parts_.gate.is_closed();
}

Task<Status> Scrub::scan(File& file, const SegmentHeader& header, const SegmentSeal& seal) {
    SegmentScanner scanner(file, header, seal.last_commit, seal.last_commit + 1, kScrubRead);
    const auto stopped = [] { return fail(Errc::Cancelled, "the log is stopping"); };
    std::uint64_t paced = 0;
    const auto catch_up = [&]() -> Task<bool> {
        const std::uint64_t read = scanner.bytes_read() - paced;
        paced += read;
        parts_.stats.scrubbed_bytes += read;
        parts_.stats.scrub_left_bytes -= std::min(parts_.stats.scrub_left_bytes, read);
        co_return co_await pace(read);
    };
    while (true) {
        CO_ASSIGN(const auto commit, co_await scanner.next());
        if (scanner.bytes_read() > paced && !co_await catch_up()) co_return stopped();
        if (!commit) break;
    }
    for (const auto& range : scanner.damage())
        report(header, range.position, range.what);
    CO_ASSIGN(const bool is_intact, co_await is_footer_intact(file, seal));
    if (!is_intact)
        report(header, seal.index_position,
               "its footer is damaged; it is made again from the commits when it is needed");
    co_return Status{};
}

Task<bool> Scrub::pace(std::uint64_t bytes) {
    const auto& stats = parts_.stats;
    const bool is_busy = stats.writes_in_flight > 0 || stats.pending_bytes > kBusyBytes;
    const std::uint64_t rate =
        std::max<std::uint64_t>(1, parts_.config.scrub_bytes_per_second / (is_busy ? 4 : 1));
    const std::chrono::microseconds took(bytes * 1'000'000 / rate);
    co_return co_await parts_.gate.sleep_until(parts_.mono_now() + took);
}

void Scrub::report(const SegmentHeader& header, std::uint64_t position, const std::string& what) {
    const auto* segment = sealed(header.number);
    if (segment == nullptr || segment->header.salt != header.salt) return;
    if (!reported_.insert(header.salt + position).second) return;
    ++parts_.stats.damaged_ranges;
    parts_.report(fmt::format("scrub: segment {} ({}): {}", header.number, segment->name, what));
}

}  // namespace tidemill
