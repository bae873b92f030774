#include "producer/producer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <random>
#include <sys/eventfd.h>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "producer/frame_channel.h"
#include "producer/producer_core.h"

namespace tidemill::client {

/// The producer's thread and what callers share with it. Callers touch `core` under `mutex`; the
/// channel is the thread's.
struct Producer::State {
    State(ProducerOptions wanted, Endpoint where, Compression compression, std::uint64_t random_id)
        : options(std::move(wanted)),
          endpoint(std::move(where)),
          core(options, random_id),
          compressor(compression) {
        wake_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }
    ~State() {
        if (wake_fd >= 0) ::close(wake_fd);
    }

    void run();
    void step(MonoTime& connect_at, int& failures);
    Status exchange();
    void take_answer(const wire::FrameView& frame, MonoTime now);
    void hand_out();
    void wait(MonoTime until);
    void wake() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
    }
    bool put(std::string_view stream, std::string_view key, std::string_view data,
             std::string_view hash_key, PutWaiter waiter, bool may_wait);
    bool is_own_thread() const { return std::this_thread::get_id() == thread.get_id(); }

    const ProducerOptions options;
    const Endpoint endpoint;
    mutable std::mutex mutex;
    std::condition_variable changed;  // room, or a flush may have ended
    ProducerCore core;
    bool is_closing = false;
    std::atomic<bool> must_end{false};
    int wake_fd = -1;
    FrameChannel channel;
    BatchCompressor compressor;        // the thread's own
    std::size_t being_handed_out = 0;  // under `mutex`
    std::size_t answers_awaited = 0;
    MonoTime last_answer{};
    std::thread thread;
};

namespace {

MonoTime mono_now() { return std::chrono::steady_clock::now(); }

std::uint64_t random_id() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device() | 1;  // 0 means: not idempotent
}

}  // namespace

void Producer::State::run() {
    MonoTime connect_at{};
    int failures = 0;
    last_answer = mono_now();
    for (;;) {
        step(connect_at, failures);
        MonoTime next;
        {
            const std::lock_guard lock(mutex);
            if (must_end && !core.has_work()) return;
            next = core.next_due();
            if (!channel.is_open() && core.has_work()) next = std::max(connect_at, mono_now());
        }
        if (answers_awaited > 0) next = std::min(next, last_answer + options.request_timeout);
        wait(next);
    }
}

void Producer::State::step(MonoTime& connect_at, int& failures) {
    Status status;
    if (!channel.is_open()) {
        bool has_work = false;
        {
            const std::lock_guard lock(mutex);
            has_work = core.has_work();
        }
        if (has_work && mono_now() >= connect_at) {
            status = channel.open(endpoint, mono_now() + options.connect_timeout);
            last_answer = mono_now();
            if (status) failures = 0;
        }
    }
    if (status && channel.is_open()) status = exchange();
    if (!status) {
        channel.close();
        answers_awaited = 0;
        const auto backoff = options.retry_backoff_min * (1 << std::min(failures++, 10));
        connect_at = mono_now() + std::min(backoff, options.retry_backoff_max);
        const std::lock_guard lock(mutex);
        core.disconnected(status.error(), mono_now());
    }
    {
        const std::lock_guard lock(mutex);
        core.expire(mono_now());
    }
    hand_out();
}

// Reads the answers that are there, then sends what is due.
Status Producer::State::exchange() {
    for (;;) {
        ASSIGN(const auto frame, channel.next());
        if (frame) {
            take_answer(*frame, mono_now());
            continue;
        }
        ASSIGN(const bool has_read, channel.fill());
        if (!has_read) break;
        last_answer = mono_now();
    }
    if (answers_awaited > 0 && mono_now() - last_answer > options.request_timeout)
        return fail(Errc::Timeout, fmt::format("{}: no answer within {} ms", endpoint.to_string(),
                                               options.request_timeout.count()));
    std::vector<ProducerRequest> requests;
    {
        const std::lock_guard lock(mutex);
        requests = core.take_requests(mono_now());
    }
    // Without the lock: callers go on filling batches meanwhile.
    for (auto& request : requests) {
        if (answers_awaited++ == 0) last_answer = mono_now();
        if (request.kind == ProducerRequest::Kind::Position) {
            const wire::ProducerPositionRequest message(request.producer_id, request.shard, 0);
            channel.send(wire::Kind::ProducerPosition, request.id, wire::struct_bytes(message));
        } else if (request.kind == ProducerRequest::Kind::Describe) {
            flatbuffers::FlatBufferBuilder builder;
            write_stream_question(builder, request.stream, false);
            channel.send(wire::Kind::DescribeStream, request.id, wire::finished_bytes(builder));
        } else {
            request.compress(compressor);
            const wire::ProduceRequest message(request.shard, 0);
            channel.send(wire::Kind::Produce, request.id, wire::struct_bytes(message),
                         request.batch);
        }
    }
    return channel.flush();
}

