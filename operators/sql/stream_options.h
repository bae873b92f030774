#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operators/sql/ast.h"
#include "operators/sql/token_cursor.h"

namespace tidemill::sql {

/// WITH (name = value, ...), with the cursor on WITH or OPTIONS; no options when it is on neither.
/// Values: text in quotes, numbers, words. Errors: an option given twice.
SqlResult<std::vector<ast::StreamOption>> parse_stream_options(TokenCursor& tokens);

/// " WITH (format = 'json')", or nothing.
std::string print_stream_options(const std::vector<ast::StreamOption>& options);

/// `name` in upper case; null when it is not given.
const ast::StreamOption* find_option(const ast::CreateStream& create, std::string_view name);

/// Whether rows come from outside: WITH (source = ...).
bool is_source(const ast::CreateStream& create);
/// The in-application streams that a source makes: its own name, or with parallelism = N its name
/// with _001 to _NNN. Its parallelism must be a number (external_streams says so otherwise).
std::vector<std::string> source_stream_names(const ast::CreateStream& create);

}  // namespace tidemill::sql
