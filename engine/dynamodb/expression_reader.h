#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/aws/api_error.h"
#include "engine/dynamodb/document_path.h"
#include "engine/dynamodb/expression_lexer.h"
#include "engine/dynamodb/expression_scope.h"

namespace tidemill::dynamodb {

/// What the parsers of all expressions share: the tokens, where they stand, placeholders, paths.
class ExpressionReader {
 public:
    /// Ownership: all are the caller's.
    ExpressionReader(std::string_view text, std::string_view member, ExpressionScope& scope)
        : text_(text), member_(member), scope_(scope) {}

    /// Reads the tokens. Errors: an empty or too large expression, a foreign character.
    aws::ApiStatus start();

    const Token& next() const { return tokens_[at_]; }
    const Token& after_next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    void step() { at_ = std::min(at_ + 1, tokens_.size() - 1); }
    bool is_at_end() const { return next().kind == Token::Kind::End; }
    bool is_symbol(std::string_view symbol) const {
        return next().kind == Token::Kind::Symbol && next().text == symbol;
    }
    /// Steps over it when it is next.
    bool take_symbol(std::string_view symbol);
    bool take_keyword(std::string_view keyword);
    aws::ApiStatus expect_symbol(std::string_view symbol);

    /// For looking ahead.
    std::size_t position() const { return at_; }
    void go_to(std::size_t position) { at_ = position; }
    /// Errors: a pair of parentheses around nothing but another pair.
    aws::ApiStatus check_parentheses() const;

    /// "a.#b[2]".
    aws::ApiResult<DocumentPath> path();
    /// ":v".
    aws::ApiResult<Attribute> value();

    /// "Invalid ConditionExpression: " and `what`.
    std::unexpected<aws::ApiError> invalid(std::string_view what) const;
    std::unexpected<aws::ApiError> syntax_error_here() const;

 private:
    aws::ApiResult<std::string> path_name();

    std::string_view text_, member_;
    ExpressionScope& scope_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace tidemill::dynamodb
