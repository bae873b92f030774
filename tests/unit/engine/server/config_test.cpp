#include <doctest/doctest.h>

#include "engine/server/auth_plan.h"
#include "engine/server/config_file.h"

using namespace tidemill;

TEST_CASE("a configuration file sets what it names and leaves the rest") {
    const auto config = parse_config(
        "data = \"/var/lib/x\"\nlisten = \"0.0.0.0:9\"\n[log]\n"
        "segment_bytes = \"64MiB\"\n[http]\nidle_time = \"5s\"\n",
        "t.toml");
    REQUIRE(config);
    CHECK(config->data_directory == "/var/lib/x");
    CHECK(config->listen_host == "0.0.0.0");
    CHECK(config->listen_port == 9);
    CHECK(config->segment_bytes == 64_MiB);
    CHECK(config->http.idle_time == std::chrono::seconds(5));
    CHECK(config->tail_cache_bytes == Config{}.tail_cache_bytes);
    CHECK(validate(*config));
}

TEST_CASE("a key that does not exist is refused with its place and the nearest that does") {
    const auto config = parse_config("\n[log]\nsegmnt_bytes = 1\n", "t.toml");
    REQUIRE_FALSE(config);
    CHECK(config.error().message ==
          "t.toml:3:1: there is no setting 'log.segmnt_bytes'; did you mean 'log.segment_bytes'?");
    CHECK_FALSE(parse_config("[logg]\nx = 1\n", "t.toml"));
}

TEST_CASE("wrong types, broken TOML and values out of range are refused") {
    for (const char* text : {"cores = \"two\"", "log_level = \"loud\"", "listen = \"nowhere\"",
                             "data = 7", "x = [", "[log]\nsegment_bytes = \"64 parsecs\""})
        CHECK_FALSE(parse_config(text, "t.toml"));
    Config config;
    config.segment_bytes = 1;
    CHECK_FALSE(validate(config));
}

TEST_CASE("encryption is configured by a file or by a command, never by both") {
    const auto config = parse_config(
        "[encryption]\nmaster_key_command = [\"get\", \"the key\"]\ndefault = \"on\"\n"
        "previous_master_key_file = \"/k\"\ndata_key_age = \"48h\"\ndata_key_bytes = \"1GiB\"\n"
        "own_key = \"off\"\n",
        "t.toml");
    REQUIRE(config);
    CHECK(config->encryption.master_key.command == std::vector<std::string>{"get", "the key"});
    CHECK(config->encryption.previous_master_key.file == "/k");
    CHECK(config->encryption.is_default);
    CHECK_FALSE(config->encryption.has_own_key);
    CHECK(Config{}.encryption.has_own_key);
    CHECK(config->encryption.data_key_age == std::chrono::hours(48));
    CHECK(config->encryption.data_key_bytes == 1_GiB);
    CHECK(validate(*config));

    for (const char* text :
         {"[encryption]\nmaster_key_command = \"get the key\"", "[encryption]\ndefault = true",
          "[encryption]\nmaster_key_command = []", "[encryption]\nmaster_key_command = [1]",
          "[encryption]\ndata_key_age = \"90m\"", "[encryption]\nmaster_key_file = 3"})
        CHECK_FALSE(parse_config(text, "t.toml"));

    Config both;
    both.encryption.master_key = {"/a", {"b"}};
    CHECK(validate(both).error().message.find("set one of them") != std::string::npos);
    Config keyless;
    keyless.encryption.is_default = true;
    CHECK_FALSE(validate(keyless));
    Config only_previous;
    only_previous.encryption.previous_master_key.file = "/a";
    CHECK_FALSE(validate(only_previous));
}

TEST_CASE("strangers are let in on loopback alone, unless the operator says otherwise") {
    const auto plan = [](const char* host, std::optional<AuthMode> mode, bool has_keys,
                         bool insecure) {
        Config config;
        config.listen_host = host;
        config.auth.mode = mode;
        config.auth.insecure = insecure;
        if (has_keys) config.auth.credentials_file = "keys.toml";
        return plan_auth(config);
    };
    for (const char* host : {"127.0.0.1", "localhost", "::1", "127.8.8.8"}) {
        CHECK(plan(host, {}, false, false)->mode == AuthMode::Optional);
        CHECK_FALSE(plan(host, {}, false, false)->native_is_local);
        CHECK(plan(host, AuthMode::Off, false, false)->mode == AuthMode::Off);
        CHECK_FALSE(plan(host, AuthMode::Required, false, false));
    }
    for (const char* host : {"0.0.0.0", "::", "192.168.1.2", "broker.example"}) {
        CHECK_FALSE(plan(host, {}, false, false));
        CHECK_FALSE(plan(host, AuthMode::Optional, true, false));
        CHECK_FALSE(plan(host, AuthMode::Off, true, false));
        CHECK(plan(host, {}, true, false)->mode == AuthMode::Required);
        CHECK(plan(host, {}, true, false)->native_is_local);
        CHECK(plan(host, {}, true, true)->mode == AuthMode::Required);
        CHECK_FALSE(plan(host, {}, true, true)->native_is_local);
        CHECK(plan(host, {}, false, true)->mode == AuthMode::Optional);
        CHECK(plan(host, AuthMode::Off, false, true)->mode == AuthMode::Off);
    }
    const auto config = parse_config(
        "[auth]\nmode = \"required\"\ncredentials_file = \"/c\"\ninsecure = true\n", "t.toml");
    REQUIRE(config);
    CHECK(config->auth.mode == AuthMode::Required);
    CHECK(config->auth.credentials_file == "/c");
    CHECK(config->auth.insecure);
    CHECK_FALSE(parse_config("[auth]\nmode = \"on\"\n", "t.toml"));
}

TEST_CASE("TLS is on with a development certificate, unless a file or a mode says otherwise") {
    CHECK(Config{}.tls.mode == TlsMode::On);
    const auto config = parse_config(
        "[tls]\nmode = \"required\"\ncertificate_file = \"/c\"\nkey_file = \"/k\"\n", "t.toml");
    REQUIRE(config);
    CHECK(config->tls.mode == TlsMode::Required);
    CHECK(config->tls.certificate_file == "/c");
    CHECK(config->tls.key_file == "/k");
    CHECK(validate(*config));
    const auto half = parse_config("[tls]\nkey_file = \"/k\"\n", "t.toml");
    REQUIRE(half);
    CHECK_FALSE(validate(*half));
    CHECK_FALSE(parse_config("[tls]\nmode = \"maybe\"\n", "t.toml"));
}

TEST_CASE("the pages that may call are a list, and may be none") {
    CHECK(Config{}.cors.origins == std::vector<std::string>{"*"});
    const auto config = parse_config("[http]\ncors_origins = [\"http://localhost:*\"]\n", "t.toml");
    REQUIRE(config);
    CHECK(config->cors.origins == std::vector<std::string>{"http://localhost:*"});
    CHECK(parse_config("[http]\ncors_origins = []\n", "t.toml")->cors.origins.empty());
    CHECK_FALSE(parse_config("[http]\ncors_origins = \"*\"\n", "t.toml"));
}
