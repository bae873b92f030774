#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::dynamodb {

/// A word of an expression, viewed where it stands.
struct Token {
    enum class Kind : std::uint8_t {
        Identifier,  ///< attribute names, functions and keywords alike
        Name,        ///< #n
        Value,       ///< :v
        Number,      ///< an index
        Symbol,      ///< = <> < <= > >= ( ) [ ] , . + -
        End,
        Bad  ///< a character that no expression has
    };
    Kind kind = Kind::End;
    std::string_view text;
    std::size_t at = 0;  ///< where it begins
};

/// All tokens and an End (or, as the last, a Bad). Pure. Ownership: views `text`.
std::vector<Token> tokens_of(std::string_view text);

/// In any case of its letters; `keyword` in capitals.
bool is_keyword(const Token& token, std::string_view keyword);
/// Source: the Developer Guide, "Reserved words in DynamoDB".
bool is_reserved_word(std::string_view name);

/// "Syntax error; token: "x", near: "a x b"".
std::string syntax_error(std::string_view text, const std::vector<Token>& tokens, std::size_t at);

}  // namespace tidemill::dynamodb
