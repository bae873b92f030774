#pragma once

#include <filesystem>
#include <vector>

#include "engine/aws/authenticator.h"
#include "engine/base/result.h"
#include "engine/reactor/reactor.h"
#include "engine/security/credentials_file.h"

namespace tidemill {

enum class Reload { Always, WhatChanged };

/// Keeps the credentials in force those of the file. Core: a thread that is no reactor.
class CredentialKeeper {
 public:
    /// No file: the development key alone. Errors: those of load_credentials.
    Result<CredentialSet> load(const std::filesystem::path& file);

    /// Reads the file again, and on success puts its keys in force on every core. A file that
    /// cannot be used is reported once, and what was in force stays. Blocks.
    void reload(Reload what, aws::Authenticator& authenticator, Reactor& home);

 private:
    std::filesystem::path file_;
    std::vector<FileStamp> read_;
};

}  // namespace tidemill
