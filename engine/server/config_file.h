#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/server/config.h"

namespace tidemill {

/// `base` with what the TOML text sets. Errors: InvalidArgument with file, line and column: broken
/// TOML, a key that does not exist (with the nearest one that does), a value of the wrong type.
/// Ranges are `validate`'s.
Result<Config> parse_config(std::string_view text, const std::string& file, Config base = {});
/// The same from a file. Errors also: NotFound, IoFailed.
Result<Config> load_config(const std::filesystem::path& file, Config base = {});

/// The name in `names` that takes the fewest edits from `name`.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> names);

}  // namespace tidemill
