#include "operators/sql/printer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "operators/sql/emit_parser.h"
#include "operators/sql/stream_options.h"
#include "operators/sql/token_cursor.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;

namespace {

std::string quote(std::string_view text, char mark) {
    std::string quoted(1, mark);
    for (const char c : text) {
        if (c == mark) quoted += mark;
        quoted += c;
    }
    return quoted + mark;
}

std::string join_names(const std::vector<ast::Name>& names, std::string_view separator) {
    std::string text;
    for (const auto& name : names) {
        if (!text.empty()) text += separator;
        text += print_name(name.text);
    }
    return text;
}

std::string join(const std::vector<ast::ExprPtr>& exprs, std::size_t from = 0) {
    std::string text;
    for (std::size_t i = from; i < exprs.size(); ++i)
        text += (i > from ? ", " : "") + print(*exprs[i]);
    return text;
}

// Everything but names, literals and calls goes into parentheses inside an operator: plain, and
// surely stable.
std::string operand(const Expr& expr) {
    const bool is_negative = expr.kind == ExprKind::Literal && !expr.literal.is_null &&
                             expr.literal.type.kind == TypeKind::Interval;
    switch (expr.kind) {
        case ExprKind::Literal:
            return is_negative && expr.literal.bits < 0 ? "(" + print(expr) + ")" : print(expr);
        case ExprKind::Column:
        case ExprKind::Call:
        case ExprKind::Cast:
        case ExprKind::Case:
        case ExprKind::Cursor:
        case ExprKind::Row:
            return print(expr);
        default:
            return "(" + print(expr) + ")";
    }
}

std::string print_literal(const Value& value) {
    if (value.is_null) return value.type.kind == TypeKind::Boolean ? "UNKNOWN" : "NULL";
    switch (value.type.kind) {
        case TypeKind::Boolean:
            return value.bits != 0 ? "TRUE" : "FALSE";
        case TypeKind::Char:
        case TypeKind::Varchar:
            return quote(value.text, '\'');
        case TypeKind::Binary:
        case TypeKind::Varbinary: {
            std::string digits;
            for (const char c : value.text)
                digits += fmt::format("{:02X}", static_cast<unsigned char>(c));
            return "X'" + digits + "'";
        }
        case TypeKind::Date:
            return "DATE '" + to_text(value) + "'";
        case TypeKind::Time:
            return "TIME '" + to_text(value) + "'";
        case TypeKind::Timestamp:
            return "TIMESTAMP '" + to_text(value) + "'";
        case TypeKind::Interval: {
            std::string text;
            append_interval(text, std::abs(value.bits), value.type.from, value.type.to);
            return fmt::format("INTERVAL {}'{}' {}", value.bits < 0 ? "-" : "", text,
                               value.type.to_string().substr(9));
        }
        case TypeKind::Double:
            return fmt::format("{:.17e}", value.as_double());
        case TypeKind::Decimal:
            return value.type.scale == 0 ? to_text(value) + "." : to_text(value);
        default:
            return to_text(value);
    }
}

std::string print_window(const ast::WindowSpec& spec) {
    std::string text;
    if (!spec.partition_by.empty()) text = "PARTITION BY " + join(spec.partition_by) + " ";
    for (std::size_t i = 0; i < spec.order_by.size(); ++i)
        text += (i == 0 ? "ORDER BY " : ", ") + operand(*spec.order_by[i].expr) +
                (spec.order_by[i].is_descending ? " DESC" : "");
    if (!spec.has_frame) return text;
    if (!spec.order_by.empty()) text += " ";
    text += spec.is_rows ? "ROWS " : "RANGE ";
    if (!spec.preceding) return text + "CURRENT ROW";
    return text + print(*spec.preceding) + (spec.is_following ? " FOLLOWING" : " PRECEDING");
}

std::string print_from(const ast::FromItem& from);

// A join as one side of another; `is_plain` where it needs no parentheses.
std::string print_side(const ast::FromItem& side, bool is_plain) {
    const bool is_bare = side.kind != ast::FromKind::Join || side.over || side.over_name;
    return is_bare || is_plain ? print_from(side) : "(" + print_from(side) + ")";
}

std::string print_join(const ast::FromItem& join) {
    static constexpr std::string_view kKinds[] = {"", "LEFT ", "RIGHT ", "FULL ", "CROSS "};
    if (join.is_comma)
        return print_side(*join.left, true) + ", " + print_side(*join.right, !join.right->is_comma);
    std::string text = print_side(*join.left, !join.left->is_comma);
    text +=
        fmt::format(" {}{}JOIN {}", join.is_natural ? "NATURAL " : "",
                    kKinds[static_cast<std::size_t>(join.join)], print_side(*join.right, false));
    if (join.on) text += " ON " + print(*join.on);
    if (!join.using_columns.empty())
        text += " USING (" + join_names(join.using_columns, ", ") + ")";
    return text;
}

std::string print_from(const ast::FromItem& from) {
    std::string text;
    switch (from.kind) {
        case ast::FromKind::Stream:
            text = join_names(from.path, ".");
            break;
        case ast::FromKind::Subquery:
            text = "(" + print(*from.query) + ")";
            break;
        case ast::FromKind::Function:
            text = "TABLE(" + print(*from.function) + ")";
            break;
        case ast::FromKind::Join:
            text = print_join(from);
            if (from.over || from.over_name) text = "(" + text + ")";
            break;
    }
    if (from.over) text += " OVER (" + print_window(*from.over) + ")";
    if (from.over_name) text += " OVER " + print_name(from.over_name->text);
    if (from.alias) text += " AS " + print_name(from.alias->text);
    if (!from.columns.empty()) text += " (" + join_names(from.columns, ", ") + ")";
    return text;
}

std::string print_call(const Expr& expr) {
    if (!expr.has_parentheses) return expr.op;
    std::string inside;
    if (expr.is_star_call)
        inside = "*";
    else if (expr.op == "STEP" && expr.args.size() == 2)
        inside = print(*expr.args[0]) + " BY " + print(*expr.args[1]);
    else if (expr.op == "EXTRACT" && expr.unit)
        inside = fmt::format("{} FROM {}", unit_name(*expr.unit), join(expr.args));
    else if (expr.unit)
        // Parentheses, because an interval at the end would take the TO for its own qualifier.
        inside = fmt::format("({}) TO {}", join(expr.args), unit_name(*expr.unit));
    else if (expr.op == "POSITION" && expr.args.size() == 2)
        inside = operand(*expr.args[0]) + " IN " + operand(*expr.args[1]);
    else if (expr.op == "SUBSTRING" && expr.args.size() >= 2)
        inside = operand(*expr.args[0]) + " FROM " + operand(*expr.args[1]) +
                 (expr.args.size() > 2 ? " FOR " + operand(*expr.args[2]) : "");
    else if (expr.op == "SUBSTRING SIMILAR")
        return fmt::format("SUBSTRING({} SIMILAR {} ESCAPE {})", operand(*expr.args[0]),
                           operand(*expr.args[1]), operand(*expr.args[2]));
    else
        inside = (expr.is_distinct ? "DISTINCT " : "") + join(expr.args);
    const bool is_plain = std::ranges::all_of(expr.op, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
    });
    std::string text = (is_plain ? expr.op : quote(expr.op, '"')) + "(" + inside + ")";
    if (expr.op == "LTRIM" || expr.op == "RTRIM") {
        const auto characters = expr.args.size() > 1 ? print(*expr.args[1]) + " " : std::string();
        text = fmt::format("TRIM({} {}FROM {})", expr.op == "LTRIM" ? "LEADING" : "TRAILING",
                           characters, expr.args.empty() ? "" : print(*expr.args[0]));
    } else if (expr.op == "TRIM" && expr.args.size() > 1) {
        text = fmt::format("TRIM(BOTH {} FROM {})", print(*expr.args[1]), print(*expr.args[0]));
    }
    if (expr.is_from_last) text += " FROM LAST";
    if (expr.ignores_nulls) text += " IGNORE NULLS";
    if (expr.filter) text += " FILTER (WHERE " + print(*expr.filter) + ")";
    if (expr.over) text += " OVER (" + print_window(*expr.over) + ")";
    if (expr.over_name) text += " OVER " + print_name(expr.over_name->text);
    return text;
}

