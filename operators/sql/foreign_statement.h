#pragma once

#include <string>
#include <string_view>

namespace tidemill::sql {

/// What to write instead of a statement that begins with `word` (DROP, ALTER, ...), which other
/// systems have and the dialect has not; a full sentence, empty for any other word.
std::string_view instead_of_statement(std::string_view word);
/// The same for CREATE with what follows it.
std::string_view instead_of_create(std::string_view word);

}  // namespace tidemill::sql
