#include "operators/sql/emit_parser.h"

#include "engine/base/result.h"
#include "operators/sql/stream_options.h"

namespace tidemill::sql {

bool starts_emit(const TokenCursor& tokens) {
    return tokens.is_word("EMIT") && (tokens.is_word("CHANGES", 1) || tokens.is_word("ON", 1));
}

bool starts_select_options(const TokenCursor& tokens) {
    return tokens.is_word("WITH") && tokens.peek(1).is_symbol("(");
}

SqlResult<void> parse_emit(TokenCursor& tokens, ast::Select& select) {
    if (tokens.is_word("EMIT")) {
        ast::EmitClause emit;
        const Span begin = tokens.next().span;
        if (tokens.accept_word("ON")) {
            if (!tokens.accept_word("UPDATE")) return tokens.expected("UPDATE");
        } else if (!tokens.accept_word("CHANGES")) {
            return tokens.expected("CHANGES or ON UPDATE");
        }
        emit.span = tokens.span_from(begin);
        select.emit = emit;
    }
    if (starts_select_options(tokens)) {
        ASSIGN(select.options, parse_stream_options(tokens));
    }
    return {};
}

std::string print_emit(const ast::Select& select) {
    return (select.emit ? " EMIT CHANGES" : "") + print_stream_options(select.options);
}

}  // namespace tidemill::sql
