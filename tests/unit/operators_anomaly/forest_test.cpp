#include <algorithm>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "operators/anomaly/tree_descent.h"
#include "tests/unit/operators_anomaly/forest_inspector.h"

using namespace tidemill;
using namespace tidemill::anomaly;

namespace {

ForestConfig small(std::uint32_t columns, std::uint32_t shingle) {
    ForestConfig config;
    config.columns = columns;
    config.shingle = shingle;
    config.trees = 20;
    config.sample = 32;
    config.time_decay = 320;
    config.seed = 11;
    return config;
}

/// The published recursion in doubles over exact boxes made from the leaves: no code shared with
/// the kernels but the layout of nodes.
double plain_score(const ForestInspector::Impl& forest, std::uint32_t tree, const float* point) {
    const auto& a = forest.arena;
    const auto base = a.base(tree);
    struct Step {
        std::vector<double> low, high;
    };
    const auto box_of = [&](auto& self, std::uint32_t node) -> Step {
        if (node & kLeafBit) {
            const float* p = forest.store.point(a.leaves[base + (node & kSlotMask)].point);
            return {{p, p + a.dims}, {p, p + a.dims}};
        }
        auto left = self(self, a.nodes[base + node].left());
        const auto right = self(self, a.nodes[base + node].right());
        for (std::uint32_t d = 0; d < a.dims; ++d) {
            left.low[d] = std::min(left.low[d], right.low[d]);
            left.high[d] = std::max(left.high[d], right.high[d]);
        }
        return left;
    };
    const auto score = [&](auto& self, std::uint32_t node, int depth) -> double {
        const auto box = box_of(box_of, node);
        double outside = 0, range = 0;
        for (std::uint32_t d = 0; d < a.dims; ++d) {
            const double p = double{point[d]};
            outside += std::max({0.0, p - box.high[d], box.low[d] - p});
            range += box.high[d] - box.low[d];
        }
        if (node & kLeafBit) {
            const double mass = a.leaves[base + (node & kSlotMask)].mass;
            if (outside > 0) return 1.0 / (depth + 1);
            if (forest.config.mode == ScoreMode::Library)
                return (1 - mass / (2.0 * a.mass[tree])) / (depth + std::log2(mass + 1));
            return depth == 0 ? 1 / (mass + 1) : 1 / (depth + std::log2(mass + 1));
        }
        const Node n = a.nodes[base + node];
        const double below =
            self(self, point[n.dimension()] <= n.cut ? n.left() : n.right(), depth + 1);
        const double p = outside / (range + outside);
        return p / (depth + 1) + (1 - p) * below;
    };
    return score(score, a.root[tree], 0);
}

}  // namespace

