#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "consumer/consumer.h"

namespace tidemill::client {

/// What a processor is given to keep its progress with.
class Checkpointer {
 public:
    Checkpointer(Consumer& consumer, const Delivery& delivery)
        : consumer_(consumer), delivery_(delivery) {}
    /// All records handed to the processor so far are done.
    Completion checkpoint() { return consumer_.checkpoint(delivery_); }
    /// All records before and including `record` are done.
    Completion checkpoint(const Record& record) {
        return consumer_.checkpoint(delivery_.shard_index, record.ordinal + 1);
    }

 private:
    Consumer& consumer_;
    const Delivery& delivery_;
};

/// One shard's records, in order. One instance a shard; called from the worker's thread only.
class RecordProcessor {
 public:
    virtual ~RecordProcessor() = default;
    virtual void initialize(const std::string& shard_id) { (void)shard_id; }
    virtual void process_records(const Delivery& records, Checkpointer& checkpointer) = 0;
    /// The shard holds bytes here that are no records (Delivery::Kind::Unreadable, with `reason`):
    /// a producer's fault, and no later attempt will read them. The shard goes on behind them.
    virtual void records_unreadable(const Delivery& where, Checkpointer& checkpointer) {
        (void)where, (void)checkpointer;
    }
    /// Another worker has the shard; checkpoints are refused from now on.
    virtual void lease_lost() {}
    /// Closed and read to its end. The worker checkpoints the end afterwards, so that the children
    /// begin.
    virtual void shard_ended(Checkpointer& checkpointer) { (void)checkpointer; }
    /// The worker stops; last chance for a checkpoint.
    virtual void shutdown_requested(Checkpointer& checkpointer) { (void)checkpointer; }
};

/// Runs one RecordProcessor for each shard that this worker holds.
class Worker {
 public:
    using Factory = std::function<std::unique_ptr<RecordProcessor>()>;

    Worker(ConsumerOptions options, Factory factory)
        : options_(std::move(options)), factory_(std::move(factory)) {}

    /// Blocks until `shut_down`, or until the stream is gone or a shard is damaged.
    Completion run();
    /// From any thread or a signal handler.
    void shut_down() { is_stopping_ = true; }

 private:
    ConsumerOptions options_;
    Factory factory_;
    std::atomic<bool> is_stopping_{false};
};

}  // namespace tidemill::client
