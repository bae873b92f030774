#include "engine/service/checkpoint_format.h"

#include <fmt/format.h>

namespace tidemill {
namespace {

// form, finished, shard index, ordinal, counter, until; then the owner's name
constexpr std::size_t kFixedBytes = 1 + 1 + 4 + 8 + 8 + 8;
constexpr auto kForm = std::byte{1};

}  // namespace

std::string lease_prefix(StreamUid stream) { return fmt::format("{:010}/", stream); }

std::string lease_prefix(StreamUid stream, std::string_view application) {
    return fmt::format("{:010}/{}{}", stream, application, '\0');
}

std::string lease_key(StreamUid stream, std::string_view application, std::uint32_t shard_index) {
    return fmt::format("{:010}/{}{}{:010}", stream, application, '\0', shard_index);
}

std::vector<std::byte> encode_checkpoint(const Checkpoint& checkpoint) {
    std::vector<std::byte> bytes(kFixedBytes);
    bytes[0] = kForm;
    bytes[1] = static_cast<std::byte>(checkpoint.is_finished);
    store_le(&bytes[2], checkpoint.shard_index);
    store_le(&bytes[6], checkpoint.ordinal);
    store_le(&bytes[14], checkpoint.lease_counter);
    store_le(&bytes[22], to_millis(checkpoint.lease_until));
    const Bytes owner = as_bytes(checkpoint.owner);
    bytes.insert(bytes.end(), owner.begin(), owner.end());
    return bytes;
}

Result<Checkpoint> decode_checkpoint(Bytes bytes) {
    if (bytes.size() < kFixedBytes || bytes[0] != kForm)
        return fail(Errc::Corrupt, "a catalog row that should hold a checkpoint does not");
    Checkpoint checkpoint;
    checkpoint.is_finished = bytes[1] != std::byte{0};
    checkpoint.shard_index = load_le<std::uint32_t>(&bytes[2]);
    checkpoint.ordinal = load_le<Ordinal>(&bytes[6]);
    checkpoint.lease_counter = load_le<std::uint64_t>(&bytes[14]);
    checkpoint.lease_until = from_millis(load_le<std::int64_t>(&bytes[22]));
    checkpoint.owner = as_text(bytes.subspan(kFixedBytes));
    return checkpoint;
}

}  // namespace tidemill
