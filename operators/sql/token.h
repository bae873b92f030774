#pragma once

#include <cstdint>
#include <string>

#include "operators/sql/sql_error.h"

namespace tidemill::sql {

enum class TokenKind : std::uint8_t {
    Word,    ///< unquoted identifier or keyword, folded to upper case
    Quoted,  ///< "identifier", case kept
    String,  ///< 'text', quotes undone
    Number,  ///< as written
    Symbol,
    End,
};

struct Token {
    TokenKind kind = TokenKind::End;
    std::string text;
    Span span;

    bool is_word(std::string_view word) const { return kind == TokenKind::Word && text == word; }
    bool is_symbol(std::string_view symbol) const {
        return kind == TokenKind::Symbol && text == symbol;
    }
    bool is_name() const { return kind == TokenKind::Word || kind == TokenKind::Quoted; }
    /// For "expected X, found ...".
    std::string describe() const;
};

}  // namespace tidemill::sql
