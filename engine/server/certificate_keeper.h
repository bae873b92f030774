#pragma once

#include <filesystem>
#include <vector>

#include "engine/http/http_server.h"
#include "engine/security/development_certificate.h"
#include "engine/server/config.h"
#include "engine/server/credential_keeper.h"

namespace tidemill {

/// Keeps the certificate in force that of its files. Core: a thread that is no reactor.
class CertificateKeeper {
 public:
    /// Without files of its own a broker takes the development certificate, `tls/` in its data
    /// directory. Before the server listens. Blocks. Errors: those of TlsContext::load and
    /// development_certificate.
    Status load(const Config& config, HttpServer& http);

    /// Reads the files again. A pair that cannot be used is reported once, and the one in force
    /// stays. Blocks.
    void reload(Reload what, HttpServer& http);

    /// What clients have to trust; empty without TLS.
    const std::filesystem::path& certificate() const { return files_.certificate; }

 private:
    TlsFiles files_;
    bool is_required_ = false;
    std::vector<FileStamp> read_;
};

}  // namespace tidemill
