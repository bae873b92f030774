#include "engine/dynamodb/item_format.h"

#include "engine/base/crc32c.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

constexpr std::byte kVersion{1};
constexpr std::size_t kChecksumBytes = 4;
constexpr int kDepthMax = limits::kNestingLevels + 2;

using Kind = Attribute::Kind;

class Writer {
 public:
    void number(std::uint64_t value) {
        std::byte text[kVarintMax];
        out_.insert(out_.end(), text, put_varint(text, value));
    }
    void byte(std::byte value) { out_.push_back(value); }
    void text(std::string_view text) {
        number(text.size());
        const Bytes bytes = as_bytes(text);
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    }
    void item(const Item& item) {
        number(item.size());
        for (const auto& [name, value] : item) {
            text(name);
            attribute(value);
        }
    }
    void attribute(const Attribute& value) {
        byte(static_cast<std::byte>(value.kind));
        switch (value.kind) {
            case Kind::String:
            case Kind::Binary:
                return text(value.bytes);
            case Kind::Number:
                return text(value.number.text());
            case Kind::Boolean:
                return byte(std::byte{value.truth});
            case Kind::Null:
                return;
            case Kind::Map:
                return item(value.members);
            default:
                number(value.elements.size());
                for (const auto& element : value.elements)
                    attribute(element);
        }
    }
    std::vector<std::byte> sealed() {
        std::byte checksum[kChecksumBytes];
        store_le(checksum, crc32c(out_));
        out_.insert(out_.end(), checksum, checksum + kChecksumBytes);
        return std::move(out_);
    }

 private:
    std::vector<std::byte> out_;
};

class Reader {
 public:
    explicit Reader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool item(Item& to, int depth) {
        std::uint64_t count = 0;
        if (!number(count) || count > left()) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::string name;
            if (!text(name) || !attribute(to[name], depth)) return false;
        }
        return true;
    }
    bool is_at_end() const { return at_ == end_; }

 private:
    std::uint64_t left() const { return static_cast<std::uint64_t>(end_ - at_); }
    bool number(std::uint64_t& to) {
        const std::byte* next = get_varint(at_, end_, to);
        if (next == nullptr) return false;
        at_ = next;
        return true;
    }
    bool text(std::string& to) {
        std::uint64_t size = 0;
        if (!number(size) || size > left()) return false;
        to = as_text({at_, static_cast<std::size_t>(size)});
        at_ += size;
        return true;
    }
    bool attribute(Attribute& to, int depth) {
        if (depth > kDepthMax || at_ == end_ || *at_ > static_cast<std::byte>(Kind::Map))
            return false;
        to.kind = static_cast<Kind>(*at_++);
        switch (to.kind) {
            case Kind::String:
            case Kind::Binary:
                return text(to.bytes);
            case Kind::Number: {
                std::string digits;
                if (!text(digits)) return false;
                auto number = Decimal::parse(digits);
                if (number) to.number = *number;
                return number.has_value();
            }
            case Kind::Boolean:
                if (at_ == end_) return false;
                to.truth = *at_++ != std::byte{0};
                return true;
            case Kind::Null:
                to.truth = true;
                return true;
            case Kind::Map:
                return item(to.members, depth + 1);
            default:
                break;
        }
        std::uint64_t count = 0;
        if (!number(count) || count > left()) return false;
        for (std::uint64_t i = 0; i < count; ++i)
            if (!attribute(to.elements.emplace_back(), depth + 1)) return false;
        return true;
    }

    const std::byte* at_;
    const std::byte* end_;
};

}  // namespace

std::vector<std::byte> encode_item(const Item& item) {
    Writer out;
    out.byte(kVersion);
    out.item(item);
    return out.sealed();
}

Result<Item> decode_item(Bytes bytes) {
    if (bytes.size() < 1 + kChecksumBytes) return fail(Errc::Corrupt, "an item's row is too short");
    const Bytes content = bytes.first(bytes.size() - kChecksumBytes);
    if (load_le<std::uint32_t>(bytes.data() + content.size()) != crc32c(content))
        return fail(Errc::Corrupt, "an item's row fails its checksum");
    if (content[0] != kVersion)
        return fail(Errc::Corrupt, "an item's row has a version that this program does not know");
    Item item;
    Reader in(content.subspan(1));
    if (!in.item(item, 0) || !in.is_at_end())
        return fail(Errc::Corrupt, "an item's row is malformed");
    return item;
}

}  // namespace tidemill::dynamodb
