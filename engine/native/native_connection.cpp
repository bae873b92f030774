#include "engine/native/native_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "engine/native/native_requests.h"

namespace tidemill {
namespace {

using wire::Kind;

constexpr std::uint8_t kind_of(Kind kind) { return static_cast<std::uint8_t>(kind); }

// A peer that vanished without a word is found out by the kernel, not by a timer for each
// connection.
void configure(NativeSocket& socket) {
    boost::system::error_code ignored;
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    const int unanswered_ms = 60'000;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms,
                 sizeof unanswered_ms);
}

}  // namespace

NativeConnection::NativeConnection(Reactor& reactor, const NativeShared& shared,
                                   NativeSocket socket)
    : reactor_(reactor), shared_(shared), socket_(std::move(socket)) {
    configure(socket_);
}

Task<void> NativeConnection::run(std::vector<std::byte> already_read) {
    if (!already_read.empty()) {
        const MutableBytes space = input_.writable(already_read.size());
        std::memcpy(space.data(), already_read.data(), already_read.size());
        input_.commit(already_read.size());
    }
    reactor_.spawn(gate_, watch_hello());
    while (is_open_) {
        if (const Status status = consume_input(); !status) {
            send_error(kind_of(Kind::ConnectionError), 0, status.error());
            break;
        }
        if (is_congested()) {
            co_await room_.wait_until(MonoTime::max());
            continue;
        }
        const MutableBytes space = input_.writable(needed_);
        const auto [error, bytes] = co_await socket_.async_read_some(
            boost::asio::buffer(space.data(), space.size()), kAwait);
        if (error) break;
        input_.commit(bytes);
    }
    co_await finish();
}

Task<void> NativeConnection::finish() {
    is_open_ = false;
    hello_.notify_all();
    room_.notify_all();
    answer_room_.notify_all();
    push_room_.notify_all();
    closing_.notify_all();
    for (auto& [id, request] : long_requests_)
        request->wake.notify_all();
    co_await gate_.close();
    flush();
    output_.unshare();
    const MonoTime deadline = now() + limits().drain_timeout;
    while (is_hook_requested_ || (is_waiting_writable_ && now() < deadline))
        co_await drained_.wait_until(deadline);
    // Unread input would turn the close into a reset, which can overtake the last answer.
    std::byte discarded[4096];
    while (::recv(socket_.native_handle(), discarded, sizeof discarded, MSG_DONTWAIT) > 0) {
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    while (is_waiting_writable_)
        co_await drained_.wait_until(MonoTime::max());
}

void NativeConnection::shut_down() {
    is_open_ = false;
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::socket_base::shutdown_receive, ignored);
    room_.notify_all();
}

Task<void> NativeConnection::watch_hello() {
    const MonoTime deadline = now() + limits().hello_timeout;
    while (is_open_ && !is_greeted_ && now() < deadline)
        co_await hello_.wait_until(deadline);
    if (is_open_ && !is_greeted_) shut_down();
}

bool NativeConnection::is_congested() const {
    const auto& limit = limits();
    return requests_in_flight_ >= limit.requests_in_flight_max ||
           bytes_in_flight_ >= limit.bytes_in_flight_max ||
           output_.bytes() >= limit.output_bytes_max;
}

void NativeConnection::wake_reader() {
    if (!is_congested()) room_.notify_all();
}

void NativeConnection::wake_senders() {
    answer_room_.notify_first();
    push_room_.notify_first();
}

Task<void> NativeConnection::wait_unsent_below(std::size_t limit, Signal& room) {
    while (is_open_ && output_.bytes() + reserved_ >= limit)
        co_await room.wait_until(MonoTime::max());
}

Task<void> NativeConnection::wait_for_room() {
    co_await wait_unsent_below(limits().output_bytes_max, answer_room_);
    answer_room_.notify_first();
}

Task<NativeConnection::Room> NativeConnection::reserve_answer(std::size_t bytes) {
    co_await wait_unsent_below(limits().output_bytes_max, answer_room_);
    Room room(*this, answer_room_, bytes);
    answer_room_.notify_first();
    co_return room;
}

