#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "operators/vector/time_text.h"
#include "operators/vector/type.h"

namespace tidemill::sql {

/// What the values of one column seen so far could be.
struct ColumnEvidence {
    bool any = false, integer = true, number = true, boolean = true, time = true;
    std::size_t longest = 0;  ///< bytes of a text

    /// Of CSV: a value is what it looks like.
    void text(std::string_view value) {
        any = true;
        longest = std::max(longest, value.size());
        std::int64_t whole = 0;
        double real = 0;
        const char* const end = value.data() + value.size();
        const auto whole_read = std::from_chars(value.data(), end, whole);
        const auto real_read = std::from_chars(value.data(), end, real);
        integer = integer && whole_read.ec == std::errc() && whole_read.ptr == end;
        number = number && real_read.ec == std::errc() && real_read.ptr == end;
        boolean = boolean && (value == "true" || value == "false" || value == "TRUE" ||
                              value == "FALSE" || value == "True" || value == "False");
        time = time && parse_timestamp(value).has_value();
    }
    /// Of JSON: quoted numbers stay text, who quotes them means text.
    void quoted_text(std::string_view value) {
        longest = std::max(longest, value.size());
        if (parse_timestamp(value))
            only(&ColumnEvidence::time);
        else
            nothing_but_text(value.size());
    }
    void only(bool ColumnEvidence::* kind) {
        any = true;
        for (const auto other : {&ColumnEvidence::integer, &ColumnEvidence::number,
                                 &ColumnEvidence::boolean, &ColumnEvidence::time})
            if (other != kind &&
                !(kind == &ColumnEvidence::integer && other == &ColumnEvidence::number))
                this->*other = false;
    }
    void nothing_but_text(std::size_t bytes = 0) {
        any = true;
        longest = std::max(longest, bytes);
        integer = number = boolean = time = false;
    }

    Type type() const {
        if (!any) return Type::varchar();
        if (integer) return TypeKind::BigInt;
        if (number) return TypeKind::Double;
        if (boolean) return TypeKind::Boolean;
        if (time) return TypeKind::Timestamp;
        return Type::varchar();
    }
    /// The same with a length for texts: a power of two, at least twice the longest.
    Type wide_type() const {
        const Type found = type();
        if (found.kind != TypeKind::Varchar) return found;
        constexpr std::size_t kLeast = 32, kMost = 65'000;
        if (!any) return Type::varchar(256);
        const std::size_t wanted = std::bit_ceil(std::max(2 * longest, kLeast));
        return Type::varchar(static_cast<std::uint32_t>(std::min(wanted, kMost)));
    }
};

}  // namespace tidemill::sql
