#include "engine/security/credentials_file.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <stdlib.h>

#include "engine/security/signature_time.h"

using namespace tidemill;

namespace {

/// A directory of its own that goes with the test.
struct Directory {
    Directory() {
        std::string name = std::filesystem::temp_directory_path() / "tidemill-credentials-XXXXXX";
        path = ::mkdtemp(name.data());
    }
    ~Directory() { std::filesystem::remove_all(path); }
    std::filesystem::path write(const std::string& text, mode_t mode = 0600) const {
        const auto file = path / "credentials.toml";
        std::ofstream(file) << text;
        ::chmod(file.c_str(), mode);
        return file;
    }
    std::filesystem::path path;
};

constexpr const char* kTwo = R"([[user]]
name = "alice"
account = "111122223333"
[[user.key]]
id = "AKIAONE"
secret = "s1"
[[user.key]]
id = "AKIATWO"
secret = "s2"

[[role]]
name = "team/reader"
account = "111122223333"
[[role.key]]
session = "job-7"
id = "ASIATHREE"
secret = "s3"
session_token = "t3"
expires = 2027-01-01T01:00:00+01:00
)";

}  // namespace

TEST_CASE("a credentials file names users and roles, and their keys") {
    const Directory directory;
    const auto loaded = load_credentials(directory.write(kTwo));
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    CHECK(loaded->keys.size() == 3);
    const Credential* alice = loaded->keys.find("AKIATWO");
    REQUIRE(alice != nullptr);
    CHECK(alice->secret == "s2");
    CHECK(alice->identity->arn == "arn:aws:iam::111122223333:user/alice");
    CHECK(alice->identity == loaded->keys.find("AKIAONE")->identity);
    const Credential* job = loaded->keys.find("ASIATHREE");
    REQUIRE(job != nullptr);
    CHECK(job->session_token == "t3");
    CHECK(job->expires == parse_basic_time("20270101T000000Z"));
    CHECK(job->identity->arn == "arn:aws:sts::111122223333:assumed-role/reader/job-7");
    CHECK(job->identity->role_arn == "arn:aws:iam::111122223333:role/team/reader");
    CHECK(loaded->keys.find("AKIAFOUR") == nullptr);
}

TEST_CASE("a credentials file that others may read or change is refused") {
    const Directory directory;
    for (const mode_t mode : {mode_t{0604}, mode_t{0660}, mode_t{0602}, mode_t{0601}}) {
        const auto loaded = load_credentials(directory.write(kTwo, mode));
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().code == Errc::AccessDenied);
    }
    CHECK(load_credentials(directory.write(kTwo, 0640)).has_value());
    CHECK(load_credentials(directory.path / "none").error().code == Errc::NotFound);
}

TEST_CASE("what is wrong in a credentials file is told with its place, and without a secret") {
    const Directory directory;
    const auto message = [&](const std::string& text) {
        const auto loaded = load_credentials(directory.write(text));
        REQUIRE_FALSE(loaded.has_value());
        CHECK_FALSE(loaded.error().message.contains("hush"));
        return loaded.error().message;
    };
    const std::string user = "[[user]]\nname = \"a\"\n";
    CHECK(message("[[user]]\nnmae = \"a\"\n").contains(":2:8: there is no setting 'nmae' here"));
    CHECK(message("[[user]]\nname = \"a b\"\n").contains("name must be"));
    CHECK(message(user + "account = \"12\"\n").contains("12 digits"));
    CHECK(message(user + "[[user.key]]\nid = \"K\"\n").contains("key K needs a secret"));
    CHECK(message(user + "[[user.key]]\nsecret = \"hush\"\n").contains("a key needs an id"));
    CHECK(message(user + "[[user.key]]\nid = \"K\"\nsecret = \"hush\"\n[[user.key]]\nid = \"K\"\n"
                         "secret = \"hush\"\n")
              .contains("key K is there twice"));
    CHECK(message("[user]\nname = \"a\"\n").contains("write [[user]]"));
    CHECK(message(user + "[[user.key]]\nid = \"K\"\nsecret = \"hush\"\nexpires = 2027-01-01\n")
              .contains("a time with its zone"));
    CHECK(message("[[user]\n").contains("credentials.toml:1"));
}

TEST_CASE("a new key is added to a file, which is made for its owner alone") {
    const Directory directory;
    const auto file = directory.path / "new.toml";
    const WallTime now = *parse_basic_time("20261123T100000Z");
    const auto first = add_credential(file, {.name = "alice", .account = "111122223333"}, now);
    REQUIRE(first.has_value());
    struct stat facts{};
    REQUIRE(::stat(file.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    const auto second = add_credential(
        file, {.name = "reader", .session = "job", .life = std::chrono::hours(2)}, now);
    REQUIRE(second.has_value());
    CHECK(first->secret.size() == 40);
    CHECK(first->secret != second->secret);
    const auto loaded = load_credentials(file);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    CHECK(loaded->keys.size() == 2);
    const Credential* user = loaded->keys.find(first->access_key);
    REQUIRE(user != nullptr);
    CHECK(user->secret == first->secret);
    const Credential* session = loaded->keys.find(second->access_key);
    REQUIRE(session != nullptr);
    CHECK(session->session_token == second->session_token);
    CHECK(session->expires == now + 2h);
    CHECK_FALSE(add_credential(file, {.name = "a b"}, now).has_value());
    CHECK_FALSE(add_credential(file, {.name = ""}, now).has_value());
    CHECK_FALSE(add_credential(file, {.name = "a", .account = "1"}, now).has_value());
}

TEST_CASE("a changed, replaced or vanished file looks different") {
    const Directory directory;
    const auto file = directory.write(kTwo);
    const auto loaded = load_credentials(file);
    REQUIRE(loaded.has_value());
    CHECK(look_again(loaded->read) == loaded->read);
    std::ofstream(file, std::ios::app) << "\n";
    CHECK(look_again(loaded->read) != loaded->read);
    std::filesystem::remove(file);
    CHECK(look_again(loaded->read) != loaded->read);
}

TEST_CASE("the identities of a copied set are its own") {
    const CredentialSet set = development_credentials();
    const CredentialSet copy = set.copy();
    const Credential* one = set.find(kDevelopmentAccessKey);
    const Credential* other = copy.find(kDevelopmentAccessKey);
    REQUIRE(one != nullptr);
    REQUIRE(other != nullptr);
    CHECK(one->identity != other->identity);
    CHECK(one->identity->arn == other->identity->arn);
}
