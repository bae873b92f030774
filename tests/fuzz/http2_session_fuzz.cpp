// link: engine/http
#include <cstdint>
#include <string>

#include "engine/http/http2_session.h"

using namespace tidemill;

/// The bytes of a client in portions (a byte that says how long, 255: time passes), each request
/// answered in one of the ways that there are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    HttpLimits limits;
    limits.body_bytes = 64_KiB;
    limits.bodies_bytes = 256_KiB;
    std::size_t bodies = 0;
    HttpStats stats;
    MonoTime now{};
    {
        Http2Session session(limits, bodies, stats, "", now);
        session.receive(as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), now);
        std::string out;
        unsigned turn = 0;
        while (size > 0) {
            const std::size_t portion = std::min<std::size_t>(8 * (*data % 128u) + 1, size);
            if (*data == 255) now += 11s;
            session.receive({reinterpret_cast<const std::byte*>(data), portion}, now);
            data += portion;
            size -= portion;
            if (turn % 3 == 0) session.sweep(now);
            while (Http2Stream* stream = session.next_request()) {
                for (std::size_t i = 0; i < kBodyPadding && stream->refusal == 0; ++i)
                    if (stream->request.body.data()[stream->request.body.size() + i] != 0)
                        __builtin_trap();
                HttpResponse response = HttpResponse::text(200, std::string(turn * 100, 'a'));
                if (++turn % 3 == 0)
                    response.stream = [](HttpBodyWriter&) -> Task<void> { co_return; };
                session.answer(*stream, response, "today", now);
                if (stream->is_streamed) {
                    session.offer(*stream, as_bytes("a piece that outlives the session"), now);
                    session.take_output(out, 64_KiB, now);
                    if (turn % 2 == 0)
                        session.finish(*stream);
                    else
                        session.abandon(*stream);
                }
                session.release(*stream);
            }
            out.clear();
            session.take_output(out, 64_KiB, now);
            if (bodies > limits.bodies_bytes) __builtin_trap();
            if (turn % 7 == 6) session.go_away();
        }
    }
    if (bodies != 0) __builtin_trap();
    return 0;
}
