#include "engine/http/http2_session.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "http2_peer.h"

using namespace tidemill;

namespace {

/// A session with its peer. Time is moved by hand.
struct Pair {
    explicit Pair(HttpLimits given = {}, bool opens_windows = true)
        : limits(given), session(limits, bodies, stats, "1.2.3.4:5", now), peer(opens_windows) {}

    /// Both talk until neither has anything to say.
    void talk() {
        for (;;) {
            const std::string to_server = peer.output();
            session.receive(as_bytes(to_server), now);
            std::string to_peer;
            session.take_output(to_peer, 1_MiB, now);
            if (to_server.empty() && to_peer.empty()) return;
            peer.receive(to_peer);
        }
    }
    Http2Stream& next() {
        talk();
        Http2Stream* stream = session.next_request();
        REQUIRE(stream != nullptr);
        return *stream;
    }
    void answer(Http2Stream& stream, std::string body) {
        HttpResponse response = HttpResponse::text(200, std::move(body));
        response.headers.emplace_back("x-amzn-RequestId", "7");
        session.answer(stream, response, "today", now);
    }
    void serve(Http2Stream& stream, std::string body) {
        answer(stream, std::move(body));
        session.release(stream);
        talk();
    }

    HttpLimits limits;
    std::size_t bodies = 0;
    HttpStats stats;
    MonoTime now = MonoTime{} + 1000s;
    Http2Session session;
    Http2Peer peer;
};

/// The bytes of a peer that obeys no rule; returns the error of the GOAWAY it gets, or -1.
int sent_away(const std::string& bytes) {
    HttpLimits limits;
    std::size_t bodies = 0;
    HttpStats stats;
    Http2Session session(limits, bodies, stats, "", MonoTime{} + 1000s);
    session.receive(as_bytes(http2_greeting() + bytes), MonoTime{} + 1000s);
    std::string out;
    session.take_output(out, 64_MiB, MonoTime{} + 1000s);
    CHECK(session.is_over());
    for (std::size_t at = 0; at + 9 <= out.size();) {
        const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(out[at + i]); };
        if (byte(3) == NGHTTP2_GOAWAY) return byte(16);
        at += 9 + static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2));
    }
    return -1;
}

std::string repeated(int times, const std::string& frame) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += frame;
    return all;
}

}  // namespace

TEST_CASE("a request comes out whole, its answer goes in") {
    Pair pair;
    const auto id = pair.peer.request({{":method", "POST"},
                                       {":scheme", "http"},
                                       {":authority", "here:4567"},
                                       {":path", "/some/path?and=more"},
                                       {"x-amz-target", "T.Op"}},
                                      "the body");
    Http2Stream& stream = pair.next();
    CHECK(stream.refusal == 0);
    CHECK(stream.request.method == "POST");
    CHECK(stream.request.path == "/some/path");
    CHECK(stream.request.query == "and=more");
    CHECK(stream.request.body == "the body");
    CHECK(std::all_of(stream.request.body.end(), stream.request.body.end() + kBodyPadding,
                      [](char c) { return c == 0; }));
    CHECK(stream.request.header("X-Amz-Target") == "T.Op");
    CHECK(stream.request.header(":authority") == "here:4567");
    CHECK(stream.request.header("Host") == "here:4567");
    CHECK_FALSE(stream.request.has_header(":method"));
    CHECK(stream.request.peer == "1.2.3.4:5");
    CHECK(pair.bodies > 0);
    pair.serve(stream, "the answer");
    const auto& answer = pair.peer.answers[id];
    CHECK(answer.headers.at(":status") == "200");
    CHECK(answer.headers.at("date") == "today");
    CHECK(answer.headers.at("x-amzn-requestid") == "7");
    CHECK(answer.headers.at("content-length") == "10");
    CHECK(answer.body == "the answer");
    CHECK((answer.is_closed && answer.error == 0));
    CHECK(pair.bodies == 0);
    CHECK(pair.session.streams() == 0);
    CHECK_FALSE(pair.session.is_over());
}

