#pragma once

#include <string>
#include <vector>

#include "producer/admin_client.h"

namespace tidemill::console {

enum class ShardState { Open, Closed, Expired };
/// Expired: closed, and nothing of what it held can be read any more.
ShardState state_of(const client::ShardDescription& shard);
std::string state_text(ShardState state);

/// Where `[first, last]` (decimal hash keys) lies within the whole key space, as fractions.
struct KeyShare {
    double from = 0, to = 1;
    double width() const { return to - from; }
};
KeyShare share_of(const client::ShardDescription& shard);

/// A bar of `cells` cells over the whole key space, filled where the share lies: at least in part
/// of one cell.
std::string range_bar(KeyShare share, std::size_t cells, ShardState state);

struct ShardMapStyle {
    std::size_t bar_cells = 48;
    bool shows_all = false;  ///< every closed shard, not only the latest
};
/// The map of a stream's shards with its rates, ends with a newline. `rates[i]` belongs to
/// `shards[i]`; may be empty.
std::string draw_shard_map(const client::StreamDescription& stream,
                           const std::vector<client::ShardRate>& rates, const ShardMapStyle& style);
/// The style whose map is at most `columns` wide, as far as bars can shrink.
ShardMapStyle fit_shard_map(const client::StreamDescription& stream,
                            const std::vector<client::ShardRate>& rates, ShardMapStyle style,
                            std::size_t columns);
/// One JSON object.
std::string shard_map_json(const client::StreamDescription& stream, std::size_t place,
                           const std::vector<client::ShardRate>& rates);

}  // namespace tidemill::console
