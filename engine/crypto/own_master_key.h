#pragma once

#include <filesystem>

#include "engine/crypto/master_key.h"

namespace tidemill {

/// The master key that a data directory has of itself, for whoever configures none: it hides
/// nothing from those who can read the directory, but a stream can be encrypted, and the key be
/// replaced by one that lies elsewhere later.
std::filesystem::path own_master_key_file(const std::filesystem::path& data_directory);

/// Makes the key and its file, of which only the owner may read; it is there whole or not at all,
/// also after a crash. Blocks. Errors: AlreadyExists, IoFailed.
Result<MasterKey> make_own_master_key(const std::filesystem::path& data_directory);

}  // namespace tidemill
