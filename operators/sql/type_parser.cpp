#include <fmt/format.h>

#include "operators/sql/expression_parser.h"
#include "operators/sql/nearest_name.h"

namespace tidemill::sql {

namespace {

struct TypeWord {
    std::string_view word;
    TypeKind kind;
};
constexpr TypeWord kTypeWords[] = {
    {"BOOLEAN", TypeKind::Boolean},     {"TINYINT", TypeKind::TinyInt},
    {"SMALLINT", TypeKind::SmallInt},   {"INTEGER", TypeKind::Integer},
    {"INT", TypeKind::Integer},         {"BIGINT", TypeKind::BigInt},
    {"DECIMAL", TypeKind::Decimal},     {"DEC", TypeKind::Decimal},
    {"NUMERIC", TypeKind::Decimal},     {"REAL", TypeKind::Real},
    {"DOUBLE", TypeKind::Double},       {"FLOAT", TypeKind::Double},
    {"CHAR", TypeKind::Char},           {"CHARACTER", TypeKind::Char},
    {"VARCHAR", TypeKind::Varchar},     {"BINARY", TypeKind::Binary},
    {"VARBINARY", TypeKind::Varbinary}, {"DATE", TypeKind::Date},
    {"TIME", TypeKind::Time},           {"TIMESTAMP", TypeKind::Timestamp}};

}  // namespace

SqlResult<Type> ExpressionParser::type() {
    const Token token = tokens_.peek();
    const TypeWord* found = nullptr;
    std::vector<std::string> words;
    for (const auto& entry : kTypeWords) {
        if (token.is_word(entry.word)) found = &entry;
        words.emplace_back(entry.word);
    }
    if (token.is_word("INTERVAL"))
        return tokens_.failure(token.span,
                               "INTERVAL is a type of expressions only, not of columns.");
    if (found == nullptr)
        return tokens_.failure(token.span,
                               fmt::format("Expected a type, found {}.{}", token.describe(),
                                           did_you_mean(token.text, words)));
    tokens_.next();
    Type type = found->kind;
    if (token.is_word("DOUBLE")) tokens_.accept_word("PRECISION");
    if (token.is_word("CHARACTER") && tokens_.accept_word("VARYING")) type = TypeKind::Varchar;
    const bool has_parentheses = tokens_.accept_symbol("(");
    if (type.storage() == Storage::Text) {
        const bool is_varying = type.kind == TypeKind::Varchar || type.kind == TypeKind::Varbinary;
        type.length = is_varying ? kMaxTextLength : 1;
        if (has_parentheses) {
            ASSIGN(const auto length, tokens_.expect_integer("the length", 1, kMaxTextLength));
            type.length = static_cast<std::uint32_t>(length);
        }
    } else if (type.kind == TypeKind::Decimal) {
        type = Type::decimal(kMaxDecimalPrecision, 0);
        if (has_parentheses) {
            ASSIGN(const auto precision,
                   tokens_.expect_integer("the precision", 1, kMaxDecimalPrecision));
            std::int64_t scale = 0;
            if (tokens_.accept_symbol(",")) {
                ASSIGN(scale, tokens_.expect_integer("the scale", 0,
                                                     std::min<std::int64_t>(precision, 18)));
            }
            type = Type::decimal(static_cast<std::uint8_t>(precision),
                                 static_cast<std::uint8_t>(scale));
        }
    } else if (has_parentheses) {
        // TIMESTAMP(3), FLOAT(53): a precision that changes nothing here.
        TRY(tokens_.expect_integer("a precision", 0, 64));
    }
    if (has_parentheses) TRY(tokens_.expect_symbol(")"));
    return type;
}

}  // namespace tidemill::sql
