#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/usage/token_bucket.h"

namespace tidemill {

/// What may be done to a stream only so often in any 24 hours.
enum class DailyChange : std::uint8_t { Scale, StartEncryption, StopEncryption, SwitchMode };

/// Whose calls are counted together.
enum class RateScope : std::uint8_t { Account, Stream, Subscription };

struct ControlRate {
    std::string_view operation;  ///< as the Kinesis API names it
    double per_second;
    RateScope scope;
};

/// Every operation that has a rate of its own; null for one that has none, or is not known.
const ControlRate* control_rate_of(std::string_view operation);

/// How often operations are called, and how often a stream was changed in the last 24 hours. Core:
/// one. Counts begin anew with the process.
class ControlRates {
 public:
    /// One more call of `operation` by `account`; `scope` tells the stream, or the consumer and
    /// shard, where these are counted apart. True for operations without a rate.
    bool take(std::string_view operation, std::string_view account, std::string_view scope,
              MonoTime now);

    /// Errors: LimitExceeded.
    Status check(DailyChange change, StreamUid stream, std::string_view name, MonoTime now);
    /// It has been made.
    void count(DailyChange change, StreamUid stream, MonoTime now);
    /// How often in the last 24 hours.
    std::size_t made(DailyChange change, StreamUid stream, MonoTime now);
    void forget(StreamUid stream);

 private:
    using Key = std::pair<StreamUid, DailyChange>;

    std::map<std::string, TokenBucket, std::less<>> calls_;
    std::size_t look_at_size_ = 1024;  // of `calls_`: then full ones are let go
    std::map<Key, std::deque<MonoTime>> changes_;
};

}  // namespace tidemill
