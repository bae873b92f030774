#include "operators/expr/monotonicity.h"

#include <algorithm>

namespace tidemill::sql {

namespace {

// -1, 0, 1; nothing for what is no literal number.
std::optional<int> sign_of(const Expression& expression) {
    const auto* literal = dynamic_cast<const Literal*>(&expression);
    if (literal == nullptr || literal->value().is_null) return std::nullopt;
    const auto& value = literal->value();
    if (value.type.storage() == Storage::Double)
        return value.as_double() > 0 ? 1 : value.as_double() < 0 ? -1 : 0;
    if (value.type.storage() == Storage::Integer)
        return value.bits > 0 ? 1 : value.bits < 0 ? -1 : 0;
    return std::nullopt;
}

Monotonicity by_sign(Monotonicity monotonicity, std::optional<int> sign) {
    if (!sign || monotonicity == Monotonicity::None) return Monotonicity::None;
    if (*sign == 0) return Monotonicity::Constant;
    return *sign > 0 ? monotonicity : reversed(monotonicity);
}

}  // namespace

Monotonicity reversed(Monotonicity monotonicity) {
    if (monotonicity == Monotonicity::Ascending) return Monotonicity::Descending;
    if (monotonicity == Monotonicity::Descending) return Monotonicity::Ascending;
    return monotonicity;
}

Monotonicity monotonicity_of_arithmetic(char op, const Expression& left, const Expression& right) {
    const auto a = left.monotonicity;
    const auto b = op == '-' ? reversed(right.monotonicity) : right.monotonicity;
    switch (op) {
        case '+':
        case '-':
            if (a == Monotonicity::Constant) return b;
            if (b == Monotonicity::Constant || a == b) return a;
            return Monotonicity::None;
        case '*':
            if (a == Monotonicity::Constant && b == Monotonicity::Constant) return a;
            return a == Monotonicity::Constant ? by_sign(b, sign_of(left))
                                               : by_sign(a, sign_of(right));
        case '/':
            return by_sign(a, sign_of(right));
        default:
            return Monotonicity::None;
    }
}

Monotonicity monotonicity_of_call(std::string_view name, const std::vector<ExpressionPtr>& args) {
    const auto is_constant = [](const auto& arg) {
        return arg->monotonicity == Monotonicity::Constant;
    };
    if (args.empty()) {
        const bool wraps = name == "CURRENT_TIME" || name == "LOCALTIME";
        return wraps ? Monotonicity::None : Monotonicity::Ascending;
    }
    if (std::ranges::all_of(args, is_constant)) return Monotonicity::Constant;
    for (const std::string_view keeper :
         {"STEP", "FLOOR", "CEIL", "$FLOOR_TO", "$CEIL_TO", "UNIX_TIMESTAMP", "TO_TIMESTAMP"})
        if (name == keeper && std::all_of(args.begin() + 1, args.end(), is_constant))
            return args[0]->monotonicity;
    // A prefix of an ascending text ascends.
    const auto* from = name == "SUBSTRING" || name == "SUBSTR"
                           ? dynamic_cast<const Literal*>(args[1].get())
                           : nullptr;
    if (from != nullptr && from->value().bits <= 1 &&
        std::all_of(args.begin() + 1, args.end(), is_constant))
        return args[0]->monotonicity;
    return Monotonicity::None;
}

}  // namespace tidemill::sql
