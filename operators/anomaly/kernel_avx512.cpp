#if defined(__x86_64__)

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <immintrin.h>

#include "operators/anomaly/forest_kernel.h"
#include "operators/anomaly/tree_descent.h"

#pragma clang attribute push(                                                      \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,bmi,bmi2,popcnt"))), \
    apply_to = function)
#include "operators/anomaly/kernel_body.h"

namespace tidemill::anomaly {
namespace {

constexpr std::size_t kLanes = 16;
/// Items at a time: what belongs to them stays in the first-level cache.
constexpr std::size_t kItems = 512;
/// Groups of 16 descents at work together: one alone would wait for memory at every step.
constexpr std::size_t kTogether = 4;

/// The items whose way up goes on, without gaps.
struct Climb {
    alignas(64) std::int32_t item[kItems + kLanes];
    alignas(64) std::int32_t node[kItems + kLanes];   ///< in the forest's arrays
    alignas(64) std::int32_t base[kItems + kLanes];   ///< where its tree begins in them
    alignas(64) std::int32_t point[kItems + kLanes];  ///< index of the first coordinate
    alignas(64) float level[kItems + kLanes];
    alignas(64) float score[kItems + kLanes];
    std::size_t count = 0;

    void push(__mmask16 keep, __m512i i, __m512i n, __m512i b, __m512i p, __m512 l, __m512 s) {
        _mm512_storeu_si512(item + count, _mm512_maskz_compress_epi32(keep, i));
        _mm512_storeu_si512(node + count, _mm512_maskz_compress_epi32(keep, n));
        _mm512_storeu_si512(base + count, _mm512_maskz_compress_epi32(keep, b));
        _mm512_storeu_si512(point + count, _mm512_maskz_compress_epi32(keep, p));
        _mm512_storeu_ps(level + count, _mm512_maskz_compress_ps(keep, l));
        _mm512_storeu_ps(score + count, _mm512_maskz_compress_ps(keep, s));
        count += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(keep)));
    }
};

__m512i low_half(__m512i words) { return _mm512_and_si512(words, _mm512_set1_epi32(0xffff)); }

struct Pairs {
    __m512i first, second;
};
/// The 8 bytes at base + 8 * index for each lane of the mask, as two words: half the loads of two
/// gathers.
Pairs gather_pairs(const void* base, __m512i index, __mmask16 mask) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i low = _mm512_mask_i32gather_epi64(zero, static_cast<__mmask8>(mask),
                                                    _mm512_castsi512_si256(index), base, 8);
    const __m512i high = _mm512_mask_i32gather_epi64(zero, static_cast<__mmask8>(mask >> 8),
                                                     _mm512_extracti64x4_epi64(index, 1), base, 8);
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    return {_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)};
}

struct Descent {
    __m512i base, point, node, depth;
    __m512 only;  ///< the coordinate where there is but one
    __mmask16 valid, active;
};

template <std::uint32_t L>
void step(Descent& d, const Node* nodes, const float* points, bool is_one_dimension) {
    const Pairs node = gather_pairs(nodes, _mm512_add_epi32(d.base, d.node), d.active);
    const __m512 cut = _mm512_castsi512_ps(node.first);
    const __m512i links = node.second;
    __m512 value = d.only;
    if (!is_one_dimension) {
        const __m512i dimension = _mm512_and_si512(links, _mm512_set1_epi32(0x3ff));
        value = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), d.active,
                                         _mm512_add_epi32(d.point, dimension), points, 4);
    }
    const __mmask16 is_right = _mm512_cmp_ps_mask(value, cut, _CMP_GT_OQ);
    const __m512i shift =
        _mm512_mask_mov_epi32(_mm512_set1_epi32(10), is_right, _mm512_set1_epi32(21));
    const __m512i child =
        _mm512_and_si512(_mm512_srlv_epi32(links, shift), _mm512_set1_epi32(0x7ff));
    d.node = _mm512_mask_mov_epi32(d.node, d.active, child);
    d.depth = _mm512_mask_add_epi32(d.depth, d.active, d.depth, _mm512_set1_epi32(1));
    d.active = _mm512_mask_testn_epi32_mask(d.active, child, _mm512_set1_epi32(kLeafBit));
}

