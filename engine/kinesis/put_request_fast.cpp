#include <cstring>

#include <simdjson.h>

#include "engine/http/http_limits.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/shapes.h"
#include "engine/security/base64.h"

namespace tidemill::kinesis {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kBodyPadding >= simdjson::SIMDJSON_PADDING);
constexpr std::size_t kKeptParserBytes = 2_MiB;  // larger bodies get a parser of their own

/// The characters of a string token without escapes; nothing for any other token.
std::optional<std::string_view> plain_text(ondemand::value& value) {
    std::string_view token = value.raw_json_token();
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                              token.back() == '\t'))
        token.remove_suffix(1);
    if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
    token = token.substr(1, token.size() - 2);
    if (std::memchr(token.data(), '\\', token.size()) != nullptr) return std::nullopt;
    return token;
}

/// A member's name without escapes; nothing otherwise. The parser has found the closing quote.
std::optional<std::string_view> plain_name(simdjson::simdjson_result<ondemand::field>& field) {
    ondemand::raw_json_string raw;
    if (field.key().get(raw) != simdjson::SUCCESS) return std::nullopt;
    const char* begin = raw.raw();
    const char* end = begin;
    while (*end != '"') {
        if (*end == '\\') return std::nullopt;
        ++end;
    }
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

class FastDecoder {
 public:
    explicit FastDecoder(PutRequest& request) : request_(request), at_(request.memory.get()) {}

    bool document(ondemand::document& from) {
        ondemand::object members;
        if (from.get_object().get(members) != simdjson::SUCCESS) return false;
        for (auto field : members) {
            const auto name = plain_name(field);
            ondemand::value value;
            if (!name || field.value().get(value) != simdjson::SUCCESS) return false;
            if (*name == "Records") {
                if (!request_.records.empty() || !records(value)) return false;
            } else if (*name == "StreamName") {
                if (!checked_text(value, Pattern::Name, 128, request_.stream_name)) return false;
            } else if (*name == "StreamARN") {
                if (!checked_text(value, Pattern::StreamArn, 2048, request_.stream_arn))
                    return false;
            } else {
                return false;  // rare, and how deep the parser looks into what it skips is not
                               // enough
            }
        }
        // Anything behind the document makes it none; the memory holds data and keys, nothing else.
        return !request_.records.empty() &&
               static_cast<std::size_t>(at_ - request_.memory.get()) <= kRequestDataMax &&
               from.current_location().error() == simdjson::OUT_OF_BOUNDS;
    }

 private:
    bool checked_text(ondemand::value& value, Pattern pattern, std::size_t max, std::string& to) {
        const auto text = plain_text(value);
        if (!text || text->size() > max || !to.empty() || !matches(pattern, *text)) return false;
        to = *text;
        return true;
    }

    bool records(ondemand::value& value) {
        ondemand::array entries;
        if (value.get_array().get(entries) != simdjson::SUCCESS) return false;
        for (auto entry : entries) {
            ondemand::object members;
            if (request_.records.size() == static_cast<std::size_t>(shapes::kRecordsMax))
                return false;
            if (entry.get_object().get(members) != simdjson::SUCCESS || !record(members))
                return false;
        }
        return true;
    }

    bool record(ondemand::object& members) {
        bool has_data = false, has_key = false;  // a stream may need no key
        PutRecord record;
        for (auto field : members) {
            const auto name = plain_name(field);
            ondemand::value value;
            if (!name || field.value().get(value) != simdjson::SUCCESS) return false;
            const auto text = plain_text(value);
            if (!text) return false;
            if (*name == "Data" && !has_data) {
                auto* begin = reinterpret_cast<std::byte*>(at_);
                const std::byte* end = base64_decode(*text, begin);
                if (end == nullptr) return false;
                record.data = {begin, static_cast<std::size_t>(end - begin)};
                if (record.data.size() > static_cast<std::size_t>(shapes::kDataMax)) return false;
                at_ += record.data.size();
                has_data = true;
            } else if (*name == "PartitionKey" && !has_key) {
                if (text->empty() ||
                    text->size() > static_cast<std::size_t>(shapes::kPartitionKeyMax))
                    return false;
                for (const char c : *text)
                    if (static_cast<unsigned char>(c) < 0x20)
                        return false;  // no JSON: let the other way say so
                std::memcpy(at_, text->data(), text->size());
                record.partition_key = {at_, text->size()};
                at_ += text->size();
                has_key = true;
            } else if (*name == "ExplicitHashKey" && !record.explicit_hash_key) {
                record.explicit_hash_key = parse_decimal_uint128(*text);
                if (!record.explicit_hash_key) return false;
            } else {
                return false;
            }
        }
        if (!has_data) return false;
        request_.records.push_back(record);
        return true;
    }

    PutRequest& request_;
    char* at_;
};

}  // namespace

std::optional<PutRequest> decode_put_records_fast(std::string_view body) {
    thread_local ondemand::parser kept;
    ondemand::parser own;
    ondemand::parser& parser = body.size() <= kKeptParserBytes ? kept : own;
    ondemand::document document;
    const simdjson::padded_string_view padded(body.data(), body.size(), body.size() + kBodyPadding);
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
    PutRequest request;
    request.memory = std::make_unique_for_overwrite<char[]>(body.size());
    if (!FastDecoder(request).document(document)) return std::nullopt;
    return request;
}

}  // namespace tidemill::kinesis
