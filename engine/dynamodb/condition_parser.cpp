#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_text.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/expression_reader.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using Kind = Condition::Kind;

constexpr int kDepthMax = 100;  // of parentheses and NOTs

struct Comparator {
    std::string_view symbol;
    Kind kind;
};
constexpr Comparator kComparators[] = {{"=", Kind::Equal},   {"<>", Kind::NotEqual},
                                       {"<", Kind::Less},    {"<=", Kind::LessOrEqual},
                                       {">", Kind::Greater}, {">=", Kind::GreaterOrEqual}};

struct Function {
    std::string_view name;
    Kind kind;
    std::size_t operands;
};
constexpr Function kFunctions[] = {{"attribute_exists", Kind::AttributeExists, 1},
                                   {"attribute_not_exists", Kind::AttributeNotExists, 1},
                                   {"attribute_type", Kind::AttributeType, 2},
                                   {"begins_with", Kind::BeginsWith, 2},
                                   {"contains", Kind::Contains, 2}};

bool is_ordered(Kind kind) { return kind >= Kind::Less && kind <= Kind::GreaterOrEqual; }

class ConditionParser {
 public:
    ConditionParser(std::string_view text, std::string_view member, ExpressionScope& scope)
        : in_(text, member, scope) {}

    ApiResult<Condition> whole() {
        TRY(in_.start());
        TRY(in_.check_parentheses());
        ASSIGN(Condition condition, either(0));
        if (!in_.is_at_end()) return in_.syntax_error_here();
        return condition;
    }

 private:
    ApiResult<Condition> either(int depth) {
        ASSIGN(Condition first, both(depth));
        if (!is_keyword(in_.next(), "OR")) return first;
        Condition all{.kind = Kind::Or};
        all.parts.push_back(std::move(first));
        while (in_.take_keyword("OR")) {
            TRY(count_operator());
            ASSIGN(Condition next, both(depth));
            all.parts.push_back(std::move(next));
        }
        return all;
    }

    ApiResult<Condition> both(int depth) {
        ASSIGN(Condition first, negation(depth));
        if (!is_keyword(in_.next(), "AND")) return first;
        Condition all{.kind = Kind::And};
        all.parts.push_back(std::move(first));
        while (in_.take_keyword("AND")) {
            TRY(count_operator());
            ASSIGN(Condition next, negation(depth));
            all.parts.push_back(std::move(next));
        }
        return all;
    }

    ApiResult<Condition> negation(int depth) {
        if (depth > kDepthMax) return in_.invalid("The expression is nested too deeply;");
        if (!in_.take_keyword("NOT")) return single(depth);
        TRY(count_operator());
        ASSIGN(Condition inner, negation(depth + 1));
        Condition made{.kind = Kind::Not};
        made.parts.push_back(std::move(inner));
        return made;
    }

    ApiResult<Condition> single(int depth) {
        if (in_.is_symbol("(") && !begins_operand()) return in_parentheses(depth);
        const Token word = in_.next();
        if (word.kind == Token::Kind::Identifier && in_.after_next().text == "(" &&
            word.text != "size") {
            ASSIGN(Condition made, function(word));
            return made;
        }
        ASSIGN(Operand first, operand());
        return comparison(std::move(first));
    }

    ApiResult<Condition> in_parentheses(int depth) {
        in_.step();
        ASSIGN(Condition inner, either(depth + 1));
        TRY(in_.expect_symbol(")"));
        return inner;
    }

    /// At a "(": it is around an operand, as in "(a) = :v".
    bool begins_operand() {
        const std::size_t here = in_.position();
        while (in_.take_symbol("("))
            ;
        const Token first = in_.next();
        in_.step();
        bool is_operand = first.kind == Token::Kind::Value || first.kind == Token::Kind::Name ||
                          first.kind == Token::Kind::Identifier;
        if (first.text == "size" && in_.is_symbol("(")) {
            while (!in_.is_at_end() && !in_.take_symbol(")"))
                in_.step();
        } else if (first.kind != Token::Kind::Value) {
            while (in_.is_symbol(".") || in_.is_symbol("[")) {
                const bool is_index = in_.is_symbol("[");
                in_.step();
                in_.step();
                if (is_index) in_.step();
            }
        }
        is_operand = is_operand && in_.is_symbol(")");
        in_.go_to(here);
        return is_operand;
    }

