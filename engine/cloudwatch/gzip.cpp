#include "engine/cloudwatch/gzip.h"

#include <zlib.h>

namespace tidemill::cloudwatch {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr std::size_t kPieceBytes = 64 * 1024;

struct Inflating {
    z_stream stream{};
    bool is_open = inflateInit2(&stream, kGzipOnly) == Z_OK;
    Inflating() = default;
    Inflating(const Inflating&) = delete;
    Inflating& operator=(const Inflating&) = delete;
    ~Inflating() {
        if (is_open) inflateEnd(&stream);
    }
};

}  // namespace

std::optional<std::string> gunzip(std::string_view bytes, std::size_t most) {
    Inflating inflating;
    if (!inflating.is_open || bytes.empty()) return std::nullopt;
    z_stream& stream = inflating.stream;
    // zlib does not write through its input pointer, whose type is older than const.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    std::string out;
    while (true) {
        const std::size_t before = out.size();
        out.resize(before + kPieceBytes);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream.avail_out = kPieceBytes;
        const int outcome = inflate(&stream, Z_NO_FLUSH);
        out.resize(before + kPieceBytes - stream.avail_out);
        if (out.size() > most) return std::nullopt;
        if (outcome == Z_STREAM_END) {
            if (stream.avail_in == 0) return out;
            if (inflateReset(&stream) != Z_OK) return std::nullopt;
        } else if (outcome != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return std::nullopt;
        }
    }
}

}  // namespace tidemill::cloudwatch
