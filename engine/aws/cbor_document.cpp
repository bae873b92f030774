#include "engine/aws/cbor_document.h"

#include <cmath>

#include <simdjson.h>

#include "engine/aws/cbor_reader.h"

namespace tidemill::aws {
namespace {

using Head = CborReader::Head;

constexpr int kDepthMax = 32;
constexpr std::uint64_t kEpochTag = 1;
enum SimpleInfo : std::uint8_t { kFalse = 20, kTrue, kNull, kUndefined, kHalf = 25, kDouble = 27 };

class CborParser {
 public:
    CborParser(std::string_view bytes, CborTimes times) : reader_(bytes), times_(times) {}

    bool document(Value& to) { return item(to, 0) && reader_.left() == 0; }

 private:
    bool item(Value& to, int depth) {
        Head head;
        return reader_.head(head) && item(head, to, depth);
    }

    bool item(const Head& head, Value& to, int depth) {
        if (depth > kDepthMax || ++values_ > kDocumentValuesMax) return false;
        switch (head.major) {
            case CborReader::kUnsigned:
            case CborReader::kNegative:
                integer(head, to);
                return true;
            case CborReader::kBytes:
                return string(head, to.content.emplace<Value::Blob>().bytes);
            case CborReader::kText:
                return text(head, to.content.emplace<std::string>());
            case CborReader::kArray:
                return array(head, to.content.emplace<Value::List>(), depth);
            case CborReader::kMap:
                return map(head, to.content.emplace<Value::Map>(), depth);
            case CborReader::kTag:
                if (!item(to, depth + 1)) return false;
                return head.argument != kEpochTag || time(to);
            case CborReader::kSimple:
                return simple(head, to);
        }
        return false;
    }

    static void integer(const Head& head, Value& to) {
        const bool is_negative = head.major == CborReader::kNegative;
        if (head.argument <= INT64_MAX) {
            const auto whole = static_cast<std::int64_t>(head.argument);
            to.content = is_negative ? -1 - whole : whole;
        } else {
            const auto real = static_cast<double>(head.argument);
            to.content = is_negative ? -1 - real : real;
        }
    }

    static bool simple(const Head& head, Value& to) {
        if (head.info == kFalse || head.info == kTrue)
            to.content = head.info == kTrue;
        else if (head.info >= kHalf && head.info <= kDouble)
            to.content = cbor_float(head);
        else
            return head.info == kNull || head.info == kUndefined;
        return true;
    }

    /// Its bytes, in one piece or, of indefinite length, in pieces of definite length.
    bool string(const Head& head, std::string& to) {
        std::string_view piece;
        if (!head.is_indefinite) {
            if (!reader_.take(head.argument, piece)) return false;
            to = piece;
            return true;
        }
        while (!reader_.skip_break()) {
            Head next;
            if (!reader_.head(next) || next.major != head.major || next.is_indefinite ||
                !reader_.take(next.argument, piece))
                return false;
            to += piece;
        }
        return true;
    }

    bool text(const Head& head, std::string& to) {
        return string(head, to) && simdjson::validate_utf8(to.data(), to.size());
    }

    bool array(const Head& head, Value::List& to, int depth) {
        // Each item has a byte at least: what announces more than is there is none.
        if (head.argument > reader_.left()) return false;
        for (std::uint64_t i = 0; head.is_indefinite || i < head.argument; ++i) {
            if (head.is_indefinite && reader_.skip_break()) return true;
            if (!item(to.emplace_back(), depth + 1)) return false;
        }
        return true;
    }

    bool map(const Head& head, Value::Map& to, int depth) {
        if (head.argument > reader_.left() / 2) return false;
        for (std::uint64_t i = 0; head.is_indefinite || i < head.argument; ++i) {
            if (head.is_indefinite && reader_.skip_break()) return true;
            Head name;
            auto& member = to.emplace_back();
            if (!reader_.head(name) || name.major != CborReader::kText ||
                !text(name, member.name) || !item(member.value, depth + 1))
                return false;
        }
        return true;
    }

    bool time(Value& to) const {
        const auto number = to.number();
        if (!number || std::isnan(*number)) return false;
        const double scale = times_ == CborTimes::Seconds ? 1000 : 1;
        to.content = time_of_millis(*number * scale);
        return true;
    }

    CborReader reader_;
    CborTimes times_;
    std::size_t values_ = 0;
};

}  // namespace

std::optional<Value> parse_cbor(std::string_view cbor, CborTimes times) {
    std::optional<Value> value(std::in_place);
    if (!CborParser(cbor, times).document(*value)) return std::nullopt;
    return value;
}

}  // namespace tidemill::aws
