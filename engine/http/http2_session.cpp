#include "engine/http/http2_session.h"

#include <charconv>
#include <cstring>

#include <nghttp2/nghttp2.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {

constexpr std::size_t kBodyFirst = 64_KiB;   // of a body of unknown length
constexpr std::size_t kBodyTrusted = 1_MiB;  // allocated at once for an announced length
constexpr std::size_t kFieldOverhead = 32;   // RFC 9113, 6.5.2
constexpr std::size_t kAbusiveHeaders = 8;   // times the limit

std::string_view as_view(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

nghttp2_nv field(std::string_view name, std::string_view value) {
    auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // only read
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

/// The library's view of a session; `user` is the session.
struct Http2Session::Callbacks {
    static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }

    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        self(user).count_frame(head->type, head->flags, head->length);
        return 0;
    }
    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            self(user).begin_headers(frame->hd.stream_id);
        return 0;
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        Http2Stream* stream = self(user).find(frame->hd.stream_id);
        if (stream != nullptr && !stream->has_headers)  // trailers say nothing to us
            self(user).add_header(*stream, as_view(name, name_size), as_view(value, value_size));
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
        if (frame->hd.type == NGHTTP2_HEADERS) self(user).headers_deadline_ = MonoTime::max();
        Http2Stream* stream = self(user).find(frame->hd.stream_id);
        if (stream == nullptr) return 0;
        if (!stream->has_headers) self(user).end_headers(*stream);
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self(user).complete(*stream);
        return 0;
    }
    static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
        Http2Session& session = self(user);
        if (frame->hd.type == NGHTTP2_HEADERS) session.headers_deadline_ = MonoTime::max();
        ++session.stats_.bad_requests;
        // Each makes the library send something: as cheap for the peer as a reset.
        if (!session.resets_.take(session.now_)) session.end_for_abuse();
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                       std::size_t size, void* user) {
        if (Http2Stream* stream = self(user).find(id))
            self(user).add_body(*stream, as_view(data, size));
        return 0;
    }
    static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
        const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                          (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (!ends) return 0;
        const Http2Stream* stream = self(user).find(frame->hd.stream_id);
        // Answered before the client was done: it need not go on.
        if (stream != nullptr && !stream->is_complete)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
        return 0;
    }
    static int on_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        if (Http2Stream* stream = self(user).find(id)) self(user).close_stream(*stream);
        return 0;
    }

    static ssize_t read_answer(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t at_most,
                               std::uint32_t* flags, nghttp2_data_source* source, void*) {
        const auto& stream = *static_cast<const Http2Stream*>(source->ptr);
        if (stream.unsent.empty() && stream.is_streamed) return NGHTTP2_ERR_DEFERRED;
        const std::size_t count = std::min(at_most, stream.unsent.size());
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (count == stream.unsent.size() && !stream.is_streamed) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }
    static int send_answer(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                           std::size_t size, nghttp2_data_source* source, void* user) {
        Http2Session& session = self(user);
        auto& stream = *static_cast<Http2Stream*>(source->ptr);
        session.out_->append(as_view(head, 9)).append(as_text(stream.unsent.first(size)));
        stream.unsent = stream.unsent.subspan(size);
        if (!stream.whole.empty()) session.unsent_bytes_ -= size;
        stream.deadline = session.now_ + session.limits_.write_time;
        if (!stream.unsent.empty()) return 0;
        if (stream.is_streamed) stream.deadline = MonoTime::max();
        stream.moved.notify_all();
        return 0;
    }

    struct Shared {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_option* option = nullptr;
    };
    /// One set for all sessions, for ever.
    static const Shared& shared() {
        static const Shared made = [] {
            Shared to;
            TM_CHECK(nghttp2_session_callbacks_new(&to.callbacks) == 0);
            TM_CHECK(nghttp2_option_new(&to.option) == 0);
            auto* calls = to.callbacks;
            nghttp2_session_callbacks_set_on_begin_frame_callback(calls, on_begin_frame);
            nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
            nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
            nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
            nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_sent);
            nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_closed);
            nghttp2_session_callbacks_set_send_data_callback(calls, send_answer);
            nghttp2_option_set_no_closed_streams(to.option, 1);
            return to;
        }();
        return made;
    }
};

