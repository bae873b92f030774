#pragma once

#include <string>
#include <string_view>

namespace tidemill {

/// Appends `text` as a JSON string with its quotes (RFC 8259, section 7); bytes that are no UTF-8
/// become U+FFFD.
void append_json_string(std::string& to, std::string_view text);

}  // namespace tidemill
