#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/time.h"

namespace tidemill {

// What one HTTP/2 connection bears beyond HttpLimits.
constexpr std::uint32_t kHttp2Streams = 256;             ///< at once; more are refused
constexpr std::uint32_t kHttp2StreamWindow = 1_MiB;      ///< of a body that may come unasked
constexpr std::int32_t kHttp2Window = 16 * 1024 * 1024;  ///< of all bodies of a connection
constexpr std::size_t kHttp2Output = 128_KiB;            ///< written at once
/// With more of its answers unsent, or to be expected of the requests in progress, a connection's
/// requests wait. An answer is expected to be as large as the last ones, and at first so large:
constexpr std::size_t kHttp2Unsent = 32_MiB;
constexpr std::size_t kHttp2AnswerAtFirst = 16_MiB;
constexpr std::size_t kHttp2AnswerAtLeast = 64_KiB;
constexpr std::uint32_t kHttp2Continuations = 7;  ///< frames of one header block
constexpr std::size_t kHttp2OutputFrames = 4096;  ///< that wait to be written

/// How often something may happen: so often at once, then so often a second.
class Http2Allowance {
 public:
    Http2Allowance(double at_once, double per_second)
        : at_once_(at_once), per_second_(per_second), left_(at_once) {}

    /// False when it has happened too often.
    bool take(MonoTime now) {
        const std::chrono::duration<double> passed = now - last_;
        if (passed.count() > 0) {
            left_ = std::min(at_once_, left_ + passed.count() * per_second_);
            last_ = now;
        }
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }

 private:
    double at_once_, per_second_, left_;
    MonoTime last_{};
};

}  // namespace tidemill