TEST_CASE("requests of one connection are answered in any order") {
    Pair pair;
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 100; ++i)
        ids.push_back(pair.peer.post("body " + std::to_string(i)));
    std::vector<Http2Stream*> streams;
    pair.talk();
    while (Http2Stream* stream = pair.session.next_request())
        streams.push_back(stream);
    REQUIRE(streams.size() == 100);
    std::ranges::reverse(streams);
    for (Http2Stream* stream : streams)
        pair.serve(*stream, "of " + std::string(stream->request.body));
    for (int i = 0; i < 100; ++i)
        CHECK(pair.peer.answers[ids[static_cast<std::size_t>(i)]].body ==
              "of body " + std::to_string(i));
}

TEST_CASE("large bodies cross both ways, and the account of bodies is settled") {
    Pair pair;
    std::string body;
    for (int i = 0; body.size() < 5_MiB; ++i)
        body += std::to_string(i);
    const auto id = pair.peer.post(body);
    Http2Stream& stream = pair.next();
    CHECK(stream.request.body == body);
    CHECK(pair.bodies >= body.size());
    CHECK(pair.bodies <= 2 * body.size());
    pair.session.forget_body(stream);
    CHECK(pair.bodies == 0);
    pair.answer(stream, body);
    CHECK(pair.session.unsent_bytes() == body.size());
    pair.session.release(stream);
    pair.talk();
    CHECK(pair.peer.answers[id].body == body);
    CHECK(pair.session.unsent_bytes() == 0);
}

