#include "engine/service/account_settings.h"

namespace tidemill {
namespace {

constexpr std::size_t kBytes = 26;  // form, commitment, three times
constexpr std::uint8_t kForm = 1;

std::int64_t millis_or_none(const std::optional<WallTime>& time) {
    return time ? to_millis(*time) : 0;
}
std::optional<WallTime> time_or_none(const std::byte* from) {
    const auto millis = load_le<std::int64_t>(from);
    return millis == 0 ? std::nullopt : std::optional(from_millis(millis));
}

}  // namespace

AccountSettings AccountSettings::as_of(WallTime now) const {
    AccountSettings settings = *this;
    if (commitment == Commitment::EnabledUntilEarliestEnd && earliest_end && now >= *earliest_end) {
        settings.commitment = Commitment::Disabled;
        settings.ended = earliest_end;
    }
    return settings;
}

AccountSettings AccountSettings::after_wish(bool is_wanted, WallTime now) const {
    AccountSettings settings = as_of(now);
    if (is_wanted) {
        if (!settings.is_committed()) {
            settings.started = now;
            settings.earliest_end = now + kLeastCommitment;
        }
        settings.commitment = Commitment::Enabled;
        settings.ended.reset();
    } else if (settings.commitment == Commitment::Enabled) {
        const bool may_end = now >= settings.earliest_end.value_or(now);
        settings.commitment = may_end ? Commitment::Disabled : Commitment::EnabledUntilEarliestEnd;
        settings.ended = may_end ? now : settings.earliest_end;
    }
    return settings;
}

std::vector<std::byte> encode_account_settings(const AccountSettings& settings) {
    std::vector<std::byte> bytes(kBytes);
    bytes[0] = std::byte{kForm};
    bytes[1] = static_cast<std::byte>(settings.commitment);
    store_le(&bytes[2], millis_or_none(settings.started));
    store_le(&bytes[10], millis_or_none(settings.ended));
    store_le(&bytes[18], millis_or_none(settings.earliest_end));
    return bytes;
}

Result<AccountSettings> decode_account_settings(Bytes bytes) {
    if (bytes.size() != kBytes || bytes[0] != std::byte{kForm} ||
        bytes[1] > static_cast<std::byte>(Commitment::EnabledUntilEarliestEnd))
        return fail(Errc::Corrupt, "the settings of an account are not in their form");
    return AccountSettings{static_cast<Commitment>(bytes[1]), time_or_none(&bytes[2]),
                           time_or_none(&bytes[10]), time_or_none(&bytes[18])};
}

}  // namespace tidemill
