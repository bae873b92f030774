#pragma once

#include <span>
#include <string>

#include "operators/sql/ast.h"

namespace tidemill::sql {

/// SQL text of a tree: parsing it again gives the same tree (but for spans), and printing that the
/// same text.
std::string print(const ast::Expr& expr);
std::string print(const ast::Select& select);
std::string print(const ast::Statement& statement);
std::string print(std::span<const ast::Statement> statements);
/// A name with quotes only where it needs them.
std::string print_name(std::string_view name);

}  // namespace tidemill::sql
