// IncreaseStreamRetentionPeriod, DecreaseStreamRetentionPeriod.
#include <fmt/format.h>

#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

constexpr std::int64_t kHoursMin = 24, kHoursMax = 8760;

Task<ApiStatus> change(Call& call, bool increases) {
    const auto found = find_stream(call);
    if (!found) co_return std::unexpected(found.error());
    const StreamInfo& stream = **found;
    const std::int64_t hours = call.input.integer_or("RetentionPeriodHours", 0);
    const std::int64_t now = stream.retention.count();
    if (hours < kHoursMin)
        co_return invalid_argument(
            fmt::format("Minimum allowed retention period is {} hours. Requested "
                        "retention period ({} hours) is too short.",
                        kHoursMin, hours));
    if (hours > kHoursMax)
        co_return invalid_argument(
            fmt::format("Maximum allowed retention period is {} hours. Requested "
                        "retention period ({} hours) is too long.",
                        kHoursMax, hours));
    if (increases ? hours < now : hours > now)
        co_return invalid_argument(
            fmt::format("Requested retention period ({} hours) for stream {} can not be "
                        "{} than existing retention period ({} hours).",
                        hours, stream.name, increases ? "shorter" : "longer", now));
    const std::string name = stream.name;
    const Status status = co_await call.service.set_retention(
        name, {.retention = std::chrono::hours(hours), .max_bytes = std::nullopt});
    if (!status) co_return stream_failure(call, name, status.error());
    co_return ApiStatus{};
}

}  // namespace

Task<ApiStatus> increase_retention(Call& call) { return change(call, true); }
Task<ApiStatus> decrease_retention(Call& call) { return change(call, false); }

}  // namespace tidemill::kinesis
