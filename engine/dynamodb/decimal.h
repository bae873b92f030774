#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/base/uint128.h"

namespace tidemill::dynamodb {

/// A number as DynamoDB has it: exact, decimal, up to 38 significant digits, zero or a magnitude of
/// 1E-130 to 9.99...E+125.
class Decimal {
 public:
    Decimal() = default;
    explicit Decimal(std::int64_t value);

    /// "-12.50", "1e3", ".5". Errors: ValidationException in DynamoDB's words.
    static aws::ApiResult<Decimal> parse(std::string_view text);
    /// Errors: ValidationException when the exact result is no Decimal.
    static aws::ApiResult<Decimal> add(const Decimal& a, const Decimal& b);

    Decimal negated() const;
    bool is_zero() const { return coefficient_ == 0; }
    bool is_negative() const { return is_negative_; }
    /// Without an exponent, without needless zeros.
    std::string text() const;
    /// Significant digits, trailing zeros not counted; 0 for zero.
    std::size_t digits() const;

    bool operator==(const Decimal&) const = default;
    std::strong_ordering operator<=>(const Decimal& other) const;

    /// Bytes that order as the numbers do, always kSortableBytes of them.
    std::string sortable() const;
    static constexpr std::size_t kSortableBytes = 19;

 private:
    /// The value is digits[0..] * 10^exponent, as integers after the first one. Errors: see parse.
    static aws::ApiResult<Decimal> make(bool is_negative, std::string digits,
                                        std::int64_t exponent);
    int magnitude() const;         ///< the exponent of the first digit
    uint128 left_aligned() const;  ///< the coefficient with 38 digits

    bool is_negative_ = false;
    int exponent_ = 0;
    uint128 coefficient_ = 0;  // no trailing zeros; 0 has no sign and exponent 0
};

}  // namespace tidemill::dynamodb