TEST_SUITE("anomaly/forest") {
    TEST_CASE("a constant stream scores 8/257 as the retired service did") {
        RandomCutForest forest{ForestConfig{}};
        const auto scores = scores_of(forest, std::vector<double>(400, 42.5));
        for (std::size_t i = 0; i < 256; ++i)
            CHECK(scores[i] == 0);
        for (std::size_t i = 256; i < 400; ++i)
            CHECK(scores[i] == doctest::Approx(8.0 / 257));
    }

    TEST_CASE("scores begin when the sample is full, or a quarter of it in the library's mode") {
        for (const std::uint32_t shingle : {1U, 4U}) {
            auto config = small(2, shingle);
            RandomCutForest kda(config);
            config.mode = ScoreMode::Library;
            RandomCutForest library(config);
            const auto rows = wavy_rows(60, 2, 3);
            const auto a = scores_of(kda, rows), b = scores_of(library, rows);
            for (std::size_t i = 0; i < 60; ++i) {
                CHECK((a[i] > 0) == (i >= 32 + shingle - 1));
                CHECK((b[i] > 0) == (i >= 8 + shingle - 1));
            }
        }
    }

    TEST_CASE("every kernel gives the published recursion, and all the same bits") {
        for (const auto mode : {ScoreMode::Kda, ScoreMode::Library})
            for (const auto& [columns, shingle] :
                 {std::pair{1U, 1U}, {2U, 1U}, {1U, 2U}, {3U, 1U}, {1U, 8U}, {3U, 5U}, {4U, 8U}})
                for (const bool is_coarse : {false, true}) {
                    auto config = small(columns, shingle);
                    config.mode = mode;
                    CAPTURE(columns);
                    CAPTURE(shingle);
                    auto rows = wavy_rows(500, columns, 17);
                    if (is_coarse)
                        for (auto& x : rows)
                            x = std::round(x);
                    std::vector<double> first;
                    for (const auto* kernel : available_kernels()) {
                        CAPTURE(kernel->name);
                        RandomCutForest forest(config);
                        auto& impl = ForestInspector::impl(forest);
                        impl.kernel = kernel;
                        const auto scores = scores_of(forest, rows);
                        if (first.empty()) first = scores;
                        REQUIRE(first == scores);
                        // The next point, scored by hand: the last shingle - 1 records and a new
                        // one.
                        std::vector<float> point(impl.recent.begin(),
                                                 impl.recent.begin() + (shingle - 1) * columns);
                        for (std::uint32_t c = 0; c < columns; ++c)
                            point.push_back(static_cast<float>(rows[c] - impl.origin[c]));
                        double sum = 0;
                        for (std::uint32_t t = 0; t < config.trees; ++t)
                            sum += plain_score(impl, t, point.data());
                        const double factor =
                            mode == ScoreMode::Kda ? std::log2(32.0) : std::log2(33.0);
                        const double got = forest.score_and_update({rows.data(), columns});
                        REQUIRE(got == doctest::Approx(sum / config.trees * factor).epsilon(1e-5));
                    }
                }
    }

    TEST_CASE("neither batch size nor a copy by snapshot changes a bit") {
        for (const auto& [columns, shingle] : {std::pair{1U, 1U}, {3U, 4U}}) {
            const auto rows = wavy_rows(1500, columns, 23);
            RandomCutForest whole(small(columns, shingle));
            const auto expected = scores_of(whole, rows);
            for (const std::size_t batch : {1U, 2U, 31U, 33U, 300U}) {
                RandomCutForest forest(small(columns, shingle));
                std::vector<double> scores(1500);
                for (std::size_t i = 0; i < 1500; i += batch) {
                    const auto n = std::min<std::size_t>(batch, 1500 - i);
                    forest.process({rows.data() + i * columns, n * columns},
                                                  {scores.data() + i, n});
                }
                CHECK(scores == expected);
            }
        }
    }

    TEST_CASE("what is not a number is neither learnt nor scored") {
        auto rows = wavy_rows(300, 2, 5);
        RandomCutForest clean(small(2, 3));
        const auto expected = scores_of(clean, rows);
        RandomCutForest forest(small(2, 3));
        std::vector<double> scores;
        for (std::size_t i = 0; i < 300; ++i) {
            for (const double bad :
                 {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                  -std::numeric_limits<double>::infinity()}) {
                const double row[] = {rows[2 * i], bad};
                ColumnAttribution shares[2];
                REQUIRE(std::isnan(forest.score_and_update(row)));
                REQUIRE(std::isnan(forest.score_and_update(row, shares)));
                REQUIRE(shares[1].high == 0);
            }
            scores.push_back(forest.score_and_update({rows.data() + 2 * i, 2}));
        }
        CHECK(scores == expected);
        CHECK(forest.records_seen() == 300);
    }

    TEST_CASE("a large offset does not hide the noise") {
        auto config = small(1, 4);
        const auto rows = wavy_rows(600, 1, 9);
        auto far = rows;
        for (auto& x : far)
            x += 1e9;
        RandomCutForest near_zero(config), at_offset(config);
        const auto a = scores_of(near_zero, rows), b = scores_of(at_offset, far);
        for (std::size_t i = 0; i < 600; ++i)
            CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-3));
    }

    TEST_CASE("extremes, tiny steps and signed zeros give finite scores") {
        const double huge = std::numeric_limits<double>::max();
        for (const std::vector<double>& cycle : {std::vector<double>{huge, -huge, 0},
                                                 {0.0, -0.0},
                                                 {1e-300, 2e-300, -1e-300},
                                                 {1, std::nextafter(1.0, 2.0)},
                                                 {1e33, -1e33, 5}}) {
            RandomCutForest forest(small(1, 3));
            for (std::size_t i = 0; i < 300; ++i) {
                const double score = forest.score_and_update({&cycle[i % cycle.size()], 1});
                REQUIRE(std::isfinite(score));
                REQUIRE(score >= 0);
                REQUIRE(score <= std::log2(32.0) + 1e-6);
            }
        }
        RandomCutForest zeros(small(1, 1));
        std::vector<double> rows(200, 0.0);
        for (std::size_t i = 0; i < 200; i += 2)
            rows[i] = -0.0;
        CHECK(scores_of(zeros, rows).back() == doctest::Approx(5.0 / 33));
    }

    TEST_CASE("1 to 30 columns and records a shingle all work, and shares add up to the score") {
        for (const std::uint32_t columns : {1U, 2U, 3U, 7U, 8U, 9U, 30U})
            for (const std::uint32_t shingle : {1U, 2U, 8U, 30U}) {
                CAPTURE(columns);
                CAPTURE(shingle);
                RandomCutForest forest(small(columns, shingle));
                auto rows = wavy_rows(110, columns, columns * 100 + shingle);
                for (std::size_t i = 0; i < 110; ++i) {
                    if (i % 10 == 9)  // a copy, so that leaves are met
                        for (std::size_t c = 0; c < columns; ++c)
                            rows[i * columns + c] = rows[c];
                    std::vector<ColumnAttribution> shares(columns);
                    const double score =
                        forest.score_and_update({rows.data() + i * columns, columns}, shares);
                    double sum = 0;
                    for (const auto& share : shares) {
                        REQUIRE(share.high >= 0);
                        REQUIRE(share.low >= 0);
                        sum += share.high + share.low;
                    }
                    REQUIRE(std::abs(sum - score) <= 1e-5 * score);
                }
            }
    }

    TEST_CASE("the share names the column and the direction of an outlier") {
        auto config = small(3, 2);
        const auto rows = wavy_rows(400, 3, 31);
        for (std::size_t column = 0; column < 3; ++column)
            for (const double jump : {50.0, -50.0}) {
                RandomCutForest forest(config);
                scores_of(forest, rows);
                std::vector<double> spike(rows.end() - 3, rows.end());
                spike[column] += jump;
                std::vector<ColumnAttribution> shares(3);
                const double score = forest.score_and_update(spike, shares);
                CHECK(score > 2);
                const auto& share = shares[column];
                CHECK((jump > 0 ? share.high : share.low) > 0.8 * score);
            }
    }

    TEST_CASE("parameters out of range are refused by name") {
        const auto message = [](auto change) {
            ForestConfig config;
            change(config);
            const auto status = config.validate();
            return status ? std::string() : status.error().message;
        };
        using C = ForestConfig;
        CHECK(message([](C&) {}).empty());
        CHECK(message([](C& c) { c.trees = 0; }).find("numberOfTrees") != std::string::npos);
        CHECK(message([](C& c) { c.trees = 1001; }).find("numberOfTrees") != std::string::npos);
        CHECK(message([](C& c) { c.sample = 9; }).find("subSampleSize") != std::string::npos);
        CHECK(message([](C& c) { c.time_decay = 256; }).find("less than") != std::string::npos);
        CHECK(message([](C& c) { c.time_decay = 0; }).find("timeDecay") != std::string::npos);
        CHECK(message([](C& c) { c.shingle = 31; }).find("shingleSize") != std::string::npos);
        CHECK(message([](C& c) { c.columns = 31; }).find("columns") != std::string::npos);
    }
}
