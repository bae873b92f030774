#include "operators/anomaly/decay_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tidemill::anomaly {

namespace {

/// Uniform in (0, 1]: its logarithm is finite.
double positive_unit(Random& random) {
    return static_cast<double>((random.next() >> 11) + 1) * 0x1.0p-53;
}

/// Ages (in units of time_decay) after which priorities are made relative to a new origin.
constexpr double kRebaseAbove = 32;

float priority(double value) { return static_cast<float>(std::clamp(value, 1e-37, 1e37)); }

}  // namespace

DecaySampler::DecaySampler(std::uint32_t trees, std::uint32_t sample, std::uint32_t time_decay,
                           std::uint64_t seed)
    : sample_(sample),
      lambda_(1.0 / time_decay),
      growth_(std::expm1(lambda_)),
      trees_(trees),
      weight_(std::size_t{trees} * sample),
      entry_leaf_(std::size_t{trees} * sample) {
    Random seeds(seed);
    for (auto& tree : trees_)
        tree.random = Random(seeds.next());
}

void DecaySampler::accept(std::uint32_t tree_index, std::uint16_t leaf) {
    auto& tree = trees_[tree_index];
    auto* weights = weight_.data() + base(tree_index);
    auto* leaves = entry_leaf_.data() + base(tree_index);
    const auto now = tree.next;
    double age = lambda_ * static_cast<double>(now - tree.origin);
    if (age > kRebaseAbove) {
        rebase(tree_index, std::exp(age));
        age = 0;
    }
    const double growth = std::exp(age);
    if (tree.size < sample_) {
        const double e = -std::log(positive_unit(tree.random));
        weights[tree.size] = priority(e / growth);
        leaves[tree.size] = leaf;
        sift_up(weights, leaves, tree.size++);
        tree.next = now + 1;
    } else {
        // An exponential variable given that it is below the hazard that let it in.
        const double hazard = double{weights[0]} * growth;
        const double e = -std::log1p(positive_unit(tree.random) * std::expm1(-hazard));
        weights[0] = std::min(weights[0], priority(e / growth));
        leaves[0] = leaf;
        sift_down(weights, leaves, sample_);
    }
    if (tree.size < sample_) return;
    // The least k with hazard * (e^lambda + ... + e^(k lambda)) >= x.
    const double hazard = double{weights[0]} * growth;
    const double x = -std::log(positive_unit(tree.random));
    const double steps = std::log1p(x * growth_ / (hazard * (1 + growth_))) / lambda_;
    tree.next = now + static_cast<std::uint64_t>(std::clamp(std::ceil(steps), 1.0, 0x1p62));
}

void DecaySampler::rebase(std::uint32_t tree_index, double growth) {
    auto& tree = trees_[tree_index];
    auto* weights = weight_.data() + base(tree_index);
    for (std::uint32_t i = 0; i < tree.size; ++i)
        weights[i] = priority(double{weights[i]} * growth);
    tree.origin = tree.next;
}

void DecaySampler::sift_up(float* weights, std::uint16_t* leaves, std::uint32_t at) {
    while (at > 0) {
        const auto parent = (at - 1) / 2;
        if (weights[parent] >= weights[at]) return;
        std::swap(weights[parent], weights[at]);
        std::swap(leaves[parent], leaves[at]);
        at = parent;
    }
}

void DecaySampler::sift_down(float* weights, std::uint16_t* leaves, std::uint32_t size) {
    const float weight = weights[0];
    const auto leaf = leaves[0];
    std::uint32_t at = 0;
    for (;;) {
        auto child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && weights[child + 1] > weights[child]) ++child;
        if (weights[child] <= weight) break;
        weights[at] = weights[child];
        leaves[at] = leaves[child];
        at = child;
    }
    weights[at] = weight;
    leaves[at] = leaf;
}

}  // namespace tidemill::anomaly
