#include "operators/expr/scope.h"

#include <algorithm>

#include <fmt/format.h>

#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

bool Scope::is_qualifier(std::string_view name) const {
    return std::ranges::find(qualifiers, name) != qualifiers.end() || find_side(name) != nullptr;
}

const ScopeSide* Scope::find_side(std::string_view name) const {
    for (const auto& side : sides)
        if (std::ranges::find(side.qualifiers, name) != side.qualifiers.end()) return &side;
    return nullptr;
}

std::vector<std::size_t> Scope::star(const std::vector<ast::Name>& path) const {
    std::vector<std::size_t> places;
    const auto* side = path.empty() ? nullptr : find_side(path.back().text);
    if (path.empty())
        for (const auto& one : merged)
            places.push_back(one.index);
    for (std::size_t i = side ? side->begin : 0; i < (side ? side->end : columns.size()); ++i) {
        const bool is_merged = path.empty() && std::ranges::any_of(merged, [&](const auto& one) {
                                   return std::ranges::find(one.hidden, i) != one.hidden.end();
                               });
        if (!columns[i].is_hidden && !is_merged) places.push_back(i);
    }
    return places;
}

// A path over several relations; nothing if it is unknown or means more than one column.
std::optional<std::size_t> Scope::find_in_join(const std::vector<ast::Name>& path) const {
    const auto& name = path.back().text;
    if (path.size() == 1) {
        for (const auto& one : merged)
            if (one.name == name) return one.index;
        std::optional<std::size_t> found;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].name != name) continue;
            if (found) return std::nullopt;
            found = i;
        }
        return found;
    }
    if (path.size() != 2) return std::nullopt;
    const auto* side = find_side(path[0].text);
    if (side == nullptr) return std::nullopt;
    for (std::size_t i = side->begin; i < side->end; ++i)
        if (columns[i].name == name) return i;
    return name == kRowtime ? side->rowtime : std::nullopt;
}

std::optional<std::size_t> Scope::find(const std::vector<ast::Name>& path) const {
    if (path.empty() || path.size() > 3) return std::nullopt;
    // t.r.COLUMN1 and r.COLUMN1: a column of a row.
    if (path.size() == 3 || (path.size() == 2 && !is_qualifier(path[0].text))) {
        if (path.size() == 3 && !is_qualifier(path[0].text)) return std::nullopt;
        const auto name = path[path.size() - 2].text + "." + path.back().text;
        for (std::size_t i = 0; i < columns.size(); ++i)
            if (columns[i].name == name) return i;
        return std::nullopt;
    }
    if (!sides.empty()) return find_in_join(path);
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].name == path.back().text) return i;
    return std::nullopt;
}

bool Scope::is_rowtime(const std::vector<ast::Name>& path) const {
    if (path.size() == 2 && !sides.empty() && path.back().text == kRowtime) {
        const auto* side = find_side(path[0].text);
        return side != nullptr && side->is_rowtime;
    }
    return !path.empty() && path.back().text == kRowtime &&
           (path.size() == 1 || (path.size() == 2 && is_qualifier(path[0].text)));
}

SqlError Scope::unknown_column(const ast::Expr& column) const {
    const auto& path = column.path;
    if (path.size() > 3)
        return locate(sql_text, column.span, "A path has at most three names: t.row.column.");
    if (!sides.empty()) return unknown_in_join(column);
    std::vector<std::string> names;
    if (path.size() >= 2 && !is_qualifier(path[0].text)) {
        for (const auto& name : qualifiers)
            names.push_back(print_name(name));
        return locate(
            sql_text, path[0].span,
            fmt::format("There is no stream or alias {} in this FROM.{}", print_name(path[0].text),
                        did_you_mean(print_name(path[0].text), names)));
    }
    for (const auto& known : columns)
        names.push_back(print_name(known.name));
    names.emplace_back(kRowtime);
    return locate(sql_text, path.back().span,
                  fmt::format("There is no column {} here.{}", print_name(path.back().text),
                              did_you_mean(print_name(path.back().text), names)));
}

SqlError Scope::unknown_in_join(const ast::Expr& column) const {
    const auto& path = column.path;
    std::vector<std::string> names;
    if (path.size() == 1) {
        std::string owners;
        for (const auto& side : sides)
            for (std::size_t i = side.begin; i < side.end; ++i)
                if (columns[i].name == path[0].text)
                    owners += (owners.empty() ? "" : ", ") +
                              print_name(side.qualifiers.empty() ? "?" : side.qualifiers[0]) + "." +
                              print_name(path[0].text);
        if (!owners.empty())
            return locate(
                sql_text, path[0].span,
                fmt::format("{} may mean {}: say which.", print_name(path[0].text), owners));
    } else if (!is_qualifier(path[0].text)) {
        for (const auto& side : sides)
            for (const auto& name : side.qualifiers)
                names.push_back(print_name(name));
        return locate(
            sql_text, path[0].span,
            fmt::format("There is no stream or alias {} in this FROM.{}", print_name(path[0].text),
                        did_you_mean(print_name(path[0].text), names)));
    }
    const auto* side = path.size() == 1 ? nullptr : find_side(path[0].text);
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (!columns[i].name.starts_with('$') && (!side || (i >= side->begin && i < side->end)))
            names.push_back(print_name(columns[i].name));
    const bool is_table = side != nullptr && !side->rowtime && !side->is_rowtime;
    if (is_table && path.back().text == kRowtime)
        return locate(sql_text, path.back().span,
                      fmt::format("{} is a table and has no ROWTIME.", print_name(path[0].text)));
    names.emplace_back(kRowtime);
    const auto place = side ? " in " + print_name(path[0].text) : std::string(" here");
    return locate(sql_text, path.back().span,
                  fmt::format("There is no column {}{}.{}", print_name(path.back().text), place,
                              did_you_mean(print_name(path.back().text), names)));
}

bool is_same(const ast::Expr& a, const ast::Expr& b, const Scope& scope) {
    if (a.kind != b.kind || a.op != b.op || a.args.size() != b.args.size() ||
        a.is_negated != b.is_negated || a.unit != b.unit || a.is_distinct != b.is_distinct ||
        a.is_star_call != b.is_star_call || a.has_operand != b.has_operand ||
        a.has_else != b.has_else || a.type != b.type)
        return false;
    if (a.kind == ast::ExprKind::Literal) return a.literal == b.literal;
    if (a.kind == ast::ExprKind::Column) {
        if (scope.is_rowtime(a.path)) return scope.is_rowtime(b.path);
        const auto place = scope.find(a.path);
        return place && place == scope.find(b.path);
    }
    if ((a.filter == nullptr) != (b.filter == nullptr) ||
        (a.filter && !is_same(*a.filter, *b.filter, scope)))
        return false;
    if (a.query || b.query || a.over || b.over || a.over_name || b.over_name) return false;
    return std::ranges::equal(a.args, b.args,
                              [&](const auto& x, const auto& y) { return is_same(*x, *y, scope); });
}

}  // namespace tidemill::sql
