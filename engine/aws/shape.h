#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/aws/api_error.h"
#include "engine/aws/encoding.h"
#include "engine/aws/value.h"

namespace tidemill::aws {

enum class Type : std::uint8_t { String, Integer, Boolean, Blob, Timestamp, List, Map, Structure };
enum class Pattern : std::uint8_t {
    None,
    Name,
    HashKey,
    SequenceNumber,
    StreamArn,
    ConsumerArn,
    ResourceArn
};

struct Shape;

/// One member of a request, as the service's model states it. Source: the Kinesis service model,
/// version 2013-12-02.
struct Member {
    std::string_view name;
    Type type = Type::String;
    bool is_required = false;
    std::int64_t min = INT64_MIN,
                 max = INT64_MAX;  ///< of a length (String, Blob, List, Map) or a value (Integer)
    Pattern pattern = Pattern::None;
    std::span<const std::string_view> one_of{};  ///< enumeration
    const Shape* shape = nullptr;     ///< of a Structure, or of a List's elements; null: strings
    const Member* key = nullptr;      ///< what a Map's keys must satisfy
    const Member* element = nullptr;  ///< what the strings of a List, or a Map's values, must
};

struct Shape {
    std::span<const Member> members;
};

/// The two checks that AWS makes before an operation runs, in its order and words:
/// SerializationException at the first member of a wrong type, then ValidationException with up to
/// ten violated constraints. Unknown members are ignored and null counts as absent.
/// Makes blobs and times of the members that the shape says are such: of base64 and of numbers
/// (seconds in JSON, milliseconds in CBOR).
ApiStatus check(Value& document, const Shape& shape, Encoding encoding = Encoding::Json);

/// Characters of UTF-8 text.
std::size_t character_count(std::string_view text);
/// The patterns as predicates, for decoders that do not go through `check`.
bool matches(Pattern pattern, std::string_view text);

}  // namespace tidemill::aws
