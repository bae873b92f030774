#pragma once

#include <string>
#include <string_view>

namespace tidemill::console {

/// The syntax of the statement or clause that `subject` names, in any case; of an unknown or empty
/// subject the list of those there are.
std::string syntax_help(std::string_view subject);

}  // namespace tidemill::console
