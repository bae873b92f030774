#include "engine/log/read_pacer.h"

#include <algorithm>

#include "engine/base/bytes.h"

namespace tidemill {
namespace {

constexpr std::size_t kBesideWrites = 128_KiB;
constexpr std::size_t kAlone = 8_MiB;
/// A lane that has written so lately is likely to write again soon.
constexpr auto kRecently = 5ms;
/// Commits may keep a read waiting for so long.
constexpr auto kPatience = 500us;

}  // namespace

void ReadPacer::begin_write() {
    ++writing_;
    last_write_ = reactor_.clock().mono_now();
}

void ReadPacer::end_write() {
    if (--writing_ == 0) changed_.notify_all();
}

bool ReadPacer::is_beside_writes() const {
    return writing_ > 0 || reactor_.clock().mono_now() - last_write_ < kRecently;
}

std::size_t ReadPacer::piece_of(std::size_t bytes) const {
    return is_beside_writes() ? std::min(bytes, kBesideWrites) : bytes;
}

bool ReadPacer::has_room(std::uint64_t bytes) const {
    return reading_ == 0 || reading_ + bytes <= (is_beside_writes() ? kBesideWrites : kAlone);
}

Task<ReadPacer::Share> ReadPacer::enter(std::uint64_t bytes) {
    while (is_anyone_next_)
        co_await next_.wait_until(MonoTime::max());
    is_anyone_next_ = true;
    const auto patient_until = reactor_.clock().mono_now() + kPatience;
    while (!has_room(bytes))
        co_await changed_.wait_until(MonoTime::max());
    while (writing_ > 0 && reactor_.clock().mono_now() < patient_until)
        co_await changed_.wait_until(patient_until);
    is_anyone_next_ = false;
    next_.notify_first();
    reading_ += bytes;
    co_return Share(*this, bytes);
}

void ReadPacer::leave(std::uint64_t bytes) {
    reading_ -= bytes;
    changed_.notify_all();
}

}  // namespace tidemill
