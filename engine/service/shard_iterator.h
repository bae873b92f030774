#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/security/sealed_token.h"

namespace tidemill {

/// A place in a shard, handed to a client as an opaque text that only this server can make.
struct ShardIterator {
    std::string stream_name;
    StreamUid stream;
    ShardUid shard;
    std::uint32_t shard_index = 0;
    Ordinal next = 0;
    WallTime created{};

    bool is_expired(WallTime now) const;
    bool operator==(const ShardIterator&) const = default;
};

std::string seal_iterator(const TokenSealer& sealer, const ShardIterator& iterator);
/// Nothing when the text is not one of ours.
std::optional<ShardIterator> open_iterator(const TokenSealer& sealer, std::string_view text);

}  // namespace tidemill
