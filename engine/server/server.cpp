#include "engine/server/server.h"

#include <thread>

#include "engine/analytics/analytics_api.h"
#include "engine/aws/aws_door.h"
#include "engine/catalog/sqlite_catalog_store.h"
#include "engine/cloudwatch/cloudwatch_api.h"
#include "engine/crypto/master_key_source.h"
#include "engine/crypto/own_master_key.h"
#include "engine/dynamodb/dynamodb_api.h"
#include "engine/dynamodb/table_door.h"
#include "engine/http/http_server.h"
#include "engine/http/operations_pages.h"
#include "engine/io/directory_lock.h"
#include "engine/kinesis/kinesis_api.h"
#include "engine/log/local_log_store.h"
#include "engine/native/native_door.h"
#include "engine/query/query_service.h"
#include "engine/query/sql_door.h"
#include "engine/reactor/call_on.h"
#include "engine/server/auth_metrics.h"
#include "engine/server/auth_plan.h"
#include "engine/server/certificate_keeper.h"
#include "engine/server/log_metrics.h"
#include "engine/server/server_metrics.h"
#include "engine/server/table_metrics.h"
#include "engine/service/local_stream_service.h"
#include "engine/service/stored_keys.h"
#include "engine/telemetry/core_metrics.h"
#include "engine/telemetry/prometheus.h"

namespace tidemill {
namespace {

constexpr const char* kNativePreface = "TMN1";

LogConfig log_config(const Config& config, std::uint32_t cores) {
    const std::uint32_t lanes = config.lanes != 0 ? config.lanes : cores;
    LogConfig to;
    to.lane_count = lanes;
    to.durability = config.durability;
    to.segment_bytes = config.segment_bytes;
    to.first_segment_bytes = std::min(to.first_segment_bytes, config.segment_bytes);
    to.disk_budget_bytes = config.disk_budget_bytes;
    to.disk_free_bytes = config.disk_free_bytes;
    to.when_full = config.when_full;
    to.packs = config.pack;
    to.rewrite_bytes_per_second =
        config.rewrite_bytes_per_second == 0
            ? 0
            : std::max<std::uint64_t>(config.rewrite_bytes_per_second / lanes, 1_MiB);
    to.tail_cache_bytes = config.tail_cache_bytes / lanes;
    to.read_cache_bytes = config.read_cache_bytes / lanes;
    to.tick = config.retention_tick;
    to.producers_per_shard = config.producers_per_shard;
    to.producers = config.producers;
    to.producer_idle = config.producer_idle;
    to.scrub_bytes_per_second = config.scrub_bytes_per_second / lanes;
    to.scrub_interval = config.scrub_interval;
    to.report = [](const std::string& text) { log::warn("log_report", {{"text", text}}); };
    return to;
}

std::vector<Reactor*> all_of(ReactorGroup& group) {
    std::vector<Reactor*> reactors;
    for (std::uint32_t i = 0; i < group.size(); ++i)
        reactors.push_back(&group.at(CoreId{i}));
    return reactors;
}

Task<void> serve_tables(dynamodb::TableDoor& door, NativeRequest request, NativeReply& reply) {
    const auto answer = co_await door.serve(request.kind, std::move(request.message));
    if (answer)
        reply.send(*answer);
    else
        reply.send_error(answer.error());
}

}  // namespace

/// In the order in which they are made; destroyed the other way round.
struct Server::Parts {
    Config config;
    DirectoryLock lock;
    EncryptionOptions encryption;
    AuthPlan auth_plan;
    CredentialKeeper credentials;
    CertificateKeeper certificate;
    CredentialSet first_credentials;
    std::unique_ptr<ReactorGroup> reactors;
    std::unique_ptr<CoreMetrics> metrics;
    std::unique_ptr<SqliteCatalogStore> catalog;
    std::unique_ptr<LocalLogStore> log;
    std::unique_ptr<LocalStreamService> service;
    std::unique_ptr<query::QueryService> queries;
    std::unique_ptr<query::SqlDoor> sql;
    std::unique_ptr<KinesisApi> kinesis;
    std::unique_ptr<dynamodb::TableStore> tables;
    std::unique_ptr<dynamodb::TableDoor> table_door;
    std::unique_ptr<DynamoDbApi> dynamodb;
    std::unique_ptr<CloudWatchApi> cloudwatch;
    std::unique_ptr<analytics::AnalyticsStore> applications;
    std::unique_ptr<AnalyticsApi> analytics;
    std::unique_ptr<aws::Authenticator> authenticator;
    std::unique_ptr<aws::AwsDoor> aws;
    std::unique_ptr<NativeDoor> native;
    std::unique_ptr<HealthPage> health;
    std::unique_ptr<MetricsPage> metrics_page;
    std::unique_ptr<HttpServer> http;
    std::uint16_t port = 0;
    std::vector<LogStats> log_stats;  // of each lane, as of the last look at /metrics
    bool is_log_open = false, is_listening = false, is_stopped = false;

