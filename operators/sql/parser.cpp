#include "operators/sql/parser.h"

#include <fmt/format.h>

#include "operators/sql/expression_parser.h"
#include "operators/sql/foreign_statement.h"
#include "operators/sql/function_parser.h"
#include "operators/sql/lexer.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/stream_options.h"

namespace tidemill::sql {

namespace {

class StatementParser {
 public:
    explicit StatementParser(TokenCursor& tokens) : tokens_(tokens), expressions_(tokens) {}

    SqlResult<std::vector<ast::Statement>> run() {
        std::vector<ast::Statement> statements;
        for (;;) {
            while (tokens_.accept_symbol(";")) {
            }
            if (tokens_.peek().kind == TokenKind::End) return statements;
            const Span begin = tokens_.peek().span;
            ASSIGN(auto statement, one());
            if (tokens_.peek().kind != TokenKind::End && !tokens_.is_symbol(";"))
                return tokens_.expected_end("';' or the end of the text");
            statement.span = tokens_.span_from(begin);
            statements.push_back(std::move(statement));
        }
    }

 private:
    SqlResult<ast::Statement> one() {
        const Token first = tokens_.peek();
        if (const auto instead = instead_of_statement(first.text);
            first.kind == TokenKind::Word && !instead.empty())
            return tokens_.failure(first.span, std::string(instead));
        if (!tokens_.accept_word("CREATE")) {
            const std::string create[] = {"CREATE"};
            return tokens_.failure(first.span,
                                   fmt::format("Expected CREATE, found {}.{}", first.describe(),
                                               did_you_mean(first.text, create)));
        }
        bool or_replace = false;
        if (tokens_.accept_word("OR")) {
            TRY(tokens_.expect_word("REPLACE"));
            or_replace = true;
        }
        if (tokens_.accept_word("STREAM")) return create_stream(or_replace);
        if (tokens_.accept_word("PUMP")) return create_pump(or_replace);
        if (tokens_.accept_word("FUNCTION")) {
            ASSIGN(auto function, parse_function(tokens_, expressions_));
            function.or_replace = or_replace;
            return ast::Statement{std::move(function), {}};
        }
        if (const auto instead = instead_of_create(tokens_.peek().text);
            tokens_.peek().kind == TokenKind::Word && !instead.empty())
            return tokens_.failure(tokens_.peek().span, std::string(instead));
        if (tokens_.accept_word("TABLE")) return create_table(or_replace);
        const std::string kinds[] = {"STREAM", "PUMP", "FUNCTION", "TABLE"};
        return tokens_.failure(
            tokens_.peek().span,
            fmt::format("Expected STREAM, PUMP, FUNCTION or TABLE, found {}.{}",
                        tokens_.peek().describe(), did_you_mean(tokens_.peek().text, kinds)));
    }

    SqlResult<std::optional<std::string>> description() {
        std::optional<std::string> text;
        if (tokens_.accept_word("DESCRIPTION")) {
            ASSIGN(text, tokens_.expect_string("the description in quotes"));
        }
        return text;
    }

    SqlResult<ast::Statement> create_stream(bool or_replace) {
        ast::CreateStream create;
        create.or_replace = or_replace;
        ASSIGN(create.name, tokens_.expect_name("the name of the stream"));
        // A source may leave its columns to be found.
        if (tokens_.is_word("WITH") || tokens_.is_word("OPTIONS")) return finish_stream(create);
        TRY(columns(create));
        return finish_stream(create);
    }

    // Rows come from a file, so columns may be found there.
    SqlResult<ast::Statement> create_table(bool or_replace) {
        ast::CreateTable create;
        auto& definition = create.definition;
        definition.or_replace = or_replace;
        ASSIGN(definition.name, tokens_.expect_name("the name of the table"));
        if (!tokens_.is_word("WITH") && !tokens_.is_word("OPTIONS")) TRY(columns(definition));
        ASSIGN(definition.description, description());
        if (!tokens_.is_word("WITH") && !tokens_.is_word("OPTIONS"))
            return tokens_.expected("WITH (file = '...')");
        ASSIGN(definition.options, parse_stream_options(tokens_));
        if (!definition.description) {
            ASSIGN(definition.description, description());
        }
        return ast::Statement{std::move(create), {}};
    }

