#include "console/commands/stream_view.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "console/repl/text_table.h"

namespace tidemill::console {

using client::StreamDescription;

long long millis(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

namespace {

std::string shard_json(const client::ShardDescription& shard) {
    auto text = fmt::format(
        R"({{"shard_id":{},"open":{},"first_hash_key":"{}","last_hash_key":"{}","oldest":{},"end":{},"records":{})",
        json_string(shard.id), shard.is_open(), shard.first_hash_key, shard.last_hash_key,
        shard.trim, shard.end, shard.end - std::min(shard.trim, shard.end));
    if (shard.parent) text += fmt::format(",\"parent\":{}", *shard.parent);
    if (shard.adjacent_parent)
        text += fmt::format(",\"adjacent_parent\":{}", *shard.adjacent_parent);
    if (shard.closed) text += fmt::format(",\"closed\":\"{}\"", iso_time(millis(*shard.closed)));
    return text + "}";
}

/// "3", "3 + 4", or nothing for a shard that was made with its stream.
std::string parents_text(const client::ShardDescription& shard) {
    if (!shard.parent) return "";
    if (!shard.adjacent_parent) return std::to_string(*shard.parent);
    return fmt::format("{} + {}", *shard.parent, *shard.adjacent_parent);
}

}  // namespace

std::string stream_json(const StreamDescription& stream) {
    auto text = fmt::format(
        R"({{"name":{},"status":"{}","mode":"{}","created":"{}","retention_hours":{},"max_bytes":{},"tags":{{)",
        json_string(stream.name), stream.status, stream.is_on_demand ? "on_demand" : "provisioned",
        iso_time(millis(stream.created)), stream.retention.count(), stream.max_bytes);
    bool first = true;
    for (const auto& [key, value] : stream.tags) {
        text += (first ? "" : ",") + json_string(key) + ":" + json_string(value);
        first = false;
    }
    const auto& encryption = stream.encryption;
    text += fmt::format(
        R"(}},"encryption":{{"on":{},"key":{},"keys":{},"key_name":{},"master_key":{}}})",
        encryption.is_on, encryption.key, encryption.keys, json_string(encryption.key_name),
        json_string(encryption.master_key));
    text += ",\"shards\":[";
    for (std::size_t i = 0; i < stream.shards.size(); ++i)
        text += (i == 0 ? "" : ",") + shard_json(stream.shards[i]);
    return text + "]}";
}

std::string encryption_text(const client::StreamEncryption& encryption) {
    if (!encryption.is_on && encryption.keys == 0) return "not encrypted";
    if (!encryption.is_on)
        return fmt::format("not encrypted any more; {} data key{} kept for older records",
                           encryption.keys, encryption.keys == 1 ? "" : "s");
    return fmt::format("encrypted (AES-256-GCM) under data key {} since {}, master key {}{}",
                       encryption.key, iso_time(millis(encryption.since)), encryption.master_key,
                       encryption.key_name.empty() ? "" : ", called " + encryption.key_name);
}

void print_stream(const StreamDescription& stream, OutputFormat format) {
    if (format != OutputFormat::Human) {
        std::printf("%s\n", stream_json(stream).c_str());
        return;
    }
    const auto bound = stream.max_bytes == 0
                           ? std::string()
                           : ", at most " + short_bytes(static_cast<double>(stream.max_bytes));
    std::printf("%s  %s  %s  retention %ld h%s  created %s\n", stream.name.c_str(),
                stream.status.c_str(), stream.is_on_demand ? "on demand" : "provisioned",
                static_cast<long>(stream.retention.count()), bound.c_str(),
                iso_time(millis(stream.created)).c_str());
    std::printf("%s\n\n", encryption_text(stream.encryption).c_str());
    TextTable table(
        {"shard", "state", "from", "records", "oldest", "end", "first hash key", "last hash key"});
    for (const auto& shard : stream.shards)
        table.add({shard.id, shard.is_open() ? "open" : "closed", parents_text(shard),
                   std::to_string(shard.end - std::min(shard.trim, shard.end)),
                   std::to_string(shard.trim), std::to_string(shard.end), shard.first_hash_key,
                   shard.last_hash_key});
    std::fputs(table.to_string().c_str(), stdout);
}

}  // namespace tidemill::console
