#include "engine/server/table_metrics.h"

namespace tidemill {

void register_table_metrics(CoreMetrics& metrics, std::uint32_t cores, const DynamoDbApi& api,
                            const dynamodb::TableStore& tables) {
    for (std::uint32_t core = 0; core < cores; ++core) {
        const auto by_outcome = [&](const char* outcome, auto read) {
            metrics.at(CoreId{core})
                .sampled_counter("tidemill_dynamodb_calls_total", "calls of the DynamoDB API",
                                 {{"outcome", outcome}},
                                 [&api, read] { return read(api.stats()); });
        };
        by_outcome("ok", [](const DynamoDbStats& s) {
            return s.calls - s.client_errors - s.server_errors;
        });
        by_outcome("client_error", [](const DynamoDbStats& s) { return s.client_errors; });
        by_outcome("server_error", [](const DynamoDbStats& s) { return s.server_errors; });
    }
    MetricRegistry& home = metrics.at(CoreId{0});
    const auto counter = [&](const char* name, const char* help,
                             std::uint64_t dynamodb::TableStoreStats::* value) {
        home.sampled_counter(name, help, {}, [&tables, value] { return tables.stats().*value; });
    };
    counter("tidemill_tables_commits_total", "commits of groups of changes to tables",
            &dynamodb::TableStoreStats::commits);
    counter("tidemill_tables_rows_written_total", "rows that those wrote",
            &dynamodb::TableStoreStats::rows_written);
    counter("tidemill_tables_failed_commits_total", "commits that the catalog store refused",
            &dynamodb::TableStoreStats::failed_commits);
    const auto gauge = [&](const char* name, const char* help,
                           std::size_t dynamodb::TableStoreStats::* value) {
        home.sampled_gauge(name, help, {},
                           [&tables, value] { return static_cast<double>(tables.stats().*value); });
    };
    gauge("tidemill_tables", "tables of the DynamoDB API", &dynamodb::TableStoreStats::tables);
    gauge("tidemill_table_items", "items in them", &dynamodb::TableStoreStats::items);
    gauge("tidemill_table_bytes", "bytes of the items, as DynamoDB counts them",
          &dynamodb::TableStoreStats::bytes);
}

void register_cloudwatch_metrics(CoreMetrics& metrics, std::uint32_t cores,
                                 const CloudWatchApi& api) {
    for (std::uint32_t core = 0; core < cores; ++core) {
        MetricRegistry& registry = metrics.at(CoreId{core});
        const std::string name = "tidemill_cloudwatch_calls_total", help = "calls of PutMetricData";
        registry.sampled_counter(name, help, {{"outcome", "ok"}},
                                 [&api] { return api.stats().calls - api.stats().client_errors; });
        registry.sampled_counter(name, help, {{"outcome", "client_error"}},
                                 [&api] { return api.stats().client_errors; });
    }
}

}  // namespace tidemill
