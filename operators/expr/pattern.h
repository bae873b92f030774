#pragma once

#include <optional>
#include <string>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// value [NOT] LIKE pattern, or SIMILAR TO. `escape` may be null.
ExpressionPtr make_pattern_test(ExpressionPtr value, ExpressionPtr pattern, ExpressionPtr escape,
                                bool is_similar, bool is_negated);

/// The RE2 text of a LIKE (`%`, `_`) or SIMILAR TO (those and `| * + ? {} () []`) pattern; nothing
/// if an escape stands at its end.
std::optional<std::string> pattern_to_regex(std::string_view pattern, std::optional<char> escape,
                                            bool is_similar);

}  // namespace tidemill::sql