TEST_CASE("what is too large is refused by its number, and the connection goes on") {
    HttpLimits limits;
    limits.body_bytes = 1_MiB;
    limits.bodies_bytes = 1_MiB + 100_KiB;
    Pair pair(limits);
    const auto refused = [&](std::int32_t id, unsigned status) {
        Http2Stream& stream = pair.next();
        CHECK(stream.id == id);
        CHECK(stream.refusal == status);
        HttpResponse response = HttpResponse::text(stream.refusal, "no");
        pair.session.answer(stream, response, "today", pair.now);
        pair.session.release(stream);
        pair.talk();
        CHECK(pair.peer.answers[id].headers.at(":status") == std::to_string(status));
        CHECK(pair.peer.answers[id].is_closed);
    };
    refused(pair.peer.post("x", {{"x-long", std::string(40'000, 'h')}}), 431);
    refused(pair.peer.post(std::string(2_MiB, 'b')), 413);
    refused(pair.peer.post(std::string(2_MiB, 'b'), {{"content-length", "2097152"}}), 413);
    pair.peer.post(std::string(1_MiB, 'b'));
    Http2Stream& held = pair.next();
    refused(pair.peer.post(std::string(200_KiB, 'c')), 503);
    pair.serve(held, "fine");
    CHECK(pair.bodies == 0);
    const auto id = pair.peer.post(std::string(200_KiB, 'c'));
    pair.serve(pair.next(), "fine again");
    CHECK(pair.peer.answers[id].body == "fine again");
    CHECK(pair.stats.bad_requests == 4);
}

TEST_CASE("an answer waits for the client's windows") {
    Pair pair({}, false);
    const auto id = pair.peer.post("");
    Http2Stream& stream = pair.next();
    pair.serve(stream, std::string(200'000, 'a'));
    CHECK(pair.peer.answers[id].body.size() == 65'535);
    CHECK(pair.session.unsent_bytes() == 200'000 - 65'535);
    pair.peer.open_windows(id, 34'465);
    pair.talk();
    CHECK(pair.peer.answers[id].body.size() == 100'000);
    // A client that stops reading for the time of a write loses this answer, not its connection.
    pair.now += pair.limits.write_time;
    CHECK(pair.session.sweep(pair.now));
    pair.talk();
    CHECK(pair.peer.answers[id].is_closed);
    CHECK(pair.peer.answers[id].error == NGHTTP2_CANCEL);
    CHECK(pair.session.unsent_bytes() == 0);
    CHECK(pair.stats.timeouts == 1);
    CHECK_FALSE(pair.session.is_over());
}

TEST_CASE("an answer in pieces ends when it is finished, and moves when a piece was taken") {
    Pair pair({}, false);
    const auto id = pair.peer.post("");
    Http2Stream& stream = pair.next();
    HttpResponse head;
    head.stream = [](HttpBodyWriter&) -> Task<void> { co_return; };
    pair.session.answer(stream, head, "today", pair.now);
    pair.talk();
    CHECK(pair.peer.answers[id].headers.at(":status") == "200");
    CHECK_FALSE(pair.peer.answers[id].headers.contains("content-length"));
    CHECK_FALSE(pair.peer.answers[id].is_ended);
    const std::string piece(40'000, 'p');
    pair.session.offer(stream, as_bytes(piece), pair.now);
    pair.talk();
    CHECK(stream.unsent.empty());
    pair.session.offer(stream, as_bytes(piece), pair.now);
    pair.talk();
    CHECK(stream.unsent.size() == 80'000 - 65'535);  // the window is full: the writer waits
    pair.peer.open_windows(id, 40'000);
    pair.talk();
    CHECK(stream.unsent.empty());
    // No piece in sight is no fault of the client.
    pair.now += pair.limits.write_time + 1s;
    pair.session.sweep(pair.now);
    pair.session.finish(stream);
    pair.session.release(stream);
    pair.talk();
    CHECK(pair.peer.answers[id].body == piece + piece);
    CHECK((pair.peer.answers[id].is_ended && pair.peer.answers[id].error == 0));
}

TEST_CASE("a stream that the client resets is closed under its handler, and goes when released") {
    Pair pair;
    const auto id = pair.peer.post("x");
    Http2Stream& stream = pair.next();
    pair.peer.reset(id);
    pair.talk();
    CHECK(stream.is_closed);
    CHECK(stream.request.body == "x");  // still the handler's
    pair.answer(stream, "too late");
    pair.session.finish(stream);
    pair.session.release(stream);
    CHECK(pair.session.streams() == 0);
    CHECK(pair.bodies == 0);
    // One that was reset before anyone asked for it never comes out.
    const auto other = pair.peer.post("y");
    pair.talk();
    pair.peer.reset(other);
    pair.talk();
    CHECK(pair.session.next_request() == nullptr);
    CHECK(pair.session.streams() == 0);
}

TEST_CASE("HEAD has no body, 100-continue is answered at once, trailers say nothing") {
    Pair pair;
    const auto head = pair.peer.request(
        {{":method", "HEAD"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}});
    pair.serve(pair.next(), "text");
    CHECK(pair.peer.answers[head].body.empty());
    CHECK(pair.peer.answers[head].headers.at("content-length") == "4");
    CHECK(pair.peer.answers[head].is_ended);

    const auto expects = pair.peer.post("body", {{"expect", "100-continue"}});
    pair.serve(pair.next(), "text");
    CHECK(pair.peer.answers[expects].statuses == std::vector<std::string>{"100", "200"});

    HttpLimits limits;
    std::size_t bodies = 0;
    HttpStats stats;
    Http2Session session(limits, bodies, stats, "", MonoTime{});
    session.receive(as_bytes(http2_greeting() + http2_frame(NGHTTP2_HEADERS, 4, 1, kPostRoot) +
                             http2_frame(NGHTTP2_DATA, 0, 1, "body") +
                             http2_frame(NGHTTP2_HEADERS, 5, 1, std::string("\x00\x01t\x01v", 5))),
                    MonoTime{});
    Http2Stream* stream = session.next_request();
    REQUIRE(stream != nullptr);
    CHECK(stream->request.body == "body");
    CHECK_FALSE(stream->request.has_header("t"));
    session.release(*stream);
}

TEST_CASE("slow bodies, slow headers and idle connections end in time") {
    Pair pair;
    pair.peer.request(
        {{":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}}, "some",
        false);
    pair.talk();
    pair.now += pair.limits.body_time - 1ms;
    pair.session.sweep(pair.now);
    CHECK(pair.session.next_request() == nullptr);
    pair.now += 1ms;
    CHECK(pair.session.sweep(pair.now));
    Http2Stream* slow = pair.session.next_request();
    REQUIRE(slow != nullptr);
    CHECK(slow->refusal == 408);
    pair.serve(*slow, "slow");
    CHECK(pair.session.streams() == 0);

    pair.now += pair.limits.idle_time - 1ms;
    CHECK_FALSE(pair.session.sweep(pair.now));
    pair.now += 1ms;
    CHECK(pair.session.sweep(pair.now));
    pair.talk();
    CHECK(pair.peer.is_sent_away);
    CHECK(pair.peer.why_sent_away == NGHTTP2_NO_ERROR);
    CHECK(pair.session.is_over());

    HttpLimits limits;
    std::size_t bodies = 0;
    HttpStats stats;
    Http2Session half(limits, bodies, stats, "", MonoTime{});
    half.receive(as_bytes(http2_greeting() + http2_frame(NGHTTP2_HEADERS, 1, 1, kPostRoot)),
                 MonoTime{});
    half.sweep(MonoTime{} + limits.header_time - 1ms);
    CHECK_FALSE(half.is_over());
    half.sweep(MonoTime{} + limits.header_time);
    CHECK(half.is_over());
}

TEST_CASE("after going away, what is known is answered and nothing else is taken") {
    Pair pair;
    const auto known = pair.peer.post("known");
    Http2Stream& stream = pair.next();
    pair.session.go_away();
    pair.talk();
    CHECK(pair.peer.is_sent_away);
    CHECK_FALSE(pair.session.is_over());
    pair.serve(stream, "answer");
    CHECK(pair.peer.answers[known].body == "answer");
    CHECK(pair.session.is_over());
}

TEST_CASE("floods are ended, and what clients really do is not") {
    const std::string ping = http2_frame(NGHTTP2_PING, 0, 0, "12345678");
    const std::string settings = http2_frame(NGHTTP2_SETTINGS, 0, 0);
    CHECK(sent_away(http2_frame(NGHTTP2_HEADERS, 1, 1, kPostRoot) +
                    repeated(17, http2_frame(NGHTTP2_CONTINUATION, 0, 1))) ==
          NGHTTP2_ENHANCE_YOUR_CALM);
    CHECK(sent_away(http2_frame(NGHTTP2_HEADERS, 4, 1, kPostRoot) +
                    repeated(10'001, http2_frame(NGHTTP2_DATA, 0, 1))) ==
          NGHTTP2_ENHANCE_YOUR_CALM);
    CHECK(sent_away(repeated(10'001,
                             http2_frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\1", 5)))) ==
          NGHTTP2_ENHANCE_YOUR_CALM);
    std::string resets;
    for (std::uint32_t i = 0; i < 1001; ++i)
        resets += http2_frame(NGHTTP2_HEADERS, 5, 2 * i + 1, kPostRoot) +
                  http2_frame(NGHTTP2_RST_STREAM, 0, 2 * i + 1, std::string("\0\0\0\x8", 4));
    CHECK(sent_away(resets) == NGHTTP2_ENHANCE_YOUR_CALM);
    std::string bomb;  // one large header in the dynamic table, then a reference to it in a byte
    bomb = std::string(kPostRoot) + "\x40\x01x\x7f\xa1\x1e" + std::string(4000, 'v');
    CHECK(sent_away(http2_frame(NGHTTP2_HEADERS, 4, 1, bomb + std::string(4000, '\xbe'))) ==
          NGHTTP2_ENHANCE_YOUR_CALM);
    // Answers to pings and settings that nobody reads.
    for (const auto& frame : {ping, settings}) {
        HttpLimits limits;
        std::size_t bodies = 0;
        HttpStats stats;
        Http2Session session(limits, bodies, stats, "", MonoTime{});
        session.receive(as_bytes(http2_greeting() + repeated(1100, frame)), MonoTime{});
        CHECK(session.is_over());
    }

    Pair pair;
    for (int i = 0; i < 20'000; ++i) {  // a minute's pings and cancelled calls, one at a time
        pair.now += 100ms;
        pair.session.receive(as_bytes(i == 0 ? http2_greeting() : ping), pair.now);
        std::string out;
        pair.session.take_output(out, 1_MiB, pair.now);
    }
    CHECK_FALSE(pair.session.is_over());
    CHECK(pair.stats.http2_ended_for_abuse == 0);
}
