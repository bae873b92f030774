#include "engine/server/config.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace tidemill {
namespace {

constexpr std::uint32_t kCoresMax = 256, kLanesMax = 1024;

template <class T>
bool parse_number(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

/// A number and one of `units`; `what` names the kind of value in the error.
template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      std::string_view what) {
    const auto digits = text.find_first_not_of("0123456789");
    std::uint64_t number = 0;
    if (parse_number(text.substr(0, digits), number)) {
        std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
        while (unit.starts_with(' '))
            unit.remove_prefix(1);
        for (const auto& known : units) {
            if (known.name != unit) continue;
            if (number > UINT64_MAX / known.factor) break;
            return number * known.factor;
        }
    }
    return fail(Errc::InvalidArgument, fmt::format("'{}' is no {}", text, what));
}

Status check_range(std::string_view key, std::uint64_t value, std::uint64_t min,
                   std::uint64_t max) {
    if (value >= min && value <= max) return {};
    return fail(Errc::InvalidArgument,
                fmt::format("{} must be between {} and {}; it is {}", key, min, max, value));
}

Status validate(const EncryptionConfig& encryption) {
    const auto check_source = [](const MasterKeySource& source, std::string_view name) -> Status {
        if (source.file.empty() || source.command.empty()) return {};
        return fail(Errc::InvalidArgument,
                    fmt::format("encryption.{}_file and {}_command: set one of them", name, name));
    };
    TRY(check_source(encryption.master_key, "master_key"));
    TRY(check_source(encryption.previous_master_key, "previous_master_key"));
    if (encryption.master_key.is_given()) return {};
    if (encryption.previous_master_key.is_given())
        return fail(Errc::InvalidArgument,
                    "encryption.previous_master_key needs encryption.master_key beside it");
    if (encryption.is_default)
        return fail(Errc::InvalidArgument,
                    "encryption.default is \"on\" and there is no encryption.master_key_file or "
                    "encryption.master_key_command");
    return {};
}

}  // namespace

namespace {

Status validate(const OnDemandOptions& options) {
    TRY(check_range("on_demand.bytes_in_per_second", static_cast<std::uint64_t>(options.bytes_in),
                    1_KiB, 1024_GiB));
    TRY(check_range("on_demand.records_in_per_second",
                    static_cast<std::uint64_t>(options.records_in), 1, UINT32_MAX));
    TRY(check_range("on_demand.bytes_out_per_second", static_cast<std::uint64_t>(options.bytes_out),
                    1_KiB, 1024_GiB));
    TRY(check_range("on_demand.split_after",
                    static_cast<std::uint64_t>(options.split_after.count()), 0, 3'600'000));
    TRY(check_range("on_demand.merge_after",
                    static_cast<std::uint64_t>(options.merge_after.count()), 1000,
                    30ull * 24 * 3'600'000));
    TRY(check_range("on_demand.shards_min", options.shards_min, 1, 10'000));
    return check_range("on_demand.shards_max", options.shards_max, options.shards_min, 10'000);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array units{
        Unit{"", 1},         Unit{"B", 1},           Unit{"KB", 1000},
        Unit{"MB", 1000000}, Unit{"GB", 1000000000}, Unit{"KiB", 1_KiB},
        Unit{"MiB", 1_MiB},  Unit{"GiB", 1_GiB},     Unit{"TiB", 1024 * 1_GiB}};
    return parse_with_unit(text, units, "size; write for example 64MiB");
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr std::array units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                               Unit{"h", 3'600'000}};
    ASSIGN(const std::uint64_t ms,
           parse_with_unit(text, units, "duration; write for example 500ms or 10s"));
    return std::chrono::milliseconds(ms);
}

std::optional<DiskKind> parse_io(std::string_view text) {
    if (text == "auto") return DiskKind::Auto;
    if (text == "uring") return DiskKind::Uring;
    if (text == "threads") return DiskKind::Threads;
    return std::nullopt;
}

std::optional<TlsMode> parse_tls(std::string_view text) {
    if (text == "on") return TlsMode::On;
    if (text == "off") return TlsMode::Off;
    if (text == "required") return TlsMode::Required;
    return std::nullopt;
}

std::optional<AuthMode> parse_auth(std::string_view text) {
    if (text == "required") return AuthMode::Required;
    if (text == "optional") return AuthMode::Optional;
    if (text == "off") return AuthMode::Off;
    return std::nullopt;
}

Status parse_listen(std::string_view text, Config& config) {
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string_view::npos || !parse_number(text.substr(colon + 1), port))
        return fail(Errc::InvalidArgument,
                    fmt::format("'{}' is no address to listen on; write host:port", text));
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    config.listen_host = host.empty() ? "0.0.0.0" : std::string(host);
    config.listen_port = port;
    return {};
}

Status validate(const Config& config) {
    if (config.data_directory.empty())
        return fail(Errc::InvalidArgument, "data must name a directory");
    TRY(check_range("cores", config.cores, 0, kCoresMax));
    TRY(check_range("lanes", config.lanes, 0, kLanesMax));
    TRY(check_range("log.segment_bytes", config.segment_bytes, 16_MiB, 4_GiB));
    TRY(check_range("log.tail_cache_bytes", config.tail_cache_bytes, 8_MiB, 1024_GiB));
    TRY(check_range("log.read_cache_bytes", config.read_cache_bytes, 8_MiB, 1024_GiB));
    const std::uint64_t budget_min = std::max<std::uint64_t>(64_MiB, config.lanes * 16_MiB);
    if (config.disk_budget_bytes != 0 && config.disk_budget_bytes < budget_min)
        return fail(Errc::InvalidArgument,
                    fmt::format("log.disk_budget_bytes must be 0 or at least {} (16 MiB for each "
                                "lane, 64 MiB in all); it is {}",
                                budget_min, config.disk_budget_bytes));
    TRY(check_range("log.retention_tick", static_cast<std::uint64_t>(config.retention_tick.count()),
                    10, 3'600'000));
    TRY(check_range("log.producers_per_shard", config.producers_per_shard, 1, 1'000'000));
    TRY(check_range("log.producers", config.producers, 1, 1'000'000));
    TRY(check_range("log.producer_idle", static_cast<std::uint64_t>(config.producer_idle.count()),
                    1000, 10ull * 365 * 24 * 3'600'000));
    TRY(validate(config.encryption));
    if (config.tls.certificate_file.empty() != config.tls.key_file.empty())
        return fail(Errc::InvalidArgument,
                    "tls.certificate_file and tls.key_file: set both of them or neither");
    TRY(validate(config.usage.on_demand));
    TRY(check_range("http.connections", config.http.connections, 1, 1'000'000));
    TRY(check_range("http.header_bytes", config.http.header_bytes, 4_KiB, 1_MiB));
    TRY(check_range("http.body_bytes", config.http.body_bytes, 1_MiB, 64_MiB));
    TRY(check_range("http.bodies_bytes", config.http.bodies_bytes, config.http.body_bytes,
                    1024_GiB));
    return {};
}

}  // namespace tidemill
