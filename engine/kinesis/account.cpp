// DescribeAccountSettings, UpdateAccountSettings.
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/operations.h"

namespace tidemill::kinesis {
namespace {

std::string_view status_text(Commitment commitment) {
    switch (commitment) {
        case Commitment::Disabled:
            return "DISABLED";
        case Commitment::Enabled:
            return "ENABLED";
        case Commitment::EnabledUntilEarliestEnd:
            return "ENABLED_UNTIL_EARLIEST_ALLOWED_END";
    }
    return "DISABLED";
}

ApiStatus write(Call& call, const Result<AccountSettings>& settings) {
    if (!settings) return std::unexpected(to_api_error(settings.error()));
    DocumentWriter out = call.answer();
    out.begin_object().key("MinimumThroughputBillingCommitment").begin_object();
    out.member("Status", status_text(settings->commitment));
    if (settings->started) out.member("StartedAt", *settings->started);
    if (settings->ended) out.member("EndedAt", *settings->ended);
    if (settings->earliest_end) out.member("EarliestAllowedEndAt", *settings->earliest_end);
    out.end_object().end_object();
    return {};
}

}  // namespace

Task<ApiStatus> describe_account_settings(Call& call) {
    co_return write(call, co_await call.service.account_settings(std::string(call.caller.account)));
}

Task<ApiStatus> update_account_settings(Call& call) {
    const Value* wanted = call.input.find("MinimumThroughputBillingCommitment");
    const bool is_wanted = wanted->text_or("Status", "") == "ENABLED";
    co_return write(
        call, co_await call.service.commit_throughput(std::string(call.caller.account), is_wanted));
}

}  // namespace tidemill::kinesis