/// Sums of the lanes of 16 vectors, in the order of BoxOps<8>::reduce; vector 4j+q gives lane 4q+j.
__m512 reduce16(const __m512 (&v)[16]) {
    __m512 pairs[8], fours[4], eights[2];
    for (int i = 0; i < 8; ++i)
        pairs[i] = _mm512_add_ps(_mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0x44),
                                 _mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0xee));
    for (int i = 0; i < 4; ++i)
        fours[i] = _mm512_add_ps(_mm512_shuffle_f32x4(pairs[2 * i], pairs[2 * i + 1], 0x88),
                                 _mm512_shuffle_f32x4(pairs[2 * i], pairs[2 * i + 1], 0xdd));
    for (int i = 0; i < 2; ++i)
        eights[i] = _mm512_add_ps(_mm512_shuffle_ps(fours[2 * i], fours[2 * i + 1], 0x44),
                                  _mm512_shuffle_ps(fours[2 * i], fours[2 * i + 1], 0xee));
    return _mm512_add_ps(_mm512_shuffle_ps(eights[0], eights[1], 0x88),
                         _mm512_shuffle_ps(eights[0], eights[1], 0xdd));
}

/// Distances of 16 points to 16 boxes.
template <std::uint32_t L>
__m512 distances(const ForestArena& a, const float* points, const Climb& climb, std::size_t at) {
    const auto positive = [](__m512 gap) { return _mm512_max_ps(gap, _mm512_setzero_ps()); };
    const __m512i node = _mm512_load_si512(climb.node + at);
    const __m512i point = _mm512_load_si512(climb.point + at);
    const float* boxes = a.boxes.data();
    if constexpr (L == 1) {
        const __m512 p = _mm512_i32gather_ps(point, points, 4);
        const Pairs box = gather_pairs(boxes, node, 0xffff);
        const __m512 below = _mm512_sub_ps(_mm512_setzero_ps(), p);
        return _mm512_add_ps(positive(_mm512_sub_ps(p, _mm512_castsi512_ps(box.first))),
                             positive(_mm512_sub_ps(below, _mm512_castsi512_ps(box.second))));
    } else if constexpr (L == 2) {
        const __m512i twice = _mm512_slli_epi32(node, 1);
        const Pairs maxima = gather_pairs(boxes, twice, 0xffff);
        const Pairs minima =
            gather_pairs(boxes, _mm512_add_epi32(twice, _mm512_set1_epi32(1)), 0xffff);
        const auto along = [&](const float* from, __m512i maximum, __m512i minimum) {
            const __m512 p = _mm512_i32gather_ps(point, from, 4);
            const __m512 below = _mm512_sub_ps(_mm512_setzero_ps(), p);
            return _mm512_add_ps(positive(_mm512_sub_ps(p, _mm512_castsi512_ps(maximum))),
                                 positive(_mm512_sub_ps(below, _mm512_castsi512_ps(minimum))));
        };
        return _mm512_add_ps(along(points, maxima.first, minima.first),
                             along(points + 1, maxima.second, minima.second));
    } else {
        const __m512 signs = _mm512_mask_mov_ps(_mm512_set1_ps(1), 0xff00, _mm512_set1_ps(-1));
        __m512 sums[16];
#pragma unroll
        for (std::size_t k = 0; k < 16; ++k) {
            const std::size_t lane = at + 4 * (k % 4) + k / 4;
            const float* box = boxes + static_cast<std::size_t>(climb.node[lane]) * a.layout.floats;
            const float* p = points + climb.point[lane];
            // A product with +-1 is exact, so the fused form rounds once, as a subtraction does.
            const auto gap = [&](std::uint32_t b) {
                const __m512 both = _mm512_broadcast_f32x8(_mm256_loadu_ps(p + 8 * b));
                return positive(_mm512_fmsub_ps(both, signs, _mm512_load_ps(box + 16 * b)));
            };
            sums[k] = gap(0);
            for (std::uint32_t b = 1; b < a.layout.blocks; ++b)
                sums[k] = _mm512_add_ps(sums[k], gap(b));
        }
        return reduce16(sums);
    }
}

template <std::uint32_t L>
class Scorer {
 public:
    Scorer(const ForestArena& arena, const float* store, const float* points, const SeenRule& rule)
        : a_(arena), store_(store), points_(points), rule_(rule) {}

