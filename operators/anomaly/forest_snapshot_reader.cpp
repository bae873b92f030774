#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/base/crc32c.h"
#include "operators/anomaly/forest_snapshot.h"
#include "operators/anomaly/forest_snapshot_format.h"

namespace tidemill::anomaly {

namespace {

std::unexpected<Error> corrupt(const char* what) {
    return fail(Errc::Corrupt,
                std::string("The snapshot of a random cut forest is damaged: ") + what + ".");
}

}  // namespace

/// The checksum finds damage; the checks behind it find bytes that were never a snapshot, so that
/// none can harm.
class ForestSnapshot::Reader {
 public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}

    Result<RandomCutForest> read() {
        TRY(header());
        impl_ = std::make_unique<RandomCutForest::Impl>(config_);
        TRY(state());
        TRY(points());
        for (std::uint32_t tree = 0; tree < config_.trees; ++tree)
            TRY(read_tree(tree));
        if (at_ != bytes_.size()) return corrupt("bytes are left over");
        for (std::uint32_t slot = 0; slot < point_count_; ++slot)
            if (!impl_->store.is_used(slot)) return corrupt("a point is in no tree");
        return RandomCutForest(RandomCutForest::Restored{}, std::move(impl_));
    }

 private:
    template <class T>
    bool get(T& value) {
        if (bytes_.size() - at_ < sizeof value) return false;
        value = load_le<T>(bytes_.data() + at_);
        at_ += sizeof value;
        return true;
    }
    bool get_small(std::uint32_t& value, std::uint32_t bound) {
        value = 0;
        for (std::uint32_t i = 0; i < small_bytes(bound); ++i) {
            std::uint8_t byte;
            if (!get(byte)) return false;
            value |= std::uint32_t{byte} << (8 * i);
        }
        return value < bound;
    }
    bool get_coordinate(float& value) {
        return get(value) && std::abs(value) <= kLargest && !(value == 0 && std::signbit(value));
    }

    Status header() {
        std::uint32_t magic;
        std::uint16_t version;
        std::uint8_t mode, reserved;
        std::uint64_t length;
        if (bytes_.size() < kSnapshotHeaderBytes + sizeof(std::uint32_t))
            return corrupt("it is too short");
        get(magic);
        get(version);
        get(mode);
        get(reserved);
        get(length);
        if (magic != kSnapshotMagic) return corrupt("it does not begin with TMRF");
        const auto body = bytes_.size() - sizeof(std::uint32_t);
        if (length != bytes_.size() ||
            load_le<std::uint32_t>(bytes_.data() + body) != crc32c(bytes_.first(body)))
            return corrupt("its checksum does not fit");
        if (version != kSnapshotVersion)
            return fail(Errc::Unsupported,
                        "The snapshot of a random cut forest has a later version.");
        bytes_ = bytes_.first(body);
        get(config_.columns);
        get(config_.shingle);
        get(config_.trees);
        get(config_.sample);
        get(config_.time_decay);
        get(point_count_);
        get(config_.seed);
        get(records_);
        get(points_);
        config_.mode = static_cast<ScoreMode>(mode);
        if (!config_.validate()) return corrupt("a parameter is out of range");
        const std::uint64_t lead = config_.shingle - 1;
        if (points_ != (records_ > lead ? records_ - lead : 0) || records_ > kMostRecords)
            return corrupt("its counts do not fit together");
        // Every tree says at least this much, so the arrays made next are in proportion to the
        // bytes.
        const auto leaves = std::min<std::uint64_t>(points_, config_.sample);
        if (bytes_.size() / config_.trees < leaves * 4 || bytes_.size() < point_count_ ||
            point_count_ > std::uint64_t{config_.trees} * config_.sample)
            return corrupt("it is too short for its trees");
        return {};
    }

    Status state() {
        impl_->records = records_;
        impl_->points = points_;
        if (records_ == 0) return {};
        impl_->origin.resize(config_.columns);
        for (double& value : impl_->origin)
            if (!get(value) || !std::isfinite(value)) return corrupt("an origin is no number");
        impl_->recent_records = std::min<std::uint64_t>(records_, config_.shingle - 1);
        for (std::size_t i = 0; i < impl_->recent_records * config_.columns; ++i)
            if (!get_coordinate(impl_->recent[i])) return corrupt("a recent value is no number");
        return {};
    }

