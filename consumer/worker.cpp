#include "consumer/worker.h"

#include <map>

namespace tidemill::client {
namespace {

struct Running {
    std::unique_ptr<RecordProcessor> processor;
    Delivery last;  // what has been handed over so far ends there
};

}  // namespace

Completion Worker::run() {
    auto connected = Consumer::connect(options_);
    if (!connected) return connected.failure();
    Consumer consumer = std::move(*connected);
    std::map<std::uint32_t, Running> running;
    Completion outcome = Nothing{};
    while (!is_stopping_) {
        // Short, so that shut_down is noticed; a signal handler can do no more than set a flag.
        auto next = consumer.next_batch(std::chrono::milliseconds(100));
        if (!next) {
            outcome = next.failure();
            break;
        }
        if (!next->has_value()) continue;
        const Delivery& delivery = **next;
        auto [at, is_new] = running.try_emplace(delivery.shard_index);
        Running& shard = at->second;
        if (delivery.kind == Delivery::Kind::LeaseLost) {
            if (!is_new) shard.processor->lease_lost();
            running.erase(at);
            continue;
        }
        if (is_new) {
            shard.processor = factory_();
            shard.processor->initialize(delivery.shard_id());
        }
        Checkpointer checkpointer(consumer, delivery);
        if (delivery.kind != Delivery::Kind::ShardEnded) {
            if (delivery.kind == Delivery::Kind::Records)
                shard.processor->process_records(delivery, checkpointer);
            else
                shard.processor->records_unreadable(delivery, checkpointer);
            shard.last = delivery;
            shard.last.records.clear();
            continue;
        }
        shard.processor->shard_ended(checkpointer);
        const Completion ended = consumer.checkpoint(delivery);
        if (!ended && ended.failure().code == "fenced") shard.processor->lease_lost();
        running.erase(at);
    }
    for (auto& [index, shard] : running) {
        if (shard.last.next_ordinal == 0) continue;
        Checkpointer checkpointer(consumer, shard.last);
        shard.processor->shutdown_requested(checkpointer);
    }
    consumer.close();
    return outcome;
}

}  // namespace tidemill::client
