// link: engine/crypto proto
#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/crypto/batch_cipher.h"

using namespace tidemill;

namespace {

constexpr ShardUid kShard{9};

const Secret& key() {
    static const Secret made = Secret::random();
    return made;
}

/// Whether `bytes` opens as a sealed batch; what it gives must be a batch then.
bool opens(BatchUnsealer& unsealer, Bytes bytes) {
    if (bytes.size() < sizeof(RecordBatchHeader)) return false;
    const auto size = BatchUnsealer::plain_bytes(bytes);
    if (!size) return false;
    std::vector<std::byte> to(*size);
    return unsealer.unseal(bytes, kShard, to).has_value();
}

/// The input's records, sealed: opens to the same bytes, and with one bit changed to nothing.
void seal_and_damage(BatchUnsealer& unsealer, Bytes input) {
    if (input.size() < 2) return;
    RecordBatchBuilder builder;
    builder.add("key", input.subspan(2));
    const auto plain = builder.finish();
    BatchSealer sealer(1, key());
    std::vector<std::byte> space;
    const auto sealed = sealer.seal(plain, kShard, space);
    std::vector<std::byte> stamped(sealed.bytes().begin(), sealed.bytes().end());
    std::vector<std::byte> to(plain.bytes().size());
    // The first half of the header is the producer's; the broker's is zeros on both sides.
    if (!unsealer.unseal(stamped, kShard, to)) __builtin_trap();
    if (!std::ranges::equal(Bytes(to).first(32), plain.bytes().first(32)) ||
        !std::ranges::equal(Bytes(to).subspan(64), plain.bytes().subspan(64)))
        __builtin_trap();
    const std::size_t payload = stamped.size() - 64;
    stamped[64 + load_le<std::uint16_t>(input.data()) % payload] ^= std::byte{1};
    if (unsealer.unseal(stamped, kShard, to)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{reinterpret_cast<const std::byte*>(data), size};
    BatchUnsealer unsealer(key());
    if (opens(unsealer, input)) __builtin_trap();  // nobody knows the key
    seal_and_damage(unsealer, input);
    return 0;
}