    Status points() {
        std::vector<std::uint64_t> sequences(point_count_);
        std::uint64_t previous = 0;
        for (std::size_t i = 0; i < sequences.size(); ++i) {
            std::uint64_t delta;
            const auto* end = bytes_.data() + bytes_.size();
            const auto* next = get_varint(bytes_.data() + at_, end, delta);
            if (!next || delta > points_ || (i > 0 && delta == 0) || previous + delta >= points_)
                return corrupt("a point's number is wrong");
            at_ = static_cast<std::size_t>(next - bytes_.data());
            sequences[i] = previous += delta;
        }
        std::vector<float> point(impl_->dims);
        std::uint64_t known = 0;
        for (const auto first : sequences) {
            const auto shared = known > first ? (known - first) * config_.columns : 0;
            std::copy(point.end() - static_cast<std::ptrdiff_t>(shared), point.end(),
                      point.begin());
            for (auto i = shared; i < impl_->dims; ++i)
                if (!get_coordinate(point[i])) return corrupt("a point's value is no number");
            impl_->store.add(point.data(), first);
            known = first + config_.shingle;
        }
        return {};
    }

    Status read_tree(std::uint32_t tree) {
        auto& arena = impl_->arena;
        const auto base = arena.base(tree);
        auto& sampler = impl_->sampler.trees_[tree];
        std::uint16_t size, leaf_count;
        std::array<std::uint64_t, 4> random;
        if (!get(random) || !get(sampler.next) || !get(sampler.origin) || !get(size) ||
            !get(leaf_count))
            return corrupt("a tree is cut short");
        static_assert(sizeof random == sizeof(Random) && std::is_trivially_copyable_v<Random>);
        sampler.random = std::bit_cast<Random>(random);
        if (random == std::array<std::uint64_t, 4>{}) return corrupt("a generator is at zero");
        sampler.size = size;
        if (size != std::min<std::uint64_t>(points_, config_.sample) || leaf_count > size ||
            (size > 0 && leaf_count == 0) || sampler.next < points_ ||
            (size < config_.sample && sampler.next != points_) ||
            sampler.next - points_ > std::uint64_t{1} << 63 || sampler.origin > points_)
            return corrupt("a tree's counts do not fit together");
        if (leaf_count > 0) TRY(shape(tree, leaf_count));
        for (std::uint32_t i = 0; i < size; ++i) {
            float& weight = impl_->sampler.weight_[base + i];
            if (!get(weight) || !(weight > 0) || !std::isfinite(weight) ||
                (i > 0 && weight > impl_->sampler.weight_[base + (i - 1) / 2]))
                return corrupt("a sampling weight is wrong");
        }
        for (std::uint32_t i = 0; i < size; ++i) {
            std::uint32_t leaf;
            if (!get_small(leaf, leaf_count)) return corrupt("a sample is in no leaf");
            impl_->sampler.entry_leaf_[base + i] = static_cast<std::uint16_t>(leaf);
            ++arena.leaves[base + leaf].mass;
        }
        arena.mass[tree] = size;
        for (std::uint32_t i = 0; i < leaf_count; ++i)
            if (arena.leaves[base + i].mass == 0) return corrupt("a leaf is empty");
        // Parents come before their children, so backwards every child is complete.
        for (std::uint32_t i = leaf_count - std::min<std::uint32_t>(1, leaf_count); i-- > 0;)
            TRY(finish_inner(tree, i));
        return {};
    }

