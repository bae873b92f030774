#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/expression_reader.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

using aws::ApiResult;
using aws::ApiStatus;
using Kind = UpdateValue::Kind;

constexpr int kDepthMax = 20;  // of functions within functions

/// "STRING": another word for a kind, which only these messages have.
std::string_view long_name(Attribute::Kind kind) {
    static constexpr std::string_view kNames[] = {
        "STRING",     "NUMBER",     "BINARY",     "BOOLEAN", "NULL",
        "STRING_SET", "NUMBER_SET", "BINARY_SET", "LIST",    "MAP"};
    return kNames[static_cast<std::size_t>(kind)];
}

class UpdateParser {
 public:
    UpdateParser(std::string_view text, ExpressionScope& scope)
        : in_(text, "UpdateExpression", scope) {}

    ApiResult<Update> whole() {
        TRY(in_.start());
        while (!in_.is_at_end()) {
            if (in_.take_keyword("SET")) {
                TRY(section_of("SET", has_set_, [this] { return set(); }));
            } else if (in_.take_keyword("REMOVE")) {
                TRY(section_of("REMOVE", has_remove_, [this] { return remove(); }));
            } else if (in_.take_keyword("ADD")) {
                TRY(section_of("ADD", has_add_, [this] { return change("ADD", update_.adds); }));
            } else if (in_.take_keyword("DELETE")) {
                TRY(section_of("DELETE", has_delete_,
                               [this] { return change("DELETE", update_.deletes); }));
            } else {
                return in_.syntax_error_here();
            }
        }
        TRY(check_paths());
        return std::move(update_);
    }

 private:
    template <class Action>
    ApiStatus section_of(std::string_view name, bool& is_there, Action action) {
        if (is_there)
            return in_.invalid(fmt::format(
                "The \"{}\" section can only be used once in an update expression;", name));
        is_there = true;
        do {
            TRY(action());
        } while (in_.take_symbol(","));
        return {};
    }

    ApiStatus set() {
        ASSIGN(DocumentPath path, in_.path());
        TRY(in_.expect_symbol("="));
        ASSIGN(UpdateValue value, sum());
        update_.sets.push_back({std::move(path), std::move(value)});
        return {};
    }

    ApiStatus remove() {
        ASSIGN(DocumentPath path, in_.path());
        update_.removes.push_back(std::move(path));
        return {};
    }

    ApiStatus change(std::string_view section, std::vector<Update::Change>& to) {
        ASSIGN(DocumentPath path, in_.path());
        ASSIGN(Attribute value, in_.value());
        const bool is_add = section == "ADD";
        if (!value.is_set() && !(is_add && value.kind == Attribute::Kind::Number))
            return in_.invalid(fmt::format(
                "Incorrect operand type for operator or function; operator: {}, operand type: {}, "
                "typeSet: ALLOWED_FOR_{}_OPERAND",
                section, long_name(value.kind), section));
        to.push_back({std::move(path), std::move(value)});
        return {};
    }

    ApiResult<UpdateValue> sum() {
        const bool is_grouped = in_.take_symbol("(");
        ASSIGN(UpdateValue first, operand(0));
        for (const auto& [symbol, kind] :
             {std::pair{"+", Kind::Plus}, std::pair{"-", Kind::Minus}}) {
            if (!in_.take_symbol(symbol)) continue;
            ASSIGN(UpdateValue second, operand(0));
            UpdateValue made{.kind = kind};
            made.parts.push_back(std::move(first));
            made.parts.push_back(std::move(second));
            for (const auto& part : made.parts)
                if (part.kind == Kind::ListAppend ||
                    (part.kind == Kind::Value && part.value.kind != Attribute::Kind::Number))
                    return wrong_kind(symbol, part);
            if (is_grouped) TRY(in_.expect_symbol(")"));
            return made;
        }
        if (is_grouped) TRY(in_.expect_symbol(")"));
        return first;
    }