Http2Session::Http2Session(const HttpLimits& limits, std::size_t& bodies_in_use, HttpStats& stats,
                           std::string_view peer, MonoTime now)
    : limits_(limits),
      bodies_in_use_(bodies_in_use),
      stats_(stats),
      peer_(peer),
      now_(now),
      busy_at_(now) {
    const auto& shared = Callbacks::shared();
    TM_CHECK(nghttp2_session_server_new2(&session_, shared.callbacks, this, shared.option) == 0);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kHttp2Streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kHttp2StreamWindow},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes)}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kHttp2Window);
}

Http2Session::~Http2Session() {
    close();
    nghttp2_session_del(session_);
}

Http2Stream* Http2Session::find(std::int32_t id) const {
    const auto found = streams_.find(id);
    return found == streams_.end() || found->second->is_closed ? nullptr : found->second.get();
}

void Http2Session::receive(Bytes bytes, MonoTime now) {
    now_ = now;
    if (is_broken_ || is_ending_ || bytes.empty()) return;
    const auto used = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used < 0) ++stats_.bad_requests;
    is_broken_ = used < 0 || nghttp2_session_get_outbound_queue_size(session_) > kHttp2OutputFrames;
}

void Http2Session::take_output(std::string& out, std::size_t at_most, MonoTime now) {
    now_ = now;
    out_ = &out;
    while (!is_broken_ && out.size() < at_most) {
        const std::uint8_t* bytes = nullptr;
        const auto size = nghttp2_session_mem_send(session_, &bytes);
        is_broken_ = size < 0;
        if (size <= 0) break;
        out.append(as_view(bytes, static_cast<std::size_t>(size)));
    }
    out_ = nullptr;
}

bool Http2Session::is_over() const {
    return is_broken_ ||
           (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

void Http2Session::begin_headers(std::int32_t id) {
    busy_at_ = now_;
    ++stats_.http2_streams;
    // The library counts the open streams, not those whose handlers still run after a reset.
    if (streams_.size() >= 2 * kHttp2Streams) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return;
    }
    headers_deadline_ = now_ + limits_.header_time;
    streams_.emplace(id, std::make_unique<Http2Stream>(id, bodies_in_use_, limits_.bodies_bytes));
}

void Http2Session::add_header(Http2Stream& stream, std::string_view name, std::string_view value) {
    stream.header_bytes += name.size() + value.size() + kFieldOverhead;
    if (stream.header_bytes > limits_.header_bytes) {
        if (stream.header_bytes > kAbusiveHeaders * limits_.header_bytes) end_for_abuse();
        return;
    }
    stream.fields.append(name).append(value);
    stream.lengths.push_back({name.size(), value.size()});
}

void Http2Session::end_headers(Http2Stream& stream) {
    stream.has_headers = true;
    HttpRequest& request = stream.request;
    request.headers.reserve(stream.lengths.size());
    const char* at = stream.fields.data();
    for (const auto& [name_size, value_size] : stream.lengths) {
        const std::string_view name(at, name_size), value(at + name_size, value_size);
        at += name_size + value_size;
        if (name == ":method") {
            request.method = value;
        } else if (name == ":path") {
            const auto mark = value.find('?');
            request.path = value.substr(0, mark);
            if (mark != std::string_view::npos) request.query = value.substr(mark + 1);
        } else if (name == ":authority" || !name.starts_with(':')) {
            request.headers.emplace_back(name, value);
        }
    }
    request.peer = peer_;
    stream.deadline = now_ + limits_.body_time;
    if (stream.header_bytes > limits_.header_bytes) return refuse(stream, 431);
    if (const auto length = request.header("content-length"); !length.empty()) {
        std::uint64_t bytes = 0;  // the library has checked that it is a number
        std::from_chars(length.data(), length.data() + length.size(), bytes);
        stream.announced = bytes;
        if (bytes > limits_.body_bytes) return refuse(stream, 413);
    }
    if (request.header("expect") == "100-continue") {
        const nghttp2_nv go_on = field(":status", "100");
        nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id, nullptr, &go_on, 1, nullptr);
    }
}

