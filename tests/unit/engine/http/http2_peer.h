#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "engine/base/check.h"
#include "engine/http/http2_session.h"

namespace tidemill {

/// One frame of HTTP/2 as bytes, right or wrong.
inline std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                               std::string_view payload = {}) {
    std::string bytes;
    const auto put = [&bytes](std::size_t value, int count) {
        for (int i = count - 1; i >= 0; --i)
            bytes += static_cast<char>(value >> (8 * i) & 0xff);
    };
    put(payload.size(), 3);
    put(type, 1);
    put(flags, 1);
    put(stream, 4);
    return bytes.append(payload);
}

/// POST http://h/ in HPACK.
constexpr std::string_view kPostRoot = "\x83\x84\x86\x41\x01h";

/// What a client begins with.
inline std::string http2_greeting() {
    return NGHTTP2_CLIENT_MAGIC + http2_frame(NGHTTP2_SETTINGS, 0, 0);
}

/// A client made of the library's other half.
class Http2Peer {
 public:
    struct Answer {
        std::map<std::string, std::string> headers;
        std::string body;
        std::vector<std::string> statuses;  // the informational ones too
        bool is_ended = false, is_closed = false;
        std::uint32_t error = 0;
    };
    using Fields = std::vector<std::pair<std::string, std::string>>;

    /// A window of 0 keeps the protocol's 65,535 bytes, and never opens it by itself.
    explicit Http2Peer(bool opens_windows = true) {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_option* option = nullptr;
        TM_CHECK(nghttp2_session_callbacks_new(&calls) == 0 && nghttp2_option_new(&option) == 0);
        nghttp2_option_set_no_auto_window_update(option, opens_windows ? 0 : 1);
        nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
        TM_CHECK(nghttp2_session_client_new2(&session_, calls, this, option) == 0);
        nghttp2_session_callbacks_del(calls);
        nghttp2_option_del(option);
        nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    }
    ~Http2Peer() { nghttp2_session_del(session_); }
    Http2Peer(const Http2Peer&) = delete;
    Http2Peer& operator=(const Http2Peer&) = delete;

    /// Begins a request; returns its number. Without `ends`, more of the body would follow.
    std::int32_t request(const Fields& fields, std::string body = {}, bool ends = true) {
        std::vector<nghttp2_nv> list;
        for (const auto& [name, value] : fields)
            list.push_back(
                {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
        bodies_.push_back({std::move(body), 0, ends});
        nghttp2_data_provider provider{};
        provider.source.fd = static_cast<int>(bodies_.size()) - 1;
        provider.read_callback = read_body;
        const bool has_body = !bodies_.back().bytes.empty() || !ends;
        return nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                      has_body ? &provider : nullptr, nullptr);
    }
    std::int32_t post(std::string body, const Fields& more = {}) {
        Fields fields{
            {":method", "POST"}, {":scheme", "http"}, {":authority", "here:4567"}, {":path", "/"}};
        fields.insert(fields.end(), more.begin(), more.end());
        return request(fields, std::move(body));
    }
    void reset(std::int32_t id) {
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
    void open_windows(std::int32_t id, std::int32_t bytes) {
        nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, id, bytes);
        nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, 0, bytes);
    }

    std::string output() {
        std::string out;
        const std::uint8_t* bytes = nullptr;
        while (const auto size = nghttp2_session_mem_send(session_, &bytes)) {
            TM_CHECK(size > 0);
            out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        }
        return out;
    }
    void receive(std::string_view bytes) {
        TM_CHECK(nghttp2_session_mem_recv(session_,
                                          reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                          bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }

    std::map<std::int32_t, Answer> answers;
    bool is_sent_away = false;
    std::uint32_t why_sent_away = 0;

 private:
    struct Body {
        std::string bytes;
        std::size_t sent;
        bool ends;
    };

    static std::uint8_t* bytes_of(const std::string& text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    }
    static Http2Peer& self(void* user) { return *static_cast<Http2Peer*>(user); }
    static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t room,
                             std::uint32_t* flags, nghttp2_data_source* source, void* user) {
        Body& body = self(user).bodies_[static_cast<std::size_t>(source->fd)];
        const std::size_t count = body.bytes.copy(reinterpret_cast<char*>(into), room, body.sent);
        body.sent += count;
        if (body.sent == body.bytes.size() && body.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (count == 0 && !body.ends) return NGHTTP2_ERR_DEFERRED;
        return static_cast<ssize_t>(count);
    }
    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        const std::string text(reinterpret_cast<const char*>(value), value_size);
        Answer& answer = self(user).answers[frame->hd.stream_id];
        if (key == ":status") answer.statuses.push_back(text);
        answer.headers[key] = text;
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                       std::size_t size, void* user) {
        self(user).answers[id].body.append(reinterpret_cast<const char*>(data), size);
        return 0;
    }
    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_GOAWAY) {
            self(user).is_sent_away = true;
            self(user).why_sent_away = frame->goaway.error_code;
        }
        const bool ends = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                          (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (ends) self(user).answers[frame->hd.stream_id].is_ended = true;
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
        self(user).answers[id].is_closed = true;
        self(user).answers[id].error = error;
        return 0;
    }

    nghttp2_session* session_ = nullptr;
    std::vector<Body> bodies_;
};

}  // namespace tidemill
