#include "engine/query/application_checkpoint.h"

#include <doctest/doctest.h>

#include "engine/query/application_definition.h"
#include "tests/unit/engine/query/query_fixture.h"

using namespace tidemill;
using namespace tidemill::query;

namespace {

ApplicationCheckpoint some_checkpoint() {
    ApplicationCheckpoint checkpoint;
    checkpoint.schemas = {
        {{{"price", sql::Type::decimal(10, 2)}, {"name", sql::Type::varchar(9)}}}};
    checkpoint.positions = {{0, ShardUid{7}, 1234567890123, false}, {0, ShardUid{8}, 5, true}};
    checkpoint.bounds = {INT64_MIN};
    checkpoint.snapshot = {std::byte{1}, std::byte{2}, std::byte{3}};
    checkpoint.rows_in = 99;
    checkpoint.rows_out = {50, 3};
    checkpoint.journal = 12;
    checkpoint.output_positions = {{0x123456789abcdef0, {{ShardUid{3}, 77}, {ShardUid{9}, 0}}}, {}};
    return checkpoint;
}

}  // namespace

TEST_SUITE("application checkpoint") {
    TEST_CASE("what was encoded is decoded") {
        const auto checkpoint = some_checkpoint();
        const auto back = decode_checkpoint(encode_checkpoint(checkpoint, "text"), "text", 1);
        REQUIRE(back);
        CHECK(back->schemas == checkpoint.schemas);
        CHECK(back->positions == checkpoint.positions);
        CHECK(back->bounds == checkpoint.bounds);
        CHECK(back->snapshot == checkpoint.snapshot);
        CHECK_EQ(back->rows_in, 99);
        CHECK(back->rows_out == checkpoint.rows_out);
        CHECK_EQ(back->journal, 12);
        CHECK(back->output_positions == checkpoint.output_positions);
    }

    TEST_CASE("no flipped bit and no cut goes unseen") {
        const auto bytes = encode_checkpoint(some_checkpoint(), "text");
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            auto damaged = bytes;
            damaged[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
            const auto read = decode_checkpoint(damaged, "text", 1);
            REQUIRE_FALSE(read);
            REQUIRE_EQ(read.error().code, Errc::Corrupt);
        }
        for (std::size_t size = 0; size < bytes.size(); ++size)
            REQUIRE_FALSE(decode_checkpoint(Bytes(bytes).first(size), "text", 1));
    }

    TEST_CASE("a checkpoint of another text or other inputs is refused") {
        const auto bytes = encode_checkpoint(some_checkpoint(), "text");
        CHECK_EQ(decode_checkpoint(bytes, "other", 1).error().code, Errc::InvalidArgument);
        CHECK_EQ(decode_checkpoint(bytes, "text", 2).error().code, Errc::InvalidArgument);
    }

    TEST_CASE("definitions survive their table") {
        auto definition = definition_of("a.b-c_1", "SELECT 1");
        definition.inputs[0].layout.format = sql::RecordFormat::Csv;
        definition.inputs[0].rowtime_column = "time";
        definition.outputs[0].key_column = "id";
        definition.seed = 7;
        definition.is_kda_score = false;
        const auto back = decode_definition(encode_definition(definition));
        REQUIRE(back);
        CHECK(*back == definition);
        CHECK_FALSE(decode_definition(as_bytes("nothing of the kind")));
    }
}
