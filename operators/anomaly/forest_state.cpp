#include "operators/anomaly/forest_state.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "operators/anomaly/attribution.h"
#include "operators/anomaly/forest_queries.h"

namespace tidemill::anomaly {

RandomCutForest::Impl::Impl(const ForestConfig& forest_config)
    : config(forest_config),
      dims(config.columns * config.shingle),
      rule{.damps_duplicates = config.mode == ScoreMode::Library,
           .lone_leaf_by_mass = config.mode == ScoreMode::Kda},
      warm_up(config.mode == ScoreMode::Kda ? config.sample : std::max(1U, config.sample / 4)),
      kernel(&best_kernel()),
      arena(config.trees, config.sample, dims),
      store(dims),
      sampler(config.trees, config.sample, config.time_decay, config.seed),
      recent((config.shingle - 1 + kBatch) * config.columns + kOverread) {}

double RandomCutForest::Impl::factor(std::uint64_t point) const {
    if (config.mode == ScoreMode::Kda) return std::log2(static_cast<double>(config.sample));
    // While the sample fills every tree accepts every point, so the trees' masses are equal and
    // known.
    const auto mass = std::min<std::uint64_t>(point, config.sample);
    return std::log2(static_cast<double>(mass) + 1);
}

bool RandomCutForest::Impl::append(const double* record) {
    for (std::uint32_t c = 0; c < config.columns; ++c)
        if (!std::isfinite(record[c])) return false;
    if (origin.empty()) origin.assign(record, record + config.columns);
    float* to = recent.data() + recent_records * config.columns;
    for (std::uint32_t c = 0; c < config.columns; ++c) {
        const double value = std::clamp(record[c] - origin[c], -double{kLargest}, double{kLargest});
        to[c] =
            static_cast<float>(value) + 0.0F;  // -0.0 becomes 0.0: equality of points is of bits
    }
    ++recent_records;
    return true;
}

void RandomCutForest::Impl::process(std::span<const double> values, std::span<double> scores) {
    TM_CHECK(values.size() == scores.size() * config.columns, "{} values for {} records of {}",
             values.size(), scores.size(), config.columns);
    std::size_t place_of[kBatch];
    double sums[kBatch];
    for (std::size_t done = 0; done < scores.size();) {
        // The record that completes the first shingle makes the first point; those before it make
        // none.
        const std::size_t before = recent_records;
        std::size_t count = 0;
        for (; done < scores.size() && count < kBatch; ++done) {
            if (append(values.data() + done * config.columns))
                place_of[count++] = done;
            else
                scores[done] = std::numeric_limits<double>::quiet_NaN();
        }
        const std::size_t full =
            recent_records >= config.shingle - 1 ? recent_records - (config.shingle - 1) : 0;
        const std::size_t without_point = count - std::min(count, full);
        TM_CHECK(before + count == recent_records);
        process_points(count - without_point, sums);
        for (std::size_t i = 0; i < count; ++i)
            scores[place_of[i]] = i < without_point ? 0 : sums[i - without_point];
        records += count;
        const std::size_t keep = std::min<std::size_t>(recent_records, config.shingle - 1);
        std::copy_n(
            recent.begin() + static_cast<std::ptrdiff_t>((recent_records - keep) * config.columns),
            keep * config.columns, recent.begin());
        recent_records = keep;
    }
}

void RandomCutForest::Impl::process_points(std::size_t count, double* sums) {
    if (count == 0) return;
    std::fill_n(sums, count, 0.0);
    const std::size_t first_scored = only_learns ? count
                                     : points >= warm_up
                                         ? 0
                                         : std::min<std::size_t>(count, warm_up - points);
    batch_slot_.assign(count, kNoSlot);
    // Trees do not interact, so a few trees take the whole batch before the next few: their nodes
    // stay in the cache, and between two updates of a tree many points share it. One point alone is
    // scored over all trees at once.
    const std::uint32_t group = count >= 32 ? 16 : config.trees;
    for (std::uint32_t tree = 0; tree < config.trees; tree += group)
        process_group(tree, std::min(tree + group, config.trees), count, first_scored, sums);
    for (std::size_t i = 0; i < count; ++i)
        sums[i] *= factor(points + i) / config.trees;
    points += count;
}

void RandomCutForest::Impl::process_group(std::uint32_t first_tree, std::uint32_t last_tree,
                                          std::size_t count, std::size_t first_scored,
                                          double* sums) {
    const std::size_t width = last_tree - first_tree;
    cells_.resize(width * count);
    cursor_.assign(width, 0);
    run_end_.resize(width);
    for (bool is_open = true; is_open;) {
        items_.clear();
        leaf_of_last_.assign(width, kUnknownLeaf);
        for (std::size_t t = 0; t < width; ++t) {
            const auto tree = first_tree + static_cast<std::uint32_t>(t);
            const auto accepted = sampler.next(tree) - points;  // relative to the batch
            const std::size_t end = accepted < count ? accepted + 1 : count;
            run_end_[t] = end;
            if (const auto from = std::max(cursor_[t], first_scored); from < end)
                items_.add_run(tree, from * config.columns, config.columns, end - from);
        }
        if (!items_.tree.empty()) {
            kernel->score(arena, store.data(), recent.data(), rule, items_);
            if (!shares_.empty()) share_items();
            const float* scores = items_.score.data();
            for (std::size_t t = 0; t < width; ++t) {
                for (auto i = std::max(cursor_[t], first_scored); i < run_end_[t]; ++i)
                    cells_[t * count + i] = *scores++;
                // A run ends with the point that its tree accepts: where it fell is known.
                if (run_end_[t] > std::max(cursor_[t], first_scored))
                    leaf_of_last_[t] = static_cast<std::uint32_t>(
                        items_.leaf[static_cast<std::size_t>(scores - items_.score.data()) - 1]);
            }
        }
        is_open = false;
        for (std::size_t t = 0; t < width; ++t) {
            const auto tree = first_tree + static_cast<std::uint32_t>(t);
            if (cursor_[t] < run_end_[t] && sampler.next(tree) == points + run_end_[t] - 1)
                accept(tree, run_end_[t] - 1, leaf_of_last_[t]);
            cursor_[t] = run_end_[t];
            is_open |= cursor_[t] < count;
        }
    }
    // In the order of the trees, whatever the order they were scored in: the sum does not depend on
    // the batch.
    for (std::size_t t = 0; t < width; ++t)
        for (std::size_t i = first_scored; i < count; ++i)
            sums[i] += double{cells_[t * count + i]};
}

double RandomCutForest::Impl::score(std::span<const double> record) {
    if (!append(record.data())) return std::numeric_limits<double>::quiet_NaN();
    double sum = 0;
    if (recent_records >= config.shingle && points >= warm_up) {
        items_.clear();
        const auto first = (recent_records - config.shingle) * config.columns;
        for (std::uint32_t tree = 0; tree < config.trees; ++tree)
            items_.add_run(tree, first, config.columns, 1);
        kernel->score(arena, store.data(), recent.data(), rule, items_);
        for (const float one : items_.score)
            sum += double{one};
        sum *= factor(points) / config.trees;
    }
    --recent_records;
    if (records == 0) origin.clear();  // not learnt, so not the first
    return sum;
}

double RandomCutForest::Impl::process_one(std::span<const double> record,
                                          std::span<ColumnAttribution> shares) {
    std::ranges::fill(shares, ColumnAttribution{});
    last_point.clear();
    if (ForestQueries queries(*this); queries.set_record(record))
        last_point.assign(queries.point().begin(), queries.point().end());
    shares_ = shares;
    double score;
    process(record, {&score, 1});
    shares_ = {};
    double sum = 0;
    for (const auto& share : shares)
        sum += share.high + share.low;
    for (auto& share : shares) {
        share.high *= sum > 0 ? score / sum : 0;
        share.low *= sum > 0 ? score / sum : 0;
    }
    return score;
}

void RandomCutForest::Impl::share_items() {
    lane_sums_.assign(arena.layout.floats, 0.0F);
    seen_items_.clear();
    kernel->share(arena, store.data(), recent.data(), items_, lane_sums_.data(), seen_items_);
    add_lanes(arena, lane_sums_, shares_);
    if (seen_items_.empty()) return;
    CopyAttribution copies(arena, store.data(), config.columns);
    for (const auto i : seen_items_)
        copies.add(static_cast<std::uint32_t>(items_.tree[i]),
                   static_cast<std::uint32_t>(items_.leaf[i]),
                   static_cast<std::uint32_t>(items_.depth[i]), recent.data() + items_.point[i],
                   double{items_.score[i]}, shares_);
}

/// `known_leaf`: where the point falls in the tree as it is, or kUnknownLeaf.
void RandomCutForest::Impl::accept(std::uint32_t tree, std::size_t point,
                                   std::uint32_t known_leaf) {
    const float* values = recent.data() + point * config.columns;
    if (sampler.is_full(tree)) {
        const auto leaf = sampler.evicted_leaf(tree);
        const auto slot = arena.leaves[arena.base(tree) + leaf].point;
        if (kernel->remove(arena, store.data(), tree, leaf)) {
            store.release(slot);
            // Others fall where they fell: their way is the same but for a node less.
            if (known_leaf == leaf) known_leaf = kUnknownLeaf;
        }
    }
    const auto placed =
        kernel->insert(arena, store.data(), tree, values, known_leaf, sampler.random(tree));
    if (placed.is_new) {
        auto& slot = batch_slot_[point];
        // Another tree may have let go of it again within this batch.
        if (slot == kNoSlot || !store.is_used(slot) || store.sequence(slot) != points + point)
            slot = store.add(values, points + point);
        store.hold(slot);
        arena.leaves[arena.base(tree) + placed.leaf].point = slot;
    }
    sampler.accept(tree, placed.leaf);
}

}  // namespace tidemill::anomaly
