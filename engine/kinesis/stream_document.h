#pragma once

#include <optional>

#include "engine/aws/document_writer.h"
#include "engine/aws/value.h"
#include "engine/catalog/stream.h"

/// How a stream's settings stand in requests and answers.
namespace tidemill::kinesis {

using namespace aws;

// Members of a checked request; nothing when absent.
std::optional<std::uint32_t> count_member(const Value& input, std::string_view name);
std::optional<StreamMode> mode_member(const Value& input);
std::optional<RecordDistribution> distribution_member(const Value& input);
std::optional<std::uint32_t> max_record_bytes_member(const Value& input);

/// The value of EncryptionType.
constexpr std::string_view encryption_text(bool is_on) { return is_on ? "KMS" : "NONE"; }
/// The member WarmThroughput. A shard stands for 1 MiB/s.
void write_warm_throughput(DocumentWriter& out, const StreamInfo& stream);
/// The names of metrics of single shards, as the value of a member.
void write_shard_metrics(DocumentWriter& out, ShardMetrics metrics);

}  // namespace tidemill::kinesis