std::string print_case(const Expr& expr) {
    std::string text = "CASE";
    std::size_t i = 0;
    if (expr.has_operand) text += " " + print(*expr.args[i++]);
    const std::size_t end = expr.args.size() - (expr.has_else ? 1 : 0);
    for (; i + 1 < end + 1 && i < end; i += 2)
        text += fmt::format(" WHEN {} THEN {}", print(*expr.args[i]), print(*expr.args[i + 1]));
    if (expr.has_else) text += " ELSE " + print(*expr.args.back());
    return text + " END";
}

}  // namespace

std::string print_name(std::string_view name) {
    const auto is_plain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    const bool starts_well = !name.empty() && !(name[0] >= '0' && name[0] <= '9');
    // Type words before a text literal would read as a literal; quoting all words of the grammar is
    // the safe side.
    if (starts_well && std::ranges::all_of(name, is_plain) && !is_reserved(name) &&
        !name.starts_with("CURRENT_") && !name.starts_with("LOCALTIME"))
        return std::string(name);
    return quote(name, '"');
}

std::string print(const Expr& expr) {
    const auto negation = expr.is_negated ? "NOT " : "";
    switch (expr.kind) {
        case ExprKind::Literal:
            return print_literal(expr.literal);
        case ExprKind::Column:
            return join_names(expr.path, ".");
        case ExprKind::Star:
            return expr.path.empty() ? "*" : join_names(expr.path, ".") + ".*";
        case ExprKind::Unary:
            return expr.op + (expr.op == "NOT" ? " " : "") + operand(*expr.args[0]);
        case ExprKind::Binary:
            return fmt::format("{} {} {}", operand(*expr.args[0]), expr.op, operand(*expr.args[1]));
        case ExprKind::Call:
            return print_call(expr);
        case ExprKind::Cast:
            return fmt::format("CAST({} AS {})", print(*expr.args[0]), expr.type.to_string());
        case ExprKind::Case:
            return print_case(expr);
        case ExprKind::Between:
            return fmt::format("{} {}BETWEEN {} AND {}", operand(*expr.args[0]), negation,
                               operand(*expr.args[1]), operand(*expr.args[2]));
        case ExprKind::In:
            return fmt::format("{} {}IN ({})", operand(*expr.args[0]), negation,
                               join(expr.args, 1));
        case ExprKind::Like:
            return fmt::format("{} {}{} {}{}", operand(*expr.args[0]), negation,
                               expr.op == "SIMILAR" ? "SIMILAR TO" : expr.op,
                               operand(*expr.args[1]),
                               expr.args.size() > 2 ? " ESCAPE " + operand(*expr.args[2]) : "");
        case ExprKind::IsNull:
            return fmt::format("{} IS {}NULL", operand(*expr.args[0]), negation);
        case ExprKind::IsTruth:
            return fmt::format("{} IS {}{}", operand(*expr.args[0]), negation, expr.op);
        case ExprKind::Cursor:
            return "CURSOR(" + print(*expr.query) + ")" +
                   (expr.args.empty() ? "" : " PARTITION BY (" + join(expr.args) + ")");
        case ExprKind::Interval:
            return fmt::format("({} - {}) {}", operand(*expr.args[0]), operand(*expr.args[1]),
                               expr.type.to_string().substr(9));
        case ExprKind::Distinct:
            return fmt::format("{} IS {}DISTINCT FROM {}", operand(*expr.args[0]), negation,
                               operand(*expr.args[1]));
        case ExprKind::Row:
            return expr.op + "(" + join(expr.args) + ")";
        case ExprKind::Temporal: {
            std::string text = operand(*expr.args[0]);
            std::string_view ops = expr.op;
            for (std::size_t i = 1; i < expr.args.size(); ++i) {
                const auto op = ops.substr(0, ops.find(','));
                ops.remove_prefix(std::min(op.size() + 1, ops.size()));
                text += fmt::format(" {} {}", op, operand(*expr.args[i]));
            }
            return text;
        }
    }
    return {};
}