void Producer::State::take_answer(const wire::FrameView& frame, MonoTime now) {
    const std::uint32_t id = frame.header.request_id;
    if (answers_awaited > 0) --answers_awaited;
    const std::lock_guard lock(mutex);
    if (frame.is_error()) return core.refused(id, error_of(frame, endpoint), now);
    const auto unreadable = [&] {
        core.refused(id,
                     Error(Errc::Unknown, endpoint.to_string() + ": an answer that cannot be read"),
                     now);
    };
    if (frame.header.kind == static_cast<std::uint8_t>(wire::Kind::Produce)) {
        const auto reply = wire::read_struct<wire::ProduceReply>(frame.envelope);
        if (!reply) return unreadable();
        return core.acknowledged(id, reply->first_ordinal(), reply->arrival_ms(),
                                 reply->is_duplicate() != 0);
    }
    if (frame.header.kind == static_cast<std::uint8_t>(wire::Kind::ProducerPosition)) {
        const auto reply = wire::read_struct<wire::ProducerPositionReply>(frame.envelope);
        if (!reply) return unreadable();
        return core.position_is(id, reply->is_known() != 0 ? reply->next_sequence() : 0);
    }
    const wire::TableBytes copy(frame.envelope);
    const auto reply = copy.read<wire::StreamReply>();
    if (!reply) return unreadable();
    core.described(id, description_of(**reply), now);
}

void Producer::State::hand_out() {
    std::vector<FinishedPut> finished;
    {
        const std::lock_guard lock(mutex);
        finished = core.take_finished();
        being_handed_out = finished.size();
    }
    for (auto& put : finished)
        put.hand_out();
    {
        const std::lock_guard lock(mutex);
        being_handed_out = 0;
    }
    changed.notify_all();
}

void Producer::State::wait(MonoTime until) {
    const auto left = until - mono_now();
    if (left <= std::chrono::nanoseconds{0}) return;
    pollfd sockets[2] = {{wake_fd, POLLIN, 0}, {channel.fd(), POLLIN, 0}};
    if (channel.is_open() && channel.wants_write()) sockets[1].events |= POLLOUT;
    const auto capped = std::min<std::chrono::nanoseconds>(left, 1h);
    const timespec timeout{capped / 1s, (capped % 1s).count()};
    ::ppoll(sockets, channel.is_open() ? 2 : 1, &timeout, nullptr);
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got = ::read(wake_fd, &ignored, sizeof ignored);
}

// ---- the callers' side

Producer::Producer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&& other) noexcept {
    if (this != &other) {
        if (state_ != nullptr) close();
        state_ = std::move(other.state_);
    }
    return *this;
}
Producer::~Producer() {
    if (state_ != nullptr) close();
}

Outcome<Producer> Producer::connect(ProducerOptions options) {
    const auto endpoint = Endpoint::parse(options.endpoint);
    if (!endpoint) return failure_of(endpoint.error());
    const auto compression = parse_compression(options.compression);
    if (!compression) return failure_of(compression.error());
    auto state = std::make_unique<State>(std::move(options), *endpoint, *compression, random_id());
    const Status opened =
        state->channel.open(*endpoint, mono_now() + state->options.connect_timeout);
    if (!opened) return failure_of(opened.error());
    if (!state->channel.greeting().takes(compression->codec))
        return Failure{"unsupported",
                       fmt::format("{}: the broker takes no batches compressed with {}",
                                   endpoint->to_string(), to_string(*compression)),
                       false};
    state->thread = std::thread([raw = state.get()] { raw->run(); });
    return Producer(std::move(state));
}

bool Producer::State::put(std::string_view stream, std::string_view key, std::string_view data,
                          std::string_view hash_key, PutWaiter waiter, bool may_wait) {
    const Bytes bytes = as_bytes(data);
    const std::size_t memory = ProducerCore::memory_of(key, bytes);
    Error error;
    {
        std::unique_lock lock(mutex);
        if (!may_wait && !core.has_room(memory)) return false;
        // The producer's own thread makes the room: it must not wait for it.
        if (!is_own_thread())
            changed.wait(lock, [&] { return is_closing || core.has_room(memory); });
        if (!is_closing) {
            const auto taken = core.put(stream, key, bytes, hash_key, waiter, mono_now());
            if (taken) {
                lock.unlock();
                if (*taken) wake();
                return true;
            }
            error = taken.error();
        } else {
            error = Error(Errc::Cancelled, "the producer is closed");
        }
    }
    FinishedPut refused{std::move(waiter), ProducerCore::failed(error)};
    refused.hand_out();
    return true;
}

std::future<PutResult> Producer::put(std::string_view stream, std::string_view partition_key,
                                     std::string_view data, std::string_view explicit_hash_key) {
    PutWaiter waiter;
    waiter.promise.emplace();
    auto future = waiter.promise->get_future();
    state_->put(stream, partition_key, data, explicit_hash_key, std::move(waiter), true);
    return future;
}

void Producer::put_async(std::string_view stream, std::string_view partition_key,
                         std::string_view data, PutCallback done,
                         std::string_view explicit_hash_key) {
    state_->put(stream, partition_key, data, explicit_hash_key, {std::nullopt, std::move(done)},
                true);
}

bool Producer::try_put(std::string_view stream, std::string_view partition_key,
                       std::string_view data, PutCallback done,
                       std::string_view explicit_hash_key) {
    return state_->put(stream, partition_key, data, explicit_hash_key,
                       {std::nullopt, std::move(done)}, false);
}

void Producer::flush() {
    std::unique_lock lock(state_->mutex);
    const std::uint64_t epoch = state_->core.begin_flush();
    state_->wake();
    state_->changed.wait(lock, [&] {
        return state_->core.is_flushed(epoch) && !state_->core.has_finished() &&
               state_->being_handed_out == 0;
    });
}

void Producer::close() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->is_closing = true;
    }
    state_->changed.notify_all();
    if (!state_->thread.joinable()) return;
    flush();
    state_->must_end = true;
    state_->wake();
    state_->thread.join();
}

ProducerMetrics Producer::metrics() const {
    const std::lock_guard lock(state_->mutex);
    return state_->core.metrics();
}

}  // namespace tidemill::client
