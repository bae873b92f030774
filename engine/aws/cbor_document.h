#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/aws/value.h"

namespace tidemill::aws {

/// What the number under CBOR's tag 1 counts since 1970. The AWS CBOR 1.1 protocol has milliseconds
/// there, against the RFC; Smithy RPC v2 has seconds, as the RFC.
enum class CborTimes : std::uint8_t { Milliseconds, Seconds };

/// Parses a whole CBOR document, with containers and strings of definite and indefinite length;
/// nothing when it is none, has text that is not UTF-8 or a member's name that is not text, nests
/// deeper than 32 levels, has more than kDocumentValuesMax values, or bytes behind its end. Pure.
/// Tags other than 1 are passed over; undefined is null. Never allocates by an announced length.
/// Source: RFC 8949.
std::optional<Value> parse_cbor(std::string_view cbor, CborTimes times);

}  // namespace tidemill::aws
