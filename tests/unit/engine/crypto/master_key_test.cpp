#include <algorithm>
#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <unistd.h>

#include "engine/crypto/command_output.h"
#include "engine/crypto/key_ring.h"
#include "engine/crypto/master_key_source.h"

using namespace tidemill;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kHexKey =
    "00112233445566778899aabbccddeeff0123456789abcdef0123456789ABCDEF";

/// A file of one test.
struct KeyFile {
    std::filesystem::path path;
    KeyFile(std::string_view content, mode_t mode)
        : path(std::filesystem::temp_directory_path() /
               ("tidemill-key-" + std::to_string(::getpid()))) {
        std::ofstream(path, std::ios::binary) << content;
        ::chmod(path.c_str(), mode);
    }
    ~KeyFile() { std::filesystem::remove(path); }
    Result<MasterKey> load() const { return load_master_key({path, {}}); }
};

bool is_same(const Secret& a, const Secret& b) { return std::ranges::equal(a.bytes(), b.bytes()); }

}  // namespace

TEST_CASE("A wrapped key opens under its master key and context alone") {
    const MasterKey master{Secret::random()}, other{Secret::random()};
    const Secret key = Secret::random();
    const auto wrapped = master.wrap(key, "stream a");
    const auto back = master.unwrap(wrapped, "stream a");
    REQUIRE(back);
    CHECK(is_same(*back, key));
    CHECK(master.unwrap(wrapped, "stream b").error().code == Errc::Corrupt);
    CHECK(other.unwrap(wrapped, "stream a").error().code == Errc::Corrupt);
    CHECK(master.unwrap(Bytes(wrapped).first(59), "stream a").error().code == Errc::Corrupt);
    CHECK(master.wrap(key, "stream a") != wrapped);
    CHECK(master.fingerprint() != other.fingerprint());
    CHECK(master.fingerprint().size() == 16);
}

TEST_CASE("A ring opens what the previous master key wrapped and wraps it anew") {
    const Secret old_secret = Secret::random(), new_secret = Secret::random();
    const KeyRing before{MasterKey(old_secret)};
    const auto wrapped = before.make_key("c");
    const KeyRing between{MasterKey(new_secret), MasterKey(old_secret)};
    CHECK_FALSE(between.is_current(wrapped));
    const auto moved = between.rewrap(wrapped, "c");
    REQUIRE(moved);
    const KeyRing after{MasterKey(new_secret)};
    CHECK(after.is_current(*moved));
    CHECK(is_same(*after.unwrap(*moved, "c"), *before.unwrap(wrapped, "c")));
    CHECK(after.unwrap(wrapped, "c").error().code == Errc::NotFound);
}

TEST_CASE("A master key is 32 bytes or 64 hexadecimal digits") {
    CHECK(parse_master_key(as_bytes(kHexKey)));
    CHECK(parse_master_key(as_bytes(std::string(kHexKey) + "\r\n")));
    CHECK(parse_master_key(as_bytes("0123456789abcdef0123456789abcde\n")));  // 32 raw bytes
    for (const std::string& bad :
         {std::string(), std::string("secret"), std::string(kHexKey.substr(1)),
          std::string(63, 'a') + "g", std::string(kHexKey) + "00", std::string(64, '0'),
          std::string(32, 'a'), std::string(31, 'b')}) {
        const auto key = parse_master_key(as_bytes(bad));
        REQUIRE_FALSE(key);
        CHECK(key.error().code == Errc::InvalidArgument);
        if (!bad.empty()) CHECK(key.error().message.find(bad) == std::string::npos);
    }
    CHECK(is_same(*parse_master_key(as_bytes(kHexKey)),
                  *parse_master_key(as_bytes(std::string(kHexKey) + "\n"))));
}

TEST_CASE("A key file that others may read is refused") {
    CHECK(KeyFile(kHexKey, 0600).load());
    CHECK(KeyFile(kHexKey, 0400).load());
    for (const mode_t mode : {0640u, 0604u, 0620u, 0601u, 0644u}) {
        const auto key = KeyFile(kHexKey, mode).load();
        REQUIRE_FALSE(key);
        CHECK(key.error().code == Errc::AccessDenied);
    }
    CHECK(load_master_key({"/nonexistent/key", {}}).error().code == Errc::NotFound);
    CHECK(load_master_key({"/dev/null", {}}).error().code == Errc::InvalidArgument);
    const auto empty = KeyFile("", 0600).load();
    CHECK(empty.error().code == Errc::InvalidArgument);
}

TEST_CASE("A new key file loads, is its owner's alone, and is never written over") {
    const auto path =
        std::filesystem::temp_directory_path() / ("tidemill-new-key-" + std::to_string(::getpid()));
    const auto made = make_master_key_file(path);
    REQUIRE(made);
    struct stat facts{};
    ::stat(path.c_str(), &facts);
    CHECK((facts.st_mode & 0777) == 0600);
    const auto loaded = load_master_key({path, {}});
    REQUIRE(loaded);
    CHECK(loaded->fingerprint() == made->fingerprint());
    CHECK(make_master_key_file(path).error().code == Errc::AlreadyExists);
    std::filesystem::remove(path);
}

TEST_CASE("A command's output is the key, and no shell reads the command") {
    const auto key = load_master_key({{}, {"/bin/echo", std::string(kHexKey)}});
    REQUIRE(key);
    CHECK(key->fingerprint() == MasterKey(*parse_master_key(as_bytes(kHexKey))).fingerprint());
    const auto output = command_output({"echo", "$HOME;", "`id`", "*"}, 4096, 10s);
    REQUIRE(output);
    CHECK(as_text(*output) == "$HOME; `id` *\n");
}

TEST_CASE("A command that fails, floods, hangs or is missing is refused") {
    CHECK(command_output({"/nonexistent/program"}, 10, 10s).error().code == Errc::NotFound);
    const auto failed = command_output({"false"}, 10, 10s);
    CHECK(failed.error().code == Errc::IoFailed);
    CHECK(failed.error().message == "false ended with exit code 1");
    CHECK(command_output({"yes"}, 1000, 10s).error().code == Errc::TooLarge);
    CHECK(command_output({"sleep", "600"}, 10, 20ms).error().code == Errc::Timeout);
    // Its output is closed, and it goes on.
    CHECK(command_output({"sh", "-c", "exec >&-; sleep 600"}, 10, 50ms).error().code ==
          Errc::Timeout);
    CHECK(command_output({"cat"}, 10, 10s)->empty());  // stdin is empty
}
