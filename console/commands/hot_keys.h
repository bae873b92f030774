#pragma once

#include <span>
#include <string>
#include <vector>

#include "producer/admin_client.h"

namespace tidemill::console {

/// A place in the key space that takes more than its part of a stream's records: one partition key,
/// or several that lie close together (as explicit hash keys may).
struct HotKey {
    std::string partition_key;   ///< the one with most records
    std::size_t keys = 1;        ///< different ones that were seen there
    double share = 0;            ///< of the stream's records
    double first = 0, last = 0;  ///< hash keys / 2^128
};

/// Those that take `least_share` of the records at least, hottest first; the weight of the sample
/// is spread over 1,000 points, and the hot spots of those are the answer (operators/anomaly).
std::vector<HotKey> find_hot_keys(std::span<const client::SampledKey> sample, double least_share);

}  // namespace tidemill::console
