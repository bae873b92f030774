#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/crypto/master_key_source.h"
#include "engine/http/http_cors.h"
#include "engine/http/http_limits.h"
#include "engine/io/make_disk.h"
#include "engine/log/log_config.h"
#include "engine/security/auth_mode.h"
#include "engine/telemetry/log.h"
#include "engine/usage/usage_options.h"

namespace tidemill {

/// Encryption at rest: docs/encryption.md.
struct EncryptionConfig {
    MasterKeySource master_key, previous_master_key;
    bool is_default = false;  ///< for new streams
    bool has_own_key = true;  ///< without a master key the data directory gets one of its own
    std::chrono::hours data_key_age{90 * 24};     ///< 0: a data key never gets old
    std::uint64_t data_key_bytes = 1024 * 1_GiB;  ///< 0: no bound
};

/// Who may call: docs/security.md.
struct AuthConfig {
    std::optional<AuthMode> mode;            ///< not set: by the address, see server/auth_plan.h
    std::filesystem::path credentials_file;  ///< empty: the development key alone
    bool insecure = false;  ///< strangers may be let in on an address that others reach
};

enum class TlsMode {
    On,  ///< beside connections without it
    Off,
    Required,  ///< requests without it are refused
};

/// Connections in TLS: docs/tls.md.
struct TlsConfig {
    TlsMode mode = TlsMode::On;
    std::filesystem::path certificate_file, key_file;  ///< empty: a development certificate
};

/// What SQL applications may do outside the broker: docs/sql/input-output.md.
struct SqlConfig {
    bool allow_commands = false;  ///< pre-processing by commands: it is execution of code
    bool allow_http = true;       ///< rows sent to HTTP servers
    std::filesystem::path files_directory{};      ///< where sinks may write files; empty: nowhere
    std::filesystem::path functions_directory{};  ///< executables that stand for Lambda functions
};

/// All that an operator can set. The file's keys are the names in config_file.cpp.
struct Config {
    std::filesystem::path data_directory = "tidemill-data";
    std::string listen_host = "127.0.0.1";
    std::uint16_t listen_port = 4567;  ///< 0: any free one

    std::uint32_t cores = 0;  ///< reactors; 0: one for each processor
    bool pin_to_core = false;
    DiskKind io = DiskKind::Auto;
    bool direct_io = true;    ///< bypass the page cache where the file system takes it
    std::uint32_t lanes = 0;  ///< of a new data directory; 0: one for each core

    LogDurability durability = LogDurability::Disk;
    std::size_t segment_bytes = 256_MiB;
    std::uint64_t disk_budget_bytes = 0;     ///< of all lanes together; 0: what the disk has
    std::uint64_t disk_free_bytes = 64_MiB;  ///< left to everybody else on the file system
    WhenFull when_full = WhenFull::Refuse;
    std::uint64_t rewrite_bytes_per_second = 64_MiB;  ///< of all lanes together; 0: never
    bool pack = true;                                 ///< old small batches into larger ones
    std::size_t tail_cache_bytes = 256_MiB;           ///< of all lanes together
    std::size_t read_cache_bytes = 128_MiB;           ///< of all lanes together
    std::chrono::milliseconds retention_tick{1000};
    std::uint32_t producers_per_shard = 256;  ///< idempotent ones remembered
    std::uint32_t producers = 16384;          ///< of all shards of a lane
    std::chrono::milliseconds producer_idle = std::chrono::hours{7 * 24};  ///< then forgotten
    std::uint64_t scrub_bytes_per_second = 8_MiB;  ///< of all lanes together; 0: no scrub
    std::chrono::milliseconds scrub_interval = std::chrono::hours{168};  ///< from pass to pass

    EncryptionConfig encryption;
    UsageOptions usage;  ///< docs/limits.md
    AuthConfig auth;
    TlsConfig tls;
    SqlConfig sql;
    HttpLimits http;
    HttpCors cors;
    log::Level log_level = log::Level::Info;
};

/// Checks every value and the relations between them. Errors: InvalidArgument, naming the key.
Status validate(const Config& config);

/// "host:port", "[v6]:port" or ":port" (all addresses). Errors: InvalidArgument.
Status parse_listen(std::string_view text, Config& config);
/// "auto", "uring" or "threads"; nothing for anything else.
std::optional<DiskKind> parse_io(std::string_view text);
/// "on", "off" or "required"; nothing for anything else.
std::optional<TlsMode> parse_tls(std::string_view text);
/// "required", "optional" or "off"; nothing for anything else.
std::optional<AuthMode> parse_auth(std::string_view text);
/// 1048576, "1MiB", "1MB", "512 KiB". Errors: InvalidArgument.
Result<std::uint64_t> parse_size(std::string_view text);
/// "250ms", "10s", "5m", "2h". Errors: InvalidArgument.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace tidemill
