#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "operators/sql/expression_parser.h"
#include "operators/vector/time_text.h"

namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

namespace {

ExprPtr make_literal(Value value) {
    auto literal = std::make_unique<Expr>();
    literal->literal = std::move(value);
    return literal;
}

// Functions that SQL calls without parentheses.
bool is_bare_function(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kBare = {
        "CURRENT_DATE",          "CURRENT_TIME", "CURRENT_TIMESTAMP",
        "CURRENT_ROW_TIMESTAMP", "LOCALTIME",    "LOCALTIMESTAMP"};
    return std::ranges::find(kBare, name) != kBare.end();
}

}  // namespace

SqlResult<ExprPtr> ExpressionParser::primary() {
    const Token& token = tokens_.peek();
    const Span begin = token.span;
    switch (token.kind) {
        case TokenKind::Number:
            return number();
        case TokenKind::String:
            return finish(make_literal(Value::varchar(tokens_.next().text)), begin);
        case TokenKind::Quoted:
            return name_or_call();
        case TokenKind::Symbol:
            if (token.text == "(") return parenthesised();
            return tokens_.expected("an expression");
        case TokenKind::End:
            return tokens_.expected("an expression");
        case TokenKind::Word:
            break;
    }
    const bool before_string = tokens_.peek(1).kind == TokenKind::String;
    if (token.is_word("DATE") && before_string) return typed_literal(TypeKind::Date);
    if (token.is_word("TIME") && before_string) return typed_literal(TypeKind::Time);
    if (token.is_word("TIMESTAMP") && before_string) return typed_literal(TypeKind::Timestamp);
    if (token.is_word("X") && before_string) return binary_literal();
    if (token.is_word("INTERVAL")) return interval_literal();
    if (token.is_word("CASE")) return case_expression();
    if (token.is_word("CAST")) return cast();
    if (token.is_word("EXISTS"))
        return tokens_.failure(begin,
                               "EXISTS of a subquery is not offered: over an endless stream it "
                               "would never end. Use a join.");
    if (token.is_word("TRUE") || token.is_word("FALSE")) {
        const bool truth = tokens_.next().text == "TRUE";
        return finish(make_literal(Value::boolean(truth)), begin);
    }
    if (token.is_word("NULL") || token.is_word("UNKNOWN")) {
        const bool is_unknown = tokens_.next().text == "UNKNOWN";
        return finish(make_literal(Value::null(is_unknown ? TypeKind::Boolean : TypeKind::Null)),
                      begin);
    }
    if (token.is_word("CURSOR")) {
        tokens_.next();
        TRY(tokens_.expect_symbol("("));
        auto cursor = std::make_unique<Expr>();
        cursor->kind = ExprKind::Cursor;
        ASSIGN(cursor->query, select());
        TRY(tokens_.expect_symbol(")"));
        if (tokens_.accept_word("PARTITION")) {
            TRY(tokens_.expect_word("BY"));
            const bool is_list = tokens_.accept_symbol("(");
            do {
                ASSIGN(auto key, expression());
                cursor->args.push_back(std::move(key));
            } while (is_list && tokens_.accept_symbol(","));
            if (is_list) TRY(tokens_.expect_symbol(")"));
        }
        return finish(std::move(cursor), begin);
    }
    // LEFT, RIGHT and a few more are reserved, and yet names of functions elsewhere; none of those
    // is offered.
    if (is_reserved(token.text)) return tokens_.expected("an expression");
    return name_or_call();
}

SqlResult<ExprPtr> ExpressionParser::parenthesised() {
    const Span begin = tokens_.next().span;
    if (tokens_.is_word("SELECT"))
        return tokens_.not_yet(tokens_.peek().span, "A subquery inside an expression");
    ASSIGN(auto inner, expression());
    if (tokens_.is_symbol(",")) {
        auto row = std::make_unique<Expr>();
        row->kind = ExprKind::Row;
        row->op = "ROW";
        row->args.push_back(std::move(inner));
        while (tokens_.accept_symbol(",")) {
            ASSIGN(auto member, expression());
            row->args.push_back(std::move(member));
        }
        TRY(tokens_.expect_symbol(")"));
        return finish(std::move(row), begin);
    }
    TRY(tokens_.expect_symbol(")"));
    const auto& after = tokens_.peek();
    const auto unit = after.kind == TokenKind::Word ? parse_unit(after.text) : std::nullopt;
    const bool is_difference = inner->kind == ExprKind::Binary && inner->op == "-";
    if (!unit || !is_difference) return inner;
    auto interval = std::make_unique<Expr>();
    interval->kind = ExprKind::Interval;
    ASSIGN(interval->type, interval_qualifier());
    interval->args = std::move(inner->args);
    return finish(std::move(interval), begin);
}

