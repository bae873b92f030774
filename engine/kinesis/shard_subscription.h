#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/http/http_message.h"
#include "engine/kinesis/call.h"
#include "engine/kinesis/records_document.h"
#include "engine/kinesis/subscriptions.h"
#include "engine/usage/token_bucket.h"

namespace tidemill::kinesis {

/// Why a second subscription to the same shard for the same consumer is refused, or the first ends.
std::string another_subscription(std::string_view account, std::string_view stream,
                                 const SubscriptionKey& key);

/// What SubscribeToShard answers with: the records of one shard as events, pushed as soon as they
/// are stored. Reads ahead of nothing: the next records are read when the client has taken the last
/// ones, so that a slow one costs one event. Core: the connection's.
class ShardSubscription {
 public:
    /// Of one call.
    static constexpr auto kLife = std::chrono::minutes(5);
    /// An event is sent at least so often, if need be without records: clients give up after 10 s.
    static constexpr auto kHeartbeat = std::chrono::seconds(5);
    static constexpr RecordsLimit kEventMost{1_MiB, 10'000};

    /// Where the shard is read from, and for whom. Ownership: service, registry and reading outlive
    /// the subscription.
    struct Begin {
        StreamService& service;
        Subscriptions& registry;
        BatchReading& reading;
        std::shared_ptr<SubscriptionClaim> claim;
        StreamPtr stream;
        std::uint32_t shard_index;
        Ordinal from;
        Encoding encoding;
        std::string account;  ///< for what errors say
    };
    explicit ShardSubscription(Begin begin);
    ShardSubscription(const ShardSubscription&) = delete;
    ShardSubscription& operator=(const ShardSubscription&) = delete;
    ~ShardSubscription();

    /// Sends events until the client goes, its time is up, the shard has come to its end, or
    /// something goes wrong, of which the client is told by an exception.
    Task<void> run(HttpBodyWriter& to);

 private:
    enum class Next { GoOn, Wait, End };

    Task<Next> step(HttpBodyWriter& to);
    Task<Next> send_records(HttpBodyWriter& to, const ReadResult& read);
    Task<Next> send_shard_end(HttpBodyWriter& to);
    Task<Next> send_heartbeat(HttpBodyWriter& to);
    Task<Next> send_failure(HttpBodyWriter& to, const ApiError& error);
    Task<Next> send_frame(HttpBodyWriter& to);
    /// Why the subscription must not go on, if it must not.
    std::optional<ApiError> lost();
    void write_progress(DocumentWriter& out, std::int64_t millis_behind);
    const ShardInfo& shard() const { return *stream_->shard_by_index(shard_index_); }
    MonoTime now() const { return Reactor::current().clock().mono_now(); }

    StreamService& service_;
    Subscriptions& registry_;
    BatchReading& reading_;
    const std::shared_ptr<SubscriptionClaim> claim_;
    StreamPtr stream_;  // as of the last look
    const std::uint32_t shard_index_;
    const Encoding encoding_;
    const std::string account_;
    Ordinal from_;
    const MonoTime end_;
    MonoTime last_event_;
    std::optional<WallTime> last_arrival_;
    std::optional<TokenBucket> pace_;  // where AWS's limits are kept
    std::string frame_;
};

}  // namespace tidemill::kinesis