    void score(const std::int32_t* tree, const std::int32_t* point, std::size_t count, float* out) {
        descend_all(tree, point, count, out);
        inside_count_ = 0;
        climb_all<true>(out);
        while (climb_.count > 0)
            climb_all<false>(out);
        // A point within the box of its leaf's parent may be the leaf's: the only place where it
        // can.
        for (std::size_t i = 0; i < inside_count_; ++i) {
            const auto item = static_cast<std::size_t>(inside_[i]);
            const auto t = static_cast<std::uint32_t>(tree[item]);
            const auto& leaf = a_.leaves[a_.base(t) + static_cast<std::uint32_t>(leaf_[item])];
            if (equals(store_ + std::size_t{leaf.point} * a_.dims, points_ + point[item], a_.dims))
                out[item] =
                    seen_score(leaf, static_cast<std::uint32_t>(depth_[item]), a_.mass[t], rule_);
        }
    }

    /// Where the items of the last score() fell.
    void say_leaves(std::int32_t* leaf, std::int32_t* depth, std::size_t count) const {
        std::copy_n(leaf_, count, leaf);
        std::copy_n(depth_, count, depth);
    }

 private:
    void descend_all(const std::int32_t* tree, const std::int32_t* point, std::size_t count,
                     float* out) {
        climb_.count = 0;
        for (std::size_t first = 0; first < count; first += kTogether * kLanes) {
            Descent d[kTogether];
            for (std::size_t u = 0; u < kTogether; ++u)
                start(d[u], tree, point, first + u * kLanes, count);
            const bool is_one = a_.dims == 1;
            for (;;) {
                unsigned any = 0;
#pragma unroll
                for (std::size_t u = 0; u < kTogether; ++u) {
                    step<L>(d[u], a_.nodes.data(), points_, is_one);
                    any |= d[u].active;
                }
                if (any == 0) break;
            }
            for (std::size_t u = 0; u < kTogether; ++u)
                finish(d[u], tree, point, first + u * kLanes, out);
        }
    }

