#include "engine/kinesis/put_request.h"

#include <cstring>

#include <fmt/format.h>

#include "engine/aws/json_document.h"
#include "engine/kinesis/shapes.h"
#include "engine/security/base64.h"

namespace tidemill::kinesis {
namespace {

constexpr std::size_t kRequestDataMax = 10_MiB;  // data and keys of one PutRecords

}  // namespace

ApiResult<PutRecord> record_of(const Value& entry, char*& at) {
    PutRecord record;
    const std::string_view key = entry.text_or("PartitionKey", "");
    std::memcpy(at, key.data(), key.size());
    record.partition_key = {at, key.size()};
    at += key.size();
    auto* data = reinterpret_cast<std::byte*>(at);
    const std::byte* end = base64_decode(entry.text_or("Data", ""), data);
    record.data = {data, static_cast<std::size_t>(end - data)};
    at += record.data.size();
    if (const auto hash = entry.text_or("ExplicitHashKey", ""); !hash.empty()) {
        record.explicit_hash_key = parse_decimal_uint128(hash);
        if (!record.explicit_hash_key)
            return invalid_argument(
                fmt::format("Invalid ExplicitHashKey. ExplicitHashKey must be in the "
                            "range: [0, 2^128-1]. Specified value was {}",
                            hash));
    }
    return record;
}

ApiResult<PutRequest> decode_put_records(std::string_view body) {
    auto request = decode_put_records_fast(body);
    if (request) return std::move(*request);
    return decode_put_records_thorough(body);
}

ApiResult<PutRequest> decode_put_records_thorough(std::string_view body) {
    const auto document = parse_json(body);
    if (!document || document->map() == nullptr) return refuse("SerializationException", "");
    if (auto status = check(*document, shapes::kPutRecords); !status)
        return std::unexpected(status.error());
    PutRequest request;
    request.stream_name = document->text_or("StreamName", "");
    request.stream_arn = document->text_or("StreamARN", "");
    request.is_dry_run = document->boolean_or("DryRun", false);
    request.memory = std::make_unique_for_overwrite<char[]>(body.size());
    char* at = request.memory.get();
    for (const Value& entry : *document->find("Records")->list()) {
        auto record = record_of(entry, at);
        if (!record) return std::unexpected(record.error());
        request.records.push_back(*record);
    }
    if (static_cast<std::size_t>(at - request.memory.get()) > kRequestDataMax)
        return invalid_argument("Records size exceeds 10 MB limit");
    return request;
}

}  // namespace tidemill::kinesis
