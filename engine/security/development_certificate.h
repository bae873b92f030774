#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace tidemill {

struct TlsFiles {
    std::filesystem::path certificate, key;
};

/// The certificate of a broker that was given none: self-signed (no authority stands behind it, and
/// it can sign no others), ECDSA P-256, ten years, for localhost, 127.0.0.1, ::1 and this machine's
/// name. Taken from `directory`, or made there when there is none, or it can no longer be used. The
/// key is its owner's alone (mode 0600). Blocks. Errors: IoFailed.
Result<TlsFiles> development_certificate(const std::filesystem::path& directory, WallTime now);

}  // namespace tidemill