SqlResult<ExprPtr> ExpressionParser::number() {
    const Token token = tokens_.next();
    const auto& text = token.text;
    const char* end = text.data() + text.size();
    if (text.find_first_of("eE") != std::string::npos) {
        double value = 0;
        if (std::from_chars(text.data(), end, value).ec != std::errc())
            return tokens_.failure(token.span, fmt::format("The number {} is out of range.", text));
        return finish(make_literal(Value::real(value)), token.span);
    }
    std::string digits;
    std::size_t scale = 0;
    bool after_point = false;
    for (const char c : text) {
        if (c == '.') {
            after_point = true;
            continue;
        }
        digits += c;
        if (after_point) ++scale;
    }
    std::int64_t value = 0;
    end = digits.data() + digits.size();
    if (scale > 18 || std::from_chars(digits.data(), end, value).ec != std::errc())
        return tokens_.failure(token.span, fmt::format("The number {} has more than {} digits.",
                                                       text, kMaxDecimalPrecision));
    Type type =
        value <= std::numeric_limits<std::int32_t>::max() ? TypeKind::Integer : TypeKind::BigInt;
    if (after_point)
        type = Type::decimal(
            static_cast<std::uint8_t>(std::min<std::size_t>(digits.size(), kMaxDecimalPrecision)),
            static_cast<std::uint8_t>(scale));
    return finish(make_literal(Value::integer(value, type)), token.span);
}

// X'3F67'
SqlResult<ExprPtr> ExpressionParser::binary_literal() {
    const Span begin = tokens_.next().span;
    const Token token = tokens_.next();
    Value value = Value::varchar({});
    value.type = TypeKind::Varbinary;
    for (std::size_t i = 0; i < token.text.size(); i += 2) {
        unsigned byte = 0;
        const auto* first = token.text.data() + i;
        if (i + 2 > token.text.size() ||
            std::from_chars(first, first + 2, byte, 16).ptr != first + 2)
            return tokens_.failure(token.span,
                                   "X'...' takes two hexadecimal digits for each byte.");
        value.text += static_cast<char>(byte);
    }
    value.type.length = static_cast<std::uint32_t>(value.text.size());
    return finish(make_literal(std::move(value)), begin);
}

SqlResult<ExprPtr> ExpressionParser::typed_literal(Type type) {
    const Span begin = tokens_.next().span;
    const Token token = tokens_.next();
    const auto millis = type.kind == TypeKind::Date   ? parse_date(token.text)
                        : type.kind == TypeKind::Time ? parse_time(token.text)
                                                      : parse_timestamp(token.text);
    if (!millis)
        return tokens_.failure(
            token.span,
            fmt::format("'{}' is no {}; expected a form like '{}'.", token.text, type.to_string(),
                        type.kind == TypeKind::Date   ? "2024-02-29"
                        : type.kind == TypeKind::Time ? "13:45:00"
                                                      : "2024-02-29 13:45:00.000"));
    return finish(make_literal(Value::integer(*millis, type)), begin);
}

SqlResult<ExprPtr> ExpressionParser::interval_literal() {
    const Span begin = tokens_.next().span;
    const bool is_negative = tokens_.accept_symbol("-");
    const Span text_span = tokens_.peek().span;
    ASSIGN(const auto text, tokens_.expect_string(
                                "the length of the interval in quotes, as in INTERVAL '1' MINUTE"));
    ASSIGN(const auto type, interval_qualifier());
    const auto millis = parse_interval(text, type.from, type.to);
    if (!millis)
        return tokens_.failure(text_span, fmt::format("'{}' is no {}.", text, type.to_string()));
    return finish(make_literal(Value::integer(is_negative ? -*millis : *millis, type)), begin);
}

