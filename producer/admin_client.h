#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "producer/outcome.h"

namespace tidemill::client {

struct ShardDescription {
    std::uint32_t uid =
        0;           ///< the broker's own name of the shard, in every request of the protocol
    std::string id;  ///< "shardId-000000000007"
    std::uint32_t index = 0;
    std::string first_hash_key, last_hash_key;             ///< decimal, both inclusive
    std::optional<std::uint32_t> parent, adjacent_parent;  ///< indexes
    std::chrono::system_clock::time_point created;
    std::optional<std::chrono::system_clock::time_point> closed;  ///< set once split or merged
    std::uint64_t trim = 0;  ///< the first record that can still be read (with_tails)
    std::uint64_t end = 0;   ///< one past the last record (with_tails, or a closed shard)
    bool is_open() const { return !closed.has_value(); }
};

/// A key that stands for some of the records written to a stream.
struct SampledKey {
    std::string partition_key;  ///< its first 64 bytes
    double position = 0;        ///< hash key / 2^128
    double records = 0;         ///< that it stands for
};

/// How a stream is kept on the broker's disk.
struct StreamEncryption {
    bool is_on = false;      ///< of what is written from now on
    std::uint32_t key = 0;   ///< number of the data key in use; 0 when off
    std::uint32_t keys = 0;  ///< data keys that the stream has had
    std::string key_name;    ///< what the key was called when encryption was turned on
    std::string master_key;  ///< fingerprint of the master key; empty when off
    std::chrono::system_clock::time_point since;  ///< when the data key in use was made
};

/// Registered with a stream: it is pushed records of its own (enhanced fan-out).
struct ConsumerDescription {
    std::string name;
    std::chrono::system_clock::time_point created;
    std::map<std::string, std::string> tags;
};

struct StreamDescription {
    std::uint32_t uid = 0;
    std::string name;
    std::string status;  ///< "creating", "active", "updating", "deleting"
    bool is_on_demand = false;
    std::chrono::system_clock::time_point created;
    std::chrono::hours retention{24};
    std::uint64_t max_bytes = 0;  ///< of all shards together; 0: no bound
    std::map<std::string, std::string> tags;
    std::vector<ShardDescription> shards;  ///< by index, closed ones included
    StreamEncryption encryption;
    std::vector<ConsumerDescription> consumers;  ///< by name
};

struct StreamSummary {
    std::string name;
    std::string status;
    std::uint32_t open_shards = 0;
    std::chrono::system_clock::time_point created;
};

struct NewStream {
    std::string name;
    std::uint32_t shard_count = 1;
    bool is_on_demand = false;
    std::chrono::hours retention{24};
    std::map<std::string, std::string> tags;
    std::optional<bool> is_encrypted = {};  ///< nothing: as the broker is configured
    std::uint64_t max_bytes = 0;            ///< 0: no bound
};

/// What goes into a shard and out of it, a second.
struct ShardRate {
    double records_in = 0, bytes_in = 0;
    double records_out = 0, bytes_out = 0;
};

/// How much of something is in use; `limit` 0: there is none.
struct UsageCount {
    std::string what;
    std::uint64_t used = 0, limit = 0;
};

struct LimitsReport {
    std::string mode;  ///< "none" or "aws"
    std::vector<UsageCount> usage;
};

/// What is to change; the rest stays.
struct RetentionWish {
    std::optional<std::chrono::hours> retention;
    std::optional<std::uint64_t> max_bytes;  ///< 0: no bound
};

struct ShardTail {
    std::uint64_t trim = 0, end = 0;
    bool is_sealed = false;
    std::chrono::system_clock::time_point last_arrival;
};

/// How far an idempotent producer (ProducerOptions::producer_id) has come in one shard.
struct ProducerProgress {
    bool is_known = false;            ///< false: no batch of it is remembered
    std::uint32_t next_sequence = 0;  ///< modulo 2^32: records stored since it began at 0
    std::uint64_t end = 0;            ///< one past its last record
};

struct BrokerInfo {
    std::string server;
    std::string durability;  ///< "disk" or "memory": what an acknowledgement means
};

/// Creates, lists, describes, reshards and deletes streams, and asks shards where they end. Blocks;
/// connects when needed. Threads: one at a time. Errors: failures carry the broker's code
/// ("not_found", "already_exists", "limit_exceeded", "invalid_argument", ...) or "unavailable" and
/// "timeout" with the endpoint's name.
class AdminClient {
 public:
    /// `endpoint`: "host:port" or "tidemill://host:port". Says Hello, so that a wrong address fails
    /// here.
    static Outcome<AdminClient> connect(
        std::string_view endpoint, std::chrono::milliseconds timeout = std::chrono::seconds(10));
    AdminClient(AdminClient&&) noexcept;
    AdminClient& operator=(AdminClient&&) noexcept;
    ~AdminClient();

