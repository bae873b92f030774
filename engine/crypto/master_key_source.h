#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/crypto/master_key.h"

namespace tidemill {

/// Where a master key comes from: a file, or what a command prints. At most one of them.
struct MasterKeySource {
    std::filesystem::path file;
    /// Program and arguments; started as they are, without a shell.
    std::vector<std::string> command;

    bool is_given() const { return !file.empty() || !command.empty(); }
};

constexpr std::chrono::milliseconds kKeyCommandTime{30'000};

/// Reads the key: 32 bytes, or 64 hexadecimal digits and perhaps a line's end. Blocks: call it
/// before reactors serve. Errors: NotFound, AccessDenied (others than the owner may read the file),
/// InvalidArgument (it holds no key), IoFailed, Timeout (the command). No message holds any of what
/// was read.
Result<MasterKey> load_master_key(const MasterKeySource& source,
                                  std::chrono::milliseconds command_time = kKeyCommandTime);

/// The key in a text or in raw bytes. Errors: InvalidArgument.
Result<Secret> parse_master_key(Bytes content);

/// Writes a new random key as 64 hexadecimal digits to a file that only its owner may read.
/// Errors: AlreadyExists, IoFailed.
Result<MasterKey> make_master_key_file(const std::filesystem::path& file);

}  // namespace tidemill
