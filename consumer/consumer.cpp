#include "consumer/consumer.h"

#include <algorithm>

#include "consumer/consumer_state.h"
#include "producer/stream_layout.h"
#include "proto/sequence_number.h"

namespace tidemill::client {

std::string Delivery::shard_id() const { return shard_id_of(shard_index); }

std::string Delivery::sequence_number(const Record& record) const {
    const auto seconds =
        std::chrono::floor<std::chrono::seconds>(record.arrival).time_since_epoch();
    return SequenceNumber::of_record(shard_created_s, shard_index, record.ordinal, seconds.count())
        .to_string();
}

Consumer::Consumer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Consumer::Consumer(Consumer&&) noexcept = default;
Consumer& Consumer::operator=(Consumer&& other) noexcept {
    if (this != &other) {
        if (state_ != nullptr) close();
        state_ = std::move(other.state_);
    }
    return *this;
}
Consumer::~Consumer() {
    if (state_ != nullptr) close();
}

Outcome<Consumer> Consumer::connect(ConsumerOptions options) {
    const auto endpoint = Endpoint::parse(options.endpoint);
    if (!endpoint) return failure_of(endpoint.error());
    if (options.stream.empty())
        return Failure{"invalid_argument", "a consumer needs a stream", false};
    auto state = std::make_unique<State>(std::move(options), *endpoint);
    // The first look at the stream: a wrong address or name fails here, and the start position
    // counts from now.
    if (const Status status = state->sync(); !status) return failure_of(status.error());
    state->must_sync = false;
    state->thread = std::thread([raw = state.get()] { raw->run(); });
    return Consumer(std::move(state));
}

Outcome<std::optional<Delivery>> Consumer::next_batch(std::chrono::milliseconds timeout) {
    State& state = *state_;
    std::unique_lock lock(state.mutex);
    const auto is_there = [&] {
        return state.is_closing || !state.queue.empty() || !state.failures.empty();
    };
    if (!state.delivered.wait_for(lock, timeout, is_there)) return std::optional<Delivery>{};
    if (state.is_closing) return Failure{"cancelled", "the consumer is closed", false};
    if (state.queue.empty()) {
        Failure failure = std::move(state.failures.front());
        state.failures.pop_front();
        return failure;
    }
    State::Queued queued = std::move(state.queue.front());
    state.queue.pop_front();
    ++state.metrics.deliveries;
    state.metrics.records += queued.delivery.records.size();
    state.metrics.bytes += queued.bytes;
    const auto found = state.held.find(queued.delivery.shard_index);
    bool must_wake = false;
    if (found != state.held.end()) {
        HeldShard& shard = found->second;
        const bool had_room = state.has_room(shard);
        shard.opened_bytes -= std::min(shard.opened_bytes, queued.opened_bytes);
        must_wake = !had_room && state.has_room(shard) && !shard.unopened.empty();
    }
    if (found != state.held.end() && found->second.subscription == queued.subscription) {
        found->second.credit_to_return += queued.bytes;
        must_wake = must_wake || state.queue.empty() ||
                    found->second.credit_to_return >= state.options.credit_bytes / 4;
    }
    lock.unlock();
    if (must_wake) state.wake();
    return std::optional<Delivery>(std::move(queued.delivery));
}

Completion Consumer::checkpoint(const Delivery& done) {
    return state_->save(done.shard_index, done.next_ordinal,
                        done.kind == Delivery::Kind::ShardEnded);
}

Completion Consumer::checkpoint(std::uint32_t shard_index, std::uint64_t next_ordinal) {
    return state_->save(shard_index, next_ordinal, false);
}

void Consumer::close() {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->is_closing) return;
        state_->is_closing = true;
    }
    state_->delivered.notify_all();
    state_->wake();
    if (state_->thread.joinable()) state_->thread.join();
    state_->release_all();
}

ConsumerMetrics Consumer::metrics() const {
    const std::lock_guard lock(state_->mutex);
    return state_->metrics;
}

}  // namespace tidemill::client
