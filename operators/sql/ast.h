#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operators/sql/sql_error.h"
#include "operators/vector/type.h"
#include "operators/vector/value.h"

/// What the parser makes of SQL text. Spans point into the text; nothing here is resolved or typed
/// yet.
namespace tidemill::sql::ast {

struct Name {
    std::string text;  ///< unquoted names in upper case
    bool is_quoted = false;
    Span span;
};

struct Select;
struct Expr;
using ExprPtr = std::unique_ptr<Expr>;
using SelectPtr = std::unique_ptr<Select>;

enum class ExprKind : std::uint8_t {
    Literal,  ///< literal
    Column,   ///< path
    Star,     ///< path holds the qualifier of `t.*`
    Unary,    ///< op: - + NOT
    Binary,   ///< op: + - * / % || = <> < <= > >= AND OR
    Call,  ///< op: function name; also STEP, FLOOR TO, EXTRACT, SUBSTRING, TRIM ... (arguments in
           ///< the plain order)
    Cast,  ///< type
    Case,  ///< args: [operand] (when, then)* [else]
    Between,  ///< args: value, low, high
    In,       ///< args: value, candidates...
    Like,     ///< args: value, pattern [, escape]; op LIKE or SIMILAR
    IsNull,
    IsTruth,   ///< op: TRUE FALSE UNKNOWN
    Cursor,    ///< query; args: PARTITION BY behind it
    Interval,  ///< (args[0] - args[1]) <qualifier>, type
    Distinct,  ///< args[0] IS [NOT] DISTINCT FROM args[1]
    Row,       ///< op: ROW or PERIOD, args
    Temporal,  ///< args: one more than `op` has predicates, which ',' separates
};

struct OrderItem {
    ExprPtr expr;
    bool is_descending = false;
};

/// PARTITION BY ... ROWS n PRECEDING | RANGE INTERVAL ... PRECEDING
struct WindowSpec {
    std::vector<ExprPtr> partition_by;
    std::vector<OrderItem> order_by;  ///< of ROW_NUMBER, which has no frame, and of joins
    bool has_frame = true;
    bool is_rows = false;
    bool is_following = false;  ///< of joins: `preceding` is the length of RANGE ... FOLLOWING
    ExprPtr preceding;          ///< null: CURRENT ROW; a literal
    Span span;
};

struct Expr {
    ExprKind kind = ExprKind::Literal;
    Span span;
    std::uint32_t depth = 1;  ///< longest way down, bounded by the parser
    std::string op;
    std::vector<Name> path;
    std::vector<ExprPtr> args;
    Value literal;
    Type type;
    std::optional<TimeUnit> unit;                ///< FLOOR/CEIL ... TO unit, EXTRACT(unit FROM ...)
    bool is_negated = false;                     ///< NOT BETWEEN, NOT IN, NOT LIKE, IS NOT ...
    bool is_distinct = false;                    ///< COUNT(DISTINCT x)
    bool is_star_call = false;                   ///< COUNT(*)
    bool ignores_nulls = false;                  ///< LAG(x) IGNORE NULLS OVER ...
    bool is_from_last = false;                   ///< NTH_VALUE(x, n) FROM LAST OVER ...
    bool has_operand = false, has_else = false;  ///< Case
    bool has_parentheses = true;                 ///< Call; CURRENT_TIMESTAMP has none
    SelectPtr query;
    ExprPtr filter;  ///< of an aggregate: FILTER (WHERE ...)
    std::unique_ptr<WindowSpec> over;
    std::optional<Name> over_name;
};

struct SelectItem {
    ExprPtr expr;
    std::optional<Name> alias;
};

enum class FromKind : std::uint8_t { Stream, Subquery, Function, Join };
enum class JoinKind : std::uint8_t { Inner, Left, Right, Full, Cross };

struct FromItem {
    FromKind kind = FromKind::Stream;
    std::vector<Name> path;                 ///< Stream, or a reference table
    SelectPtr query;                        ///< Subquery
    ExprPtr function;                       ///< Function: the Call inside TABLE(...)
    std::unique_ptr<FromItem> left, right;  ///< Join
    JoinKind join = JoinKind::Inner;
    ExprPtr on;
    std::vector<Name> using_columns;
    bool is_natural = false, is_comma = false;
    std::unique_ptr<WindowSpec> over;  ///< one side's window in a join
    std::optional<Name> over_name;
    std::optional<Name> alias;
    std::vector<Name> columns;  ///< AS t (a, b)
    Span span;                  ///< of a join: from its left side on
};

struct NamedWindow {
    Name name;
    WindowSpec spec;
};

/// When rows of a query go out that may change later.
enum class EmitKind : std::uint8_t {
    Changes,      ///< EMIT CHANGES, EMIT ON UPDATE: what has changed, after each batch of rows
    Periodic,     ///< EMIT PERIODIC INTERVAL ...: what has changed, so often
    WindowClose,  ///< EMIT ON WINDOW CLOSE: each group once, when it is over
};
struct EmitClause {
    EmitKind kind = EmitKind::Changes;
    std::int64_t millis = 0;  ///< Periodic
    Span span;
};

/// `name = value` of WITH (...)
struct StreamOption {
    Name name;  ///< looked up without regard to case
    std::string value;
    bool is_string = false;  ///< else a number or a word
    Span value_span;
};

struct Select {
    Span span;
    bool is_stream = false;
    bool is_distinct = false;
    std::vector<SelectItem> items;
    FromItem from;
    ExprPtr where;
    std::vector<ExprPtr> group_by;
    std::optional<std::int64_t> stagger_millis;  ///< WINDOWED BY STAGGER (PARTITION BY group_by)
    ExprPtr having;
    std::vector<NamedWindow> windows;
    std::vector<SelectPtr> union_all;           ///< further branches
    std::vector<OrderItem> order_by;            ///< of all branches together
    std::optional<std::int64_t> within_millis;  ///< ORDER BY time WITHIN INTERVAL ...
    std::optional<EmitClause> emit;
    std::vector<StreamOption> options;  ///< WITH (state_limit = ...)
};

struct ColumnDefinition {
    Name name;
    Type type;
    bool is_not_null = false;
    std::optional<std::string> path;  ///< where a record has it: PATH '$.a.b'
};

/// WATERMARK FOR column AS column [- INTERVAL ...]
struct WatermarkClause {
    Name column;
    std::int64_t millis = 0;
    Span span;
};

struct CreateStream {
    bool or_replace = false;
    Name name;
    std::vector<ColumnDefinition> columns;
    std::optional<WatermarkClause> watermark;
    std::optional<std::string> description;
    std::vector<StreamOption> options;  ///< WITH (source = ...)
};

/// CREATE TABLE: a reference table, rows from a file.
struct CreateTable {
    CreateStream definition;
};

struct CreatePump {
    bool or_replace = false;
    Name name;
    bool is_stopped = false;
    std::optional<std::string> description;
    Name target;
    std::vector<Name> columns;  ///< empty: all in order
    SelectPtr select;
};

/// CREATE FUNCTION name (parameters) RETURNS type ... RETURN body
struct CreateFunction {
    bool or_replace = false;
    Name name;
    std::vector<ColumnDefinition> parameters;
    Type result;
    bool is_null_on_null = false;  ///< RETURNS NULL ON NULL INPUT
    ExprPtr body;
};

struct Statement {
    std::variant<CreateStream, CreatePump, CreateFunction, CreateTable> body;
    Span span;
};

}  // namespace tidemill::sql::ast
