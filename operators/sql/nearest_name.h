#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tidemill::sql {

/// The candidate that a person most likely meant (few edits away, case ignored), or an empty view.
std::string_view nearest_name(std::string_view wanted, std::span<const std::string> candidates);
/// " Did you mean X?" or nothing: the tail of an error message.
std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates);

}  // namespace tidemill::sql
