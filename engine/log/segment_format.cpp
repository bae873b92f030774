#include "engine/log/segment_format.h"

#include <cstring>

#include "engine/base/crc32c.h"

namespace tidemill {
namespace {

constexpr std::size_t kSecondCopy = 2048;

template <class T>
constexpr std::uint32_t kMagic = 0;
template <>
constexpr std::uint32_t kMagic<Superblock> = kSuperblockMagic;
template <>
constexpr std::uint32_t kMagic<SegmentHeader> = kSegmentMagic;
template <>
constexpr std::uint32_t kMagic<SegmentSeal> = kSealMagic;

template <class T>
constexpr std::uint16_t kVersion = kSegmentVersion;
template <>
constexpr std::uint16_t kVersion<SegmentSeal> = kSealVersion;

template <class T>
std::uint32_t crc_of(const std::byte* at) {
    return crc32c({at, offsetof(T, crc)});
}

}  // namespace

template <class T>
void write_block(MutableBytes block, T value) {
    std::memset(block.data(), 0, kBlockBytes);
    value.magic = kMagic<T>;
    value.version = kVersion<T>;
    store_le(block.data(), value);
    value.crc = crc_of<T>(block.data());
    store_le(block.data(), value);
    store_le(block.data() + kSecondCopy, value);
}

template <class T>
std::optional<T> read_block(Bytes block) {
    for (const std::size_t at : {std::size_t{0}, kSecondCopy}) {
        if (block.size() < at + sizeof(T)) continue;
        const auto value = load_le<T>(block.data() + at);
        if (value.magic == kMagic<T> && value.version == kVersion<T> &&
            value.crc == crc_of<T>(block.data() + at))
            return value;
    }
    return std::nullopt;
}

template void write_block(MutableBytes, Superblock);
template void write_block(MutableBytes, SegmentHeader);
template void write_block(MutableBytes, SegmentSeal);
template std::optional<Superblock> read_block(Bytes);
template std::optional<SegmentHeader> read_block(Bytes);
template std::optional<SegmentSeal> read_block(Bytes);

}  // namespace tidemill
