#pragma once

#include <vector>

#include "engine/aws/api.h"
#include "engine/cloudwatch/metric_series.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

struct CloudWatchStats {
    std::uint64_t calls = 0, client_errors = 0;
};

/// PutMetricData of the CloudWatch API in its three wire forms: AWS Query (XML answers), AWS JSON
/// 1.0 and Smithy RPC v2 CBOR; bodies may be gzip.
class CloudWatchApi final : public aws::Api {
 public:
    /// Ownership: the reactors outlive the API. The first is the series' home.
    explicit CloudWatchApi(const std::vector<Reactor*>& reactors)
        : home_(*reactors.front()), cores_(reactors.size()) {}

    std::string_view signing_name() const override { return "monitoring"; }
    std::optional<std::string_view> operation_of(const HttpRequest& request) const override;
    Task<HttpResponse> call(const aws::ApiRequest& request) override;
    HttpResponse refusal(const HttpRequest& request, const aws::ApiError& error) override;

    /// What was put, for /metrics. Core: any.
    Task<std::string> metrics_text();
    CloudWatchStats stats() const;  ///< of this core

 private:
    struct alignas(64) Core {
        CloudWatchStats stats;
    };
    Core& here();
    HttpResponse refused(const HttpRequest& request, const aws::ApiError& error,
                         std::string_view id);

    Reactor& home_;
    cloudwatch::MetricSeries series_;
    std::vector<Core> cores_;
};

}  // namespace tidemill
