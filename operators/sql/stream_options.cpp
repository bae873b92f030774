#include "operators/sql/stream_options.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {
namespace {

constexpr std::size_t kOptionsMax = 100;
constexpr unsigned kParallelismMax = 64;

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return result;
}

SqlResult<ast::StreamOption> option(TokenCursor& tokens) {
    ast::StreamOption option;
    const Token name = tokens.peek();
    if (!name.is_name()) return tokens.expected("the name of an option");
    tokens.next();
    option.name = {name.text, name.kind == TokenKind::Quoted, name.span};
    tokens.accept_symbol("=");
    const Span begin = tokens.peek().span;
    const bool is_negative = tokens.accept_symbol("-");
    const Token value = tokens.peek();
    if (value.kind != TokenKind::Number &&
        (is_negative || (value.kind != TokenKind::String && value.kind != TokenKind::Word)))
        return tokens.expected("a value: text in quotes, a number or a word");
    tokens.next();
    option.value = (is_negative ? "-" : "") + value.text;
    option.is_string = value.kind == TokenKind::String;
    option.value_span = Span::join(begin, value.span);
    return option;
}

}  // namespace

SqlResult<std::vector<ast::StreamOption>> parse_stream_options(TokenCursor& tokens) {
    std::vector<ast::StreamOption> options;
    if (!tokens.accept_word("WITH") && !tokens.accept_word("OPTIONS")) return options;
    TRY(tokens.expect_symbol("("));
    do {
        ASSIGN(auto next, option(tokens));
        for (const auto& other : options)
            if (upper(other.name.text) == upper(next.name.text))
                return tokens.failure(next.name.span,
                                      fmt::format("The option {} is given twice.", next.name.text));
        if (options.size() == kOptionsMax)
            return tokens.failure(next.name.span,
                                  fmt::format("A stream has at most {} options.", kOptionsMax));
        options.push_back(std::move(next));
    } while (tokens.accept_symbol(","));
    if (!tokens.accept_symbol(")")) return tokens.expected("',' or ')'");
    return options;
}

std::string print_stream_options(const std::vector<ast::StreamOption>& options) {
    std::string text;
    for (const auto& option : options) {
        text += text.empty() ? " WITH (" : ", ";
        text += print_name(option.name.text) + " = ";
        if (!option.is_string) {
            text += option.value;
            continue;
        }
        text += '\'';
        for (const char c : option.value)
            text += c == '\'' ? "''" : std::string(1, c);
        text += '\'';
    }
    return text.empty() ? text : text + ")";
}

const ast::StreamOption* find_option(const ast::CreateStream& create, std::string_view name) {
    for (const auto& option : create.options)
        if (upper(option.name.text) == name) return &option;
    return nullptr;
}

bool is_source(const ast::CreateStream& create) { return find_option(create, "SOURCE") != nullptr; }

std::vector<std::string> source_stream_names(const ast::CreateStream& create) {
    const auto* given = find_option(create, "PARALLELISM");
    if (given == nullptr) return {create.name.text};
    unsigned count = 1;
    std::from_chars(given->value.data(), given->value.data() + given->value.size(), count);
    std::vector<std::string> names;
    for (unsigned i = 1; i <= std::clamp(count, 1u, kParallelismMax); ++i)
        names.push_back(fmt::format("{}_{:03}", create.name.text, i));
    return names;
}

}  // namespace tidemill::sql
