#include <doctest/doctest.h>

#include "engine/base/crc32c.h"
#include "tests/unit/operators_anomaly/forest_inspector.h"

using namespace tidemill;
using namespace tidemill::anomaly;

namespace {

ForestConfig tiny(std::uint32_t columns, std::uint32_t shingle, ScoreMode mode) {
    return {.columns = columns,
            .shingle = shingle,
            .trees = 5,
            .sample = 16,
            .time_decay = 200,
            .seed = 4,
            .mode = mode};
}

}  // namespace

TEST_SUITE("anomaly/snapshot") {
    TEST_CASE("a restored forest continues bit for bit, from any moment") {
        for (const auto mode : {ScoreMode::Kda, ScoreMode::Library})
            for (const auto& [columns, shingle] : {std::pair{1U, 1U}, {1U, 8U}, {2U, 3U}})
                for (const std::size_t moment : {0U, 1U, 2U, 5U, 16U, 17U, 400U}) {
                    CAPTURE(moment);
                    const auto rows = wavy_rows(700, columns, 8);
                    RandomCutForest forest(tiny(columns, shingle, mode));
                    const auto head = moment * columns;
                    scores_of(forest, {rows.begin(), rows.begin() + static_cast<long>(head)});
                    const auto bytes = forest.snapshot();
                    auto restored = RandomCutForest::restore(bytes);
                    REQUIRE(restored.has_value());
                    CHECK(restored->records_seen() == moment);
                    CHECK(restored->snapshot() == bytes);
                    const std::vector<double> tail(rows.begin() + static_cast<long>(head),
                                                   rows.end());
                    CHECK(scores_of(forest, tail) == scores_of(*restored, tail));
                    CHECK(restored->snapshot() == forest.snapshot());
                }
    }

    TEST_CASE("a full forest at shingle 8 is under 1 MB") {
        ForestConfig config;
        config.shingle = 8;
        RandomCutForest forest(config);
        scores_of(forest, wavy_rows(30000, 1, 2));
        CHECK(forest.snapshot().size() < 1'000'000);
    }

    TEST_CASE("damaged bytes are refused") {
        RandomCutForest forest(tiny(2, 2, ScoreMode::Kda));
        scores_of(forest, wavy_rows(100, 2, 1));
        const auto good = forest.snapshot();
        for (std::size_t size = 0; size < good.size(); ++size)
            REQUIRE(!RandomCutForest::restore(Bytes(good).first(size)).has_value());
        for (std::size_t i = 0; i < good.size(); ++i) {
            auto bad = good;
            bad[i] ^= std::byte{1};
            const auto result = RandomCutForest::restore(bad);
            REQUIRE(!result.has_value());
            REQUIRE(result.error().code == Errc::Corrupt);
        }
    }

    TEST_CASE("bytes that lie under a right checksum do no harm") {
        RandomCutForest forest(tiny(2, 2, ScoreMode::Kda));
        const auto rows = wavy_rows(300, 2, 1);
        scores_of(forest, rows);
        const auto good = forest.snapshot();
        Random random(12);
        int restored_count = 0, refused_count = 0;
        for (int trial = 0; trial < 6000; ++trial) {
            auto bad = good;
            for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
                bad[16 + random.below(bad.size() - 20)] = static_cast<std::byte>(random.next());
            const auto body = Bytes(bad).first(bad.size() - 4);
            store_le(bad.data() + bad.size() - 4, crc32c(body));
            auto result = RandomCutForest::restore(bad);
            if (!result) {
                ++refused_count;
                continue;
            }
            ++restored_count;  // another forest, but a whole one
            std::vector<double> more(rows);
            more.resize(rows.size() / result->config().columns * result->config().columns);
            scores_of(*result, more);
        }
        CHECK(restored_count > 0);
        CHECK(refused_count > 0);
    }
}
