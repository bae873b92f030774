#include "console/commands/hot_keys.h"

#include <doctest/doctest.h>

#include "engine/base/hash_key.h"
#include "engine/base/random.h"

namespace tidemill::console {
namespace {

client::SampledKey key_of(const std::string& text, double records) {
    const auto hash = hash_partition_key(text);
    return {text, static_cast<double>(static_cast<std::uint64_t>(hash >> 64)) * 0x1p-64, records};
}

TEST_CASE("keys with more than their part are found, by weight, hottest first") {
    Random random(3);
    std::vector<client::SampledKey> sample;
    for (int i = 0; i < 5000; ++i)
        sample.push_back(i % 10 == 0   ? key_of("hot", 10)
                         : i % 25 == 3 ? key_of("warm", 10)
                                       : key_of(std::to_string(random.next()), 10));
    const auto found = find_hot_keys(sample, 0.01);
    REQUIRE(found.size() == 2);
    CHECK(found[0].partition_key == "hot");
    CHECK(found[0].keys == 1);
    CHECK(found[0].share == doctest::Approx(0.1));
    CHECK(found[1].partition_key == "warm");
    CHECK(find_hot_keys(sample, 0.2).empty());
    CHECK(find_hot_keys({}, 0.01).empty());
    // A few keys that stand for many records each.
    sample.push_back(key_of("batch", 50000));
    CHECK(find_hot_keys(sample, 0.2).front().partition_key == "batch");
}

TEST_CASE("keys that lie close together are one place") {
    std::vector<client::SampledKey> sample;
    for (int i = 0; i < 1000; ++i)
        sample.push_back({std::to_string(i % 3), i % 2 == 0 ? 0.25 + 1e-9 * (i % 3) : i * 1e-3, 1});
    const auto found = find_hot_keys(sample, 0.1);
    REQUIRE(found.size() == 1);
    CHECK(found[0].keys == 3);
    CHECK(found[0].share == doctest::Approx(0.5).epsilon(0.01));
}

}  // namespace
}  // namespace tidemill::console
