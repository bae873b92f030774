#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tidemill::sql {

/// One of the user's records within an aggregated one. Ownership: views into the aggregate.
struct KplRecord {
    std::string_view partition_key;
    std::string_view data;
};

/// Opens a record that the Kinesis Producer Library made of several: four magic bytes, a protobuf
/// message, its MD5. Nothing when it is no aggregate, or not a whole one: it is then a record like
/// any other, as for the Kinesis Client Library. Pure. Source: "KPL Aggregated Record Format".
std::optional<std::vector<KplRecord>> open_kpl_aggregate(std::string_view record);

}  // namespace tidemill::sql