Task<NativeConnection::Room> NativeConnection::reserve_push() {
    co_await wait_unsent_below(limits().push_unsent_max, push_room_);
    const bool is_alone = output_.bytes() + reserved_ == 0 || long_requests_.size() == 1;
    Room room(*this, push_room_, is_alone ? limits().push_bytes_max : limits().push_bytes_busy_max);
    push_room_.notify_first();
    co_return room;
}

Status NativeConnection::consume_preface() {
    const Bytes bytes = input_.bytes();
    const auto seen = as_text(bytes.first(std::min(bytes.size(), wire::kPreface.size())));
    if (!wire::kPreface.starts_with(seen))
        return fail(Errc::Corrupt, "this is no native connection: it does not begin with TMN1");
    has_preface_ = seen.size() == wire::kPreface.size();
    if (has_preface_) input_.consume(seen.size());
    return {};
}

Status NativeConnection::consume_input() {
    if (!has_preface_) TRY(consume_preface());
    if (!has_preface_) return {};
    while (is_open_ && !is_congested()) {
        ASSIGN(const auto frame,
               wire::parse_frame(input_.bytes(), limits().frame_bytes_max, &needed_));
        if (!frame) return {};
        TRY(accept(*frame));
        input_.consume(frame->size());
    }
    return {};
}

Status NativeConnection::accept(const wire::FrameView& frame) {
    const std::uint8_t kind = frame.header.kind;
    if (frame.is_reply() || frame.is_error() || frame.is_end())
        return fail(Errc::Corrupt, fmt::format("a reply (kind {}) where a request belongs", kind));
    if (!is_greeted_ && kind != kind_of(Kind::Hello))
        return fail(Errc::InvalidArgument, "the first frame of a connection is Hello");
    switch (static_cast<Kind>(kind)) {
        case Kind::Produce:
            produce(frame);
            return {};
        case Kind::Hello:
            hello(frame);
            return {};
        case Kind::Ping:
            send(kind, wire::kReply, frame.header.request_id, {});
            return {};
        case Kind::Subscribe:
            return start_long(frame);
        case Kind::Credit:
        case Kind::Unsubscribe: {
            // The subscription may have ended while this was under way: then there is nothing to
            // do.
            const auto found = long_requests_.find(frame.header.request_id);
            if (found == long_requests_.end()) return {};
            if (kind == kind_of(Kind::Unsubscribe)) {
                found->second->is_given_up = true;
            } else {
                ASSIGN(const auto credit, wire::read_struct<wire::CreditReturn>(frame.envelope));
                found->second->credit += std::min(credit.bytes(), std::uint64_t{1} << 40);
            }
            found->second->wake.notify_all();
            return {};
        }
        default:
            break;
    }
    const bool is_extended =
        kind < shared_.extensions.size() && shared_.extensions[kind] != nullptr;
    if (is_extended) return start_long(frame);
    if (!is_native_request(kind))
        return fail(Errc::Unsupported, fmt::format("this broker knows no frame of kind {}", kind));
    ++requests_in_flight_;
    NativeRequest request{kind, frame.header.request_id, wire::TableBytes(frame.envelope), {}};
    reactor_.spawn(gate_, run_request(std::move(request)));
    return {};
}

void NativeConnection::hello(const wire::FrameView& frame) {
    const wire::TableBytes copy(frame.envelope);
    const auto message = copy.read<wire::HelloRequest>();
    if (!message || (*message)->version() != wire::kProtocolVersion) {
        send_error(frame.header.kind, frame.header.request_id,
                   Error(Errc::Unsupported,
                         fmt::format("this broker speaks version {} of the native protocol",
                                     wire::kProtocolVersion)));
        return;
    }
    is_greeted_ = true;
    hello_.notify_all();
    flatbuffers::FlatBufferBuilder builder;
    const auto server = builder.CreateString(shared_.greeting.server);
    const auto durability = builder.CreateString(shared_.greeting.durability);
    builder.Finish(wire::CreateHelloReply(builder, wire::kProtocolVersion, server, durability,
                                          static_cast<std::uint32_t>(limits().frame_bytes_max),
                                          limits().requests_in_flight_max, kKnownCodecs));
    send(frame.header.kind, wire::kReply, frame.header.request_id, wire::finished_bytes(builder));
}

