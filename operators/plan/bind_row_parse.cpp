#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/expr/function.h"
#include "operators/plan/bind_select.h"
#include "operators/sql/column_list_parser.h"

// Functions that make a ROW of a line of a log. The row is no value: the step ParseRow adds its
// columns as texts behind those of its input, and the select list takes them from there.
namespace tidemill::sql {

namespace {

constexpr std::array<std::string_view, 7> kRowFunctions = {
    "REGEX_LOG_PARSE",        "FAST_REGEX_LOG_PARSE",
    "FAST_REGEX_LOG_PARSER",  "VARIABLE_COLUMN_LOG_PARSE",
    "FIXED_COLUMN_LOG_PARSE", "SYS_LOG_PARSE",
    "W3C_LOG_PARSE"};

constexpr std::int64_t kMaxColumnCount = 1000;

std::vector<LogColumn> plain_columns(std::size_t count) {
    std::vector<LogColumn> columns(count);
    for (std::size_t i = 0; i < count; ++i) {
        columns[i].name = fmt::format("COLUMN{}", i + 1);
        columns[i].type = Type::varchar(kMaxLogColumnLength);
    }
    return columns;
}

// What a text column becomes: times by their format, other types by CAST. An empty piece is null
// for every type but texts.
SqlResult<ExpressionPtr> typed(const LogColumn& column, ExpressionPtr text) {
    if (column.type.is_text()) return cast_to(std::move(text), column.type);
    std::vector<ExpressionPtr> args;
    if (!column.format) return cast_to(std::move(text), column.type);
    args.push_back(std::make_unique<Literal>(Value::varchar(*column.format)));
    args.push_back(std::move(text));
    const std::string name = column.type.kind == TypeKind::Date   ? "CHAR_TO_DATE"
                             : column.type.kind == TypeKind::Time ? "CHAR_TO_TIME"
                                                                  : "CHAR_TO_TIMESTAMP";
    const Type types[] = {Type::varchar(), Type::varchar()};
    const auto signature = find_function(name)->resolve(types);
    return std::make_unique<KernelExpression>(name, signature->result, signature->kernel,
                                              std::move(args));
}

}  // namespace

bool is_row_function(const ast::Expr& expr) {
    return expr.kind == ast::ExprKind::Call &&
           std::ranges::find(kRowFunctions, expr.op) != kRowFunctions.end();
}

SqlResult<std::string> SelectBinder::row_literal(const ast::Expr& call, std::size_t index,
                                                 std::string_view what) {
    if (index < call.args.size()) {
        const auto& arg = *call.args[index];
        if (arg.kind == ast::ExprKind::Literal && arg.literal.type.is_text())
            return arg.literal.text;
    }
    return failure(index < call.args.size() ? call.args[index]->span : call.span,
                   fmt::format("{} takes {} as a text literal, because its columns must be known.",
                               call.op, what));
}

SqlResult<SelectBinder::RowParse> SelectBinder::bind_row_parser(const ast::Expr& call) {
    RowParse row;
    const auto& op = call.op;
    std::size_t max_args = 2;
    std::string error;
    if (op == "SYS_LOG_PARSE") {
        max_args = 1;
        row.parser = make_syslog_parser();
        row.columns = plain_columns(2);
        row.columns[0].type = TypeKind::Timestamp;
        row.columns[0].format = "MMM d HH:mm:ss";
    } else if (op == "W3C_LOG_PARSE") {
        ASSIGN(const auto format, row_literal(call, 1, "the format"));
        row.parser = make_w3c_parser(format, error);
    } else if (op == "REGEX_LOG_PARSE") {
        ASSIGN(const auto pattern, row_literal(call, 1, "the pattern"));
        row.parser = make_regex_parser(pattern, error);
        max_args = 3;
    } else if (op == "FIXED_COLUMN_LOG_PARSE") {
        ASSIGN(const auto list, row_literal(call, 1, "the columns"));
        ASSIGN(row.columns, log_columns(*call.args[1], list));
        std::vector<FixedColumn> places;
        for (const auto& column : row.columns) {
            if (!column.start)
                return failure(
                    call.args[1]->span,
                    fmt::format("The column {} needs START and its place.", column.name));
            places.push_back({*column.start, column.length});
        }
        row.parser = make_fixed_parser(std::move(places));
    } else if (op == "VARIABLE_COLUMN_LOG_PARSE") {
        max_args = 5;
        ASSIGN(row, bind_variable_columns(call));
    } else {
        ASSIGN(const auto pattern, row_literal(call, 1, "the pattern"));
        row.parser = make_fast_regex_parser(pattern, error);
    }
    if (call.args.size() > max_args)
        return failure(call.args[max_args]->span,
                       fmt::format("{} takes at most {} arguments.", op, max_args));
    if (!row.parser) return failure(call.args[1]->span, error);
    if (op == "REGEX_LOG_PARSE" && call.args.size() == 3) {
        ASSIGN(const auto list, row_literal(call, 2, "the columns"));
        ASSIGN(row.columns, log_columns(*call.args[2], list));
    }
    if (row.columns.empty()) row.columns = plain_columns(row.parser->size());
    if (row.columns.size() != row.parser->size())
        return failure(call.span, fmt::format("The pattern has {} groups, the list {} columns.",
                                              row.parser->size(), row.columns.size()));
    return row;
}

SqlResult<std::vector<LogColumn>> SelectBinder::log_columns(const ast::Expr& at,
                                                            const std::string& list) {
    auto columns = parse_log_columns(list);
    if (!columns) return failure(at.span, "In the list of columns: " + columns.error().message);
    for (const auto& column : *columns)
        if (!column.type.is_text() && !cast_kernel(Type::varchar(), column.type))
            return failure(at.span,
                           fmt::format("A text cannot become {}.", column.type.to_string()));
    return *columns;
}

SqlResult<SelectBinder::RowParse> SelectBinder::bind_variable_columns(const ast::Expr& call) {
    RowParse row;
    if (call.args.size() < 3)
        return failure(call.span,
                       "VARIABLE_COLUMN_LOG_PARSE takes text, columns, delimiter [, escape, "
                       "quotes].");
    const auto& columns = *call.args[1];
    if (columns.kind == ast::ExprKind::Literal && columns.literal.type.is_integer()) {
        if (columns.literal.bits < 1 || columns.literal.bits > kMaxColumnCount)
            return failure(columns.span, fmt::format("The number of columns must be from 1 to {}.",
                                                     kMaxColumnCount));
        row.columns = plain_columns(static_cast<std::size_t>(columns.literal.bits));
    } else {
        ASSIGN(const auto list, row_literal(call, 1, "the columns"));
        ASSIGN(row.columns, log_columns(columns, list));
    }
    ASSIGN(const auto delimiter, row_literal(call, 2, "the delimiter"));
    if (delimiter.empty()) return failure(call.args[2]->span, "The delimiter must not be empty.");
    const auto optional_text = [&](std::size_t index,
                                   std::string_view what) -> SqlResult<std::string> {
        const bool is_left_out =
            index >= call.args.size() ||
            (call.args[index]->kind == ast::ExprKind::Literal && call.args[index]->literal.is_null);
        if (is_left_out) return std::string();
        return row_literal(call, index, what);
    };
    ASSIGN(const auto escape, optional_text(3, "the escape text"));
    ASSIGN(const auto quotes, optional_text(4, "the quotes"));
    if (quotes.size() > 2)
        return failure(call.args[4]->span, "The quotes are one character, or two.");
    row.parser = make_delimited_parser(row.columns.size(), delimiter, escape, quotes);
    return row;
}

// Adds a ParseRow below the select list for each item that is a row.
SqlResult<void> SelectBinder::bind_rows(const ast::Select& select, Relation& relation) {
    for (const auto& item : select.items) {
        if (!is_row_function(*item.expr)) continue;
        const auto& call = *item.expr;
        if (!select.group_by.empty())
            return failure(call.span, call.op + " stands in a subquery below GROUP BY.");
        if (call.args.empty())
            return failure(call.span, call.op + " takes the text to parse first.");
        ASSIGN(auto line, ExpressionBinder(relation.scope).bind(*call.args[0]));
        if (!line->type().is_text() && line->type().kind != TypeKind::Null)
            return failure(call.args[0]->span, fmt::format("{} parses texts, this is {}.", call.op,
                                                           line->type().to_string()));
        ASSIGN(auto row, bind_row_parser(call));
        RowColumns made{&call, relation.plan->schema.size(), row.columns};
        auto node = make_node(std::move(relation.plan));
        ParseRowNode body;
        body.line = cast_to(std::move(line), Type::varchar());
        body.parser = std::move(row.parser);
        for (const auto& column : row.columns) {
            body.is_not_null.push_back(column.is_not_null);
            node->schema.fields.push_back({fmt::format("$ROW{}", node->schema.size()),
                                           Type::varchar(kMaxLogColumnLength), true, true});
            node->monotonicity.push_back(Monotonicity::None);
        }
        node->body = std::move(body);
        relation.plan = std::move(node);
        rows_.push_back(std::move(made));
    }
    return {};
}

SqlResult<std::vector<std::pair<std::string, ExpressionPtr>>> SelectBinder::row_fields(
    const ast::Expr& call, const std::string& name) {
    std::vector<std::pair<std::string, ExpressionPtr>> fields;
    for (const auto& row : rows_) {
        if (row.call != &call) continue;
        for (std::size_t i = 0; i < row.columns.size(); ++i) {
            ExpressionPtr text = std::make_unique<ColumnReference>(
                Type::varchar(kMaxLogColumnLength), row.first + i, row.columns[i].name);
            ASSIGN(auto field, typed(row.columns[i], std::move(text)));
            fields.emplace_back(name + "." + row.columns[i].name, std::move(field));
        }
    }
    return fields;
}

// FROM ... AS t (a, b): a name for each column, where the columns of a row count as one.
SqlResult<void> SelectBinder::rename_columns(const ast::FromItem& from, PlanNode& plan) {
    if (from.columns.empty()) return {};
    std::vector<std::vector<Field*>> groups;
    std::string before;
    for (auto& field : plan.schema.fields) {
        if (field.is_hidden) continue;
        const auto dot = field.name.find('.');
        const auto prefix = dot == std::string::npos ? std::string() : field.name.substr(0, dot);
        if (prefix.empty() || prefix != before) groups.emplace_back();
        groups.back().push_back(&field);
        before = prefix;
    }
    std::size_t count = 0;
    for (const auto& group : groups)
        count += group.size();
    if (from.columns.size() == groups.size()) {
        for (std::size_t i = 0; i < groups.size(); ++i)
            for (auto* field : groups[i]) {
                const auto dot = field->name.find('.');
                field->name = from.columns[i].text +
                              (dot == std::string::npos ? "" : field->name.substr(dot));
            }
        return {};
    }
    if (from.columns.size() != count)
        return failure(from.columns.back().span,
                       fmt::format("The list names {} columns, there are {}.", from.columns.size(),
                                   groups.size()));
    std::size_t i = 0;
    for (const auto& group : groups)
        for (auto* field : group)
            field->name = from.columns[i++].text;
    return {};
}

}  // namespace tidemill::sql
