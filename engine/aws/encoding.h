#pragma once

#include <cstdint>

namespace tidemill::aws {

/// How a document is written down. Source: the AWS JSON 1.1 and CBOR 1.1 protocols.
enum class Encoding : std::uint8_t { Json, Cbor };

}  // namespace tidemill::aws
