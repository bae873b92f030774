#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/security/credential.h"

namespace tidemill {

/// How a file looked when it was read.
struct FileStamp {
    std::filesystem::path file;
    std::uint64_t device = 0, inode = 0, bytes = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const FileStamp&) const = default;
};

/// What a credentials file says, and what to watch for changes. Format: docs/security.md.
struct CredentialsFile {
    CredentialSet keys;
    std::vector<FileStamp> read;
};

/// Reads the file. Blocks: not on a core. Errors: NotFound; AccessDenied (others may read or change
/// it); InvalidArgument, with file, line and column. No message holds a secret.
Result<CredentialsFile> load_credentials(const std::filesystem::path& file);

/// How the same files look now; zeros for those that are gone. Blocks.
std::vector<FileStamp> look_again(const std::vector<FileStamp>& read);

/// Whom a new key is for: a user, or with `session` a session of a role.
struct NewCredential {
    std::string name;
    std::string account{kNoAccount};
    std::string session{};  ///< not empty: `name` is a role's, and the key has a session token
    std::chrono::seconds life{};  ///< of the session; 0: for ever
};

/// Makes a key with a random secret and adds it to the file, which is made if it is not there:
/// readable for its owner alone. What is in the file stays as it is. Errors: those of
/// load_credentials; InvalidArgument (a name or account that cannot be), IoFailed.
Result<Credential> add_credential(const std::filesystem::path& file, const NewCredential& wanted,
                                  WallTime now);

}  // namespace tidemill
