#include <simdjson.h>

#include "engine/aws/cbor_reader.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/shapes.h"

namespace tidemill::kinesis {
namespace {

using Head = CborReader::Head;

/// Understands what the Java SDKs write for a plain request: containers of either kind, strings in
/// one piece, nothing twice, no member that the model of 2022 does not have.
class FastCborDecoder {
 public:
    FastCborDecoder(std::string_view body, PutRequest& request)
        : reader_(body), request_(request) {}

    bool document() {
        std::uint64_t members = 0;
        if (!open(CborReader::kMap, members)) return false;
        while (goes_on(members)) {
            std::string_view name;
            if (!text(name)) return false;
            if (name == "Records") {
                if (!request_.records.empty() || !records()) return false;
            } else if (name == "StreamName") {
                if (!checked_text(Pattern::Name, 128, request_.stream_name)) return false;
            } else if (name == "StreamARN") {
                if (!checked_text(Pattern::StreamArn, 2048, request_.stream_arn)) return false;
            } else {
                return false;
            }
        }
        return reader_.left() == 0 && !request_.records.empty() && size_ <= kRequestDataMax;
    }

 private:
    static constexpr std::uint64_t kIndefinite = UINT64_MAX;

    bool open(CborReader::Major major, std::uint64_t& items) {
        Head head;
        if (!reader_.head(head) || head.major != major) return false;
        items = head.is_indefinite ? kIndefinite : head.argument;
        return head.is_indefinite || head.argument <= reader_.left();
    }

    /// Counts an item of a container off, or steps over its break.
    bool goes_on(std::uint64_t& items) {
        if (items == kIndefinite) return !reader_.skip_break();
        return items-- > 0;
    }

    bool string(CborReader::Major major, std::string_view& to) {
        Head head;
        return reader_.head(head) && head.major == major && !head.is_indefinite &&
               reader_.take(head.argument, to);
    }
    bool text(std::string_view& to) { return string(CborReader::kText, to); }

    bool checked_text(Pattern pattern, std::size_t max, std::string& to) {
        std::string_view found;
        if (!to.empty() || !text(found) || found.size() > max || !matches(pattern, found) ||
            !simdjson::validate_utf8(found.data(), found.size()))
            return false;
        to = found;
        return true;
    }

    bool records() {
        std::uint64_t entries = 0;
        if (!open(CborReader::kArray, entries)) return false;
        if (entries != kIndefinite && entries <= kEntriesMax)
            request_.records.reserve(static_cast<std::size_t>(entries));
        while (goes_on(entries))
            if (request_.records.size() == kEntriesMax || !record()) return false;
        return true;
    }

    bool record() {
        std::uint64_t members = 0;
        if (!open(CborReader::kMap, members)) return false;
        bool has_data = false;
        PutRecord record;
        while (goes_on(members)) {
            std::string_view name, bytes;
            if (!text(name)) return false;
            if (name == "Data" && !has_data) {
                if (!string(CborReader::kBytes, bytes) ||
                    bytes.size() > static_cast<std::size_t>(shapes::kDataMax))
                    return false;
                record.data = as_bytes(bytes);
                has_data = true;
            } else if (name == "PartitionKey" && record.partition_key.empty()) {
                if (!text(bytes) || bytes.empty() ||
                    bytes.size() > static_cast<std::size_t>(shapes::kPartitionKeyMax) ||
                    !simdjson::validate_utf8(bytes.data(), bytes.size()))
                    return false;
                record.partition_key = bytes;
            } else if (name == "ExplicitHashKey" && !record.explicit_hash_key) {
                if (!text(bytes)) return false;
                record.explicit_hash_key = parse_decimal_uint128(bytes);
                if (!record.explicit_hash_key) return false;
            } else {
                return false;
            }
        }
        if (!has_data) return false;  // a stream may need no key
        size_ += record.partition_key.size() + record.data.size();
        request_.records.push_back(record);
        return true;
    }

    static constexpr auto kEntriesMax = static_cast<std::size_t>(shapes::kRecordsMax);

    CborReader reader_;
    PutRequest& request_;
    std::size_t size_ = 0;
};

}  // namespace

std::optional<PutRequest> decode_put_records_fast_cbor(std::string_view body) {
    std::optional<PutRequest> request(std::in_place);
    if (!FastCborDecoder(body, *request).document()) return std::nullopt;
    return request;
}

}  // namespace tidemill::kinesis
