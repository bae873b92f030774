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

/// One relation of a FROM with several.
struct ScopeSide {
    std::vector<std::string> qualifiers;
    std::size_t begin = 0, end = 0;      ///< its columns
    std::optional<std::size_t> rowtime;  ///< column that holds its ROWTIME
    bool is_rowtime = false;             ///< its ROWTIME is that of the whole row
};

/// A column that USING or NATURAL makes of one of each side.
struct MergedColumn {
    std::string name;
    std::size_t index;                ///< what the name alone means
    std::vector<std::size_t> hidden;  ///< not part of `*` for that reason
};

/// What the names in an expression may mean: the columns of the relation it stands over, and
/// ROWTIME.
struct Scope {
    std::string_view sql_text;            ///< for error places
    std::vector<std::string> qualifiers;  ///< names of the relation: stream name, alias
    std::vector<ScopeColumn> columns;
    std::vector<ScopeSide> sides{};      ///< of a join; else none, and `qualifiers` are the names
    std::vector<MergedColumn> merged{};  ///< of a join
    const UserFunctions* functions = nullptr;  ///< of CREATE FUNCTION; may be null

    /// Index of the column that a path names; nothing if it is no path to a column here.
    std::optional<std::size_t> find(const std::vector<ast::Name>& path) const;
    /// Whether the path is ROWTIME, alone or behind the relation's name.
    bool is_rowtime(const std::vector<ast::Name>& path) const;
    bool is_qualifier(std::string_view name) const;
    /// What `*` stands for, or `path.*`; the path must be one of `is_qualifier`.
    std::vector<std::size_t> star(const std::vector<ast::Name>& path) const;
    /// "There is no column X ...", with the nearest name.
    SqlError unknown_column(const ast::Expr& column) const;

 private:
    const ScopeSide* find_side(std::string_view name) const;
    std::optional<std::size_t> find_in_join(const std::vector<ast::Name>& path) const;
    SqlError unknown_in_join(const ast::Expr& column) const;
};

/// Whether two trees mean the same over this scope (qualifiers and spans aside).
bool is_same(const ast::Expr& a, const ast::Expr& b, const Scope& scope);

}  // namespace tidemill::sql
