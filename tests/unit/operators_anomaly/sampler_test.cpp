#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "operators/anomaly/decay_sampler.h"

using namespace tidemill;
using namespace tidemill::anomaly;

namespace {

struct Outcome {
    double acceptance = 0, mean_age = 0, recent_share = 0;
};

/// Entries carry the low bits of the index that they accepted, so their ages can be told.
Outcome by_jumps(std::uint32_t sample, std::uint32_t decay, std::uint64_t points) {
    const std::uint32_t trees = 40;
    DecaySampler sampler(trees, sample, decay, 99);
    Outcome outcome;
    std::uint64_t accepted = 0;
    for (std::uint32_t tree = 0; tree < trees; ++tree) {
        std::vector<std::uint64_t> birth(sample);
        std::uint16_t fresh = 0;
        while (sampler.next(tree) < points) {
            const auto now = sampler.next(tree);
            const auto leaf = sampler.is_full(tree) ? sampler.evicted_leaf(tree) : fresh++;
            birth[leaf] = now;
            if (now >= points / 2) ++accepted;
            sampler.accept(tree, leaf);
        }
        for (const auto index : birth) {
            outcome.mean_age += static_cast<double>(points - index) / decay;
            if (points - index < decay / 2) outcome.recent_share += 1;
        }
    }
    outcome.acceptance = static_cast<double>(accepted) / trees / (static_cast<double>(points) / 2);
    outcome.mean_age /= trees * sample;
    outcome.recent_share /= trees * sample;
    return outcome;
}

/// The definition: a priority for every point, the smallest are kept.
Outcome by_definition(std::uint32_t sample, std::uint32_t decay, std::uint64_t points) {
    const std::uint32_t trees = 40;
    Random random(1234);
    Outcome outcome;
    std::uint64_t accepted = 0;
    for (std::uint32_t tree = 0; tree < trees; ++tree) {
        std::vector<std::pair<double, std::uint64_t>> heap;
        for (std::uint64_t i = 0; i < points; ++i) {
            const double priority =
                std::log(-std::log(1 - random.unit())) - static_cast<double>(i) / decay;
            if (heap.size() == sample && priority >= heap.front().first) continue;
            if (heap.size() == sample) {
                std::ranges::pop_heap(heap);
                heap.pop_back();
            }
            heap.emplace_back(priority, i);
            std::ranges::push_heap(heap);
            if (i >= points / 2) ++accepted;
        }
        for (const auto& [priority, index] : heap) {
            outcome.mean_age += static_cast<double>(points - index) / decay;
            if (points - index < decay / 2) outcome.recent_share += 1;
        }
    }
    outcome.acceptance = static_cast<double>(accepted) / trees / (static_cast<double>(points) / 2);
    outcome.mean_age /= trees * sample;
    outcome.recent_share /= trees * sample;
    return outcome;
}

}  // namespace

TEST_SUITE("anomaly/sampler") {
    TEST_CASE("jumping to the next accepted point keeps what a draw for every point keeps") {
        const auto jumps = by_jumps(64, 640, 12000);
        const auto plain = by_definition(64, 640, 12000);
        CHECK(jumps.acceptance == doctest::Approx(plain.acceptance).epsilon(0.015));
        CHECK(jumps.mean_age == doctest::Approx(plain.mean_age).epsilon(0.06));
        CHECK(jumps.recent_share == doctest::Approx(plain.recent_share).epsilon(0.05));
    }

    TEST_CASE("at sample 256 and decay 2560 a tree accepts 9.75 % of the points") {
        CHECK(by_jumps(256, 2560, 60000).acceptance == doctest::Approx(0.0975).epsilon(0.01));
    }
}
