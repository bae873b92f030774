#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/http/http_message.h"
#include "engine/kinesis/call.h"
#include "engine/reactor/reactor.h"
#include "engine/security/sealed_token.h"
#include "engine/service/stream_service.h"

namespace tidemill {

struct KinesisStats {
    std::uint64_t calls = 0, client_errors = 0, server_errors = 0;
    std::uint64_t unreadable_batches = 0;  ///< that GetRecords went past
};

/// The Kinesis Data Streams API in AWS JSON 1.1, mounted for POST on every path.
/// Signatures are accepted unverified: reachable by others, this port is open to them.
class KinesisDoor final : public HttpHandler {
 public:
    /// Takes the secret behind iterators and tokens from the catalog store, or makes it. Runs on a
    /// reactor. Ownership: reactors and service outlive the door.
    static Task<Result<std::unique_ptr<KinesisDoor>>> start(std::vector<Reactor*> reactors,
                                                            StreamService& service);

    Task<HttpResponse> handle(const HttpRequest& request) override;
    /// Of this core.
    KinesisStats stats() const;

 private:
    struct alignas(64) Core {
        TokenSealer tokens;
        Random random;
        KinesisStats stats;
        kinesis::BatchReading reading;
    };
    KinesisDoor(std::vector<Reactor*> reactors, StreamService& service, Bytes secret);
    Core& here();
    Task<kinesis::ApiResult<std::string>> dispatch(const HttpRequest& request, Core& core);

    StreamService& service_;
    std::vector<Reactor*> reactors_;
    std::vector<Core> cores_;
};

}  // namespace tidemill
