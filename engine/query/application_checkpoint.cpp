#include "engine/query/application_checkpoint.h"

#include <fmt/format.h>

#include "engine/base/crc32c.h"
#include "engine/query/sql_tables.h"
#include "proto/native_table.h"

namespace tidemill::query {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kTrailer = sizeof(std::uint32_t);

}  // namespace

std::vector<std::byte> encode_checkpoint(const ApplicationCheckpoint& checkpoint,
                                         std::string_view sql_text) {
    flatbuffers::FlatBufferBuilder builder(checkpoint.snapshot.size() + 4096);
    std::vector<flatbuffers::Offset<wire::SqlInputSchema>> schemas;
    for (const auto& schema : checkpoint.schemas)
        schemas.push_back(wire::CreateSqlInputSchema(builder, write_fields(builder, schema)));
    std::vector<flatbuffers::Offset<wire::SqlPosition>> positions;
    for (const auto& position : checkpoint.positions)
        positions.push_back(wire::CreateSqlPosition(builder, position.input, position.shard.value,
                                                    position.next, position.is_finished));
    const auto snapshot =
        builder.CreateVector(reinterpret_cast<const std::uint8_t*>(checkpoint.snapshot.data()),
                             checkpoint.snapshot.size());
    std::vector<flatbuffers::Offset<wire::SqlOutputPosition>> outputs;
    for (const auto& output : checkpoint.output_positions) {
        std::vector<flatbuffers::Offset<wire::SqlShardNumber>> shards;
        for (const auto& number : output.shards)
            shards.push_back(wire::CreateSqlShardNumber(builder, number.shard.value, number.next));
        outputs.push_back(
            wire::CreateSqlOutputPosition(builder, output.producer, builder.CreateVector(shards)));
    }
    builder.Finish(wire::CreateSqlCheckpoint(
        builder, kVersion, crc32c(as_bytes(sql_text)), builder.CreateVector(schemas),
        builder.CreateVector(positions), builder.CreateVector(checkpoint.bounds), snapshot,
        checkpoint.rows_in, builder.CreateVector(checkpoint.rows_out), checkpoint.journal,
        builder.CreateVector(outputs)));
    const Bytes table = wire::finished_bytes(builder);
    std::vector<std::byte> bytes(table.begin(), table.end());
    bytes.resize(table.size() + kTrailer);
    store_le(bytes.data() + table.size(), crc32c(table));
    return bytes;
}

Result<ApplicationCheckpoint> decode_checkpoint(Bytes bytes, std::string_view sql_text,
                                                std::size_t input_count) {
    if (bytes.size() <= kTrailer)
        return fail(Errc::Corrupt,
                    fmt::format("the checkpoint is damaged: it has {} bytes", bytes.size()));
    const Bytes table = bytes.first(bytes.size() - kTrailer);
    if (load_le<std::uint32_t>(bytes.data() + table.size()) != crc32c(table))
        return fail(Errc::Corrupt, "the checkpoint is damaged: its checksum does not match");
    const wire::TableBytes aligned(table);
    ASSIGN(const auto* root, aligned.read<wire::SqlCheckpoint>());
    if (root->version() != kVersion)
        return fail(Errc::InvalidArgument, fmt::format("the checkpoint has version {}, not {}",
                                                       root->version(), kVersion));
    if (root->text_crc() != crc32c(as_bytes(sql_text)))
        return fail(Errc::InvalidArgument, "the checkpoint belongs to another SQL text");
    if (root->schemas() == nullptr || root->positions() == nullptr || root->bounds() == nullptr ||
        root->snapshot() == nullptr || root->rows_out() == nullptr)
        return fail(Errc::Corrupt, "the checkpoint is damaged: a part is missing");
    if (root->schemas()->size() != input_count || root->bounds()->size() != input_count)
        return fail(Errc::InvalidArgument, fmt::format("the checkpoint is of {} inputs, not {}",
                                                       root->schemas()->size(), input_count));
    ApplicationCheckpoint checkpoint;
    for (const auto* schema : *root->schemas()) {
        ASSIGN(auto fields, read_fields(schema->fields()));
        checkpoint.schemas.push_back(std::move(fields));
    }
    for (const auto* position : *root->positions()) {
        if (position->input() >= input_count)
            return fail(Errc::Corrupt, "the checkpoint is damaged: a position has no input");
        checkpoint.positions.push_back({position->input(), ShardUid{position->shard()},
                                        position->next(), position->is_finished()});
    }
    checkpoint.bounds.assign(root->bounds()->begin(), root->bounds()->end());
    const auto* snapshot = reinterpret_cast<const std::byte*>(root->snapshot()->data());
    checkpoint.snapshot.assign(snapshot, snapshot + root->snapshot()->size());
    checkpoint.rows_in = root->rows_in();
    checkpoint.rows_out.assign(root->rows_out()->begin(), root->rows_out()->end());
    checkpoint.journal = root->journal();
    if (root->output_positions() != nullptr)
        for (const auto* output : *root->output_positions()) {
            OutputPosition position{output->producer(), {}};
            if (output->shards() != nullptr)
                for (const auto* number : *output->shards())
                    position.shards.push_back({ShardUid{number->shard()}, number->next()});
            checkpoint.output_positions.push_back(std::move(position));
        }
    return checkpoint;
}

}  // namespace tidemill::query
