#include <cmath>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "engine/base/random.h"
#include "operators/window/distinct_sketch.h"
#include "operators/window/item_counts.h"

namespace tidemill::sql {
namespace {

TEST_CASE("distinct items: exact to ten thousand, then within three standard errors") {
    DistinctSketch sketch;
    for (int i = 1; i <= 1'000'000; ++i) {
        sketch.add(std::to_string(i));
        if (i % 3 == 0) sketch.add(std::to_string(i / 3));
        if (i == 10'000) CHECK(sketch.count() == 10'000);
        if (i == 20'000 || i == 100'000 || i == 1'000'000)
            CHECK(std::fabs(static_cast<double>(sketch.count()) / i - 1) < 0.025);
    }
    StateWriter writer;
    sketch.save(writer);
    const auto bytes = writer.take();
    StateReader reader(bytes);
    DistinctSketch again;
    again.load(reader);
    CHECK(reader.is_done());
    CHECK(again.count() == sketch.count());
}

TEST_CASE("frequent items: never too high, too low by no more than the bound") {
    constexpr std::size_t kLimit = 1000;
    ItemCounts counts(kLimit);
    std::map<std::string, std::int64_t> truth;
    Random random(11);
    constexpr int kItems = 200'000;
    for (int i = 0; i < kItems; ++i) {
        // Zipf-like: small numbers are frequent.
        const auto item = std::to_string(static_cast<int>(1 / (random.unit() + 1e-5)));
        counts.add(item);
        ++truth[item];
    }
    const auto top = counts.top(20);
    REQUIRE(top.size() == 20);
    for (const auto& [item, count] : top) {
        CHECK(count <= truth[std::string(item)]);
        CHECK(count >= truth[std::string(item)] - 2 * kItems / static_cast<int>(kLimit));
    }
    CHECK(top[0].item == "1");
    CHECK(top[1].item == "2");
}

}  // namespace
}  // namespace tidemill::sql