void Http2Session::add_body(Http2Stream& stream, std::string_view bytes) {
    if (stream.refusal != 0 || bytes.empty()) return;
    if (stream.body_size + bytes.size() > limits_.body_bytes) return refuse(stream, 413);
    if (!make_room(stream, stream.body_size + bytes.size())) return refuse(stream, 503);
    std::memcpy(stream.body.get() + stream.body_size, bytes.data(), bytes.size());
    stream.body_size += bytes.size();
}

/// Grows with what has really come: an announced length alone takes little.
bool Http2Session::make_room(Http2Stream& stream, std::size_t bytes) {
    if (bytes <= stream.body_capacity) return true;
    std::size_t capacity = std::max(bytes, 2 * stream.body_capacity);
    if (!stream.announced)
        capacity = std::max(capacity, std::min(kBodyFirst, limits_.body_bytes));
    else if (*stream.announced <= std::max(kBodyTrusted, capacity))
        capacity = std::max(bytes, static_cast<std::size_t>(*stream.announced));
    if (!stream.reserved.hold(capacity)) return false;
    auto body = std::make_unique_for_overwrite<char[]>(capacity + kBodyPadding);
    if (stream.body_size > 0) std::memcpy(body.get(), stream.body.get(), stream.body_size);
    stream.body = std::move(body);
    stream.body_capacity = capacity;
    return true;
}

void Http2Session::complete(Http2Stream& stream) {
    stream.is_complete = true;
    if (stream.refusal != 0) return;
    stream.deadline = MonoTime::max();
    if (stream.body == nullptr) stream.body = std::make_unique_for_overwrite<char[]>(kBodyPadding);
    std::memset(stream.body.get() + stream.body_size, 0, kBodyPadding);
    stream.request.body = {stream.body.get(), stream.body_size};
    ready_.push_back(stream.id);
}

void Http2Session::refuse(Http2Stream& stream, unsigned status) {
    if (stream.refusal != 0) return;
    ++stats_.bad_requests;
    stream.refusal = status;
    stream.deadline = MonoTime::max();
    forget_body(stream);
    ready_.push_back(stream.id);
}

void Http2Session::forget_body(Http2Stream& stream) {
    stream.request.body = {};
    stream.body.reset();
    stream.body_size = stream.body_capacity = 0;
    stream.reserved.hold(0);
}

Http2Stream* Http2Session::next_request() {
    while (started_ < ready_.size()) {
        Http2Stream* stream = find(ready_[started_++]);
        if (stream == nullptr) continue;
        stream->is_running = true;
        return stream;
    }
    ready_.clear();
    started_ = 0;
    return nullptr;
}

void Http2Session::release(Http2Stream& stream) {
    stream.is_running = false;
    forget_body(stream);
    if (stream.is_closed) streams_.erase(stream.id);
}

void Http2Session::close_stream(Http2Stream& stream) {
    busy_at_ = now_;
    stream.is_closed = true;
    if (!stream.whole.empty()) unsent_bytes_ -= stream.unsent.size();
    stream.unsent = {};
    stream.whole = {};
    stream.deadline = MonoTime::max();
    stream.moved.notify_all();
    if (!stream.is_running) streams_.erase(stream.id);
}