std::string print(const ast::Select& select) {
    std::string text = select.is_stream ? "SELECT STREAM " : "SELECT ";
    if (select.is_distinct) text += "DISTINCT ";
    for (std::size_t i = 0; i < select.items.size(); ++i) {
        const auto& item = select.items[i];
        text += (i > 0 ? ", " : "") + print(*item.expr) +
                (item.alias ? " AS " + print_name(item.alias->text) : "");
    }
    text += " FROM " + print_from(select.from);
    if (select.where) text += " WHERE " + print(*select.where);
    if (select.stagger_millis)
        text += fmt::format(
            " WINDOWED BY STAGGER ({}RANGE {})",
            select.group_by.empty() ? "" : "PARTITION BY " + join(select.group_by) + " ",
            print_literal(Value::integer(*select.stagger_millis,
                                         Type::interval(TimeUnit::Day, TimeUnit::Second))));
    else if (!select.group_by.empty())
        text += " GROUP BY " + join(select.group_by);
    if (select.having) text += " HAVING " + print(*select.having);
    for (std::size_t i = 0; i < select.windows.size(); ++i)
        text += fmt::format("{}{} AS ({})", i == 0 ? " WINDOW " : ", ",
                            print_name(select.windows[i].name.text),
                            print_window(select.windows[i].spec));
    for (const auto& branch : select.union_all)
        text += " UNION ALL " + print(*branch);
    for (std::size_t i = 0; i < select.order_by.size(); ++i)
        text += (i == 0 ? " ORDER BY " : ", ") + operand(*select.order_by[i].expr) +
                (select.order_by[i].is_descending ? " DESC" : "");
    if (select.within_millis)
        text += " WITHIN " +
                print_literal(Value::integer(*select.within_millis,
                                             Type::interval(TimeUnit::Day, TimeUnit::Second)));
    return text + print_emit(select);
}

