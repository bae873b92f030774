#include "engine/service/shard_iterator.h"

#include <vector>

#include "engine/service/service_limits.h"

namespace tidemill {
namespace {

constexpr std::string_view kPurpose = "shard iterator";
constexpr std::size_t kFixedBytes = 29;  // form, stream, shard, index, next, created; then the name
constexpr auto kForm = std::byte{1};

}  // namespace

bool ShardIterator::is_expired(WallTime now) const {
    return now - created > service_limits::kIteratorLife;
}

std::string seal_iterator(const TokenSealer& sealer, const ShardIterator& iterator) {
    std::vector<std::byte> facts(kFixedBytes + iterator.stream_name.size());
    facts[0] = kForm;
    store_le(&facts[1], iterator.stream.value);
    store_le(&facts[5], iterator.shard.value);
    store_le(&facts[9], iterator.shard_index);
    store_le(&facts[13], iterator.next);
    store_le(&facts[21], to_millis(iterator.created));
    std::memcpy(facts.data() + kFixedBytes, iterator.stream_name.data(),
                iterator.stream_name.size());
    return sealer.seal(kPurpose, facts);
}

std::optional<ShardIterator> open_iterator(const TokenSealer& sealer, std::string_view text) {
    const auto facts = sealer.open(kPurpose, text);
    if (!facts || facts->size() < kFixedBytes || facts->front() != kForm) return std::nullopt;
    const std::byte* at = facts->data();
    ShardIterator iterator;
    iterator.stream = StreamUid{load_le<std::uint32_t>(at + 1)};
    iterator.shard = ShardUid{load_le<std::uint32_t>(at + 5)};
    iterator.shard_index = load_le<std::uint32_t>(at + 9);
    iterator.next = load_le<Ordinal>(at + 13);
    iterator.created = from_millis(load_le<std::int64_t>(at + 21));
    iterator.stream_name = as_text(Bytes(*facts).subspan(kFixedBytes));
    return iterator;
}

}  // namespace tidemill
