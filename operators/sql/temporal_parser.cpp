#include <algorithm>
#include <array>

#include "operators/sql/expression_parser.h"

// PERIOD(a, b) [STRICTLY | IMMEDIATELY] PRECEDES PERIOD(c, d), chained without AND.
namespace tidemill::sql {

using ast::Expr;
using ast::ExprKind;
using ast::ExprPtr;

namespace {

constexpr std::array<std::string_view, 7> kPredicates = {
    "CONTAINS", "OVERLAPS", "EQUALS", "PRECEDES", "SUCCEEDS", "LEADS", "LAGS"};

bool is_predicate_word(const Token& token) {
    return token.kind == TokenKind::Word &&
           std::ranges::find(kPredicates, token.text) != kPredicates.end();
}

constexpr int kAboveComparison = 4;

}  // namespace

// None of the words is reserved: they count only behind a period, or before one.
bool ExpressionParser::starts_temporal(const Expr& left) const {
    const bool has_adverb = tokens_.is_word("STRICTLY") || tokens_.is_word("IMMEDIATELY");
    const std::size_t place = has_adverb ? 1 : 0;
    if (!is_predicate_word(tokens_.peek(place))) return false;
    return left.kind == ExprKind::Row || left.kind == ExprKind::Temporal ||
           (tokens_.is_word("PERIOD", place + 1) && tokens_.peek(place + 2).is_symbol("("));
}

SqlResult<ExprPtr> ExpressionParser::temporal_predicate(ExprPtr left) {
    const Span begin = left->span;
    std::string op;
    if (tokens_.is_word("STRICTLY") || tokens_.is_word("IMMEDIATELY"))
        op = tokens_.next().text + " ";
    const Token word = tokens_.next();
    const bool takes_strictly = word.text != "EQUALS";
    const bool takes_immediately =
        takes_strictly && word.text != "CONTAINS" && word.text != "OVERLAPS";
    if ((op == "STRICTLY " && !takes_strictly) || (op == "IMMEDIATELY " && !takes_immediately))
        return tokens_.failure(word.span, op + word.text + " is no predicate of periods.");
    op += word.text;
    if (left->kind != ExprKind::Temporal) {
        auto chain = std::make_unique<Expr>();
        chain->kind = ExprKind::Temporal;
        chain->args.push_back(std::move(left));
        left = std::move(chain);
    }
    left->op += (left->op.empty() ? "" : ",") + op;
    ASSIGN(auto right, expression(kAboveComparison));
    left->args.push_back(std::move(right));
    return finish(std::move(left), begin);
}

}  // namespace tidemill::sql