    Reactor& home() { return reactors->at(CoreId{0}); }
    Status load_keys();
    Status load_own_key();
    Status load_credentials();
    void report_auth() const;
    Status start_reactors();
    Status open_stores();
    Status start_service();
    Status open_doors();
    Task<void> read_log_stats();
    void stop();
};

Status Server::Parts::load_keys() {
    const auto& wanted = config.encryption;
    encryption.is_default = wanted.is_default;
    encryption.data_key_age = wanted.data_key_age;
    encryption.data_key_bytes = wanted.data_key_bytes;
    if (!wanted.master_key.is_given()) return {};
    ASSIGN(MasterKey current, load_master_key(wanted.master_key));
    std::optional<MasterKey> previous;
    if (wanted.previous_master_key.is_given()) {
        ASSIGN(previous, load_master_key(wanted.previous_master_key));
    } else if (const auto own = own_master_key_file(config.data_directory);
               std::filesystem::exists(own)) {
        ASSIGN(previous, load_master_key({own, {}}));
    }
    encryption.keys = std::make_shared<const KeyRing>(std::move(current), std::move(previous));
    return {};
}

/// With no master key configured: the directory's own. One that needs another key is given none.
Status Server::Parts::load_own_key() {
    if (encryption.keys != nullptr || !config.encryption.has_own_key) return {};
    const auto file = own_master_key_file(config.data_directory);
    std::optional<MasterKey> key;
    if (std::filesystem::exists(file)) {
        ASSIGN(key, load_master_key({file, {}}));
    } else {
        auto look = [this] { return needs_master_key(*catalog); };
        ASSIGN(const bool needs_another, run_on(home(), look));
        if (needs_another) return {};
        ASSIGN(key, make_own_master_key(config.data_directory));
    }
    encryption.keys = std::make_shared<const KeyRing>(std::move(*key));
    return {};
}

Status Server::Parts::load_credentials() {
    ASSIGN(auth_plan, plan_auth(config));
    ASSIGN(first_credentials, credentials.load(config.auth.credentials_file));
    return {};
}

void Server::Parts::report_auth() const {
    constexpr std::string_view kModes[] = {"required", "optional", "off"};
    log::info("auth", {{"mode", kModes[static_cast<std::size_t>(auth_plan.mode)]},
                       {"keys", first_credentials.size()},
                       {"native_protocol", auth_plan.native_is_local ? "this machine" : "anyone"}});
    if (is_loopback(config.listen_host) || !config.auth.insecure) return;
    log::warn("open_to_the_network",
              {{"listen", config.listen_host},
               {"meaning", auth_plan.mode == AuthMode::Required
                               ? "anyone who reaches the port may use the native protocol"
                               : "anyone who reaches the port may use it"}});
}

Status Server::Parts::start_reactors() {
    std::error_code error;
    std::filesystem::create_directories(config.data_directory, error);
    if (error)
        return fail(Errc::IoFailed,
                    fmt::format("cannot make the data directory {}: {}",
                                config.data_directory.string(), error.message()),
                    error.value());
    ASSIGN(lock, DirectoryLock::take(config.data_directory.string(), DirectoryLock::Kind::Broker));
    const std::uint32_t cores =
        config.cores != 0 ? config.cores : std::max(1u, std::thread::hardware_concurrency());
    ReactorConfig reactor_config;
    reactor_config.data_directory = config.data_directory.string();
    reactor_config.pin_to_core = config.pin_to_core;
    reactor_config.disk = config.io;
    reactor_config.direct_io = config.direct_io;
    // With no disk to wait for, waking up is most of what an acknowledgement takes.
    if (config.durability == LogDurability::Memory && std::thread::hardware_concurrency() > cores)
        reactor_config.spin_when_busy = 120us;
    ASSIGN(reactors, ReactorGroup::start(cores, reactor_config));
    metrics = std::make_unique<CoreMetrics>(*reactors);
    return {};
}

Status Server::Parts::open_stores() {
    // The catalog first: it refuses when another process has this data directory.
    ASSIGN(catalog, SqliteCatalogStore::open(config.data_directory / "catalog.db"));
    log = std::make_unique<LocalLogStore>(*reactors, log_config(config, reactors->size()));
    TRY(run_on(home(), [this] { return log->open(); }));
    is_log_open = true;
    return {};
}

Status Server::Parts::start_service() {
    TRY(load_own_key());
    auto make_service = [this] {
        return LocalStreamService::start(all_of(*reactors), *log, *catalog, encryption,
                                         config.usage);
    };
    ASSIGN(service, run_on(home(), make_service));
    query::QueryLimits query_limits;
    query_limits.allows_commands = config.sql.allow_commands;
    query_limits.allows_http = config.sql.allow_http;
    query_limits.files_directory = config.sql.files_directory.string();
    query_limits.functions_directory = config.sql.functions_directory.string();
    query_limits.journal_directory = (config.data_directory / "sql").string();
    query_limits.syncs_journal = config.durability == LogDurability::Disk;
    queries = std::make_unique<query::QueryService>(*service, *reactors, query_limits);
    sql = std::make_unique<query::SqlDoor>(*queries);
    auto start_queries = [this] { return queries->start(); };
    return run_on(home(), start_queries);
}

Status Server::Parts::open_doors() {
    auto make_kinesis = [this] { return KinesisApi::start(all_of(*reactors), *service); };
    ASSIGN(kinesis, run_on(home(), make_kinesis));
    auto open_tables = [this] { return dynamodb::TableStore::open(home(), *catalog); };
    ASSIGN(tables, run_on(home(), open_tables));
    table_door = std::make_unique<dynamodb::TableDoor>(*tables);
    dynamodb = std::make_unique<DynamoDbApi>(all_of(*reactors), *tables);
    cloudwatch = std::make_unique<CloudWatchApi>(all_of(*reactors));
    applications = std::make_unique<analytics::AnalyticsStore>(home(), *service, *queries);
    TRY(run_on(home(), [this] { return applications->load(); }));
    analytics = std::make_unique<AnalyticsApi>(all_of(*reactors), *applications);
    authenticator =
        std::make_unique<aws::Authenticator>(all_of(*reactors), auth_plan.mode, first_credentials);
    aws = std::make_unique<aws::AwsDoor>(
        all_of(*reactors),
        std::vector<aws::Api*>{kinesis.get(), dynamodb.get(), cloudwatch.get(), analytics.get()},
        *authenticator);
    NativeGreeting greeting;
    greeting.durability = config.durability == LogDurability::Disk ? "disk" : "memory";
    NativeLimits native_limits;
    native_limits.serves_this_machine_alone = auth_plan.native_is_local;
    native = std::make_unique<NativeDoor>(*service, *reactors, native_limits, greeting);

    native->set_extension(query::SqlDoor::kFirstKind, query::SqlDoor::kLastKind,
                          [this](NativeRequest request, NativeReply& reply) {
                              return query::serve_sql(*sql, std::move(request), reply);
                          });

    native->set_extension(dynamodb::TableDoor::kFirstKind, dynamodb::TableDoor::kLastKind,
                          [this](NativeRequest request, NativeReply& reply) {
                              return serve_tables(*table_door, std::move(request), reply);
                          });

    health = std::make_unique<HealthPage>([] { return std::string{}; });
    metrics_page = std::make_unique<MetricsPage>([this]() -> Task<std::string> {
        co_await read_log_stats();
        auto of_cores = co_await metrics->collect();
        of_cores.merge(co_await collect_shard_metrics(*service));
        const auto of_queries = co_await queries->metrics_text();
        const auto of_clients = co_await cloudwatch->metrics_text();
        co_return to_prometheus(of_cores) + of_queries + of_clients;
    });
    http = std::make_unique<HttpServer>(all_of(*reactors), config.http);
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH"})
        http->router().mount(method, "/", *aws);
    http->router().mount("GET", "/healthz", *health);
    http->router().mount("GET", "/readyz", *health);
    http->router().mount("GET", "/metrics", *metrics_page);
    // Further doors (console, REST, SQL) are mounted here.
    http->set_raw_handler(kNativePreface, [this](TcpSocket socket, std::vector<std::byte> first) {
        return native->serve(std::move(socket), std::move(first));
    });
    register_log_metrics(metrics->at(CoreId{0}), log_stats);
    register_service_metrics(metrics->at(CoreId{0}), *service);
    register_server_metrics(*metrics, reactors->size(), *http, *kinesis);
    register_throttle_metrics(*metrics, reactors->size(), *service);
    register_auth_metrics(*metrics, reactors->size(), *authenticator);
    register_table_metrics(*metrics, reactors->size(), *dynamodb, *tables);
    register_cloudwatch_metrics(*metrics, reactors->size(), *cloudwatch);
    register_encryption_metrics(*metrics, reactors->size(), *service);
    http->set_cors(config.cors);
    TRY(certificate.load(config, *http));
    ASSIGN(port, http->listen(config.listen_host, config.listen_port));
    is_listening = true;
    return {};
}

Task<void> Server::Parts::read_log_stats() {
    const auto read = [this]() -> Task<void> { log_stats = co_await log->stats(); };
    co_await call_on(home(), read);
}

void Server::Parts::stop() {
    if (is_stopped || reactors == nullptr) return;
    is_stopped = true;
    const auto finish = [this]() -> Task<void> {
        if (is_listening) co_await http->stop_listening();
        // The native door first: a live query may be waiting for its peer to read.
        if (native != nullptr) co_await native->stop();
        if (queries != nullptr) co_await queries->stop();
        // Subscriptions over HTTP wait for records.
        if (service != nullptr) co_await service->interrupt_waits();
        if (is_listening) co_await http->stop();
        if (tables != nullptr) co_await tables->stop();
        if (service != nullptr) co_await service->stop();
        if (is_log_open) co_await log->stop();
    };
    run_on(home(), finish);
    reactors->stop();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Config config) {
    TRY(validate(config));
    auto parts = std::make_unique<Parts>();
    parts->config = std::move(config);
    // From here on the server's destructor stops whatever has been started.
    std::unique_ptr<Server> server(new Server(std::move(parts)));
    Parts& made = *server->parts_;
    TRY(made.load_keys());
    TRY(made.load_credentials());
    TRY(made.start_reactors());
    TRY(made.open_stores());
    TRY(made.start_service());
    TRY(made.open_doors());
    log::info("server_started",
              {{"listen", fmt::format("{}:{}", made.config.listen_host, made.port)},
               {"data", made.config.data_directory.string()},
               {"cores", made.reactors->size()},
               {"io", made.home().disk().description()},
               {"limits", limits_mode_text(made.config.usage.mode)},
               {"durability", made.config.durability == LogDurability::Disk ? "disk" : "memory"}});
    made.report_auth();
    if (made.config.durability == LogDurability::Memory)
        log::warn("durability_is_memory",
                  {{"meaning", "records are acknowledged before they are on disk"}});
    return server;
}

const std::string& Server::host() const { return parts_->config.listen_host; }
const std::filesystem::path& Server::certificate() const {
    return parts_->certificate.certificate();
}
std::uint16_t Server::port() const { return parts_->port; }
StreamService& Server::service() { return *parts_->service; }
query::QueryService& Server::queries() { return *parts_->queries; }
ReactorGroup& Server::reactors() { return *parts_->reactors; }
void Server::reload(Reload what) {
    if (!parts_->is_listening) return;
    parts_->credentials.reload(what, *parts_->authenticator, parts_->home());
    parts_->certificate.reload(what, *parts_->http);
}
void Server::stop() { parts_->stop(); }

}  // namespace tidemill
