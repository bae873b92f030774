#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "operators/sql/ast.h"
#include "operators/sql/token.h"

namespace tidemill::sql {

/// Walks over tokens for the parser: look, take, or say what was expected.
class TokenCursor {
 public:
    TokenCursor(std::string_view text, std::vector<Token> tokens)
        : text_(text), tokens_(std::move(tokens)) {}

    const Token& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }
    /// The last token taken; null at the beginning.
    const Token* previous() const { return at_ == 0 ? nullptr : &tokens_[at_ - 1]; }
    const Token& next() {
        const Token& token = tokens_[at_];
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    bool is_word(std::string_view word, std::size_t ahead = 0) const {
        return peek(ahead).is_word(word);
    }
    bool is_symbol(std::string_view symbol) const { return peek().is_symbol(symbol); }
    bool accept_word(std::string_view word);
    bool accept_symbol(std::string_view symbol);
    SqlResult<void> expect_word(std::string_view word);
    SqlResult<void> expect_symbol(std::string_view symbol);
    /// Any identifier; an unquoted one must not be reserved.
    SqlResult<ast::Name> expect_name(std::string_view what);
    SqlResult<std::string> expect_string(std::string_view what);
    SqlResult<std::int64_t> expect_integer(std::string_view what, std::int64_t low,
                                           std::int64_t high);

    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(text_, span, std::move(message)));
    }
    /// "Expected <what>, found <token>."
    std::unexpected<SqlError> expected(std::string_view what) const;
    /// The same where only the end fits; the word before may be a clause that is misspelt, which
    /// was taken for an alias.
    std::unexpected<SqlError> expected_end(std::string_view what) const;
    std::unexpected<SqlError> not_yet(Span span, std::string_view what) const;
    /// From `begin` to the last token taken.
    Span span_from(Span begin) const;

 private:
    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

/// Words that cannot be used as a name without quotes.
bool is_reserved(std::string_view word);

}  // namespace tidemill::sql
