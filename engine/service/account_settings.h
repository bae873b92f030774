#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/base/time.h"

namespace tidemill {

/// Whether an account has committed itself to a least throughput, which opens warm throughput and
/// more consumers to its on-demand streams.
enum class Commitment : std::uint8_t { Disabled, Enabled, EnabledUntilEarliestEnd };

struct AccountSettings {
    Commitment commitment = Commitment::Disabled;
    std::optional<WallTime> started, ended, earliest_end;

    bool is_committed() const { return commitment != Commitment::Disabled; }
    /// As they are at `now`: a commitment that was to end has ended.
    AccountSettings as_of(WallTime now) const;
    /// After a wish to be committed, or no longer to be.
    AccountSettings after_wish(bool is_wanted, WallTime now) const;

    bool operator==(const AccountSettings&) const = default;
};

/// Source: AWS, UpdateAccountSettings.
constexpr std::chrono::hours kLeastCommitment{24};

/// Format: docs/formats/catalog.md.
std::vector<std::byte> encode_account_settings(const AccountSettings& settings);
/// Errors: Corrupt.
Result<AccountSettings> decode_account_settings(Bytes bytes);

}  // namespace tidemill