    Outcome<BrokerInfo> broker();
    Outcome<StreamDescription> create_stream(const NewStream& stream);
    /// Errors: "resource_in_use" when consumers are registered with it, unless these may go too.
    Completion delete_stream(std::string_view name, bool with_consumers = false);
    /// Encryption at rest of what is written from now on. `key_name` is kept for descriptions.
    /// Errors: "unsupported" when the broker has no master key.
    Outcome<StreamDescription> start_encryption(std::string_view name,
                                                std::string_view key_name = {});
    Outcome<StreamDescription> stop_encryption(std::string_view name);
    /// Gives an encrypted stream a new data key. Errors: "resource_in_use" when it is not
    /// encrypted.
    Outcome<StreamDescription> rotate_data_key(std::string_view name);
    Outcome<StreamDescription> describe_stream(std::string_view name, bool with_tails = false);
    /// Returns the stream as it is then, without tails.
    Outcome<StreamDescription> set_retention(std::string_view name, const RetentionWish& wish);
    Outcome<std::vector<StreamSummary>> list_streams();
    // Changes of shards return the new layout once it is in force. Records of a key stay in order.
    // Further failures: "resource_in_use" while another change of the stream is under way.
    /// Splits an open shard: `first_hash_key_of_second` (decimal) begins the second child; without
    /// one the shard is halved.
    Outcome<StreamDescription> split_shard(
        std::string_view stream, std::uint32_t shard_index,
        std::optional<std::string_view> first_hash_key_of_second = {});
    /// Merges two open shards that are neighbours.
    Outcome<StreamDescription> merge_shards(std::string_view stream, std::uint32_t shard_index,
                                            std::uint32_t adjacent_index);
    /// Splits and merges to so many even shards in one step.
    Outcome<StreamDescription> scale_stream(std::string_view stream, std::uint32_t shard_count);
    /// As `shards` of the description.
    Outcome<std::vector<ShardRate>> shard_rates(std::string_view stream);
    /// Keys of some of the records that were written since the last call; the first call makes the
    /// broker take them, until five seconds after the last one. One caller a stream.
    Outcome<std::vector<SampledKey>> sampled_keys(std::string_view stream);
    /// Of the stream, or with an empty name of the broker.
    Outcome<LimitsReport> limits(std::string_view stream);
    /// Sets some tags, then takes those of `remove` away. Returns the stream as it is then.
    Outcome<StreamDescription> edit_tags(std::string_view name,
                                         const std::map<std::string, std::string>& set,
                                         const std::vector<std::string>& remove);
    /// Each returns the stream as it is then. Errors: "already_exists", "not_found".
    Outcome<StreamDescription> register_consumer(
        std::string_view stream, std::string_view consumer,
        const std::map<std::string, std::string>& tags = {});
    Outcome<StreamDescription> deregister_consumer(std::string_view stream,
                                                   std::string_view consumer);
    /// On demand, the broker splits and merges the stream's shards by their load.
    Outcome<StreamDescription> set_mode(std::string_view stream, bool is_on_demand);
    Outcome<ShardTail> tail(std::uint32_t shard_uid);
    /// Waits until nothing of the producer is on its way to the log.
    Outcome<ProducerProgress> producer_progress(std::uint32_t shard_uid, std::uint64_t producer_id);
    /// The number of the first record that arrived at or after `time`.
    Outcome<std::uint64_t> seek_time(std::uint32_t shard_uid,
                                     std::chrono::system_clock::time_point time);

 private:
    struct State;
    explicit AdminClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tidemill::client
