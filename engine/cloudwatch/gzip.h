#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidemill::cloudwatch {

/// What the bytes of a gzip file hold (RFC 1952), its members one after the other; nothing when it
/// is none, is cut short, fails its checksum, or holds more than `most` bytes. Pure. Never
/// allocates more than it has opened.
std::optional<std::string> gunzip(std::string_view bytes, std::size_t most);

}  // namespace tidemill::cloudwatch
