#include "operators/window/distinct_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tidemill::sql {

namespace {

/// FNV-1a, then mixed so that all bits depend on all: the same on every machine, for it is kept in
/// snapshots.
std::uint64_t hash_of(std::string_view item) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : item)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccd;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53;
    return hash ^ (hash >> 33);
}

}  // namespace

void DistinctSketch::add(std::string_view item) {
    const auto hash = hash_of(item);
    if (!registers_.empty()) return add_hash(hash);
    hashes_.insert(hash);
    if (hashes_.size() <= kExact) return;
    registers_.assign(std::size_t{1} << kBits, 0);
    for (const auto known : hashes_)
        add_hash(known);
    hashes_ = {};
}

void DistinctSketch::add_hash(std::uint64_t hash) {
    auto& rank = registers_[hash >> (64 - kBits)];
    const auto rest = hash << kBits | std::uint64_t{1} << (kBits - 1);
    rank = std::max(rank, static_cast<std::uint8_t>(std::countl_zero(rest) + 1));
}

std::uint64_t DistinctSketch::count() const {
    if (registers_.empty()) return hashes_.size();
    const double size = static_cast<double>(registers_.size());
    double sum = 0;
    std::size_t empty = 0;
    for (const auto rank : registers_) {
        sum += std::ldexp(1.0, -rank);
        empty += rank == 0 ? 1 : 0;
    }
    const double estimate = 0.7213 / (1 + 1.079 / size) * size * size / sum;
    if (estimate <= 2.5 * size && empty > 0)
        return static_cast<std::uint64_t>(
            std::llround(size * std::log(size / static_cast<double>(empty))));
    return static_cast<std::uint64_t>(std::llround(estimate));
}

void DistinctSketch::clear() {
    hashes_.clear();
    registers_.clear();
}

void DistinctSketch::save(StateWriter& to) const {
    std::vector<std::uint64_t> sorted(hashes_.begin(), hashes_.end());
    std::ranges::sort(sorted);
    to.put_count(sorted.size());
    for (const auto hash : sorted)
        to.put_int(static_cast<std::int64_t>(hash));
    to.put_bytes(std::as_bytes(std::span(registers_)));
}

void DistinctSketch::load(StateReader& from) {
    clear();
    for (auto count = from.take_size(); count > 0; --count)
        hashes_.insert(static_cast<std::uint64_t>(from.take_int()));
    const auto bytes = from.take_bytes();
    if (!bytes.empty() && (bytes.size() != std::size_t{1} << kBits || !hashes_.empty()))
        return from.fail();
    for (const auto byte : bytes)
        registers_.push_back(static_cast<std::uint8_t>(byte));
}

}  // namespace tidemill::sql
