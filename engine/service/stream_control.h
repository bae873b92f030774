#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/stream.h"
#include "engine/io/task.h"
#include "engine/service/account_settings.h"

namespace tidemill {

/// Names a registered consumer; with `created`, that one alone and not a later one of its name.
struct ConsumerRef {
    std::string stream, name;
    std::optional<WallTime> created;
};

/// What is to change in how a stream works; the rest stays.
struct SettingsChange {
    std::optional<StreamMode> mode{};
    std::optional<std::uint32_t> max_record_bytes{};
    std::optional<std::uint32_t> warm_mib_per_second{};
    std::optional<RecordDistribution> distribution{};
    ShardMetrics watch = 0, unwatch = 0;  ///< metrics of single shards to show, and no longer to
};

/// The part of the service that changes neither shards nor records: consumers, settings, policies.
/// Each change is durable and in force on every core when it returns; all survive a restart.
/// Errors of all: NotFound (the stream, the consumer).
class StreamControl {
 public:
    virtual ~StreamControl() = default;

    // Registered consumers, to be found in StreamInfo.
    /// Errors: also AlreadyExists, InvalidArgument, LimitExceeded.
    virtual Task<Result<ConsumerInfo>> register_consumer(
        std::string stream, std::string consumer, std::map<std::string, std::string> tags) = 0;
    virtual Task<Status> deregister_consumer(ConsumerRef consumer) = 0;
    /// As StreamService::edit_tags.
    virtual Task<Status> edit_consumer_tags(ConsumerRef consumer,
                                            std::map<std::string, std::string> set,
                                            std::vector<std::string> remove) = 0;

    /// An on-demand stream that is to be warm gets as many shards at once as that takes; a stream
    /// that becomes provisioned is warm no longer and goes by keys again. Errors: InvalidArgument;
    /// Validation (not in this mode; the account is not committed); ResourceInUse (the stream is
    /// being changed), those of StreamService::scale_stream.
    virtual Task<Result<std::shared_ptr<const StreamInfo>>> change_settings(
        std::string stream, SettingsChange change) = 0;

    /// Says who else may use a stream or consumer; empty: nobody. It goes with what it belongs to.
    /// Errors: InvalidArgument (too long).
    virtual Task<Status> set_policy(std::string stream, std::string policy) = 0;
    virtual Task<Status> set_consumer_policy(ConsumerRef consumer, std::string policy) = 0;

    /// Settings of a whole account, as they are by now. Errors: those of the store.
    virtual Task<Result<AccountSettings>> account_settings(std::string account) = 0;
    virtual Task<Result<AccountSettings>> commit_throughput(std::string account,
                                                            bool is_wanted) = 0;
};

}  // namespace tidemill
