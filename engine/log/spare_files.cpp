#include "engine/log/spare_files.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/io/buffer.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kSizeStep = 64_KiB;
constexpr std::size_t kBeginning = 64_KiB;

}  // namespace

void SpareFiles::start(std::uint64_t last_file, std::uint64_t grown_bytes) {
    spares_.clear();
    half_made_ = {};
    next_file_ = std::max(next_file_, last_file + 1);
    next_bytes_ = std::max<std::uint64_t>(
        config_.first_segment_bytes, std::min<std::uint64_t>(grown_bytes, config_.segment_bytes));
}

Task<Status> SpareFiles::prepare(std::uint64_t bytes) {
    while (is_preparing_)
        co_await prepared_.wait_until(MonoTime::max());
    if (!spares_.empty() && next().bytes >= bytes) co_return Status{};
    is_preparing_ = true;
    auto made = co_await make(bytes);
    is_preparing_ = false;
    prepared_.notify_all();
    co_return made;
}

// Space is reserved, not written: writing a whole segment twice would halve what the disk can take
// (docs/decisions/0004-reserved-segments.md).
Task<Status> SpareFiles::make(std::uint64_t bytes) {
    const std::uint64_t target = align_up(std::max(bytes, next_bytes_), kSizeStep);
    if (half_made_.name.empty()) {
        if (!spares_.empty()) {  // too small for this batch: let it grow
            half_made_ = take();
        } else {
            auto name = new_name();
            CO_ASSIGN(half_made_.file,
                      disk_.open(fmt::format("{}/{}", folder_, name), {.create = true}));
            half_made_.name = std::move(name);
        }
    }
    if (target > half_made_.bytes) CO_TRY(admit_(target - half_made_.bytes));
    CO_TRY(co_await half_made_.file->grow(target));
    half_made_.bytes = std::max(half_made_.bytes, target);
    CO_TRY(co_await half_made_.file->sync());
    if (half_made_.written == 0) {  // everybody waits for a header: it must be quick to write
        const Buffer zeros = Buffer::allocate(kBeginning);
        std::memset(zeros.data(), 0, kBeginning);
        CO_TRY(co_await half_made_.file->write(0, zeros.bytes(), Persistence::Durable));
        half_made_.written = kBeginning;
    }
    CO_TRY(co_await disk_.sync_directory(folder_));
    spares_.push_back(std::exchange(half_made_, {}));
    next_bytes_ =
        std::min<std::uint64_t>(target * 2, std::max<std::uint64_t>(config_.segment_bytes, bytes));
    co_return Status{};
}

std::string SpareFiles::new_name() { return fmt::format("file-{:06}", next_file_++); }

std::size_t SpareFiles::drop(std::uint64_t bytes) {
    if (is_preparing_) return 0;
    std::size_t dropped = 0;
    const auto remove = [&](SpareFile& file) {
        file.file.reset();
        (void)disk_.remove(fmt::format("{}/{}", folder_, file.name));
        ++dropped;
    };
    if (!half_made_.name.empty() && this->bytes() > bytes) {
        remove(half_made_);
        half_made_ = {};
    }
    while (this->bytes() > bytes && !spares_.empty()) {
        const auto largest = std::ranges::max_element(spares_, {}, &SpareFile::bytes);
        remove(*largest);
        spares_.erase(largest);
    }
    if (spares_.empty())
        next_bytes_ = std::min<std::uint64_t>(next_bytes_, config_.first_segment_bytes);
    return dropped;
}

SpareFile SpareFiles::take() {
    TM_CHECK(!spares_.empty(), "no file is ready");
    SpareFile taken = std::move(spares_.back());
    spares_.pop_back();
    ++taken_;
    return taken;
}

bool SpareFiles::keep(SpareFile& file, std::size_t live_segments) {
    const auto used_soon = std::min<std::uint64_t>(taken_ + taken_before_, live_segments / 2 + 2);
    const auto enough = std::max<std::uint64_t>(config_.spare_files, used_soon);
    if (spares_.size() >= enough || file.bytes < next_bytes_) return false;
    spares_.push_front(std::move(file));
    return true;
}

std::uint64_t SpareFiles::bytes() const {
    std::uint64_t bytes = half_made_.bytes;
    for (const auto& spare : spares_)
        bytes += spare.bytes;
    return bytes;
}

}  // namespace tidemill
