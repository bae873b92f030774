#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "operators/vector/schema.h"

namespace tidemill::query {

/// How far one shard of one input has been read.
struct ShardPosition {
    std::uint32_t input = 0;  ///< place in ApplicationDefinition::inputs
    ShardUid shard;
    Ordinal next = 0;          ///< the first record not yet pushed
    bool is_finished = false;  ///< the shard is closed and read to its end
    bool operator==(const ShardPosition&) const = default;
};

/// The number that the next row has which goes to a shard.
struct ShardNumber {
    ShardUid shard;
    std::uint32_t next = 0;
    bool operator==(const ShardNumber&) const = default;
};

/// How far an output has come in the stream it writes to.
struct OutputPosition {
    std::uint64_t producer = 0;         ///< id under which its rows are in the log; 0: none
    std::vector<ShardNumber> shards{};  ///< those that were open
    bool operator==(const OutputPosition&) const = default;
};

/// Everything an application needs to go on: taken between two pushes, so that positions and state
/// speak of the same rows, and saved once the outputs of those rows are acknowledged.
struct ApplicationCheckpoint {
    std::vector<sql::Schema> schemas;  ///< of each input, as found or declared
    std::vector<ShardPosition> positions;
    std::vector<std::int64_t> bounds;  ///< of each input: no later row has a ROWTIME below
    std::vector<std::byte> snapshot;   ///< Application::snapshot
    std::uint64_t rows_in = 0;
    std::vector<std::uint64_t> rows_out;  ///< of each output
    std::uint64_t journal = 0;  ///< first file of the journal that comes after this checkpoint
    std::vector<OutputPosition> output_positions{};  ///< of each output
};

/// The table SqlCheckpoint of proto/sql.fbs with a CRC32C behind it.
std::vector<std::byte> encode_checkpoint(const ApplicationCheckpoint& checkpoint,
                                         std::string_view sql_text);
/// Errors: Corrupt (checksum or format), InvalidArgument (of another SQL text, of other inputs, or
/// of a later version).
Result<ApplicationCheckpoint> decode_checkpoint(Bytes bytes, std::string_view sql_text,
                                                std::size_t input_count);

}  // namespace tidemill::query
