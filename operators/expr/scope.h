#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operators/expr/expression.h"
#include "operators/sql/ast.h"

namespace tidemill::sql {

class UserFunctions;

struct ScopeColumn {
    std::string name;
    Type type;
    bool is_nullable = true;
    bool is_hidden = false;
    Monotonicity monotonicity = Monotonicity::None;
};

/// What the names in an expression may mean: the columns of the relation it stands over, and
/// ROWTIME.
struct Scope {
    std::string_view sql_text;            ///< for error places
    std::vector<std::string> qualifiers;  ///< names of the relation: stream name, alias
    std::vector<ScopeColumn> columns;
    const UserFunctions* functions = nullptr;  ///< of CREATE FUNCTION; may be null

    /// Index of the column that a path names; nothing if it is no path to a column here.
    std::optional<std::size_t> find(const std::vector<ast::Name>& path) const;
    /// Whether the path is ROWTIME, alone or behind the relation's name.
    bool is_rowtime(const std::vector<ast::Name>& path) const;
    bool is_qualifier(std::string_view name) const;
    /// "There is no column X ...", with the nearest name.
    SqlError unknown_column(const ast::Expr& column) const;
};

/// Whether two trees mean the same over this scope (qualifiers and spans aside).
bool is_same(const ast::Expr& a, const ast::Expr& b, const Scope& scope);

}  // namespace tidemill::sql
