#include "engine/kinesis/shard_subscription.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/aws/event_stream.h"
#include "engine/kinesis/error_map.h"
#include "engine/kinesis/shard_document.h"
#include "engine/service/sequence.h"
#include "engine/usage/rate_limits.h"

namespace tidemill::kinesis {
namespace {

/// How long a subscription sleeps at most before it looks whether it is still wanted.
constexpr auto kWaitSlice = std::chrono::seconds(1);
/// A closed shard whose children are not known here yet.
constexpr auto kChildrenSoon = std::chrono::milliseconds(10);

constexpr std::string_view content_type(Encoding encoding) {
    return encoding == Encoding::Json ? "application/x-amz-json-1.1" : "application/x-amz-cbor-1.1";
}

}  // namespace

std::string another_subscription(std::string_view account, std::string_view stream,
                                 const SubscriptionKey& key) {
    return fmt::format("Another active subscription exists for this consumer: {}:{}:{}:{}", account,
                       stream, key.consumer, shard_id_text(key.shard_index));
}

ShardSubscription::ShardSubscription(Begin begin)
    : service_(begin.service),
      registry_(begin.registry),
      reading_(begin.reading),
      claim_(std::move(begin.claim)),
      stream_(std::move(begin.stream)),
      shard_index_(begin.shard_index),
      encoding_(begin.encoding),
      account_(std::move(begin.account)),
      from_(begin.from),
      end_(now() + kLife),
      last_event_(now()) {
    if (RateLimits* limits = service_.limits()) pace_ = limits->subscription_pace();
}

ShardSubscription::~ShardSubscription() { registry_.release(*claim_); }

Task<void> ShardSubscription::run(HttpBodyWriter& to) {
    EventFrameWriter frame(frame_, {{":message-type", "event"},
                                    {":event-type", "initial-response"},
                                    {":content-type", content_type(encoding_)}});
    DocumentWriter(frame_, encoding_).begin_object().end_object();
    frame.finish();
    Next next = co_await send_frame(to);
    while (next != Next::End) {
        next = co_await step(to);
        if (next != Next::Wait) continue;
        const MonoTime until = std::min({last_event_ + kHeartbeat, end_, now() + kWaitSlice});
        const auto tail = co_await service_.wait_tail(shard().uid, from_, until);
        // Of a closed shard the tail does not change: what is missing are its children.
        if (!tail || tail->is_sealed)
            co_await Reactor::current().sleep_until(now() + kChildrenSoon);
    }
}

std::optional<ApiError> ShardSubscription::lost() {
    if (claim_->is_lost)
        return ApiError{"ResourceInUseException",
                        another_subscription(account_, stream_->name, claim_->key)};
    const auto found = service_.find_stream(stream_->name);
    if (!found || (*found)->uid != stream_->uid)
        return ApiError{
            "ResourceNotFoundException",
            fmt::format("Stream {} under account {} not found.", stream_->name, account_)};
    stream_ = *found;
    const ConsumerInfo* consumer = stream_->find_consumer(claim_->key.consumer);
    if (consumer == nullptr || to_millis(consumer->created) != claim_->key.consumer_created)
        return ApiError{"ResourceNotFoundException",
                        fmt::format("Consumer {} under stream {} under account {} not found.",
                                    claim_->key.consumer, stream_->name, account_)};
    if (stream_->shard_by_index(shard_index_) == nullptr)
        return ApiError{"ResourceNotFoundException",
                        fmt::format("Shard {} in stream {} under account {} does not exist",
                                    shard_id_text(shard_index_), stream_->name, account_)};
    return std::nullopt;
}

Task<ShardSubscription::Next> ShardSubscription::step(HttpBodyWriter& to) {
    if (to.is_stopping() || now() >= end_) co_return Next::End;
    if (const auto error = lost()) co_return co_await send_failure(to, *error);
    if (pace_ && !pace_->is_clear(now())) {
        co_await Reactor::current().sleep_until(
            std::min({pace_->clear_at(now()), last_event_ + kHeartbeat, end_, now() + kWaitSlice}));
        if (now() - last_event_ >= kHeartbeat) co_return co_await send_heartbeat(to);
        co_return Next::GoOn;
    }
    const ReadLimits limits{kEventMost.bytes, kEventMost.records};
    const auto read = co_await service_.read(shard().uid, from_, limits);
    if (!read) {
        if (const auto error = lost()) co_return co_await send_failure(to, *error);
        ApiError error = to_api_error(read.error());
        if (error.type != "ResourceNotFoundException") error.type = "InternalFailureException";
        co_return co_await send_failure(to, error);
    }
    if (!read->batches.empty()) co_return co_await send_records(to, *read);
    from_ = std::max(from_, read->next);  // beyond records that have expired
    // The rule that KCL insists on: no continuation if and only if there are children.
    if (!shard().is_open() && from_ >= shard().end_ordinal && has_children(*stream_, shard()))
        co_return co_await send_shard_end(to);
    if (now() - last_event_ >= kHeartbeat) co_return co_await send_heartbeat(to);
    co_return Next::Wait;
}

/// AFTER this number a subscription goes on where this one stands, whether or not a record has it.
void ShardSubscription::write_progress(DocumentWriter& out, std::int64_t millis_behind) {
    const SequenceNumber number{to_millis(shard().created) / 1000, shard_index_, from_,
                                to_millis(last_arrival_.value_or(shard().created)) / 1000};
    out.key("ContinuationSequenceNumber").plain_text(number.to_string());
    out.member("MillisBehindLatest", millis_behind);
}

namespace {

EventFrameWriter begin_event(std::string& frame, Encoding encoding) {
    return {frame,
            {{":message-type", "event"},
             {":event-type", "SubscribeToShardEvent"},
             {":content-type", content_type(encoding)}}};
}

}  // namespace

Task<ShardSubscription::Next> ShardSubscription::send_records(HttpBodyWriter& to,
                                                              const ReadResult& read) {
    EventFrameWriter frame = begin_event(frame_, encoding_);
    DocumentWriter out(frame_, encoding_);
    out.begin_object();
    const auto written = write_records(out, *stream_, shard(), read, from_, kEventMost, reading_);
    from_ = written.next;
    if (written.last_arrival) last_arrival_ = written.last_arrival;
    write_progress(out, written.millis_behind);
    out.end_object();
    frame.finish();
    SubscriptionStats& stats = registry_.stats();
    stats.records += written.count;
    stats.bytes += written.bytes;
    if (auto* counts = service_.shard_counts(shard().uid))
        counts->count_read(written.count, written.bytes);
    if (pace_) pace_->charge(static_cast<double>(written.bytes), now());
    co_return co_await send_frame(to);
}

Task<ShardSubscription::Next> ShardSubscription::send_heartbeat(HttpBodyWriter& to) {
    EventFrameWriter frame = begin_event(frame_, encoding_);
    DocumentWriter out(frame_, encoding_);
    out.begin_object().key("Records").begin_array().end_array();
    write_progress(out, 0);
    out.end_object();
    frame.finish();
    ++registry_.stats().heartbeats;
    co_return co_await send_frame(to);
}

Task<ShardSubscription::Next> ShardSubscription::send_shard_end(HttpBodyWriter& to) {
    EventFrameWriter frame = begin_event(frame_, encoding_);
    DocumentWriter out(frame_, encoding_);
    out.begin_object().key("Records").begin_array().end_array();
    out.member("MillisBehindLatest", 0);
    write_children(out, *stream_, shard());
    out.end_object();
    frame.finish();
    co_await send_frame(to);
    co_return Next::End;
}

Task<ShardSubscription::Next> ShardSubscription::send_failure(HttpBodyWriter& to,
                                                              const ApiError& error) {
    EventFrameWriter frame(frame_, {{":message-type", "exception"},
                                    {":exception-type", error.type},
                                    {":content-type", content_type(encoding_)}});
    DocumentWriter(frame_, encoding_)
        .begin_object()
        .member("message", std::string_view(error.message))
        .end_object();
    frame.finish();
    co_await send_frame(to);
    co_return Next::End;
}

Task<ShardSubscription::Next> ShardSubscription::send_frame(HttpBodyWriter& to) {
    ++registry_.stats().events;
    const Status sent = co_await to.write(as_bytes(frame_));
    frame_.clear();
    last_event_ = now();
    co_return sent ? Next::GoOn : Next::End;
}

}  // namespace tidemill::kinesis