namespace {

std::string print_description(const std::optional<std::string>& text) {
    return text ? " DESCRIPTION " + quote(*text, '\'') : std::string();
}

// CREATE STREAM or CREATE TABLE
std::string print_created(std::string_view what, const ast::CreateStream& create) {
    std::string columns;
    for (const auto& column : create.columns)
        columns +=
            fmt::format("{}{} {}{}{}", columns.empty() ? "" : ", ", print_name(column.name.text),
                        column.type.to_string(), column.is_not_null ? " NOT NULL" : "",
                        column.path ? " PATH " + quote(*column.path, '\'') : std::string());
    if (create.watermark) {
        const auto& watermark = *create.watermark;
        const auto column = print_name(watermark.column.text);
        columns += fmt::format(", WATERMARK FOR {} AS {}", column, column);
        if (watermark.millis > 0)
            columns +=
                " - " + print_literal(Value::integer(
                            watermark.millis, Type::interval(TimeUnit::Day, TimeUnit::Second)));
    }
    return fmt::format("CREATE {}{} {}{}{}{}", create.or_replace ? "OR REPLACE " : "", what,
                       print_name(create.name.text), columns.empty() ? "" : " (" + columns + ")",
                       print_description(create.description), print_stream_options(create.options));
}

}  // namespace

std::string print(const ast::Statement& statement) {
    if (const auto* stream = std::get_if<ast::CreateStream>(&statement.body))
        return print_created("STREAM", *stream);
    if (const auto* table = std::get_if<ast::CreateTable>(&statement.body))
        return print_created("TABLE", table->definition);
    if (const auto* function = std::get_if<ast::CreateFunction>(&statement.body)) {
        std::string parameters;
        for (const auto& parameter : function->parameters)
            parameters += fmt::format("{}{} {}", parameters.empty() ? "" : ", ",
                                      print_name(parameter.name.text), parameter.type.to_string());
        return fmt::format(
            "CREATE {}FUNCTION {} ({}) RETURNS {} CONTAINS SQL{} RETURN {}",
            function->or_replace ? "OR REPLACE " : "", print_name(function->name.text), parameters,
            function->result.to_string(),
            function->is_null_on_null ? " RETURNS NULL ON NULL INPUT" : "", print(*function->body));
    }
    const auto& pump = std::get<ast::CreatePump>(statement.body);
    return fmt::format("CREATE {}PUMP {}{}{} AS INSERT INTO {}{} {}",
                       pump.or_replace ? "OR REPLACE " : "", print_name(pump.name.text),
                       pump.is_stopped ? " STOPPED" : "", print_description(pump.description),
                       print_name(pump.target.text),
                       pump.columns.empty() ? "" : " (" + join_names(pump.columns, ", ") + ")",
                       print(*pump.select));
}

std::string print(std::span<const ast::Statement> statements) {
    std::string text;
    for (const auto& statement : statements)
        text += print(statement) + ";\n";
    return text;
}

}  // namespace tidemill::sql
