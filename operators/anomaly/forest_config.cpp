#include <fmt/format.h>

#include "operators/anomaly/forest_arena.h"
#include "operators/anomaly/random_cut_forest.h"

namespace tidemill::anomaly {

namespace {

Status in_range(std::string_view name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value >= low && value <= high) return {};
    return fail(Errc::InvalidArgument,
                fmt::format("RANDOM_CUT_FOREST: {} is {}, it must be between {} and {}.", name,
                            value, low, high));
}

}  // namespace

Status ForestConfig::validate() const {
    TRY(in_range("the number of numeric columns", columns, 1, 30));
    TRY(in_range("numberOfTrees", trees, 1, 1000));
    TRY(in_range("subSampleSize", sample, 10, 1000));
    TRY(in_range("timeDecay", time_decay, 1, 2147483647));
    TRY(in_range("shingleSize", shingle, 1, 30));
    if (sample >= time_decay)
        return fail(Errc::InvalidArgument,
                    fmt::format("RANDOM_CUT_FOREST: subSampleSize is {}, it must be less than "
                                "timeDecay, which is {}.",
                                sample, time_decay));
    if (mode != ScoreMode::Kda && mode != ScoreMode::Library)
        return fail(Errc::InvalidArgument, "RANDOM_CUT_FOREST: the mode must be KDA or LIBRARY.");
    return {};
}

std::size_t RandomCutForest::memory_bytes(const ForestConfig& config) {
    const std::size_t points = std::size_t{config.trees} * config.sample;
    const std::size_t dims = std::size_t{config.columns} * config.shingle;
    const std::size_t boxes = points * box_layout(static_cast<std::uint32_t>(dims)).floats * 4;
    const std::size_t nodes = points * (sizeof(Node) + sizeof(NodeUp) + sizeof(Leaf));
    const std::size_t samples = points * (sizeof(float) + sizeof(std::uint16_t));
    const std::size_t store = points * (dims * sizeof(float) + 8 + 2 + 4);
    return boxes + nodes + samples + store + std::size_t{config.trees} * 96;
}

}  // namespace tidemill::anomaly
