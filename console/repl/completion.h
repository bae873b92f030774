#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "console/repl/sql_runner.h"

namespace tidemill::console {

/// Names that a person may want to type.
struct CompletionNames {
    std::vector<std::string> streams, columns, pumps;  ///< as written in SQL, quoted where needed
};

/// What the word that ends at the end of `line` may become, sorted, each once: commands after a
/// backslash, streams after FROM, JOIN, INTO and \d, files after \i, else keywords, functions,
/// columns and streams. `statement` is what was typed in lines before. Keywords and functions come
/// in the case that the person types. `word_begin`: where in `line` the word starts.
std::vector<std::string> complete(std::string_view statement, std::string_view line,
                                  std::size_t word_begin, const CompletionNames& names);
/// Where the last word of `line` begins; a quote belongs to its name.
std::size_t last_word(std::string_view line);

/// All backslash commands, without what follows them.
const std::vector<std::string>& shell_commands();

}  // namespace tidemill::console