    SqlResult<void> columns(ast::CreateStream& create) {
        TRY(tokens_.expect_symbol("("));
        do {
            if (tokens_.is_word("WATERMARK") && tokens_.is_word("FOR", 1)) {
                TRY(watermark(create));
                continue;
            }
            ast::ColumnDefinition column;
            ASSIGN(column.name, tokens_.expect_name("the name of a column"));
            ASSIGN(column.type, expressions_.type());
            if (tokens_.accept_word("NOT")) {
                TRY(tokens_.expect_word("NULL"));
                column.is_not_null = true;
            } else {
                tokens_.accept_word("NULL");
            }
            if (tokens_.accept_word("PATH")) {
                ASSIGN(column.path, tokens_.expect_string("a path in quotes, like '$.a.b'"));
            }
            create.columns.push_back(std::move(column));
        } while (tokens_.accept_symbol(","));
        if (!tokens_.accept_symbol(")")) return tokens_.expected("',' or ')'");
        return {};
    }

    SqlResult<void> watermark(ast::CreateStream& create) {
        const Span begin = tokens_.next().span;
        if (create.watermark) return tokens_.failure(begin, "A stream has one WATERMARK.");
        tokens_.next();
        ast::WatermarkClause clause;
        ASSIGN(clause.column, tokens_.expect_name("the column of the event time"));
        TRY(tokens_.expect_word("AS"));
        const Span again = tokens_.peek().span;
        ASSIGN(const auto same, tokens_.expect_name("the same column"));
        if (same.text != clause.column.text)
            return tokens_.failure(
                again,
                "A watermark is its column, or INTERVAL '...' SECOND or the like before it.");
        if (tokens_.accept_symbol("-")) {
            ASSIGN(const auto length, expressions_.expression());
            if (length->kind != ast::ExprKind::Literal || length->literal.bits < 0 ||
                length->literal.type.kind != TypeKind::Interval)
                return tokens_.failure(
                    length->span, "A watermark lies INTERVAL '...' SECOND or the like behind.");
            clause.millis = length->literal.bits;
        }
        clause.span = tokens_.span_from(begin);
        create.watermark = std::move(clause);
        return {};
    }

    SqlResult<ast::Statement> finish_stream(ast::CreateStream& create) {
        ASSIGN(create.description, description());
        ASSIGN(create.options, parse_stream_options(tokens_));
        if (!create.description) {
            ASSIGN(create.description, description());
        }
        if (create.columns.empty() && !is_source(create))
            return tokens_.failure(
                create.name.span,
                "A stream needs columns; only one WITH (source = ...) may leave them out.");
        return ast::Statement{std::move(create), {}};
    }

    SqlResult<ast::Statement> create_pump(bool or_replace) {
        ast::CreatePump create;
        create.or_replace = or_replace;
        ASSIGN(create.name, tokens_.expect_name("the name of the pump"));
        create.is_stopped = tokens_.accept_word("STOPPED");
        if (!create.is_stopped) tokens_.accept_word("STARTED");
        ASSIGN(create.description, description());
        TRY(tokens_.expect_word("AS"));
        TRY(tokens_.expect_word("INSERT"));
        TRY(tokens_.expect_word("INTO"));
        ASSIGN(create.target, tokens_.expect_name("the name of a stream"));
        if (tokens_.accept_symbol("(")) {
            do {
                ASSIGN(auto column, tokens_.expect_name("the name of a column"));
                create.columns.push_back(std::move(column));
            } while (tokens_.accept_symbol(","));
            TRY(tokens_.expect_symbol(")"));
        }
        if (!tokens_.is_word("SELECT")) return tokens_.expected("SELECT");
        ASSIGN(create.select, expressions_.select());
        return ast::Statement{std::move(create), {}};
    }

    TokenCursor& tokens_;
    ExpressionParser expressions_;
};

}  // namespace

SqlResult<std::vector<ast::Statement>> parse(std::string_view sql_text) {
    ASSIGN(auto tokens, lex(sql_text));
    TokenCursor cursor(sql_text, std::move(tokens));
    return StatementParser(cursor).run();
}

SqlResult<ast::ExprPtr> parse_expression(std::string_view sql_text) {
    ASSIGN(auto tokens, lex(sql_text));
    TokenCursor cursor(sql_text, std::move(tokens));
    ASSIGN(auto expr, ExpressionParser(cursor).expression());
    if (cursor.peek().kind != TokenKind::End) return cursor.expected("the end of the expression");
    return expr;
}

SqlResult<ast::SelectPtr> parse_select(std::string_view sql_text) {
    ASSIGN(auto tokens, lex(sql_text));
    TokenCursor cursor(sql_text, std::move(tokens));
    ASSIGN(auto select, ExpressionParser(cursor).select());
    if (cursor.peek().kind != TokenKind::End) return cursor.expected_end("the end of the query");
    return select;
}

}  // namespace tidemill::sql
