#include "operators/window/item_counts.h"

#include <algorithm>

namespace tidemill::sql {

void ItemCounts::add(std::string_view item) {
    const auto found = counts_.find(item);
    if (found != counts_.end()) {
        ++found->second;
        return;
    }
    if (counts_.size() >= limit_) forget_half();
    counts_.emplace(std::string(item), 1);
}

void ItemCounts::forget_half() {
    std::vector<std::int64_t> counts;
    for (const auto& [item, count] : counts_)
        counts.push_back(count);
    const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
    std::ranges::nth_element(counts, middle);
    const auto loss = *middle;
    erase_if(counts_, [&](const auto& entry) { return entry.second <= loss; });
    for (auto& [item, count] : counts_)
        count -= loss;
}

std::vector<ItemCounts::Count> ItemCounts::top(std::size_t k) const {
    std::vector<Count> all;
    all.reserve(counts_.size());
    for (const auto& [item, count] : counts_)
        all.push_back({item, count});
    const auto kept = std::min(k, all.size());
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept),
                              [](const Count& a, const Count& b) {
                                  return a.count != b.count ? a.count > b.count : a.item < b.item;
                              });
    all.resize(kept);
    return all;
}

void ItemCounts::save(StateWriter& to) const {
    const auto all = top(counts_.size());
    to.put_count(all.size());
    for (const auto& [item, count] : all) {
        to.put_text(item);
        to.put_int(count);
    }
}

void ItemCounts::load(StateReader& from) {
    counts_.clear();
    for (auto count = from.take_size(2); count > 0; --count) {
        std::string item(from.take_text());
        counts_.emplace(std::move(item), from.take_int());
    }
}

}  // namespace tidemill::sql
