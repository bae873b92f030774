#include "operators/connect/kpl_aggregate.h"

#include <cstdint>

#include "engine/base/hash_key.h"

namespace tidemill::sql {
namespace {

constexpr std::string_view kMagic = "\xf3\x89\x9a\xc2";
constexpr std::size_t kDigest = 16;
// Fields of the message AggregatedRecord, and of its Record.
constexpr std::uint64_t kKeyTable = 1, kRecords = 3;
constexpr std::uint64_t kKeyIndex = 1, kData = 3;

/// Protocol buffers, as much of them as there is here.
class Message {
 public:
    explicit Message(std::string_view bytes) : rest_(bytes) {}

    struct Field {
        std::uint64_t number = 0;
        std::uint64_t value = 0;  // of a varint
        std::string_view bytes;   // of a length-delimited one
    };

    bool is_at_end() const { return rest_.empty(); }
    bool next(Field& field) {
        std::uint64_t tag = 0;
        if (!varint(tag)) return false;
        field = {tag >> 3, 0, {}};
        switch (tag & 7) {
            case 0:
                return varint(field.value);
            case 1:
                return take(8, field.bytes);
            case 2: {
                std::uint64_t size = 0;
                return varint(size) && take(size, field.bytes);
            }
            case 5:
                return take(4, field.bytes);
            default:
                return false;
        }
    }

 private:
    bool varint(std::uint64_t& value) {
        value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return true;
        }
        return false;
    }
    bool take(std::uint64_t size, std::string_view& bytes) {
        if (size > rest_.size()) return false;
        bytes = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return true;
    }

    std::string_view rest_;
};

uint128 big_endian(std::string_view bytes) {
    uint128 value = 0;
    for (const char byte : bytes)
        value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

std::optional<KplRecord> record_of(std::string_view bytes,
                                   const std::vector<std::string_view>& keys) {
    Message message(bytes);
    Message::Field field;
    KplRecord record;
    std::uint64_t key = keys.size();
    while (!message.is_at_end()) {
        if (!message.next(field)) return {};
        if (field.number == kKeyIndex) key = field.value;
        if (field.number == kData) record.data = field.bytes;
    }
    if (key >= keys.size()) return {};
    record.partition_key = keys[static_cast<std::size_t>(key)];
    return record;
}

}  // namespace

std::optional<std::vector<KplRecord>> open_kpl_aggregate(std::string_view record) {
    if (!record.starts_with(kMagic) || record.size() < kMagic.size() + kDigest) return {};
    const auto body = record.substr(kMagic.size(), record.size() - kMagic.size() - kDigest);
    // The digest is MD5, which is how keys are hashed as well.
    if (hash_partition_key(body) != big_endian(record.substr(record.size() - kDigest))) return {};
    std::vector<std::string_view> keys, bodies;
    Message message(body);
    Message::Field field;
    while (!message.is_at_end()) {
        if (!message.next(field)) return {};
        if (field.number == kKeyTable) keys.push_back(field.bytes);
        if (field.number == kRecords) bodies.push_back(field.bytes);
    }
    std::vector<KplRecord> records;
    for (const auto bytes : bodies) {
        const auto one = record_of(bytes, keys);
        if (!one) return {};
        records.push_back(*one);
    }
    return records;
}

}  // namespace tidemill::sql
