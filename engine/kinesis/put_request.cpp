#include "engine/kinesis/put_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/aws/document.h"
#include "engine/kinesis/shapes.h"

namespace tidemill::kinesis {
namespace {

constexpr std::size_t kViolationsMax = 10;  // as many as AWS tells of

}  // namespace

ApiStatus check_records(const StreamInfo& stream, std::span<const PutRecord> records,
                        bool is_list) {
    std::vector<std::string> violations;
    const auto at = [is_list](std::size_t i, std::string_view member) {
        return is_list ? fmt::format("records.{}.member.{}", i + 1, member) : std::string(member);
    };
    for (std::size_t i = 0; i < records.size() && violations.size() < kViolationsMax; ++i) {
        if (const std::size_t size = records[i].data.size(); size > stream.max_record_bytes)
            violations.push_back(fmt::format(
                "Value 'java.nio.HeapByteBuffer[pos=0 lim={} cap={}]' at '{}' failed to satisfy "
                "constraint: Member must have length less than or equal to {}",
                size, size, at(i, "data"), stream.max_record_bytes));
        if (records[i].partition_key.empty() && stream.distribution == RecordDistribution::ByKey)
            violations.push_back(
                fmt::format("Value null at '{}' failed to satisfy constraint: "
                            "Member must not be null",
                            at(i, "partitionKey")));
    }
    if (violations.empty()) return {};
    return refuse("ValidationException",
                  fmt::format("{} validation error{} detected: {}", violations.size(),
                              violations.size() == 1 ? "" : "s", fmt::join(violations, "; ")));
}

ApiResult<PutRecord> record_of(const Value& entry) {
    PutRecord record;
    record.partition_key = entry.text_or("PartitionKey", "");
    record.data = as_bytes(entry.blob_or("Data", ""));
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

ApiResult<PutRequest> decode_put_records(std::string_view body, Encoding encoding) {
    auto request = encoding == Encoding::Json ? decode_put_records_fast(body)
                                              : decode_put_records_fast_cbor(body);
    if (request) return std::move(*request);
    return decode_put_records_thorough(body, encoding);
}

ApiResult<PutRequest> decode_put_records_thorough(std::string_view body, Encoding encoding) {
    auto document = parse_document(body, encoding);
    if (!document) return std::unexpected(document.error());
    if (auto status = check(*document, shapes::kPutRecords, encoding); !status)
        return std::unexpected(status.error());
    PutRequest request;
    request.document = std::move(*document);
    const Value& members = request.document;
    request.stream_name = members.text_or("StreamName", "");
    request.stream_arn = members.text_or("StreamARN", "");
    request.is_dry_run = members.boolean_or("DryRun", false);
    std::size_t size = 0;
    for (const Value& entry : *members.find("Records")->list()) {
        const auto record = record_of(entry);
        if (!record) return std::unexpected(record.error());
        size += record->partition_key.size() + record->data.size();
        request.records.push_back(*record);
    }
    if (size > kRequestDataMax) return invalid_argument("Records size exceeds 10 MB limit");
    return request;
}

}  // namespace tidemill::kinesis
