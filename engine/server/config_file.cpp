#include "engine/server/config_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace tidemill {
namespace {

using Set = Status (*)(const toml::node& value, Config& config);

struct Key {
    std::string_view name;  ///< dotted
    Set set;
};

std::unexpected<Error> wrong_type(std::string_view wanted) {
    return fail(Errc::InvalidArgument, fmt::format("must be {}", wanted));
}

Result<std::uint64_t> size_of(const toml::node& value) {
    if (const auto number = value.value_exact<std::int64_t>(); number && *number >= 0)
        return static_cast<std::uint64_t>(*number);
    if (const auto text = value.value_exact<std::string_view>()) return parse_size(*text);
    return wrong_type("a size: a number of bytes or text such as \"64MiB\"");
}

Result<std::chrono::milliseconds> duration_of(const toml::node& value) {
    if (const auto text = value.value_exact<std::string_view>()) return parse_duration(*text);
    return wrong_type("a duration: text such as \"500ms\" or \"10s\"");
}

Result<std::uint32_t> count_of(const toml::node& value) {
    const auto number = value.value_exact<std::int64_t>();
    if (number && *number >= 0 && *number <= UINT32_MAX) return static_cast<std::uint32_t>(*number);
    return wrong_type("a whole number");
}

Result<std::string_view> text_of(const toml::node& value) {
    if (const auto text = value.value_exact<std::string_view>()) return *text;
    return wrong_type("text in quotes");
}

template <auto Member>
Status set_size(const toml::node& value, Config& config) {
    ASSIGN(config.*Member, size_of(value));
    return {};
}
template <auto Member>
Status set_count(const toml::node& value, Config& config) {
    ASSIGN(config.*Member, count_of(value));
    return {};
}
template <auto Member>
Status set_http_size(const toml::node& value, Config& config) {
    ASSIGN(config.http.*Member, size_of(value));
    return {};
}
template <auto Member>
Status set_http_time(const toml::node& value, Config& config) {
    ASSIGN(config.http.*Member, duration_of(value));
    return {};
}

Status set_data(const toml::node& value, Config& config) {
    ASSIGN(config.data_directory, text_of(value));
    return {};
}
Status set_listen(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    return parse_listen(text, config);
}
template <auto Member>
Status set_flag(const toml::node& value, Config& config) {
    const auto yes = value.value_exact<bool>();
    if (!yes) return wrong_type("true or false");
    config.*Member = *yes;
    return {};
}
Status set_io(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    const auto kind = parse_io(text);
    if (!kind) return wrong_type("\"auto\", \"uring\" or \"threads\"");
    config.io = *kind;
    return {};
}
Status set_scrub_interval(const toml::node& value, Config& config) {
    ASSIGN(config.scrub_interval, duration_of(value));
    return {};
}
Status set_durability(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    if (text != "disk" && text != "memory") return wrong_type("\"disk\" or \"memory\"");
    config.durability = text == "disk" ? LogDurability::Disk : LogDurability::Memory;
    return {};
}
Status set_when_full(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    if (text != "refuse" && text != "drop_oldest")
        return wrong_type("\"refuse\" or \"drop_oldest\"");
    config.when_full = text == "refuse" ? WhenFull::Refuse : WhenFull::DropOldest;
    return {};
}
Status set_tick(const toml::node& value, Config& config) {
    ASSIGN(config.retention_tick, duration_of(value));
    return {};
}
Status set_producer_idle(const toml::node& value, Config& config) {
    ASSIGN(config.producer_idle, duration_of(value));
    return {};
}
Status set_connections(const toml::node& value, Config& config) {
    ASSIGN(config.http.connections, count_of(value));
    return {};
}
template <auto Member>
Status set_key_file(const toml::node& value, Config& config) {
    ASSIGN((config.encryption.*Member).file, text_of(value));
    return {};
}
template <auto Member>
Status set_key_command(const toml::node& value, Config& config) {
    constexpr std::string_view kWanted =
        "a list of texts: a program and its arguments, which no shell reads";
    if (!value.is_array() || value.as_array()->empty()) return wrong_type(kWanted);
    auto& command = (config.encryption.*Member).command;
    command.clear();
    for (const auto& word : *value.as_array()) {
        const auto text = word.value_exact<std::string_view>();
        if (!text || text->empty()) return wrong_type(kWanted);
        command.emplace_back(*text);
    }
    return {};
}
template <bool EncryptionConfig::* Member>
Status set_encryption_switch(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    if (text != "on" && text != "off") return wrong_type("\"on\" or \"off\"");
    config.encryption.*Member = text == "on";
    return {};
}
Status set_key_age(const toml::node& value, Config& config) {
    ASSIGN(const auto age, duration_of(value));
    config.encryption.data_key_age = std::chrono::duration_cast<std::chrono::hours>(age);
    if (config.encryption.data_key_age != age) return wrong_type("whole hours, such as \"2160h\"");
    return {};
}
Status set_key_bytes(const toml::node& value, Config& config) {
    ASSIGN(config.encryption.data_key_bytes, size_of(value));
    return {};
}
Status set_limits_mode(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    const auto mode = parse_limits_mode(text);
    if (!mode) return wrong_type("\"none\" or \"aws\"");
    config.usage.mode = *mode;
    return {};
}
Status set_auth_mode(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    const auto mode = parse_auth(text);
    if (!mode) return wrong_type("\"required\", \"optional\" or \"off\"");
    config.auth.mode = *mode;
    return {};
}
Status set_credentials_file(const toml::node& value, Config& config) {
    ASSIGN(config.auth.credentials_file, text_of(value));
    return {};
}
template <bool SqlConfig::* Member>
Status set_sql_flag(const toml::node& value, Config& config) {
    const auto yes = value.value_exact<bool>();
    if (!yes) return wrong_type("true or false");
    config.sql.*Member = *yes;
    return {};
}
template <std::filesystem::path SqlConfig::* Member>
Status set_sql_directory(const toml::node& value, Config& config) {
    ASSIGN(config.sql.*Member, text_of(value));
    return {};
}
Status set_insecure(const toml::node& value, Config& config) {
    const auto yes = value.value_exact<bool>();
    if (!yes) return wrong_type("true or false");
    config.auth.insecure = *yes;
    return {};
}
template <auto Member>
Status set_on_demand_size(const toml::node& value, Config& config) {
    ASSIGN(const std::uint64_t bytes, size_of(value));
    config.usage.on_demand.*Member = static_cast<double>(bytes);
    return {};
}
Status set_on_demand_records(const toml::node& value, Config& config) {
    ASSIGN(const std::uint32_t records, count_of(value));
    config.usage.on_demand.records_in = records;
    return {};
}
template <auto Member>
Status set_on_demand_time(const toml::node& value, Config& config) {
    ASSIGN(config.usage.on_demand.*Member, duration_of(value));
    return {};
}
template <auto Member>
Status set_on_demand_count(const toml::node& value, Config& config) {
    ASSIGN(config.usage.on_demand.*Member, count_of(value));
    return {};
}
Status set_on_demand_auto(const toml::node& value, Config& config) {
    const auto yes = value.value_exact<bool>();
    if (!yes) return wrong_type("true or false");
    config.usage.on_demand.is_on = *yes;
    return {};
}
Status set_log_level(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    const auto level = log::parse_level(text);
    if (!level) return wrong_type("\"debug\", \"info\", \"warning\", \"error\" or \"off\"");
    config.log_level = *level;
    return {};
}

Status set_tls_mode(const toml::node& value, Config& config) {
    ASSIGN(const std::string_view text, text_of(value));
    const auto mode = parse_tls(text);
    if (!mode) return wrong_type("\"on\", \"off\" or \"required\"");
    config.tls.mode = *mode;
    return {};
}
template <auto Member>
Status set_tls_file(const toml::node& value, Config& config) {
    ASSIGN(config.tls.*Member, text_of(value));
    return {};
}

Status set_cors_origins(const toml::node& value, Config& config) {
    constexpr std::string_view kWanted = "a list of texts such as \"https://app.example\"";
    if (!value.is_array()) return wrong_type(kWanted);
    config.cors.origins.clear();
    for (const auto& each : *value.as_array()) {
        const auto origin = each.value_exact<std::string_view>();
        if (!origin || origin->empty()) return wrong_type(kWanted);
        config.cors.origins.emplace_back(*origin);
    }
    return {};
}

constexpr Key kKeys[] = {
    {"data", set_data},
    {"listen", set_listen},
    {"cores", set_count<&Config::cores>},
    {"pin_to_core", set_flag<&Config::pin_to_core>},
    {"io", set_io},
    {"direct_io", set_flag<&Config::direct_io>},
    {"lanes", set_count<&Config::lanes>},
    {"log_level", set_log_level},
    {"log.durability", set_durability},
    {"log.segment_bytes", set_size<&Config::segment_bytes>},
    {"log.disk_budget_bytes", set_size<&Config::disk_budget_bytes>},
    {"log.disk_free_bytes", set_size<&Config::disk_free_bytes>},
    {"log.when_full", set_when_full},
    {"log.rewrite_bytes_per_second", set_size<&Config::rewrite_bytes_per_second>},
    {"log.pack", set_flag<&Config::pack>},
    {"log.tail_cache_bytes", set_size<&Config::tail_cache_bytes>},
    {"log.read_cache_bytes", set_size<&Config::read_cache_bytes>},
    {"log.retention_tick", set_tick},
    {"log.producers_per_shard", set_count<&Config::producers_per_shard>},
    {"log.producers", set_count<&Config::producers>},
    {"log.producer_idle", set_producer_idle},
    {"log.scrub_bytes_per_second", set_size<&Config::scrub_bytes_per_second>},
    {"log.scrub_interval", set_scrub_interval},
    {"encryption.master_key_file", set_key_file<&EncryptionConfig::master_key>},
    {"encryption.master_key_command", set_key_command<&EncryptionConfig::master_key>},
    {"encryption.previous_master_key_file", set_key_file<&EncryptionConfig::previous_master_key>},
    {"encryption.previous_master_key_command",
     set_key_command<&EncryptionConfig::previous_master_key>},
    {"encryption.default", set_encryption_switch<&EncryptionConfig::is_default>},
    {"encryption.own_key", set_encryption_switch<&EncryptionConfig::has_own_key>},
    {"encryption.data_key_age", set_key_age},
    {"encryption.data_key_bytes", set_key_bytes},
    {"limits.mode", set_limits_mode},
    {"auth.mode", set_auth_mode},
    {"auth.credentials_file", set_credentials_file},
    {"auth.insecure", set_insecure},
    {"tls.mode", set_tls_mode},
    {"sql.allow_commands", set_sql_flag<&SqlConfig::allow_commands>},
    {"sql.allow_http", set_sql_flag<&SqlConfig::allow_http>},
    {"sql.files_directory", set_sql_directory<&SqlConfig::files_directory>},
    {"sql.functions_directory", set_sql_directory<&SqlConfig::functions_directory>},
    {"tls.certificate_file", set_tls_file<&TlsConfig::certificate_file>},
    {"tls.key_file", set_tls_file<&TlsConfig::key_file>},
    {"on_demand.auto", set_on_demand_auto},
    {"on_demand.bytes_in_per_second", set_on_demand_size<&OnDemandOptions::bytes_in>},
    {"on_demand.records_in_per_second", set_on_demand_records},
    {"on_demand.bytes_out_per_second", set_on_demand_size<&OnDemandOptions::bytes_out>},
    {"on_demand.split_after", set_on_demand_time<&OnDemandOptions::split_after>},
    {"on_demand.merge_after", set_on_demand_time<&OnDemandOptions::merge_after>},
    {"on_demand.shards_min", set_on_demand_count<&OnDemandOptions::shards_min>},
    {"on_demand.shards_max", set_on_demand_count<&OnDemandOptions::shards_max>},
    {"http.cors_origins", set_cors_origins},
    {"http.connections", set_connections},
    {"http.header_bytes", set_http_size<&HttpLimits::header_bytes>},
    {"http.body_bytes", set_http_size<&HttpLimits::body_bytes>},
    {"http.bodies_bytes", set_http_size<&HttpLimits::bodies_bytes>},
    {"http.header_time", set_http_time<&HttpLimits::header_time>},
    {"http.body_time", set_http_time<&HttpLimits::body_time>},
    {"http.idle_time", set_http_time<&HttpLimits::idle_time>},
    {"http.write_time", set_http_time<&HttpLimits::write_time>},
    {"http.stop_time", set_http_time<&HttpLimits::stop_time>},
};

std::string place(const std::string& file, const toml::source_position& at) {
    return fmt::format("{}:{}:{}", file, at.line, at.column);
}

Status apply(const toml::table& table, const std::string& prefix, const std::string& file,
             Config& config) {
    for (const auto& [key, value] : table) {
        const std::string name = prefix + std::string(key.str());
        const auto* known = std::ranges::find(kKeys, name, &Key::name);
        if (known != std::end(kKeys)) {
            if (const Status status = known->set(value, config); !status)
                return fail(Errc::InvalidArgument,
                            fmt::format("{}: {}: {}", place(file, value.source().begin), name,
                                        status.error().message));
            continue;
        }
        const bool is_section = std::ranges::any_of(
            kKeys, [&](const Key& k) { return k.name.starts_with(name + "."); });
        if (is_section && value.is_table()) {
            TRY(apply(*value.as_table(), name + ".", file, config));
            continue;
        }
        std::vector<std::string_view> names;
        for (const auto& k : kKeys)
            names.push_back(k.name);
        return fail(Errc::InvalidArgument,
                    fmt::format("{}: there is no setting '{}'; did you mean '{}'?",
                                place(file, key.source().begin), name, nearest_name(name, names)));
    }
    return {};
}

/// Levenshtein's distance.
std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> names) {
    return *std::ranges::min_element(
        names, {}, [name](std::string_view candidate) { return edits_between(name, candidate); });
}

Result<Config> parse_config(std::string_view text, const std::string& file, Config base) {
    try {
        const toml::table table = toml::parse(text, file);
        TRY(apply(table, "", file, base));
        return base;
    } catch (const toml::parse_error& error) {
        return fail(Errc::InvalidArgument,
                    fmt::format("{}: {}", place(file, error.source().begin), error.description()));
    }
}

Result<Config> load_config(const std::filesystem::path& file, Config base) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return fail(Errc::NotFound, fmt::format("cannot read the configuration {}", file.string()));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return parse_config(text, file.string(), std::move(base));
}

}  // namespace tidemill