    void start(Descent& d, const std::int32_t* tree, const std::int32_t* point, std::size_t at,
               std::size_t count) {
        const std::size_t left = count > at ? std::min(count - at, kLanes) : 0;
        d.valid = static_cast<__mmask16>((1U << left) - 1);
        const __m512i trees = _mm512_maskz_loadu_epi32(d.valid, tree + at);
        d.base = _mm512_mullo_epi32(trees, _mm512_set1_epi32(static_cast<int>(a_.sample)));
        d.point = _mm512_maskz_loadu_epi32(d.valid, point + at);
        alignas(64) std::int32_t roots[kLanes] = {};
        for (std::size_t i = 0; i < left; ++i)
            roots[i] = a_.root[static_cast<std::size_t>(tree[at + i])];
        d.node = _mm512_load_si512(roots);
        d.depth = _mm512_setzero_si512();
        d.only = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), d.valid, d.point, points_, 4);
        d.active = _mm512_mask_testn_epi32_mask(d.valid, d.node, _mm512_set1_epi32(kLeafBit));
    }

    void finish(const Descent& d, const std::int32_t* tree, const std::int32_t* point,
                std::size_t at, float* out) {
        if (d.valid == 0) return;
        const __mmask16 is_lone =
            _mm512_mask_cmpeq_epi32_mask(d.valid, d.depth, _mm512_setzero_si512());
        for (unsigned rest = is_lone; rest != 0; rest &= rest - 1) {
            const auto i = at + static_cast<std::size_t>(std::countr_zero(rest));
            std::uint32_t slot, depth;
            out[i] = TreeOps<L>::score_one(a_, store_, static_cast<std::uint32_t>(tree[i]),
                                           points_ + point[i], rule_, slot, depth);
        }
        const auto going = static_cast<__mmask16>(d.valid & ~is_lone);
        const __m512i slot = _mm512_and_si512(d.node, _mm512_set1_epi32(kSlotMask));
        const __m512i parent = low_half(_mm512_mask_i32gather_epi32(
            _mm512_setzero_si512(), going, _mm512_add_epi32(d.base, slot),
            reinterpret_cast<const char*>(a_.leaves.data()) + 4, 8));
        _mm512_store_si512(leaf_ + at, slot);
        _mm512_store_si512(depth_ + at, d.depth);
        const __m512 level = _mm512_cvtepi32_ps(d.depth);
        const __m512 score =
            _mm512_div_ps(_mm512_set1_ps(1), _mm512_add_ps(level, _mm512_set1_ps(1)));
        const __m512i item = _mm512_add_epi32(
            _mm512_set1_epi32(static_cast<int>(at)),
            _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
        climb_.push(going, item, _mm512_add_epi32(d.base, parent), d.base, d.point, level, score);
    }

    /// One box upwards for every item.
    template <bool kFirst>
    void climb_all(float* out) {
        const std::size_t count = climb_.count;
        // The lanes behind the last item repeat it: they are looked at, not used.
        for (std::size_t i = count; i < (count + kLanes - 1) / kLanes * kLanes; ++i) {
            climb_.node[i] = climb_.node[count - 1];
            climb_.point[i] = climb_.point[count - 1];
        }
        climb_.count = 0;
        for (std::size_t at = 0; at < count; at += kLanes) {
            const std::size_t left = std::min(count - at, kLanes);
            const auto valid = static_cast<__mmask16>((1U << left) - 1);
            const __m512 outside = distances<L>(a_, points_, climb_, at);
            const __m512i node = _mm512_load_si512(climb_.node + at);
            const Pairs up = gather_pairs(a_.ups.data(), node, valid);
            const __m512 range = _mm512_castsi512_ps(up.first);
            const __m512i parent = low_half(up.second);
            const __m512 level = _mm512_load_ps(climb_.level + at);
            const __m512 score = _mm512_load_ps(climb_.score + at);
            const __m512i item = _mm512_load_si512(climb_.item + at);
            const __m512i base = _mm512_load_si512(climb_.base + at);
            const __m512i point = _mm512_load_si512(climb_.point + at);

            const __mmask16 is_outside =
                _mm512_mask_cmp_ps_mask(valid, outside, _mm512_setzero_ps(), _CMP_GT_OQ);
            const __m512 p = _mm512_div_ps(outside, _mm512_add_ps(range, outside));
            const __m512 here = _mm512_div_ps(_mm512_set1_ps(1), level);
            const __m512 mixed = _mm512_add_ps(score, _mm512_mul_ps(p, _mm512_sub_ps(here, score)));
            const __m512 result = _mm512_mask_mov_ps(score, is_outside, mixed);
            const __mmask16 goes_on =
                _mm512_mask_cmpneq_epi32_mask(is_outside, parent, _mm512_set1_epi32(kNone));
            const auto ends = static_cast<__mmask16>(valid & ~goes_on);
            _mm512_mask_i32scatter_ps(out, ends, item, result, 4);
            if constexpr (kFirst) {
                const auto is_inside = static_cast<__mmask16>(valid & ~is_outside);
                _mm512_storeu_si512(inside_ + inside_count_,
                                    _mm512_maskz_compress_epi32(is_inside, item));
                inside_count_ +=
                    static_cast<std::size_t>(std::popcount(static_cast<unsigned>(is_inside)));
            }
            climb_.push(goes_on, item, _mm512_add_epi32(base, parent), base, point,
                        _mm512_sub_ps(level, _mm512_set1_ps(1)), result);
        }
    }

    const ForestArena& a_;
    const float* store_;
    const float* points_;
    const SeenRule& rule_;
    Climb climb_;
    alignas(64) std::int32_t leaf_[kItems + kLanes];
    alignas(64) std::int32_t depth_[kItems + kLanes];
    alignas(64) std::int32_t inside_[kItems + kLanes];
    std::size_t inside_count_ = 0;
};

template <std::uint32_t L>
void score_items(const ForestArena& a, const float* store, const float* points,
                 const SeenRule& rule, ScoreItems& items) {
    const std::size_t count = items.tree.size();
    items.score.resize(count);
    items.leaf.resize(count);
    items.depth.resize(count);
    Scorer<L> scorer(a, store, points, rule);
    for (std::size_t at = 0; at < count; at += kItems) {
        const std::size_t some = std::min(count - at, kItems);
        scorer.score(items.tree.data() + at, items.point.data() + at, some,
                     items.score.data() + at);
        scorer.say_leaves(items.leaf.data() + at, items.depth.data() + at, some);
    }
}

void score_wide(const ForestArena& a, const float* store, const float* points, const SeenRule& rule,
                ScoreItems& items) {
    if (a.layout.lanes == 8) return score_items<8>(a, store, points, rule, items);
    if (a.layout.lanes == 2) return score_items<2>(a, store, points, rule, items);
    score_items<1>(a, store, points, rule, items);
}

}  // namespace
}  // namespace tidemill::anomaly
#pragma clang attribute pop

namespace tidemill::anomaly {

extern const ForestKernel kAvx512Kernel;
constinit const ForestKernel kAvx512Kernel{"avx512",   score_wide, share_any,
                                           insert_any, remove_any, rebuild_any};

}  // namespace tidemill::anomaly

#endif
