#include "engine/server/auth_metrics.h"

namespace tidemill {

void register_auth_metrics(CoreMetrics& metrics, std::uint32_t cores,
                           aws::Authenticator& authenticator) {
    for (std::uint32_t core = 0; core < cores; ++core) {
        MetricRegistry& registry = metrics.at(CoreId{core});
        const auto count = [&](const char* outcome, auto read) {
            registry.sampled_counter("tidemill_auth_requests_total",
                                     "requests to the AWS APIs by what their signature was worth",
                                     {{"outcome", outcome}}, [&authenticator, read] {
                                         return read(authenticator.stats());
                                     });
        };
        count("verified", [](const aws::AuthStats& s) { return s.verified; });
        count("unverified", [](const aws::AuthStats& s) { return s.unverified; });
        for (std::size_t fault = 0; fault < kAuthFaults; ++fault)
            count(kAuthFaultNames[fault],
                  [fault](const aws::AuthStats& s) { return s.refused[fault]; });
        const auto count_loads = [&](const char* outcome, auto read) {
            registry.sampled_counter(
                "tidemill_credentials_reloads_total",
                "times that a changed credentials file was read", {{"outcome", outcome}},
                [&authenticator, read] { return read(authenticator.stats()); });
        };
        count_loads("ok", [](const aws::AuthStats& s) { return s.credential_loads; });
        count_loads("failed", [](const aws::AuthStats& s) { return s.credential_load_failures; });
    }
}

}  // namespace tidemill
