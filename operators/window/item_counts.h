#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"

namespace tidemill::sql {

/// How often each item was added. Exact while there are `limit` different items at most; then the
/// rarer half is forgotten and the others lose what the half had: a count is never too high, and
/// too low by 2 n / limit at most when n items were added. Source: Misra, Gries, "Finding repeated
/// elements", 1982, by halves.
class ItemCounts {
 public:
    explicit ItemCounts(std::size_t limit) : limit_(limit) {}

    void add(std::string_view item);
    struct Count {
        std::string_view item;
        std::int64_t count;
    };
    /// The most frequent, at most `k`; equal ones by item.
    std::vector<Count> top(std::size_t k) const;
    bool is_empty() const { return counts_.empty(); }
    void clear() { counts_.clear(); }

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    void forget_half();

    std::size_t limit_;
    boost::unordered_flat_map<std::string, std::int64_t, Hash, std::equal_to<>> counts_;
};

}  // namespace tidemill::sql
