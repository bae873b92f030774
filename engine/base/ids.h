#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include <fmt/format.h>

namespace tidemill {

/// An integer that cannot be mistaken for another kind of integer.
template <class Tag, class T>
struct StrongId {
    T value{};

    constexpr StrongId() = default;
    constexpr explicit StrongId(T v) : value(v) {}
    constexpr auto operator<=>(const StrongId&) const = default;
};

/// One shard of one stream, for ever: dense, assigned by the catalog, never reused. Not the number
/// in `shardId-000000000000`, which counts within its stream.
using ShardUid = StrongId<struct ShardUidTag, std::uint32_t>;
/// One stream, for ever; a stream created again under the same name gets a new one.
using StreamUid = StrongId<struct StreamUidTag, std::uint32_t>;
/// One sequential log. Their number is fixed when a data directory is made.
using LaneId = StrongId<struct LaneIdTag, std::uint32_t>;
/// One reactor thread.
using CoreId = StrongId<struct CoreIdTag, std::uint32_t>;

/// A record's number within its shard: 0 for the first record ever, dense. Sequence numbers derive
/// from it
/// (`proto/sequence_number.h`).
using Ordinal = std::uint64_t;

}  // namespace tidemill

template <class Tag, class T>
struct std::hash<tidemill::StrongId<Tag, T>> {
    std::size_t operator()(tidemill::StrongId<Tag, T> id) const noexcept {
        return std::hash<T>{}(id.value);
    }
};
template <class Tag, class T>
struct fmt::formatter<tidemill::StrongId<Tag, T>> : fmt::formatter<T> {
    template <class Context>
    auto format(tidemill::StrongId<Tag, T> id, Context& context) const {
        return fmt::formatter<T>::format(id.value, context);
    }
};
