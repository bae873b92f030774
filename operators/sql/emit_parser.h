#pragma once

#include "operators/sql/ast.h"
#include "operators/sql/token_cursor.h"

namespace tidemill::sql {

/// Whether EMIT or WITH begins a clause here rather than being a name: neither word is reserved.
bool starts_emit(const TokenCursor& tokens);
bool starts_select_options(const TokenCursor& tokens);

/// " EMIT CHANGES WITH (...)", or nothing.
std::string print_emit(const ast::Select& select);

}  // namespace tidemill::sql