    ApiResult<Operand> operand() {
        if (in_.take_symbol("(")) {
            ASSIGN(Operand inner, operand());
            TRY(in_.expect_symbol(")"));
            return inner;
        }
        const Token word = in_.next();
        if (word.kind == Token::Kind::Value) {
            ASSIGN(Attribute value, in_.value());
            return Operand{.kind = Operand::Kind::Value, .value = std::move(value)};
        }
        if (word.kind == Token::Kind::Identifier && in_.after_next().text == "(")
            return size_operand(word);
        ASSIGN(DocumentPath path, in_.path());
        return Operand{.kind = Operand::Kind::Path, .path = std::move(path)};
    }

    ApiResult<Operand> size_operand(const Token& word) {
        if (word.text != "size") {
            for (const auto& known : kFunctions)
                if (known.name == word.text)
                    return in_.invalid(
                        fmt::format("The function is not allowed to be used this way in an "
                                    "expression; function: {}",
                                    word.text));
            return in_.invalid(fmt::format("Invalid function name; function: {}", word.text));
        }
        ASSIGN(auto arguments, this->arguments());
        if (arguments.size() != 1) return wrong_count("size", arguments.size());
        Operand& of = arguments.front();
        if (of.kind == Operand::Kind::Path) {
            of.kind = Operand::Kind::Size;
            return std::move(of);
        }
        if (of.kind == Operand::Kind::Value) {
            const auto kind = of.value.kind;
            if (kind == Attribute::Kind::Number || kind == Attribute::Kind::Boolean ||
                kind == Attribute::Kind::Null)
                return wrong_kind("size", kind);
        }
        return in_.invalid(
            "Operator or function requires a document path; operator or function: size");
    }

    ApiResult<std::vector<Operand>> arguments() {
        in_.step();
        in_.step();
        std::vector<Operand> all;
        do {
            ASSIGN(Operand one, operand());
            all.push_back(std::move(one));
        } while (in_.take_symbol(","));
        TRY(in_.expect_symbol(")"));
        return all;
    }

    ApiResult<Condition> function(const Token& word) {
        const Function* function = nullptr;
        for (const auto& known : kFunctions)
            if (known.name == word.text) function = &known;
        ASSIGN(auto operands, arguments());
        if (function == nullptr)
            return in_.invalid(fmt::format("Invalid function name; function: {}", word.text));
        TRY(count_operator());
        if (operands.size() != function->operands)
            return wrong_count(function->name, operands.size());
        Condition made{.kind = function->kind, .operands = std::move(operands)};
        TRY(check_distinct(made));
        const auto requires_path = [&] {
            return in_.invalid(fmt::format(
                "Operator or function requires a document path; operator or function: {}",
                function->name));
        };
        const Operand& first = made.operands.front();
        if ((made.kind == Kind::AttributeExists || made.kind == Kind::AttributeNotExists) &&
            first.kind != Operand::Kind::Path)
            return requires_path();
        if (made.kind == Kind::BeginsWith)
            for (const auto& one : made.operands)
                if (one.kind == Operand::Kind::Value && one.value.kind != Attribute::Kind::String &&
                    one.value.kind != Attribute::Kind::Binary)
                    return wrong_kind(function->name, one.value.kind);
        if (made.kind == Kind::AttributeType) TRY(check_type_name(made.operands[1]));
        return made;
    }

