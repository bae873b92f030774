#include "operators/sql/function_parser.h"

namespace tidemill::sql {

namespace {

// The clauses between RETURNS and RETURN, in any order; only the one about nulls changes anything.
SqlResult<void> characteristics(TokenCursor& tokens, ast::CreateFunction& function) {
    const auto all = [&](std::initializer_list<std::string_view> words) -> SqlResult<void> {
        for (const auto word : words)
            TRY(tokens.expect_word(word));
        return {};
    };
    while (!tokens.is_word("RETURN")) {
        if (tokens.accept_word("LANGUAGE")) {
            if (!tokens.is_word("SQL"))
                return tokens.failure(tokens.peek().span, "Functions are written in SQL only.");
            tokens.next();
        } else if (tokens.accept_word("SPECIFIC")) {
            TRY(tokens.expect_name("the specific name of the function"));
        } else if (tokens.accept_word("NOT")) {
            TRY(tokens.expect_word("DETERMINISTIC"));
        } else if (tokens.accept_word("DETERMINISTIC")) {
        } else if (tokens.accept_word("CONTAINS")) {
            TRY(tokens.expect_word("SQL"));
        } else if (tokens.is_word("READS") || tokens.is_word("MODIFIES")) {
            tokens.next();
            TRY(all({"SQL", "DATA"}));
        } else if (tokens.accept_word("RETURNS")) {
            TRY(all({"NULL", "ON", "NULL", "INPUT"}));
            function.is_null_on_null = true;
        } else if (tokens.accept_word("CALLED")) {
            TRY(all({"ON", "NULL", "INPUT"}));
            function.is_null_on_null = false;
        } else {
            return tokens.expected("RETURN and the expression of the function");
        }
    }
    return {};
}

}  // namespace

SqlResult<ast::CreateFunction> parse_function(TokenCursor& tokens, ExpressionParser& expressions) {
    ast::CreateFunction function;
    ASSIGN(function.name, tokens.expect_name("the name of the function"));
    TRY(tokens.expect_symbol("("));
    if (!tokens.is_symbol(")")) {
        do {
            ast::ColumnDefinition parameter;
            ASSIGN(parameter.name, tokens.expect_name("the name of a parameter"));
            ASSIGN(parameter.type, expressions.type());
            function.parameters.push_back(std::move(parameter));
        } while (tokens.accept_symbol(","));
    }
    TRY(tokens.expect_symbol(")"));
    TRY(tokens.expect_word("RETURNS"));
    ASSIGN(function.result, expressions.type());
    TRY(characteristics(tokens, function));
    tokens.next();
    ASSIGN(function.body, expressions.expression());
    return function;
}

}  // namespace tidemill::sql
