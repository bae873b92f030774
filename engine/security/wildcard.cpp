#include "engine/security/wildcard.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr int kArnColons = 5;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// One step of a pattern: what it is, and where the next one begins.
struct Step {
    char character;
    bool is_literal;
    std::size_t next;
};

Step step_at(std::string_view pattern, std::size_t at) {
    if (pattern[at] == kWildcardEscape && at + 1 < pattern.size())
        return {pattern[at + 1], true, at + 2};
    return {pattern[at], pattern[at] != '*' && pattern[at] != '?', at + 1};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Only the last '*' is ever gone back to: what an earlier one could take more of, the later one can
// take too.
bool matches_wildcard(std::string_view pattern, std::string_view text, LetterCase letters) {
    constexpr std::size_t kNone = std::string_view::npos;
    std::size_t at = 0, behind_star = kNone, star_text = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (at < pattern.size()) {
            const Step step = step_at(pattern, at);
            if (!step.is_literal && step.character == '*') {
                behind_star = at = step.next;
                star_text = i;
                continue;
            }
            const bool is_same = letters == LetterCase::Exact
                                     ? step.character == text[i]
                                     : lower(step.character) == lower(text[i]);
            if (step.is_literal ? is_same : true) {
                at = step.next;
                ++i;
                continue;
            }
        }
        if (behind_star == kNone) return false;
        at = behind_star;
        i = ++star_text;
    }
    while (at < pattern.size() && pattern[at] == '*')
        ++at;
    return at == pattern.size();
}

bool matches_arn(std::string_view pattern, std::string_view arn) {
    for (int part = 0; part < kArnColons; ++part) {
        const auto pattern_colon = pattern.find(':'), arn_colon = arn.find(':');
        if (pattern_colon == std::string_view::npos || arn_colon == std::string_view::npos)
            return false;
        if (!matches_wildcard(pattern.substr(0, pattern_colon), arn.substr(0, arn_colon)))
            return false;
        pattern.remove_prefix(pattern_colon + 1);
        arn.remove_prefix(arn_colon + 1);
    }
    return matches_wildcard(pattern, arn);
}

}  // namespace tidemill
