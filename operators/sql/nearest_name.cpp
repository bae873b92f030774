#include "operators/sql/nearest_name.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace tidemill::sql {

namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Levenshtein distance, case ignored, two rows of the table at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = above[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({replace, above[j] + 1, row[j - 1] + 1});
        }
        std::swap(row, above);
    }
    return above[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view wanted, std::span<const std::string> candidates) {
    if (wanted.size() > 128) return {};
    std::string_view best;
    std::size_t best_distance = wanted.size() / 3 + 1;
    for (const auto& candidate : candidates) {
        if (candidate.size() > 128) continue;
        const auto distance = edit_distance(wanted, candidate);
        // With no letter in common it is another name.
        if (distance == std::max(wanted.size(), candidate.size())) continue;
        if (distance < best_distance || (best.empty() && distance == best_distance)) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates) {
    const auto best = nearest_name(wanted, candidates);
    return best.empty() ? std::string() : " Did you mean " + std::string(best) + "?";
}

}  // namespace tidemill::sql
