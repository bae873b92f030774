#include "bench/load/stamped_batch.h"

#include <charconv>

#include <fmt/format.h>

#include "proto/record_batch.h"

namespace tidemill::bench {

namespace {

constexpr std::string_view kBegin = "{\"t\":";
constexpr std::int64_t kBase = 1'000'000'000'000'000'000;
constexpr std::size_t kDigits = 19;

}  // namespace

std::string json_stamp(std::int64_t nanoseconds) {
    return fmt::format("{}{}", kBegin, kBase + nanoseconds);
}

std::optional<std::int64_t> read_json_stamp(std::string_view data) {
    if (!data.starts_with(kBegin) || data.size() < kBegin.size() + kDigits) return std::nullopt;
    std::int64_t value = 0;
    const char* const digits = data.data() + kBegin.size();
    const auto read = std::from_chars(digits, digits + kDigits, value);
    if (read.ptr != digits + kDigits) return std::nullopt;
    return value - kBase;
}

StampedBatch::StampedBatch(Bytes batch, bool is_json)
    : bytes_(batch.begin(), batch.end()), is_json_(is_json) {
    RecordCursor cursor(RecordBatchView::trusted(bytes_));
    for (RecordView record; cursor.next(record);)
        times_.push_back(static_cast<std::uint32_t>(record.data.data() - bytes_.data()));
}

Bytes StampedBatch::stamp(std::int64_t nanoseconds) {
    if (is_json_) {
        const auto text = json_stamp(nanoseconds);
        for (const std::uint32_t at : times_)
            std::memcpy(bytes_.data() + at, text.data(), text.size());
    } else {
        for (const std::uint32_t at : times_)
            store_le(bytes_.data() + at, nanoseconds);
    }
    reseal_record_batch(bytes_);
    return bytes_;
}

}  // namespace tidemill::bench
