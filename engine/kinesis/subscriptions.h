#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/io/task.h"
#include "engine/reactor/reactor.h"

namespace tidemill::kinesis {

/// What may have one subscription at a time.
struct SubscriptionKey {
    ShardUid shard;
    std::uint32_t shard_index = 0;  ///< of the same shard, in its stream
    std::string consumer;
    std::int64_t consumer_created = 0;  ///< with the name it says which one
    auto operator<=>(const SubscriptionKey&) const = default;
};

/// A subscription in force. Core: the one it was claimed on.
struct SubscriptionClaim {
    SubscriptionKey key;
    std::uint64_t id = 0;
    bool is_lost = false;  ///< another one has taken over
};

struct SubscriptionStats {
    std::uint64_t active = 0, begun = 0, refused = 0, taken_over = 0;
    std::uint64_t events = 0, heartbeats = 0, records = 0, bytes = 0;
};

/// All subscriptions of the process by consumer and shard: a second one within five seconds of the
/// first is refused, a later one takes over. The register is kept on the first core. Core: any.
/// Source: AWS's documentation of SubscribeToShard.
class Subscriptions {
 public:
    static constexpr auto kTakeoverAge = std::chrono::seconds(5);

    /// Ownership: reactors outlive it.
    explicit Subscriptions(std::vector<Reactor*> reactors);

    /// Null: one of the key is younger than kTakeoverAge. An older one loses its claim.
    Task<std::shared_ptr<SubscriptionClaim>> claim(SubscriptionKey key);
    /// It has ended. No suspension.
    void release(const SubscriptionClaim& claim);

    /// Of this core.
    SubscriptionStats& stats();

 private:
    struct Entry {
        std::uint64_t id;
        MonoTime begun;
        std::uint32_t core;
        std::weak_ptr<SubscriptionClaim> claim;  // used on its core alone
    };
    struct alignas(64) Core {
        SubscriptionStats stats;
    };

    Reactor& home() { return *reactors_.front(); }

    std::vector<Reactor*> reactors_;
    std::vector<Core> cores_;
    // First core only.
    std::map<SubscriptionKey, Entry> entries_;
    std::uint64_t last_id_ = 0;
};

}  // namespace tidemill::kinesis
