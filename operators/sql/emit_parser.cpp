#include "operators/sql/emit_parser.h"

#include "engine/base/result.h"
#include "operators/sql/expression_parser.h"
#include "operators/sql/printer.h"
#include "operators/sql/stream_options.h"

namespace tidemill::sql {

bool starts_emit(const TokenCursor& tokens) {
    if (!tokens.is_word("EMIT")) return false;
    for (const auto word : {"CHANGES", "ON", "PERIODIC", "AFTER"})
        if (tokens.is_word(word, 1)) return true;
    return false;
}

bool starts_select_options(const TokenCursor& tokens) {
    return tokens.is_word("WITH") && tokens.peek(1).is_symbol("(");
}

SqlResult<void> ExpressionParser::emit_clause(ast::Select& select) {
    if (tokens_.is_word("EMIT")) {
        ast::EmitClause emit;
        const Span begin = tokens_.next().span;
        const bool is_after = tokens_.accept_word("AFTER");
        if (is_after || tokens_.accept_word("ON")) {
            if (!is_after && tokens_.accept_word("UPDATE")) {
                emit.kind = ast::EmitKind::Changes;
            } else {
                if (!tokens_.accept_word("WINDOW"))
                    return tokens_.expected(is_after ? "WINDOW CLOSE" : "UPDATE or WINDOW CLOSE");
                TRY(tokens_.expect_word("CLOSE"));
                emit.kind = ast::EmitKind::WindowClose;
            }
        } else if (tokens_.accept_word("PERIODIC")) {
            if (!tokens_.is_word("INTERVAL")) return tokens_.expected("INTERVAL '...' unit");
            ASSIGN(const auto length, interval_literal());
            if (length->literal.bits <= 0)
                return tokens_.failure(length->span,
                                       "EMIT PERIODIC needs an interval longer than nothing.");
            emit.kind = ast::EmitKind::Periodic;
            emit.millis = length->literal.bits;
        } else if (!tokens_.accept_word("CHANGES")) {
            return tokens_.expected("CHANGES, ON UPDATE, ON WINDOW CLOSE or PERIODIC");
        }
        emit.span = tokens_.span_from(begin);
        select.emit = emit;
    }
    if (starts_select_options(tokens_)) {
        ASSIGN(select.options, parse_stream_options(tokens_));
    }
    return {};
}

std::string print_emit(const ast::Select& select) {
    std::string text;
    if (select.emit) switch (select.emit->kind) {
            case ast::EmitKind::Changes:
                text = " EMIT CHANGES";
                break;
            case ast::EmitKind::WindowClose:
                text = " EMIT ON WINDOW CLOSE";
                break;
            case ast::EmitKind::Periodic: {
                ast::Expr length;
                length.literal = Value::integer(select.emit->millis,
                                                Type::interval(TimeUnit::Day, TimeUnit::Second));
                text = " EMIT PERIODIC " + print(length);
                break;
            }
        }
    return text + print_stream_options(select.options);
}

}  // namespace tidemill::sql
