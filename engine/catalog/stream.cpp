#include "engine/catalog/stream.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"

namespace tidemill {
namespace {
constexpr std::string_view kShardPrefix = "shardId-";
constexpr std::size_t kShardDigits = 12;
}  // namespace

std::string shard_id_text(std::uint32_t index) {
    std::string text = "shardId-000000000000";  // by hand: every record of an answer names one
    for (auto digit = text.rbegin(); index != 0; index /= 10)
        *digit++ = static_cast<char>('0' + index % 10);
    return text;
}

std::optional<std::uint32_t> parse_shard_id(std::string_view text) {
    if (!text.starts_with(kShardPrefix)) return std::nullopt;
    text.remove_prefix(kShardPrefix.size());
    if (text.size() != kShardDigits) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (value > UINT32_MAX) return std::nullopt;
    return static_cast<std::uint32_t>(value);
}

std::uint32_t StreamInfo::open_position_for(uint128 key) const {
    TM_CHECK(!open.empty(), "stream {} has no open shard", name);
    const auto after = std::upper_bound(
        open.begin(), open.end(), key,
        [this](uint128 k, std::uint32_t position) { return k < shards[position].range.first; });
    TM_CHECK(after != open.begin(), "stream {} leaves hash key 0 uncovered", name);
    return static_cast<std::uint32_t>(after - open.begin() - 1);
}

const ShardInfo* StreamInfo::shard_by_index(std::uint32_t index) const {
    const auto found =
        std::lower_bound(shards.begin(), shards.end(), index,
                         [](const ShardInfo& shard, std::uint32_t i) { return shard.index < i; });
    return found == shards.end() || found->index != index ? nullptr : &*found;
}

const ConsumerInfo* StreamInfo::find_consumer(std::string_view consumer) const {
    const auto found = std::ranges::lower_bound(consumers, consumer, {}, &ConsumerInfo::name);
    return found == consumers.end() || found->name != consumer ? nullptr : &*found;
}

ConsumerInfo* StreamInfo::find_consumer(std::string_view consumer) {
    return const_cast<ConsumerInfo*>(std::as_const(*this).find_consumer(consumer));
}

void StreamInfo::index_open_shards() {
    open.clear();
    for (std::uint32_t i = 0; i < shards.size(); ++i)
        if (shards[i].is_open()) open.push_back(i);
    std::sort(open.begin(), open.end(), [this](std::uint32_t a, std::uint32_t b) {
        return shards[a].range.first < shards[b].range.first;
    });
}

std::vector<HashRange> split_evenly(std::uint32_t count) {
    TM_CHECK(count > 0, "a stream has at least one shard");
    // floor(2^128 / count), although 2^128 itself does not fit: 2^128 - 1 = q * count + r, and one
    // more makes r + 1.
    uint128 step = kUint128Max / count;
    if (kUint128Max % count == static_cast<uint128>(count) - 1) ++step;
    std::vector<HashRange> ranges(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        ranges[i].first = step * i;
        ranges[i].last = i + 1 == count ? kUint128Max : step * (i + 1) - 1;
    }
    return ranges;
}

const StreamKey* StreamEncryption::find(std::uint16_t id) const {
    for (const auto& key : keys)
        if (key.id == id) return &key;
    return nullptr;
}

}  // namespace tidemill