void Http2Session::answer(Http2Stream& stream, HttpResponse& response, std::string_view date,
                          MonoTime now) {
    if (stream.is_closed || is_broken_) return;
    now_ = now;
    const std::string status = std::to_string(response.status);
    const std::string length = std::to_string(response.body.size());
    std::vector<nghttp2_nv> fields;
    fields.reserve(response.headers.size() + 4);
    fields.push_back(field(":status", status));
    fields.push_back(field("date", date));
    if (!response.content_type.empty())
        fields.push_back(field("content-type", response.content_type));
    for (const auto& [name, value] : response.headers)
        fields.push_back(field(name, value));  // the library writes names in lower case
    const bool streams = response.stream != nullptr;
    const bool has_length = !streams && response.status != 204 && response.status != 304;
    if (has_length) fields.push_back(field("content-length", length));

    const bool is_head = stream.request.method == "HEAD";
    const bool has_body = !is_head && (streams || !response.body.empty());
    nghttp2_data_provider body{};
    body.source.ptr = &stream;
    body.read_callback = Callbacks::read_answer;
    if (has_body && !streams) {
        stream.whole = std::move(response.body);
        stream.unsent = as_bytes(std::string_view(stream.whole));
        unsent_bytes_ += stream.unsent.size();
        stats_.body_bytes_out += stream.unsent.size();
    }
    stream.is_streamed = streams && has_body;
    stream.is_answered = true;
    if (!stream.is_streamed) stream.deadline = now_ + limits_.write_time;
    nghttp2_submit_response(session_, stream.id, fields.data(), fields.size(),
                            has_body ? &body : nullptr);
}

void Http2Session::offer(Http2Stream& stream, Bytes piece, MonoTime now) {
    if (stream.is_closed || is_broken_) return;
    now_ = now;
    stream.unsent = piece;
    stream.deadline = now + limits_.write_time;
    nghttp2_session_resume_data(session_, stream.id);
}

void Http2Session::finish(Http2Stream& stream) {
    if (stream.is_closed || is_broken_ || !stream.is_streamed) return;
    stream.is_streamed = false;
    stream.deadline = now_ + limits_.write_time;
    nghttp2_session_resume_data(session_, stream.id);
}

void Http2Session::abandon(Http2Stream& stream) {
    if (stream.is_closed || is_broken_) return;
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_INTERNAL_ERROR);
}

void Http2Session::go_away() {
    if (is_broken_ || std::exchange(is_going_, true)) return;
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                          nullptr, 0);
}

void Http2Session::close() {
    is_broken_ = true;
    for (auto each = streams_.begin(); each != streams_.end();) {
        Http2Stream& stream = *(each++)->second;
        if (!stream.is_closed) close_stream(stream);
    }
}

bool Http2Session::sweep(MonoTime now) {
    if (is_broken_ || is_ending_) return false;
    now_ = now;
    if (headers_deadline_ <= now) {
        ++stats_.timeouts;
        is_broken_ = true;
        return true;
    }
    if (streams_.empty() && now - busy_at_ >= limits_.idle_time) go_away();
    for (const auto& [id, each] : streams_) {
        Http2Stream& stream = *each;
        if (stream.is_closed || stream.deadline > now) continue;
        if (stream.is_answered) {
            // Only the peer's own windows count against it: others may have had the line.
            const bool may_send = nghttp2_session_get_stream_remote_window_size(session_, id) > 0 &&
                                  nghttp2_session_get_remote_window_size(session_) > 0;
            if (may_send) continue;
            ++stats_.timeouts;
            stream.deadline = MonoTime::max();
            nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        } else if (!stream.is_complete) {
            ++stats_.timeouts;
            refuse(stream, 408);
        }
    }
    return started_ < ready_.size() || nghttp2_session_want_write(session_) != 0;
}

/// Most frames that make nothing happen are fine, now and then.
void Http2Session::count_frame(std::uint8_t type, std::uint8_t flags, std::size_t length) {
    if (type != NGHTTP2_CONTINUATION) continuations_ = 0;
    bool is_trifle = false;
    switch (type) {
        case NGHTTP2_HEADERS:
        case NGHTTP2_WINDOW_UPDATE:
            break;
        case NGHTTP2_DATA:
            is_trifle = length == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0;
            break;
        case NGHTTP2_CONTINUATION:
            is_trifle = true;
            if (++continuations_ > kHttp2Continuations) end_for_abuse();
            break;
        case NGHTTP2_RST_STREAM:
            if (!resets_.take(now_)) end_for_abuse();
            break;
        default:
            is_trifle = true;
    }
    if (is_trifle && !trifles_.take(now_)) end_for_abuse();
}

void Http2Session::end_for_abuse() {
    if (std::exchange(is_ending_, true)) return;
    ++stats_.http2_ended_for_abuse;
    nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

}  // namespace tidemill
