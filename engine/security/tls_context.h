#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/base/time.h"

struct ssl_ctx_st;

namespace tidemill {

/// A certificate with its key, and how connections are made with them: TLS 1.2 and 1.3, ALPN h2 and
/// http/1.1. A copy shares what it is made of; copies on several cores are fine.
class TlsContext {
 public:
    /// Reads both files (PEM; the certificate may be followed by its chain). Blocks. Errors:
    /// InvalidArgument, naming the file, when one of them cannot be used or they do not belong
    /// together.
    static Result<TlsContext> load(const std::filesystem::path& certificate,
                                   const std::filesystem::path& key);

    ssl_ctx_st* get() const { return context_.get(); }
    /// What a person may compare: SHA-256 of the certificate in hexadecimal digits, its last day.
    const std::string& fingerprint() const { return fingerprint_; }
    WallTime expires() const { return expires_; }

 private:
    TlsContext() = default;
    std::shared_ptr<ssl_ctx_st> context_;
    std::string fingerprint_;
    WallTime expires_{};
};

}  // namespace tidemill
