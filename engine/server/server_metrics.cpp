#include "engine/server/server_metrics.h"

#include "engine/http/http_server.h"
#include "engine/kinesis/kinesis_api.h"
#include "engine/service/local_stream_service.h"
#include "engine/telemetry/core_metrics.h"

namespace tidemill {
namespace {

struct HttpCounter {
    const char* name;
    const char* help;
    std::uint64_t HttpStats::* value;
};
constexpr HttpCounter kHttpCounters[] = {
    {"tidemill_http_connections_total", "connections accepted", &HttpStats::connections_total},
    {"tidemill_http_connections_refused_total", "connections above the limit",
     &HttpStats::connections_refused},
    {"tidemill_http_requests_total", "requests read whole", &HttpStats::requests},
    {"tidemill_http_bad_requests_total", "requests refused before a handler saw them",
     &HttpStats::bad_requests},
    {"tidemill_http_timeouts_total", "connections cut at a deadline", &HttpStats::timeouts},
    {"tidemill_tls_handshakes_total", "TLS connections made", &HttpStats::tls_handshakes},
    {"tidemill_tls_failures_total", "TLS handshakes that failed", &HttpStats::tls_failures},
    {"tidemill_http2_streams_total", "requests begun over HTTP/2", &HttpStats::http2_streams},
    {"tidemill_http2_abuse_total", "HTTP/2 connections ended for wasting the server's time",
     &HttpStats::http2_ended_for_abuse},
    {"tidemill_http_body_bytes_in_total", "bytes of request bodies", &HttpStats::body_bytes_in},
    {"tidemill_http_body_bytes_out_total", "bytes of response bodies", &HttpStats::body_bytes_out},
};

struct EncryptionCounter {
    const char* name;
    const char* help;
    std::uint64_t EncryptionStats::* value;
};
constexpr EncryptionCounter kEncryptionCounters[] = {
    {"tidemill_encryption_sealed_batches_total", "batches encrypted on their way to the log",
     &EncryptionStats::sealed_batches},
    {"tidemill_encryption_sealed_bytes_total", "bytes of them before",
     &EncryptionStats::sealed_bytes},
    {"tidemill_encryption_opened_batches_total", "batches decrypted for readers",
     &EncryptionStats::opened_batches},
    {"tidemill_encryption_opened_bytes_total", "bytes of them after",
     &EncryptionStats::opened_bytes},
    {"tidemill_encryption_refused_batches_total", "batches that did not open: altered, or moved",
     &EncryptionStats::refused_batches},
};

struct ReshardCounter {
    const char* name;
    const char* help;
    std::uint64_t ReshardStats::* value;
};
constexpr ReshardCounter kReshardCounters[] = {
    {"tidemill_reshards_total", "splits, merges and scalings carried out", &ReshardStats::done},
    {"tidemill_reshards_withdrawn_total", "changes of shards that the log could not make",
     &ReshardStats::withdrawn},
    {"tidemill_shards_closed_total", "shards closed by a reshard", &ReshardStats::shards_closed},
    {"tidemill_shards_added_total", "shards made by a reshard", &ReshardStats::shards_added},
    {"tidemill_shards_expired_total", "closed shards that left their stream",
     &ReshardStats::shards_expired},
    {"tidemill_reshard_sealing_microseconds_total",
     "time in which a reshard's key ranges could not be written", &ReshardStats::sealing_micros},
};

struct OnDemandCounter {
    const char* name;
    const char* help;
    std::uint64_t OnDemandStats::* value;
};
constexpr OnDemandCounter kOnDemandCounters[] = {
    {"tidemill_on_demand_splits_total", "hot shards of streams on demand that were split",
     &OnDemandStats::splits},
    {"tidemill_on_demand_merges_total", "pairs of cold shards of streams on demand merged",
     &OnDemandStats::merges},
    {"tidemill_on_demand_failed_total", "changes of streams on demand that could not be made",
     &OnDemandStats::failed},
    {"tidemill_on_demand_one_key_total", "hot shards with one hot key, which no split helps",
     &OnDemandStats::one_key},
};

struct ShardCounter {
    const char* name;
    const char* help;
    std::uint64_t ShardCounts::* value;
};
/// In the order of kShardMetricNames, of which the last is a gauge.
constexpr ShardCounter kShardCounters[] = {
    {"tidemill_shard_incoming_bytes_total", "IncomingBytes: data and keys put into the shard",
     &ShardCounts::incoming_bytes},
    {"tidemill_shard_incoming_records_total", "IncomingRecords: records put into the shard",
     &ShardCounts::incoming_records},
    {"tidemill_shard_outgoing_bytes_total", "OutgoingBytes: data and keys read from the shard",
     &ShardCounts::outgoing_bytes},
    {"tidemill_shard_outgoing_records_total", "OutgoingRecords: records read from the shard",
     &ShardCounts::outgoing_records},
    {"tidemill_shard_write_throughput_exceeded_total",
     "WriteProvisionedThroughputExceeded: records refused above the shard's rate",
     &ShardCounts::writes_refused},
    {"tidemill_shard_read_throughput_exceeded_total",
     "ReadProvisionedThroughputExceeded: reads refused above the shard's rate",
     &ShardCounts::reads_refused},
};
static_assert(std::size(kShardCounters) + 1 == std::size(kShardMetricNames));

struct ThrottleCounter {
    const char* name;
    const char* help;
    std::uint64_t ThrottleStats::* value;
};
constexpr ThrottleCounter kThrottleCounters[] = {
    {"tidemill_throttled_write_records_total", "records refused: their shard's rate is used up",
     &ThrottleStats::write_records},
    {"tidemill_throttled_read_calls_total", "reads refused: their shard's rate is used up",
     &ThrottleStats::read_calls},
    {"tidemill_throttled_iterator_calls_total", "calls of GetShardIterator refused",
     &ThrottleStats::iterator_calls},
    {"tidemill_throttled_operations_total", "calls of control operations refused",
     &ThrottleStats::operations},
};

struct SubscriptionCounter {
    const char* name;
    const char* help;
    std::uint64_t kinesis::SubscriptionStats::* value;
};
using kinesis::SubscriptionStats;
constexpr SubscriptionCounter kSubscriptionCounters[] = {
    {"tidemill_kinesis_subscriptions_total", "subscriptions begun by SubscribeToShard",
     &SubscriptionStats::begun},
    {"tidemill_kinesis_subscriptions_refused_total",
     "subscriptions refused: the consumer had begun another on that shard just before",
     &SubscriptionStats::refused},
    {"tidemill_kinesis_subscriptions_taken_over_total", "subscriptions ended by a later one",
     &SubscriptionStats::taken_over},
    {"tidemill_kinesis_subscription_events_total", "events pushed", &SubscriptionStats::events},
    {"tidemill_kinesis_subscription_heartbeats_total", "events pushed without records",
     &SubscriptionStats::heartbeats},
    {"tidemill_kinesis_subscription_records_total", "records pushed", &SubscriptionStats::records},
    {"tidemill_kinesis_subscription_bytes_total", "bytes of data and keys pushed",
     &SubscriptionStats::bytes},
};

}  // namespace

void register_throttle_metrics(CoreMetrics& metrics, std::uint32_t cores,
                               LocalStreamService& service) {
    RateLimits* const limits = service.limits();
    if (limits == nullptr) return;
    for (std::uint32_t core = 0; core < cores; ++core)
        for (const auto& counter : kThrottleCounters)
            metrics.at(CoreId{core})
                .sampled_counter(counter.name, counter.help, {}, [limits, value = counter.value] {
                    return limits->stats().*value;
                });
}

void register_encryption_metrics(CoreMetrics& metrics, std::uint32_t cores,
                                 LocalStreamService& service) {
    for (std::uint32_t core = 0; core < cores; ++core)
        for (const auto& counter : kEncryptionCounters)
            metrics.at(CoreId{core})
                .sampled_counter(counter.name, counter.help, {}, [&service, value = counter.value] {
                    return service.encryption_stats().*value;
                });
}

Task<MetricsSnapshot> collect_shard_metrics(LocalStreamService& service) {
    const auto all = co_await service.collect_shard_counts();
    const auto catalog = service.catalog();
    MetricRegistry metrics;
    for (const auto& [name, stream] : catalog->streams) {
        if (stream->shard_metrics == 0) continue;
        for (const auto& shard : stream->shards) {
            const auto found = all.find(shard.uid);
            const ShardCounts counts = found == all.end() ? ShardCounts{} : found->second;
            const MetricLabels labels{{"stream", name}, {"shard", shard_id_text(shard.index)}};
            for (std::size_t i = 0; i < std::size(kShardCounters); ++i)
                if ((stream->shard_metrics >> i & 1u) != 0)
                    metrics.counter(kShardCounters[i].name, kShardCounters[i].help, labels)
                        .add(counts.*kShardCounters[i].value);
            if ((stream->shard_metrics >> std::size(kShardCounters) & 1u) != 0)
                metrics
                    .gauge("tidemill_shard_iterator_age_milliseconds",
                           "IteratorAgeMilliseconds: how old the last read's last record was",
                           labels)
                    .set(counts.iterator_age.count());
        }
    }
    co_return metrics.snapshot();
}

void register_service_metrics(MetricRegistry& metrics, const LocalStreamService& service) {
    for (const auto& counter : kReshardCounters)
        metrics.sampled_counter(counter.name, counter.help, {}, [&service, value = counter.value] {
            return service.reshard_stats().*value;
        });
    for (const auto& counter : kOnDemandCounters)
        metrics.sampled_counter(counter.name, counter.help, {}, [&service, value = counter.value] {
            return service.on_demand_stats().*value;
        });
    metrics.sampled_gauge(
        "tidemill_on_demand_streams", "streams in ON_DEMAND mode", {},
        [&service] { return static_cast<double>(service.on_demand_stats().streams); });
    metrics.sampled_gauge(
        "tidemill_reshards_under_way", "changes of shards not yet done", {},
        [&service] { return static_cast<double>(service.reshard_stats().under_way); });
}

void register_server_metrics(CoreMetrics& metrics, std::uint32_t cores, const HttpServer& http,
                             KinesisApi& kinesis) {
    for (std::uint32_t core = 0; core < cores; ++core) {
        MetricRegistry& registry = metrics.at(CoreId{core});
        for (const auto& counter : kHttpCounters)
            registry.sampled_counter(
                counter.name, counter.help, {},
                [&http, value = counter.value] { return http.core_stats().*value; });
        registry.sampled_gauge("tidemill_http_connections", "open connections", {}, [&http] {
            return static_cast<double>(http.core_stats().connections_open);
        });
        const auto by_protocol = [&](const char* protocol, std::uint64_t HttpStats::* value) {
            registry.sampled_counter("tidemill_http_protocol_connections_total",
                                     "connections by what they turned out to speak",
                                     {{"protocol", protocol}},
                                     [&http, value] { return http.core_stats().*value; });
        };
        by_protocol("http/1.1", &HttpStats::http1_connections);
        by_protocol("h2", &HttpStats::http2_connections);
        const auto by_outcome = [&](const char* outcome, auto read) {
            registry.sampled_counter("tidemill_kinesis_calls_total", "calls of the Kinesis API",
                                     {{"outcome", outcome}},
                                     [&kinesis, read] { return read(kinesis.stats()); });
        };
        by_outcome("ok", [](const KinesisStats& s) {
            return s.calls - s.client_errors - s.server_errors;
        });
        by_outcome("client_error", [](const KinesisStats& s) { return s.client_errors; });
        by_outcome("server_error", [](const KinesisStats& s) { return s.server_errors; });
        registry.sampled_counter("tidemill_kinesis_access_denied_total",
                                 "calls that policies did not allow", {},
                                 [&kinesis] { return kinesis.stats().access_denied; });
        registry.sampled_counter("tidemill_kinesis_unreadable_batches_total",
                                 "record batches that GetRecords went past: no records in them", {},
                                 [&kinesis] { return kinesis.stats().unreadable_batches; });
        for (const auto& counter : kSubscriptionCounters)
            registry.sampled_counter(
                counter.name, counter.help, {},
                [&kinesis, value = counter.value] { return kinesis.subscription_stats().*value; });
        registry.sampled_gauge(
            "tidemill_kinesis_subscriptions", "subscriptions in force", {},
            [&kinesis] { return static_cast<double>(kinesis.subscription_stats().active); });
    }
}

}  // namespace tidemill
