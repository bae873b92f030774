#include "engine/dynamodb/key_order.h"

#include "engine/base/uint128.h"

namespace tidemill::dynamodb {
namespace {

constexpr std::size_t kHashBytes = 8;

/// FNV-1a, with its bits mixed once more: keys that count up spread over all segments.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
    return hash ^ hash >> 32;
}

std::string big_endian(std::uint64_t value) {
    std::string bytes(kHashBytes, '\0');
    for (std::size_t i = 0; i < kHashBytes; ++i)
        bytes[i] = static_cast<char>(value >> (8 * (kHashBytes - 1 - i)) & 0xff);
    return bytes;
}

std::string order_of(const Attribute& scalar) {
    return scalar.kind == Attribute::Kind::Number ? scalar.number.sortable() : scalar.bytes;
}

/// Bytes that no longer hold the end mark, which is two zeros: a zero becomes 00 ff.
std::string escaped(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        out += c;
        if (c == '\0') out += '\xff';
    }
    return out;
}
const std::string kEnd(2, '\0');

const Attribute& part_of(const Item& item, const KeyAttribute& attribute) {
    return item.find(attribute.name)->second;
}

}  // namespace

bool has_key(const KeySchema& key, const Item& item) {
    const auto has = [&](const KeyAttribute& attribute) {
        const auto found = item.find(attribute.name);
        return found != item.end() && found->second.kind == attribute.kind;
    };
    return has(key.hash) && (!key.range || has(*key.range));
}

std::string order_prefix(const Attribute& hash) {
    const std::string order = order_of(hash);
    return big_endian(hash_of(order)) + escaped(order) + kEnd;
}

std::string order_end(const Attribute& hash) {
    // The end mark is the last thing in the prefix: with its last bit set no key begins so.
    std::string end = order_prefix(hash);
    end.back() = 1;
    return end;
}

std::string range_part(const Attribute& range) { return escaped(order_of(range)); }

std::string order_key(const KeySchema& key, const Item& item) {
    std::string order = order_prefix(part_of(item, key.hash));
    if (key.range) order += range_part(part_of(item, *key.range)) + kEnd;
    return order;
}

std::string row_key(const KeySchema& key, const Item& item) {
    return order_key(key, item).substr(kHashBytes);
}

std::string segment_begin(std::uint64_t segment, std::uint64_t total) {
    return big_endian(static_cast<std::uint64_t>((static_cast<uint128>(segment) << 64) / total));
}

}  // namespace tidemill::dynamodb
