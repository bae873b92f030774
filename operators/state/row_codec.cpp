#include "operators/state/row_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tidemill::sql {

namespace {

template <class Number>
void put(std::string& to, Number number) {
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    to.append(bytes, sizeof number);
}

template <class Number>
Number take(std::string_view& from) {
    Number number;
    std::memcpy(&number, from.data(), sizeof number);
    from.remove_prefix(sizeof number);
    return number;
}

// Signed integers and doubles as unsigned numbers of the same order; NaN is above all others.
std::uint64_t ordered(const Type& type, const Column& column, std::size_t row) {
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    if (type.storage() != Storage::Double)
        return static_cast<std::uint64_t>(column.int_at(row)) ^ kSign;
    const auto number = column.double_at(row);
    if (number != number) return ~std::uint64_t{0};
    const auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
    return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

}  // namespace

// A bit for each null, then 8 bytes for each number and length and bytes of each text.
void RowCodec::encode(std::span<const Column* const> columns, std::size_t row,
                      std::string& to) const {
    to.assign(null_bytes(), '\0');
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const auto& column = *columns[i];
        if (column.is_null(row)) {
            to[i / 8] = static_cast<char>(to[i / 8] | 1 << i % 8);
        } else if (types_[i].storage() == Storage::Text) {
            const auto text = column.text_at(row);
            put(to, static_cast<std::uint32_t>(text.size()));
            to.append(text);
        } else {
            put(to, column.int_at(row));
        }
    }
}

void RowCodec::decode(std::string_view bytes, std::span<Column* const> columns) const {
    const auto nulls = bytes;
    bytes.remove_prefix(null_bytes());
    for (std::size_t i = 0; i < types_.size(); ++i) {
        auto& column = *columns[i];
        if ((nulls[i / 8] >> i % 8 & 1) != 0) {
            column.append_null();
        } else if (types_[i].storage() == Storage::Text) {
            const auto length = take<std::uint32_t>(bytes);
            column.append_text(bytes.substr(0, length));
            bytes.remove_prefix(length);
        } else {
            column.append_int(take<std::int64_t>(bytes));
        }
    }
}

bool RowCodec::is_valid(std::string_view bytes) const {
    if (bytes.size() < null_bytes()) return false;
    const auto nulls = bytes;
    bytes.remove_prefix(null_bytes());
    for (std::size_t i = 0; i < types_.size(); ++i) {
        if ((nulls[i / 8] >> i % 8 & 1) != 0) continue;
        const bool is_text = types_[i].storage() == Storage::Text;
        if (bytes.size() < (is_text ? sizeof(std::uint32_t) : sizeof(std::int64_t))) return false;
        if (!is_text) {
            bytes.remove_prefix(sizeof(std::int64_t));
            continue;
        }
        const auto length = take<std::uint32_t>(bytes);
        if (bytes.size() < length) return false;
        bytes.remove_prefix(length);
    }
    return bytes.empty();
}

SortKey::Part SortKey::part(const Column& column, std::size_t row) const {
    const bool is_null = column.is_null(row), is_descending = is_descending_[0];
    const auto up = is_null ? ~std::uint64_t{0} : ordered(types_[0], column, row);
    return is_descending ? Part{~up, is_null ? 0u : 1u} : Part{up, is_null ? 1u : 0u};
}

void SortKey::encode(std::span<const Column* const> columns, std::size_t row,
                     std::string& to) const {
    to.clear();
    for (std::size_t i = 0; i < types_.size(); ++i) {
        const auto begin = to.size();
        const auto& column = *columns[i];
        const bool is_null = column.is_null(row);
        to += is_null ? '\2' : '\1';
        if (!is_null && types_[i].storage() == Storage::Text) {
            // A zero byte becomes two bytes, and two zeros end the text: no text's code begins
            // another's.
            for (const char c : column.text_at(row)) {
                to += c;
                if (c == '\0') to += '\xff';
            }
            to.append(2, '\0');
        } else if (!is_null) {
            put(to, std::byteswap(ordered(types_[i], column, row)));
        }
        if (!is_descending_[i]) continue;
        for (std::size_t at = begin; at < to.size(); ++at)
            to[at] = static_cast<char>(~to[at]);
    }
}

std::uint64_t SortKey::prefix_of(std::string_view bytes) {
    char first[8] = {};
    std::ranges::copy(bytes.substr(0, sizeof first), first);
    return std::byteswap(std::bit_cast<std::uint64_t>(first));
}

}  // namespace tidemill::sql
