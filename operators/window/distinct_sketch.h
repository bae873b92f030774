#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "operators/state/state_reader.h"
#include "operators/state/state_writer.h"

namespace tidemill::sql {

/// How many different items were added: exactly while there are 10,000 at most, then with a
/// standard error of 0.8 %. At most 16 KiB beside the hashes of 10,000 items. Source: Flajolet,
/// Fusy, Gandouet, Meunier, "HyperLogLog", 2007, with its small-range correction.
class DistinctSketch {
 public:
    static constexpr std::size_t kExact = 10'000;

    void add(std::string_view item);
    std::uint64_t count() const;
    bool is_empty() const { return hashes_.empty() && registers_.empty(); }
    void clear();

    void save(StateWriter& to) const;
    void load(StateReader& from);

 private:
    static constexpr unsigned kBits = 14;
    void add_hash(std::uint64_t hash);

    boost::unordered_flat_set<std::uint64_t> hashes_;  // while exact
    std::vector<std::uint8_t> registers_;              // after
};

}  // namespace tidemill::sql
