#include "engine/log/read_pacer.h"

#include "engine/base/bytes.h"

namespace tidemill {
namespace {

constexpr std::uint64_t kBesideWrites = 512_KiB;
constexpr std::uint64_t kAlone = 8_MiB;
/// A lane that has written so lately is likely to write again soon.
constexpr auto kRecently = 5ms;

}  // namespace

std::uint64_t ReadPacer::allowed() const {
    return reactor_.clock().mono_now() - last_write_ < kRecently ? kBesideWrites : kAlone;
}

Task<ReadPacer::Share> ReadPacer::enter(std::uint64_t bytes) {
    while (reading_ > 0 && reading_ + bytes > allowed())
        co_await left_.wait_until(MonoTime::max());
    reading_ += bytes;
    co_return Share(*this, bytes);
}

void ReadPacer::leave(std::uint64_t bytes) {
    reading_ -= bytes;
    if (left_.has_waiters()) left_.notify_all();
}

}  // namespace tidemill