    ApiStatus check_type_name(const Operand& operand) {
        if (operand.kind != Operand::Kind::Value)
            return in_.invalid(
                "Incorrect operand type for operator or function; operator or function: "
                "attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
        if (operand.value.kind != Attribute::Kind::String)
            return wrong_kind("attribute_type", operand.value.kind);
        Attribute::Kind kind{};
        if (!parse_kind(operand.value.bytes, kind))
            return in_.invalid(
                fmt::format("Invalid attribute type name found; type: {}, valid types: "
                            "{{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
                            operand.value.bytes));
        return {};
    }

    ApiResult<Condition> comparison(Operand first) {
        TRY(count_operator());
        Condition made;
        made.operands.push_back(std::move(first));
        if (in_.take_keyword("BETWEEN")) {
            made.kind = Kind::Between;
            ASSIGN(Operand low, operand());
            if (!in_.take_keyword("AND")) return in_.syntax_error_here();
            ASSIGN(Operand high, operand());
            made.operands.push_back(std::move(low));
            made.operands.push_back(std::move(high));
            TRY(check_bounds(made));
        } else if (in_.take_keyword("IN")) {
            made.kind = Kind::In;
            TRY(in_.expect_symbol("("));
            do {
                ASSIGN(Operand one, operand());
                made.operands.push_back(std::move(one));
            } while (in_.take_symbol(","));
            TRY(in_.expect_symbol(")"));
            if (made.operands.size() > 101)
                return in_.invalid(
                    fmt::format("The IN operator is provided with too many operands; number of "
                                "operands: {}",
                                made.operands.size() - 1));
        } else {
            const Comparator* comparator = nullptr;
            for (const auto& known : kComparators)
                if (in_.is_symbol(known.symbol)) comparator = &known;
            if (comparator == nullptr) {
                if (made.operands.front().kind == Operand::Kind::Size)
                    return in_.invalid(
                        "The function is not allowed to be used this way in an expression; "
                        "function: size");
                return in_.syntax_error_here();
            }
            in_.step();
            made.kind = comparator->kind;
            ASSIGN(Operand second, operand());
            made.operands.push_back(std::move(second));
            TRY(check_distinct(made));
        }
        if (is_ordered(made.kind) || made.kind == Kind::Between)
            for (const auto& one : made.operands)
                if (one.kind == Operand::Kind::Value && !one.value.is_scalar())
                    return in_.invalid(
                        fmt::format("Incorrect operand type for operator or function; operator: "
                                    "{}, operand type: {}",
                                    operator_name(made.kind), kind_name(one.value.kind)));
        return made;
    }

    ApiStatus check_bounds(const Condition& between) {
        const Operand& low = between.operands[1];
        const Operand& high = between.operands[2];
        if (low.kind != Operand::Kind::Value || high.kind != Operand::Kind::Value) return {};
        const auto operands = [&] {
            return fmt::format(
                "lower bound operand: AttributeValue: {}, upper bound operand: "
                "AttributeValue: {}",
                text_of(low.value), text_of(high.value));
        };
        if (low.value.kind != high.value.kind)
            return in_.invalid(
                fmt::format("The BETWEEN operator requires same data type for lower "
                            "and upper bounds; {}",
                            operands()));
        if (low.value.is_scalar() && compare(low.value, high.value) > 0)
            return in_.invalid(
                fmt::format("The BETWEEN operator requires upper bound to be "
                            "greater than or equal to lower bound; {}",
                            operands()));
        return {};
    }

    ApiStatus check_distinct(const Condition& condition) {
        if (condition.operands.size() != 2) return {};
        const Operand& a = condition.operands[0];
        const Operand& b = condition.operands[1];
        if (a.kind != Operand::Kind::Path || b.kind != Operand::Kind::Path || a.path != b.path)
            return {};
        return in_.invalid(
            fmt::format("The first operand must be distinct from the remaining operands for this "
                        "operator or function; operator: {}, first operand: {}",
                        operator_name(condition.kind), a.path.text()));
    }

    ApiStatus count_operator() {
        if (++operators_ <= limits::kExpressionOperators) return {};
        return in_.invalid(
            fmt::format("The expression contains too many operators; operator limit: {}",
                        limits::kExpressionOperators));
    }

    std::unexpected<aws::ApiError> wrong_count(std::string_view name, std::size_t count) {
        return in_.invalid(
            fmt::format("Incorrect number of operands for operator or function; operator or "
                        "function: {}, number of operands: {}",
                        name, count));
    }

    std::unexpected<aws::ApiError> wrong_kind(std::string_view name, Attribute::Kind kind) {
        return in_.invalid(
            fmt::format("Incorrect operand type for operator or function; operator or function: "
                        "{}, operand type: {}",
                        name, kind_name(kind)));
    }

    ExpressionReader in_;
    std::size_t operators_ = 0;
};

}  // namespace

ApiResult<Condition> parse_condition(std::string_view text, std::string_view member,
                                     ExpressionScope& scope) {
    return ConditionParser(text, member, scope).whole();
}

}  // namespace tidemill::dynamodb
