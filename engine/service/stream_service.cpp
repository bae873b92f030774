#include "engine/service/stream_service.h"

#include <fmt/format.h>

namespace tidemill {

Task<Result<std::vector<ShardRates>>> StreamService::shard_rates(std::string stream) {
    CO_ASSIGN(const auto found, find_stream(stream));
    co_return std::vector<ShardRates>(found->shards.size());
}

Task<Result<std::vector<SampledKey>>> StreamService::sampled_keys(std::string stream) {
    CO_TRY(find_stream(stream));
    co_return fail(Errc::Unsupported, "This broker does not sample keys.");
}

Task<Result<LimitsReport>> StreamService::limits_report(std::string stream) {
    if (!stream.empty()) CO_TRY(find_stream(stream));
    co_return LimitsReport{};
}

}  // namespace tidemill