    ApiResult<UpdateValue> operand(int depth) {
        if (depth > kDepthMax) return in_.invalid("The expression is nested too deeply;");
        if (in_.take_symbol("(")) {
            ASSIGN(UpdateValue inner, operand(depth + 1));
            TRY(in_.expect_symbol(")"));
            return inner;
        }
        const Token word = in_.next();
        if (word.kind == Token::Kind::Value) {
            ASSIGN(Attribute value, in_.value());
            return UpdateValue{.kind = Kind::Value, .value = std::move(value)};
        }
        if (word.kind == Token::Kind::Identifier && in_.after_next().text == "(")
            return function(word, depth);
        ASSIGN(DocumentPath path, in_.path());
        return UpdateValue{.kind = Kind::Path, .path = std::move(path)};
    }

    ApiResult<UpdateValue> function(const Token& word, int depth) {
        in_.step();
        in_.step();
        std::vector<UpdateValue> arguments;
        do {
            ASSIGN(UpdateValue one, operand(depth + 1));
            arguments.push_back(std::move(one));
        } while (in_.take_symbol(","));
        TRY(in_.expect_symbol(")"));
        const bool is_append = word.text == "list_append";
        if (!is_append && word.text != "if_not_exists")
            return in_.invalid(fmt::format("Invalid function name; function: {}", word.text));
        if (arguments.size() != 2)
            return in_.invalid(
                fmt::format("Incorrect number of operands for operator or function; operator or "
                            "function: {}, number of operands: {}",
                            word.text, arguments.size()));
        UpdateValue made{.kind = is_append ? Kind::ListAppend : Kind::IfNotExists};
        if (is_append) {
            for (const auto& one : arguments)
                if (one.kind == Kind::Value && one.value.kind != Attribute::Kind::List)
                    return wrong_kind("list_append", one);
            made.parts = std::move(arguments);
            return made;
        }
        if (arguments[0].kind != Kind::Path)
            return in_.invalid(
                "Operator or function requires a document path; operator or function: "
                "if_not_exists");
        made.path = std::move(arguments[0].path);
        made.parts.push_back(std::move(arguments[1]));
        return made;
    }

    std::unexpected<aws::ApiError> wrong_kind(std::string_view name, const UpdateValue& value) {
        return in_.invalid(
            fmt::format("Incorrect operand type for operator or function; operator or function: "
                        "{}, operand type: {}",
                        name, value.kind == Kind::Value ? kind_name(value.value.kind) : "L"));
    }

    ApiStatus check_paths() {
        const auto paths = update_.paths();
        if (paths.size() > limits::kExpressionOperators)
            return in_.invalid(
                fmt::format("The expression contains too many operators; operator limit: {}",
                            limits::kExpressionOperators));
        for (std::size_t i = 0; i < paths.size(); ++i)
            for (std::size_t j = i + 1; j < paths.size(); ++j) {
                const auto clash = clash_of(paths[i], paths[j]);
                if (clash == PathClash::None) continue;
                return in_.invalid(fmt::format(
                    "Two document paths {} with each other; must remove or rewrite one of these "
                    "paths; path one: {}, path two: {}",
                    clash == PathClash::Overlap ? "overlap" : "conflict", paths[i].text(),
                    paths[j].text()));
            }
        return {};
    }

    ExpressionReader in_;
    Update update_;
    bool has_set_ = false, has_remove_ = false, has_add_ = false, has_delete_ = false;
};

}  // namespace

ApiResult<Update> parse_update(std::string_view text, ExpressionScope& scope) {
    return UpdateParser(text, scope).whole();
}

ApiResult<std::vector<DocumentPath>> parse_projection(std::string_view text,
                                                      ExpressionScope& scope) {
    ExpressionReader in(text, "ProjectionExpression", scope);
    TRY(in.start());
    std::vector<DocumentPath> paths;
    do {
        ASSIGN(DocumentPath path, in.path());
        for (const auto& other : paths) {
            const auto clash = clash_of(other, path);
            if (clash != PathClash::None)
                return in.invalid(fmt::format(
                    "Two document paths {} with each other; must remove or rewrite one of these "
                    "paths; path one: {}, path two: {}",
                    clash == PathClash::Overlap ? "overlap" : "conflict", other.text(),
                    path.text()));
        }
        paths.push_back(std::move(path));
    } while (in.take_symbol(","));
    if (!in.is_at_end()) return in.syntax_error_here();
    return paths;
}

}  // namespace tidemill::dynamodb
