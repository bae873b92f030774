#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "engine/base/crc32c.h"
#include "operators/anomaly/forest_snapshot.h"
#include "operators/anomaly/forest_snapshot_format.h"

namespace tidemill::anomaly {

class ForestSnapshot::Writer {
 public:
    explicit Writer(const RandomCutForest::Impl& forest) : forest_(forest) {}

    std::vector<std::byte> write() {
        list_points();
        header();
        for (const double value : forest_.origin)
            put(value);
        const auto recent = forest_.recent_records * forest_.config.columns;
        for (std::size_t i = 0; i < recent; ++i)
            put(forest_.recent[i]);
        points();
        for (std::uint32_t tree = 0; tree < forest_.config.trees; ++tree)
            write_tree(tree);
        store_le(out_.data() + kSnapshotLengthAt,
                 static_cast<std::uint64_t>(out_.size() + sizeof(std::uint32_t)));
        put(crc32c(out_));
        return std::move(out_);
    }

 private:
    template <class T>
    void put(T value) {
        const auto at = out_.size();
        out_.resize(at + sizeof value);
        store_le(out_.data() + at, value);
    }
    void varint(std::uint64_t value) {
        std::byte bytes[kVarintMax];
        out_.insert(out_.end(), bytes, put_varint(bytes, value));
    }

    void header() {
        const auto& config = forest_.config;
        put(kSnapshotMagic);
        put(kSnapshotVersion);
        put(static_cast<std::uint8_t>(config.mode));
        put(std::uint8_t{0});
        put(std::uint64_t{0});  // length, set at the end
        put(config.columns);
        put(config.shingle);
        put(config.trees);
        put(config.sample);
        put(config.time_decay);
        put(static_cast<std::uint32_t>(sorted_.size()));
        put(config.seed);
        put(forest_.records);
        put(forest_.points);
    }

    void list_points() {
        for (std::uint32_t slot = 0; slot < forest_.store.slot_count(); ++slot)
            if (forest_.store.is_used(slot)) sorted_.push_back(slot);
        std::ranges::sort(sorted_, {}, [&](auto slot) { return forest_.store.sequence(slot); });
        rank_.resize(forest_.store.slot_count());
        for (std::uint32_t i = 0; i < sorted_.size(); ++i)
            rank_[sorted_[i]] = i;
    }

    /// Points that overlap share records: each says only the records that the one before it did
    /// not.
    void points() {
        std::uint64_t previous = 0;
        for (const auto slot : sorted_) {
            const auto sequence = forest_.store.sequence(slot);
            varint(sequence - previous);
            previous = sequence;
        }
        std::uint64_t known = 0;  // records before this one are written
        const auto columns = forest_.config.columns;
        for (const auto slot : sorted_) {
            const auto first = forest_.store.sequence(slot);
            const float* point = forest_.store.point(slot);
            const auto skip = known > first ? known - first : 0;
            for (auto i = skip * columns; i < forest_.dims; ++i)
                put(point[i]);
            known = first + forest_.config.shingle;
        }
    }

    void write_tree(std::uint32_t tree) {
        const auto& arena = forest_.arena;
        const auto base = arena.base(tree);
        const auto& sampler = forest_.sampler.trees_[tree];
        put(sampler.random);
        put(sampler.next);
        put(sampler.origin);
        put(static_cast<std::uint16_t>(sampler.size));

        // Nodes in preorder; leaves are numbered in that order.
        std::vector<std::uint16_t> order(forest_.config.sample);
        std::vector<std::uint32_t> inner, leaves, stack;
        std::vector<bool> is_leaf;
        if (arena.root[tree] != kNone) stack.push_back(arena.root[tree]);
        while (!stack.empty()) {
            const auto node = stack.back();
            stack.pop_back();
            is_leaf.push_back((node & kLeafBit) != 0);
            if (node & kLeafBit) {
                order[node & kSlotMask] = static_cast<std::uint16_t>(leaves.size());
                leaves.push_back(node & kSlotMask);
            } else {
                inner.push_back(node);
                stack.push_back(arena.nodes[base + node].right());
                stack.push_back(arena.nodes[base + node].left());
            }
        }
        put(static_cast<std::uint16_t>(leaves.size()));
        for (std::size_t i = 0; i < is_leaf.size(); i += 8) {
            unsigned bits = 0;
            for (std::size_t j = i; j < std::min(i + 8, is_leaf.size()); ++j)
                bits |= static_cast<unsigned>(is_leaf[j]) << (j - i);
            put(static_cast<std::uint8_t>(bits));
        }
        const auto dims = forest_.dims;
        for (const auto node : inner)
            put(arena.nodes[base + node].cut);
        for (const auto node : inner)
            put_small(arena.nodes[base + node].dimension(), dims);
        for (const auto leaf : leaves)
            put_small(rank_[arena.leaves[base + leaf].point],
                      static_cast<std::uint32_t>(sorted_.size()));
        for (std::uint32_t i = 0; i < sampler.size; ++i)
            put(forest_.sampler.weight_[base + i]);
        for (std::uint32_t i = 0; i < sampler.size; ++i)
            put_small(order[forest_.sampler.entry_leaf_[base + i]],
                      static_cast<std::uint32_t>(leaves.size()));
    }

    /// In as few whole bytes as every number below `bound` needs.
    void put_small(std::uint32_t value, std::uint32_t bound) {
        for (std::uint32_t i = 0; i < small_bytes(bound); ++i)
            put(static_cast<std::uint8_t>(value >> (8 * i)));
    }

    const RandomCutForest::Impl& forest_;
    std::vector<std::byte> out_;
    std::vector<std::uint32_t> sorted_;  ///< slots in use, by sequence
    std::vector<std::uint32_t> rank_;    ///< slot to its place in sorted_
};

std::vector<std::byte> ForestSnapshot::write(const RandomCutForest& forest) {
    return Writer(*forest.impl_).write();
}

std::vector<std::byte> RandomCutForest::snapshot() const { return ForestSnapshot::write(*this); }

}  // namespace tidemill::anomaly
