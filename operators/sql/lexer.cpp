#include "operators/sql/lexer.h"

#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

class Lexer {
 public:
    explicit Lexer(std::string_view text) : text_(text) {}

    SqlResult<std::vector<Token>> run() {
        if (text_.size() > kMaxSqlTextBytes)
            return failure({0, 0}, fmt::format("The SQL text has {} bytes; at most {} are allowed.",
                                               text_.size(), kMaxSqlTextBytes));
        for (;;) {
            if (auto skipped = skip_blanks(); !skipped)
                return std::unexpected(std::move(skipped).error());
            Token token;
            const std::size_t begin = at_;
            if (at_ < text_.size()) {
                if (auto read = read_token(token); !read)
                    return std::unexpected(std::move(read).error());
            }
            token.span = {begin, at_};
            tokens_.push_back(std::move(token));
            if (tokens_.back().kind == TokenKind::End) return std::move(tokens_);
        }
    }

 private:
    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(text_, span, std::move(message)));
    }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    bool starts_with(std::string_view word) const { return text_.substr(at_).starts_with(word); }

    SqlResult<void> skip_blanks() {
        while (at_ < text_.size()) {
            if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
                ++at_;
            } else if (starts_with("--") || starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (starts_with("/*")) {
                const auto end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos)
                    return failure({at_, at_ + 2}, "This comment has no end; expected */.");
                at_ = end + 2;
            } else {
                break;
            }
        }
        return {};
    }

    SqlResult<void> read_token(Token& token) {
        const char c = peek();
        if (c == '\'' || c == '"') return read_quoted(token, c);
        if (upper(c) == 'U' && peek(1) == '&' && peek(2) == '\'') return read_unicode(token);
        if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number(token);
        if (is_letter(c)) {
            token.kind = TokenKind::Word;
            while (is_letter(peek()) || is_digit(peek()) || peek() == '$')
                token.text += upper(text_[at_++]);
            return {};
        }
        return read_symbol(token);
    }

    // A doubled quote stands for one.
    SqlResult<void> read_quoted(Token& token, char quote) {
        const std::size_t begin = at_++;
        token.kind = quote == '"' ? TokenKind::Quoted : TokenKind::String;
        for (;; ++at_) {
            if (at_ >= text_.size())
                return failure({begin, begin + 1},
                               quote == '"' ? "This quoted name has no end; expected \"."
                                            : "This text literal has no end; expected '.");
            if (text_[at_] == quote) {
                if (peek(1) != quote) break;
                ++at_;
            }
            token.text += text_[at_];
        }
        ++at_;
        if (token.kind == TokenKind::Quoted && token.text.empty())
            return failure({begin, at_}, "A quoted name must not be empty.");
        return {};
    }

    // U&'\0009': a backslash and four digits, or \+ and six, stand for a character.
    SqlResult<void> read_unicode(Token& token) {
        const std::size_t begin = at_;
        at_ += 2;
        if (auto read = read_quoted(token, '\''); !read) return read;
        std::string text;
        for (std::size_t i = 0; i < token.text.size(); ++i) {
            if (token.text[i] != '\\') {
                text += token.text[i];
                continue;
            }
            if (token.text.substr(i + 1, 1) == "\\") {
                text += token.text[++i];
                continue;
            }
            const bool is_long = token.text.substr(i + 1, 1) == "+";
            const auto digits = token.text.substr(i + (is_long ? 2 : 1), is_long ? 6 : 4);
            std::uint32_t code = 0;
            const auto* end = digits.data() + digits.size();
            const bool is_good = digits.size() == (is_long ? 6u : 4u) &&
                                 std::from_chars(digits.data(), end, code, 16).ptr == end &&
                                 code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
            if (!is_good)
                return failure({begin, at_},
                               "A \\ in U&'...' takes four hexadecimal digits, or + and six.");
            append_character(text, code);
            i += digits.size() + (is_long ? 1 : 0);
        }
        token.text = std::move(text);
        return {};
    }
    static void append_character(std::string& to, std::uint32_t code) {
        const auto put = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
        if (code < 0x80) return put(code);
        if (code < 0x800) {
            put(0xc0 | code >> 6);
        } else if (code < 0x10000) {
            put(0xe0 | code >> 12);
            put(0x80 | (code >> 6 & 0x3f));
        } else {
            put(0xf0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3f));
            put(0x80 | (code >> 6 & 0x3f));
        }
        put(0x80 | (code & 0x3f));
    }

    SqlResult<void> read_number(Token& token) {
        token.kind = TokenKind::Number;
        const std::size_t begin = at_;
        while (is_digit(peek()))
            ++at_;
        if (peek() == '.') {
            ++at_;
            while (is_digit(peek()))
                ++at_;
        }
        const bool has_sign = peek(1) == '+' || peek(1) == '-';
        if ((peek() == 'e' || peek() == 'E') && is_digit(peek(has_sign ? 2 : 1))) {
            at_ += has_sign ? 2 : 1;
            while (is_digit(peek()))
                ++at_;
        }
        token.text = text_.substr(begin, at_ - begin);
        if (is_letter(peek()))
            return failure({begin, at_ + 1},
                           fmt::format("The number {} runs into a letter.", token.text));
        return {};
    }

    SqlResult<void> read_symbol(Token& token) {
        static constexpr std::array<std::string_view, 22> kSymbols = {
            "<>", "!=", "<=", ">=", "||", "(", ")", ",", ".", ";", "*",
            "+",  "-",  "/",  "%",  "=",  "<", ">", "[", "]", "?", ":"};
        for (const auto symbol : kSymbols)
            if (starts_with(symbol)) {
                token.kind = TokenKind::Symbol;
                token.text = symbol == "!=" ? "<>" : symbol;
                at_ += symbol.size();
                return {};
            }
        return failure(
            {at_, at_ + 1},
            fmt::format("The character '{}' starts nothing that SQL knows.", text_[at_]));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

}  // namespace

std::string Token::describe() const {
    switch (kind) {
        case TokenKind::End:
            return "the end of the text";
        case TokenKind::String:
            return "'" + text + "'";
        case TokenKind::Quoted:
            return "\"" + text + "\"";
        default:
            return text;
    }
}

SqlResult<std::vector<Token>> lex(std::string_view sql_text) { return Lexer(sql_text).run(); }

}  // namespace tidemill::sql