    /// Preorder bits to links; then cuts, dimensions and points in that order.
    Status shape(std::uint32_t tree, std::uint32_t leaf_count) {
        auto& arena = impl_->arena;
        const auto base = arena.base(tree);
        const std::uint32_t inner_count = leaf_count - 1;
        struct Open {
            std::uint16_t inner;
            bool has_left;
        };
        std::vector<Open> open;
        std::uint32_t inner = 0, leaves = 0;
        std::uint8_t bits = 0;
        std::vector<std::uint32_t> left(inner_count), right(inner_count);
        for (std::uint32_t i = 0; i < inner_count + leaf_count; ++i) {
            if (i % 8 == 0 && !get(bits)) return corrupt("a tree is cut short");
            const bool is_leaf = bits >> (i % 8) & 1;
            if (i > 0 && open.empty()) return corrupt("a tree has two roots");
            if (is_leaf ? leaves == leaf_count : inner == inner_count)
                return corrupt("a tree has another shape than it says");
            const std::uint32_t node = is_leaf ? leaves | kLeafBit : inner;
            const std::uint16_t parent = i == 0 ? kNone : open.back().inner;
            if (i == 0) arena.root[tree] = static_cast<std::uint16_t>(node);
            if (i > 0) {
                (open.back().has_left ? right : left)[parent] = node;
                if (open.back().has_left)
                    open.pop_back();
                else
                    open.back().has_left = true;
            }
            if (is_leaf) {
                arena.leaves[base + leaves++] = {0, parent, 0};
            } else {
                arena.ups[base + inner] = {0, parent, 0};
                open.push_back({static_cast<std::uint16_t>(inner++), false});
            }
        }
        if (!open.empty()) return corrupt("a tree is not closed");
        for (std::uint32_t i = 0; i < inner_count; ++i)
            if (float& cut = arena.nodes[base + i].cut; !get(cut) || !std::isfinite(cut))
                return corrupt("a cut is no number");
        for (std::uint32_t i = 0; i < inner_count; ++i) {
            std::uint32_t dimension;
            if (!get_small(dimension, impl_->dims)) return corrupt("a cut has no dimension");
            arena.nodes[base + i].links = Node::pack(dimension, left[i], right[i]);
        }
        for (std::uint32_t i = 0; i < leaf_count; ++i) {
            std::uint32_t slot;
            if (!get_small(slot, point_count_)) return corrupt("a leaf has no point");
            arena.leaves[base + i].point = slot;
            impl_->store.hold(slot);
        }
        arena.inner_used[tree] = static_cast<std::uint16_t>(inner_count);
        arena.leaf_used[tree] = static_cast<std::uint16_t>(leaf_count);
        return {};
    }

    /// Box, range and mass are not stored: they follow from the children. The cut must lie between
    /// them.
    Status finish_inner(std::uint32_t tree, std::uint32_t inner) {
        auto& arena = impl_->arena;
        const auto base = arena.base(tree);
        const Node n = arena.nodes[base + inner];
        impl_->kernel->rebuild_box(arena, impl_->store.data(), tree,
                                   static_cast<std::uint16_t>(inner));
        if (side(base, n.left(), n.dimension(), false) > n.cut ||
            side(base, n.right(), n.dimension(), true) <= n.cut)
            return corrupt("a cut does not separate its sides");
        arena.ups[base + inner].mass = static_cast<std::uint16_t>(arena.mass_of(base, n.left()) +
                                                                  arena.mass_of(base, n.right()));
        return {};
    }

    /// Greatest coordinate of a node's points, or the least.
    float side(std::size_t base, std::uint32_t node, std::uint32_t d, bool is_least) const {
        const auto& arena = impl_->arena;
        if (node & kLeafBit)
            return impl_->store.point(arena.leaves[base + (node & kSlotMask)].point)[d];
        const auto lanes = arena.layout.lanes;
        const float* box = arena.box(base + node) + d / lanes * 2 * lanes + d % lanes;
        return is_least ? -box[lanes] : box[0];
    }

    static constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 62;

    Bytes bytes_;
    std::size_t at_ = 0;
    ForestConfig config_;
    std::uint32_t point_count_ = 0;
    std::uint64_t records_ = 0, points_ = 0;
    std::unique_ptr<RandomCutForest::Impl> impl_;
};

Result<RandomCutForest> ForestSnapshot::read(Bytes bytes) { return Reader(bytes).read(); }

Result<RandomCutForest> RandomCutForest::restore(Bytes snapshot) {
    return ForestSnapshot::read(snapshot);
}

}  // namespace tidemill::anomaly
