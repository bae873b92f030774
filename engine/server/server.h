#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/server/config.h"
#include "engine/server/credential_keeper.h"

namespace tidemill {

namespace query {
class QueryService;
}
class ReactorGroup;
class StreamService;

/// The broker in one object: reactors, log, catalog, service and doors, wired. The only place that
/// names concrete classes. Core: made, stopped and destroyed on a thread that is no reactor.
class Server {
 public:
    /// Opens or makes the data directory, recovers, and listens. When it returns, the port answers.
    /// Errors: InvalidArgument (the configuration), IoFailed, NoSpace, Corrupt, ResourceInUse
    /// (another process has the data directory).
    static Result<std::unique_ptr<Server>> start(Config config);
    ~Server();  ///< stops

    const std::string& host() const;
    /// What clients of `https://` have to trust; empty without TLS.
    const std::filesystem::path& certificate() const;
    std::uint16_t port() const;  ///< the one bound, also when the configuration said 0

    /// Usable from any of `reactors()` until `stop`.
    StreamService& service();
    query::QueryService& queries();
    ReactorGroup& reactors();

    /// Reads again what may change while the broker runs: the credentials file. Blocks.
    void reload(Reload what);

    /// Refuses new work, ends what is in progress, closes doors from outside in, then the log.
    /// Blocks. Idempotent.
    void stop();

 private:
    struct Parts;
    explicit Server(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace tidemill