Task<void> NativeConnection::run_request(NativeRequest request) {
    NativeReply reply(*this, request.kind, request.id);
    co_await answer_native_request(*this, std::move(request), reply);
    --requests_in_flight_;
    wake_reader();
}

// ---- output

void NativeConnection::send(std::uint8_t kind, std::uint8_t flags, std::uint32_t id,
                            Bytes envelope) {
    std::byte* head = output_.append(wire::frame_head_bytes(envelope.size(), false));
    wire::write_frame_head(head, kind, flags, id, envelope, 0);
    request_flush();
}

void NativeConnection::send(std::uint8_t kind, std::uint8_t flags, std::uint32_t id, Bytes envelope,
                            std::vector<BufferSlice> attachment) {
    std::size_t bytes = 0;
    for (const auto& slice : attachment)
        bytes += slice.bytes.size();
    std::byte* head = output_.append(wire::frame_head_bytes(envelope.size(), true));
    wire::write_frame_head(head, kind, flags | wire::kAttachment, id, envelope, bytes);
    for (auto& slice : attachment)
        output_.append(std::move(slice));
    request_flush();
}

void NativeConnection::send_error(std::uint8_t kind, std::uint32_t id, const Error& error) {
    flatbuffers::FlatBufferBuilder builder;
    const auto code = builder.CreateString(std::string(info(error.code).name));
    const auto message = builder.CreateString(error.message);
    builder.Finish(wire::CreateErrorReply(builder, code, message, info(error.code).is_retryable));
    send(kind, wire::kReply | wire::kError | wire::kEnd, id, wire::finished_bytes(builder));
}

void NativeConnection::request_flush() {
    if (is_hook_requested_) return;
    is_hook_requested_ = true;
    reactor_.request_turn_end(*this);
}

void NativeConnection::at_turn_end() {
    is_hook_requested_ = false;
    flush();
    drained_.notify_all();
}

void NativeConnection::flush() {
    if (is_waiting_writable_ || output_.is_empty()) return;
    const auto all_sent = output_.write_to(socket_.native_handle());
    if (!all_sent)
        shut_down();
    else if (!*all_sent)
        wait_writable();
    wake_reader();
    wake_senders();
}

void NativeConnection::wait_writable() {
    is_waiting_writable_ = true;
    if (!is_watched_ && is_open_) {
        is_watched_ = true;
        reactor_.spawn(gate_, watch_unsent());
    }
    socket_.async_wait(boost::asio::socket_base::wait_write,
                       [this](boost::system::error_code error) {
                           is_waiting_writable_ = false;
                           if (!error) flush();
                           drained_.notify_all();
                       });
}

// A peer that takes everything soon shares the log's blocks; one that does not holds copies.
Task<void> NativeConnection::watch_unsent() {
    while (is_open_ && is_waiting_writable_) {
        co_await closing_.wait_until(now() + limits().share_max);
        if (is_waiting_writable_) output_.unshare();
    }
    is_watched_ = false;
}

// ---- NativeReply

bool NativeConnection::is_wanted(std::uint32_t id) const {
    if (!is_open_) return false;
    const auto found = long_requests_.find(id);
    return found == long_requests_.end() || !found->second->is_given_up;
}

bool NativeReply::is_wanted() const { return connection_.is_wanted(id_); }

void NativeReply::send(Bytes envelope, bool is_last) {
    connection_.send(kind_, is_last ? wire::kReply | wire::kEnd : wire::kReply, id_, envelope);
}

void NativeReply::send(Bytes envelope, std::vector<BufferSlice> batches, bool is_last) {
    connection_.send(kind_, is_last ? wire::kReply | wire::kEnd : wire::kReply, id_, envelope,
                     std::move(batches));
}

void NativeReply::send_error(const Error& error) { connection_.send_error(kind_, id_, error); }

Task<void> NativeReply::wait_for_room() { return connection_.wait_for_room(); }

}  // namespace tidemill
