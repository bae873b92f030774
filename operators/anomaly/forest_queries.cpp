#include "operators/anomaly/forest_queries.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "operators/anomaly/tree_descent.h"

namespace tidemill::anomaly {

bool ForestQueries::set_record(std::span<const double> record) {
    const auto& config = forest_.config;
    if (forest_.points < forest_.warm_up || forest_.recent_records < config.shingle - 1)
        return false;
    const auto known = std::size_t{config.shingle - 1} * config.columns;
    const auto first = (forest_.recent_records - (config.shingle - 1)) * config.columns;
    point_.assign(forest_.recent.begin() + static_cast<std::ptrdiff_t>(first),
                  forest_.recent.begin() + static_cast<std::ptrdiff_t>(first + known));
    for (std::size_t c = 0; c < config.columns; ++c) {
        const double value = std::isfinite(record[c]) ? record[c] - forest_.origin[c] : 0;
        point_.push_back(
            static_cast<float>(std::clamp(value, -double{kLargest}, double{kLargest})) + 0.0F);
    }
    return true;
}

/// The leaves nearest in the coordinates that are known; several if they are equally near.
void ForestQueries::find_candidates(std::uint32_t tree, std::span<const bool> is_missing,
                                    std::vector<Candidate>& to) const {
    const auto& arena = forest_.arena;
    const auto base = arena.base(tree);
    const std::size_t first_value = forest_.dims - forest_.config.columns;
    const auto is_unknown = [&](std::size_t dimension) {
        return dimension >= first_value && is_missing[dimension - first_value];
    };
    if (arena.root[tree] == kNone) return;
    std::vector<std::uint32_t> todo{arena.root[tree]};
    double nearest = INFINITY;
    const auto begin = to.size();
    while (!todo.empty()) {
        const auto node = todo.back();
        todo.pop_back();
        if ((node & kLeafBit) == 0) {
            const auto& cut = arena.nodes[base + node];
            const bool is_left = point_[cut.dimension()] <= cut.cut;
            if (is_left || is_unknown(cut.dimension())) todo.push_back(cut.left());
            if (!is_left || is_unknown(cut.dimension())) todo.push_back(cut.right());
            continue;
        }
        const auto slot = arena.leaves[base + (node & kSlotMask)].point;
        const float* values = forest_.store.point(slot);
        double distance = 0;
        for (std::size_t d = 0; d < forest_.dims; ++d)
            if (!is_unknown(d)) distance += std::fabs(double{values[d]} - double{point_[d]});
        if (distance > nearest) continue;
        if (distance < nearest) to.resize(begin);
        nearest = distance;
        to.push_back({distance, slot});
    }
}

std::vector<double> ForestQueries::expected(std::span<const bool> is_missing) {
    std::vector<Candidate> candidates;
    for (std::uint32_t tree = 0; tree < forest_.config.trees; ++tree)
        find_candidates(tree, is_missing, candidates);
    // Ties in the order of the store, so that the answer depends on nothing else.
    std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
    });
    const auto& config = forest_.config;
    const std::size_t first_value = forest_.dims - config.columns;
    auto kept = (candidates.size() + 1) / 2;
    while (kept < candidates.size() && candidates[kept].distance == candidates[kept - 1].distance)
        ++kept;
    std::vector<double> values(config.columns);
    std::vector<float> of_column(kept);
    for (std::size_t c = 0; c < config.columns; ++c) {
        if (!is_missing[c]) {
            values[c] = double{point_[first_value + c]} + forest_.origin[c];
            continue;
        }
        for (std::size_t i = 0; i < kept; ++i)
            of_column[i] = forest_.store.point(candidates[i].slot)[first_value + c];
        const auto middle = of_column.begin() + static_cast<std::ptrdiff_t>(kept / 2);
        std::ranges::nth_element(of_column, middle);
        values[c] = double{*middle} + forest_.origin[c];
    }
    return values;
}

std::vector<Neighbour> ForestQueries::neighbours(double radius) {
    const auto& arena = forest_.arena;
    std::map<std::uint32_t, std::uint32_t> trees_of_slot;
    for (std::uint32_t tree = 0; tree < forest_.config.trees; ++tree) {
        if (arena.root[tree] == kNone) continue;
        std::uint32_t depth;
        const auto base = arena.base(tree);
        const auto leaf =
            descend(arena.nodes.data() + base, arena.root[tree], point_.data(), depth);
        ++trees_of_slot[arena.leaves[base + leaf].point];
    }
    std::vector<Neighbour> found;
    for (const auto& [slot, trees] : trees_of_slot) {
        const float* values = forest_.store.point(slot);
        double square = 0;
        for (std::size_t d = 0; d < forest_.dims; ++d)
            square += std::pow(double{values[d]} - double{point_[d]}, 2);
        if (square > radius * radius) continue;
        Neighbour one{.values = {},
                      .distance = std::sqrt(square),
                      .trees = trees,
                      .sequence = forest_.store.sequence(slot)};
        for (std::size_t d = 0; d < forest_.dims; ++d)
            one.values.push_back(double{values[d]} + forest_.origin[d % forest_.config.columns]);
        found.push_back(std::move(one));
    }
    std::ranges::sort(found, [](const Neighbour& a, const Neighbour& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.sequence < b.sequence;
    });
    return found;
}

}  // namespace tidemill::anomaly
