#pragma once

#include <string_view>
#include <vector>

#include "operators/sql/token.h"

namespace tidemill::sql {

/// Longest SQL text of an application, in bytes. Source: Kinesis Data Analytics limits.
inline constexpr std::size_t kMaxSqlTextBytes = 102'400;

/// Splits SQL text into tokens, the last of kind End. Comments are `-- ...`, `// ...` and `/* ...
/// */`. Errors: a quote or comment without end, a character that starts no token, a text above
/// kMaxSqlTextBytes.
SqlResult<std::vector<Token>> lex(std::string_view sql_text);

}  // namespace tidemill::sql
