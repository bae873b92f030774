#pragma once

#include <utility>
#include <vector>

#include "engine/log/commit_writer.h"

namespace tidemill {

using Trims = std::vector<std::pair<ShardUid, Ordinal>>;

/// Commits that the records before each ordinal will not be read again; one commit carries all that
/// fit. Returns when they are durable (or, with durability `memory`, visible). Shards that are gone
/// meanwhile are passed over. Errors: those of an append.
Task<Status> commit_trims(CommitWriter& writer, Trims trims);

}  // namespace tidemill
