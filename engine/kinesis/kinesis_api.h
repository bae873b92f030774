#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/aws/api.h"
#include "engine/kinesis/call.h"
#include "engine/kinesis/subscriptions.h"
#include "engine/reactor/reactor.h"
#include "engine/security/sealed_token.h"
#include "engine/service/stream_service.h"

namespace tidemill {

struct KinesisStats {
    std::uint64_t calls = 0, client_errors = 0, server_errors = 0;
    std::uint64_t access_denied = 0;       ///< client errors by what policies say
    std::uint64_t unreadable_batches = 0;  ///< that GetRecords went past
};

/// The Kinesis Data Streams API in AWS JSON 1.1 and CBOR 1.1.
class KinesisApi final : public aws::Api {
 public:
    /// Takes the secret behind iterators and tokens from the catalog store, or makes it. Runs on a
    /// reactor. Ownership: reactors and service outlive the API.
    static Task<Result<std::unique_ptr<KinesisApi>>> start(std::vector<Reactor*> reactors,
                                                           StreamService& service);

    std::string_view signing_name() const override { return "kinesis"; }
    std::optional<std::string_view> operation_of(const HttpRequest& request) const override;
    Task<HttpResponse> call(const aws::ApiRequest& request) override;
    HttpResponse refusal(const HttpRequest& request, const aws::ApiError& error) override;

    /// Of this core.
    KinesisStats stats() const;
    kinesis::SubscriptionStats subscription_stats() { return subscriptions_.stats(); }

 private:
    struct alignas(64) Core {
        TokenSealer tokens;
        KinesisStats stats;
        kinesis::BatchReading reading;
    };
    KinesisApi(std::vector<Reactor*> reactors, StreamService& service, Bytes secret);
    Core& here();
    HttpResponse failed(const HttpRequest& request, const aws::ApiError& error);
    struct Answer {
        std::string body;
        std::move_only_function<Task<void>(HttpBodyWriter&)> events;  ///< instead of the body
    };
    Task<aws::ApiResult<Answer>> dispatch(const aws::ApiRequest& request, aws::Encoding encoding,
                                          Core& core);

    StreamService& service_;
    std::vector<Reactor*> reactors_;
    std::vector<Core> cores_;
    kinesis::Subscriptions subscriptions_;
};

}  // namespace tidemill
