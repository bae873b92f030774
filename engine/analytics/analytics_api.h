#pragma once

#include <vector>

#include "engine/analytics/analytics_store.h"
#include "engine/aws/api.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

struct AnalyticsStats {
    std::uint64_t calls = 0, client_errors = 0, server_errors = 0;
};

/// The Kinesis Analytics control API, both versions, in AWS JSON 1.1. What differs from AWS:
/// docs/sql/control-api.md.
class AnalyticsApi final : public aws::Api {
 public:
    /// Ownership: reactors and store outlive the API.
    AnalyticsApi(const std::vector<Reactor*>& reactors, analytics::AnalyticsStore& store)
        : store_(store), cores_(reactors.size()) {}

    std::string_view signing_name() const override { return "kinesisanalytics"; }
    std::optional<std::string_view> operation_of(const HttpRequest& request) const override;
    Task<HttpResponse> call(const aws::ApiRequest& request) override;
    HttpResponse refusal(const HttpRequest& request, const aws::ApiError& error) override;

    AnalyticsStats stats() const;  ///< of this core

 private:
    struct alignas(64) Core {
        AnalyticsStats stats;
    };
    Core& here();
    HttpResponse refused(const aws::ApiError& error, const aws::Value& extra = {});

    analytics::AnalyticsStore& store_;
    std::vector<Core> cores_;
};

}  // namespace tidemill
