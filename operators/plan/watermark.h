#pragma once

#include <cstdint>

namespace tidemill::sql {

/// WATERMARK FOR column AS column - interval: rows of a stream are put in the order of the column,
/// which becomes their ROWTIME. No row is waited for that is more than `delay` behind the latest.
struct Watermark {
    static constexpr std::int64_t kDefaultIdleTimeout = 10'000;

    std::size_t column = 0;
    std::int64_t delay = 0;  ///< milliseconds
    /// Without rows for so long, in ROWTIME of arrival, event time runs on as that does; 0: never.
    std::int64_t idle_timeout = kDefaultIdleTimeout;
    std::size_t late = 0;  ///< the stream that rows go to which come too late
};

}  // namespace tidemill::sql
