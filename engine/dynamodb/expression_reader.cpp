#include "engine/dynamodb/expression_reader.h"

#include <charconv>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {

using aws::ApiResult;
using aws::ApiStatus;

std::unexpected<aws::ApiError> ExpressionReader::invalid(std::string_view what) const {
    return aws::refuse("ValidationException", fmt::format("Invalid {}: {}", member_, what));
}

std::unexpected<aws::ApiError> ExpressionReader::syntax_error_here() const {
    return invalid(syntax_error(text_, tokens_, at_));
}

ApiStatus ExpressionReader::start() {
    if (text_.empty()) return invalid("The expression can not be empty;");
    if (text_.size() > limits::kExpressionBytes)
        return invalid(
            fmt::format("Expression size has exceeded the maximum allowed size; expression size: "
                        "{}",
                        text_.size()));
    tokens_ = tokens_of(text_);
    if (tokens_.back().kind != Token::Kind::Bad) return {};
    at_ = tokens_.size() - 1;
    return syntax_error_here();
}

bool ExpressionReader::take_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    step();
    return true;
}

bool ExpressionReader::take_keyword(std::string_view keyword) {
    if (!is_keyword(next(), keyword)) return false;
    step();
    return true;
}

ApiStatus ExpressionReader::expect_symbol(std::string_view symbol) {
    if (!take_symbol(symbol)) return syntax_error_here();
    return {};
}

ApiStatus ExpressionReader::check_parentheses() const {
    // Those of functions and of IN are no grouping.
    const auto is_grouping = [&](std::size_t at) {
        if (at == 0 || tokens_[at - 1].kind != Token::Kind::Identifier) return true;
        for (const std::string_view word : {"AND", "OR", "NOT", "BETWEEN"})
            if (is_keyword(tokens_[at - 1], word)) return true;
        return false;
    };
    std::vector<std::size_t> open;
    std::size_t closed = 0;  // where the pair began that has ended just before, + 1
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
        if (tokens_[at].text == "(") open.push_back(at);
        if (tokens_[at].text != ")" || open.empty()) {
            closed = 0;
            continue;
        }
        const std::size_t begin = open.back();
        open.pop_back();
        if (closed == begin + 2 && is_grouping(begin))
            return invalid("The expression has redundant parentheses;");
        closed = begin + 1;
    }
    return {};
}

ApiResult<std::string> ExpressionReader::path_name() {
    const Token token = next();
    if (token.kind == Token::Kind::Name) {
        step();
        const std::string* name = scope_.name(token.text);
        if (name == nullptr)
            return invalid(
                fmt::format("An expression attribute name used in the document path is not "
                            "defined; attribute name: {}",
                            token.text));
        return *name;
    }
    if (token.kind != Token::Kind::Identifier) return syntax_error_here();
    if (is_reserved_word(token.text))
        return invalid(
            fmt::format("Attribute name is a reserved keyword; reserved keyword: {}", token.text));
    step();
    return std::string(token.text);
}

ApiResult<DocumentPath> ExpressionReader::path() {
    DocumentPath path;
    ASSIGN(std::string top, path_name());
    path.steps.push_back({.name = std::move(top)});
    while (true) {
        if (take_symbol(".")) {
            ASSIGN(std::string name, path_name());
            path.steps.push_back({.name = std::move(name)});
        } else if (take_symbol("[")) {
            PathStep step_to{.is_index = true};
            const Token number = next();
            if (number.kind != Token::Kind::Number) return syntax_error_here();
            const char* end = number.text.data() + number.text.size();
            if (std::from_chars(number.text.data(), end, step_to.index).ec != std::errc{})
                return invalid("List index is not within the allowable range;");
            step();
            TRY(expect_symbol("]"));
            path.steps.push_back(std::move(step_to));
        } else {
            break;
        }
        if (path.steps.size() > limits::kNestingLevels + 1)
            return invalid("The document path has too many nesting levels;");
    }
    return path;
}

ApiResult<Attribute> ExpressionReader::value() {
    const Token token = next();
    if (token.kind != Token::Kind::Value) return syntax_error_here();
    const Attribute* found = scope_.value(token.text);
    if (found == nullptr)
        return invalid(
            fmt::format("An expression attribute value used in expression is not "
                        "defined; attribute value: {}",
                        token.text));
    step();
    return *found;
}

}  // namespace tidemill::dynamodb
