#include "engine/dynamodb/expression_lexer.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::dynamodb {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Token next_token(std::string_view text, std::size_t at) {
    const auto run = [&](std::size_t from, auto belongs) {
        while (from < text.size() && belongs(text[from]))
            ++from;
        return from;
    };
    const auto is_part = [](char c) { return is_letter(c) || is_digit(c); };
    const auto token = [&](Token::Kind kind, std::size_t end) {
        return Token{kind, text.substr(at, end - at), at};
    };
    const char c = text[at];
    if (is_letter(c)) return token(Token::Kind::Identifier, run(at, is_part));
    if (is_digit(c)) return token(Token::Kind::Number, run(at, is_digit));
    if (c == '#' || c == ':') {
        const std::size_t end = run(at + 1, is_part);
        if (end == at + 1) return token(Token::Kind::Bad, end);
        return token(c == '#' ? Token::Kind::Name : Token::Kind::Value, end);
    }
    for (const std::string_view two : {"<>", "<=", ">="})
        if (text.substr(at).starts_with(two)) return token(Token::Kind::Symbol, at + 2);
    if (std::string_view("=<>()[],.+-").find(c) != std::string_view::npos)
        return token(Token::Kind::Symbol, at + 1);
    return token(Token::Kind::Bad, at + 1);
}

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    for (std::size_t at = 0;;) {
        while (at < text.size() && is_space(text[at]))
            ++at;
        if (at == text.size()) break;
        tokens.push_back(next_token(text, at));
        if (tokens.back().kind == Token::Kind::Bad) return tokens;
        at += tokens.back().text.size();
    }
    tokens.push_back({Token::Kind::End, text.substr(text.size()), text.size()});
    return tokens;
}

bool is_keyword(const Token& token, std::string_view keyword) {
    return token.kind == Token::Kind::Identifier &&
           std::ranges::equal(token.text, keyword, [](char a, char b) {
               return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 32) : a) == b;
           });
}

std::string syntax_error(std::string_view text, const std::vector<Token>& tokens, std::size_t at) {
    const Token& token = tokens[std::min(at, tokens.size() - 1)];
    const std::size_t from = at > 0 ? tokens[std::min(at, tokens.size() - 1) - 1].at : token.at;
    std::size_t end = token.at + token.text.size();
    if (at + 1 < tokens.size()) end = tokens[at + 1].at + tokens[at + 1].text.size();
    return fmt::format("Syntax error; token: \"{}\", near: \"{}\"",
                       token.kind == Token::Kind::End ? "<EOF>" : token.text,
                       text.substr(from, end - from));
}

}  // namespace tidemill::dynamodb
