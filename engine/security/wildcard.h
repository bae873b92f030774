#pragma once

#include <string_view>

namespace tidemill {

enum class LetterCase { Exact, Ignored };

/// Makes the character behind it in a pattern stand for itself. No policy holds it.
constexpr char kWildcardEscape = '\x01';

/// Whether the whole of `text` fits `pattern`, in which '*' stands for any run of characters, none
/// included, and '?' for any one. Takes at most their sizes multiplied.
bool matches_wildcard(std::string_view pattern, std::string_view text,
                      LetterCase letters = LetterCase::Exact);

/// Whether two ARNs fit each other, part by part: a '*' does not reach over a ':', but for the last
/// of the six parts. What is no ARN fits nothing.
bool matches_arn(std::string_view pattern, std::string_view arn);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace tidemill