SqlResult<Type> ExpressionParser::interval_qualifier() {
    const auto one_unit = [this]() -> SqlResult<TimeUnit> {
        const Token& token = tokens_.peek();
        const auto unit = token.kind == TokenKind::Word ? parse_unit(token.text) : std::nullopt;
        if (!unit) return tokens_.expected("DAY, HOUR, MINUTE or SECOND");
        if (*unit < TimeUnit::Second || *unit > TimeUnit::Day)
            return tokens_.failure(
                token.span,
                fmt::format("An interval in {}S is not supported; use DAY, HOUR, MINUTE or "
                            "SECOND.",
                            unit_name(*unit)));
        tokens_.next();
        if (tokens_.accept_symbol("(")) {
            TRY(tokens_.expect_integer("a precision", 0, 18));
            if (tokens_.accept_symbol(",")) TRY(tokens_.expect_integer("a precision", 0, 9));
            TRY(tokens_.expect_symbol(")"));
        }
        return *unit;
    };
    const Span begin = tokens_.peek().span;
    ASSIGN(const auto from, one_unit());
    TimeUnit to = from;
    if (tokens_.accept_word("TO")) {
        ASSIGN(to, one_unit());
    }
    if (to > from)
        return tokens_.failure(tokens_.span_from(begin),
                               "The larger unit of an interval comes first.");
    return Type::interval(from, to);
}

SqlResult<ExprPtr> ExpressionParser::case_expression() {
    const Span begin = tokens_.next().span;
    auto expr = std::make_unique<Expr>();
    expr->kind = ExprKind::Case;
    if (!tokens_.is_word("WHEN")) {
        ASSIGN(auto operand, expression());
        expr->args.push_back(std::move(operand));
        expr->has_operand = true;
    }
    if (!tokens_.is_word("WHEN")) return tokens_.expected("WHEN");
    while (tokens_.accept_word("WHEN")) {
        ASSIGN(auto when, expression());
        TRY(tokens_.expect_word("THEN"));
        ASSIGN(auto then, expression());
        expr->args.push_back(std::move(when));
        expr->args.push_back(std::move(then));
    }
    if (tokens_.accept_word("ELSE")) {
        ASSIGN(auto otherwise, expression());
        expr->args.push_back(std::move(otherwise));
        expr->has_else = true;
    }
    if (!tokens_.is_word("END")) return tokens_.expected("WHEN, ELSE or END");
    tokens_.next();
    return finish(std::move(expr), begin);
}

SqlResult<ExprPtr> ExpressionParser::cast() {
    const Span begin = tokens_.next().span;
    TRY(tokens_.expect_symbol("("));
    auto expr = std::make_unique<Expr>();
    expr->kind = ExprKind::Cast;
    ASSIGN(auto operand, expression());
    expr->args.push_back(std::move(operand));
    TRY(tokens_.expect_word("AS"));
    if (tokens_.accept_word("INTERVAL")) {
        ASSIGN(expr->type, interval_qualifier());
    } else {
        ASSIGN(expr->type, type());
    }
    TRY(tokens_.expect_symbol(")"));
    return finish(std::move(expr), begin);
}

SqlResult<ExprPtr> ExpressionParser::name_or_call() {
    const Token first = tokens_.peek();
    if (tokens_.peek(1).is_symbol("(")) {
        tokens_.next();
        if (first.kind == TokenKind::Quoted || (first.text != "ROW" && first.text != "PERIOD"))
            return call(first.text, first.span);
        tokens_.next();
        auto row = std::make_unique<Expr>();
        row->kind = ExprKind::Row;
        row->op = first.text;
        do {
            ASSIGN(auto member, expression());
            row->args.push_back(std::move(member));
        } while (tokens_.accept_symbol(","));
        TRY(tokens_.expect_symbol(")"));
        return finish(std::move(row), first.span);
    }
    auto expr = std::make_unique<Expr>();
    if (first.kind == TokenKind::Word && is_bare_function(first.text)) {
        tokens_.next();
        expr->kind = ExprKind::Call;
        expr->op = first.text;
        expr->has_parentheses = false;
        return finish(std::move(expr), first.span);
    }
    expr->kind = ExprKind::Column;
    for (;;) {
        // After a dot reserved words are harmless, but a star means `t.*`.
        if (!expr->path.empty() && tokens_.is_symbol("*")) {
            tokens_.next();
            expr->kind = ExprKind::Star;
            break;
        }
        if (expr->path.empty()) {
            ASSIGN(auto name, tokens_.expect_name("a column name"));
            expr->path.push_back(std::move(name));
        } else {
            if (!tokens_.peek().is_name()) return tokens_.expected("a column name or *");
            const Token part = tokens_.next();
            expr->path.push_back({part.text, part.kind == TokenKind::Quoted, part.span});
        }
        if (!tokens_.accept_symbol(".")) break;
    }
    return finish(std::move(expr), first.span);
}

}  // namespace tidemill::sql
