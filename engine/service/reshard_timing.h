#pragma once

#include <chrono>

/// How patiently a reshard deals with trouble.
namespace tidemill::reshard_timing {

/// Between two attempts to close the parents when the log could not.
constexpr std::chrono::milliseconds kRetryEvery{50};
/// After so long without a single parent closed the change is withdrawn.
constexpr std::chrono::seconds kWithdrawAfter{5};
/// Who asked for it is told no later; the change goes on.
constexpr std::chrono::seconds kAnswerWithin{10};
/// A put that meets a closed shard looks for the new layout so often, and so long.
constexpr std::chrono::microseconds kLookEvery{500};
constexpr std::chrono::seconds kLookFor{5};
/// Closed shards whose records have all expired are looked for so often.
constexpr std::chrono::minutes kForgetEvery{1};

static_assert(kWithdrawAfter < kAnswerWithin, "whoever asked learns that it was withdrawn");

}  // namespace tidemill::reshard_timing
