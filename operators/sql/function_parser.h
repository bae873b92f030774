#pragma once

#include "operators/sql/expression_parser.h"

namespace tidemill::sql {

/// What stands behind CREATE [OR REPLACE] FUNCTION.
SqlResult<ast::CreateFunction> parse_function(TokenCursor& tokens, ExpressionParser& expressions);

}  // namespace tidemill::sql
