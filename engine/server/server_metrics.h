#pragma once

#include <cstdint>

#include "engine/io/task.h"
#include "engine/telemetry/metrics.h"

namespace tidemill {

class CoreMetrics;
class HttpServer;
class KinesisApi;
class LocalStreamService;

/// The doors' own counters, asked when /metrics is. Before the reactors serve.
/// Ownership: the doors live as long as anyone collects.
void register_server_metrics(CoreMetrics& metrics, std::uint32_t cores, const HttpServer& http,
                             KinesisApi& kinesis);
/// What was encrypted and decrypted. The same holds of `service`.
void register_encryption_metrics(CoreMetrics& metrics, std::uint32_t cores,
                                 LocalStreamService& service);

/// What was throttled, with limits only. The same holds of `service`.
void register_throttle_metrics(CoreMetrics& metrics, std::uint32_t cores,
                               LocalStreamService& service);

/// The metrics of single shards, of the streams that show any. Their labels are clients' texts:
/// they are made for each answer and kept nowhere. Core: any reactor.
Task<MetricsSnapshot> collect_shard_metrics(LocalStreamService& service);

/// What the service does by itself. `metrics` is the first core's registry.
void register_service_metrics(MetricRegistry& metrics, const LocalStreamService& service);

}  // namespace tidemill
