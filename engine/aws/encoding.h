#pragma once

#include <cstdint>
#include <string_view>

namespace tidemill::aws {

/// How a document is written down. Source: the AWS JSON 1.1 and CBOR 1.1 protocols.
enum class Encoding : std::uint8_t { Json, Cbor };

/// True for "application/x-amz-cbor-1.1" and its kin; all else is JSON.
inline bool is_cbor(std::string_view content_type) {
    return content_type.starts_with("application/x-amz-cbor");
}

}  // namespace tidemill::aws
