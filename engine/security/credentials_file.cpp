#include "engine/security/credentials_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "engine/security/policy.h"
#include "engine/security/sealed_token.h"
#include "engine/security/signature_time.h"

namespace tidemill {
namespace {

constexpr std::size_t kFileBytesMax = 4_MiB;
constexpr std::size_t kNameMax = 512;
constexpr std::size_t kAccessKeyMax = 128;

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

std::unexpected<Error> refused(const std::filesystem::path& file, std::string_view doing) {
    const int reason = errno;
    return fail(reason == ENOENT ? Errc::NotFound : Errc::IoFailed,
                fmt::format("cannot {} {}: {}", doing, file.string(), std::strerror(reason)),
                reason);
}

FileStamp stamp_of(const std::filesystem::path& file, const struct stat& facts) {
    return {file, facts.st_dev, facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
            facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

/// The whole of a file, if its mode has none of the bits `forbidden`.
Result<std::string> read_file(const std::filesystem::path& file, mode_t forbidden,
                              FileStamp& stamp) {
    const Descriptor opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (opened.fd < 0) return refused(file, "open");
    struct stat facts{};
    if (::fstat(opened.fd, &facts) != 0) return refused(file, "look at");
    if (!S_ISREG(facts.st_mode))
        return fail(Errc::InvalidArgument, fmt::format("{} is not a regular file", file.string()));
    if ((facts.st_mode & forbidden) != 0)
        return fail(Errc::AccessDenied,
                    fmt::format("{} is open to others (mode {:03o}); chmod 600 it", file.string(),
                                facts.st_mode & 0777));
    if (static_cast<std::size_t>(facts.st_size) > kFileBytesMax)
        return fail(Errc::InvalidArgument,
                    fmt::format("{} is larger than {} bytes", file.string(), kFileBytesMax));
    stamp = stamp_of(file, facts);
    std::string text(static_cast<std::size_t>(facts.st_size), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t count = ::read(opened.fd, text.data() + have, text.size() - have);
        if (count < 0) return refused(file, "read");
        if (count == 0) break;
        have += static_cast<std::size_t>(count);
    }
    text.resize(have);
    return text;
}

bool is_account(std::string_view text) {
    return text.size() == 12 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Names of users, roles and sessions, with their paths. Source: IAM's and STS's API references.
bool is_name(std::string_view text) {
    constexpr std::string_view kMarks = "+=,.@-_/";
    return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, [&](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               kMarks.contains(c);
    });
}

bool is_access_key(std::string_view text) {
    return !text.empty() && text.size() <= kAccessKeyMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

Identity user_of(std::string_view account, std::string_view name) {
    Identity identity;
    identity.account = account;
    identity.arn = name.empty() || name == "root"
                       ? fmt::format("arn:aws:iam::{}:root", account)
                       : fmt::format("arn:aws:iam::{}:user/{}", account, name);
    return identity;
}

Identity session_of(std::string_view account, std::string_view role, std::string_view session) {
    Identity identity;
    identity.account = account;
    // A role's path is not part of its sessions' names.
    const auto base = role.substr(role.rfind('/') + 1);
    identity.arn = fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", account, base, session);
    identity.role_arn = fmt::format("arn:aws:iam::{}:role/{}", account, role);
    return identity;
}

/// Reads one file's tables; the first fault ends it.
class Reader {
 public:
    Reader(std::filesystem::path file, CredentialsFile& to) : file_(std::move(file)), to_(to) {}

    Status read(const toml::table& root) {
        TRY(only(root, {"user", "role"}));
        TRY(each(root, "user", [this](const toml::table& user) { return read_user(user); }));
        return each(root, "role", [this](const toml::table& role) { return read_role(role); });
    }

 private:
    std::unexpected<Error> fault(const toml::node& at, std::string_view text) const {
        const auto& begin = at.source().begin;
        return fail(Errc::InvalidArgument,
                    fmt::format("{}:{}:{}: {}", file_.string(), begin.line, begin.column, text));
    }

    Status only(const toml::table& table, std::initializer_list<std::string_view> names) const {
        for (const auto& [key, value] : table)
            if (std::ranges::find(names, key.str()) == names.end())
                return fault(value, fmt::format("there is no setting '{}' here", key.str()));
        return {};
    }

    template <class Read>
    Status each(const toml::table& table, std::string_view name, Read read) const {
        const toml::node* node = table.get(name);
        if (node == nullptr) return {};
        const auto wrong = [&] {
            return fault(*node, fmt::format("write [[{}]] above each {}", name, name));
        };
        if (!node->is_array()) return wrong();
        for (const auto& entry : *node->as_array()) {
            if (!entry.is_table()) return wrong();
            TRY(read(*entry.as_table()));
        }
        return {};
    }

    Result<std::string> text(const toml::table& table, std::string_view name,
                             std::string_view otherwise = "") const {
        const toml::node* node = table.get(name);
        if (node == nullptr) return std::string(otherwise);
        if (const auto value = node->value_exact<std::string_view>()) return std::string(*value);
        return fault(*node, fmt::format("{} must be text in quotes", name));
    }

    Result<std::string> account_of(const toml::table& table) const {
        ASSIGN(std::string account, text(table, "account", kNoAccount));
        if (!is_account(account)) return fault(*table.get("account"), "an account has 12 digits");
        return account;
    }

    Result<std::string> name_of(const toml::table& table, std::string_view key) const {
        ASSIGN(std::string name, text(table, key));
        if (!is_name(name))
            return fault(table.contains(key) ? *table.get(key) : table,
                         fmt::format("{} must be 1 to {} of the characters A-Z a-z 0-9 "
                                     "+ = , . @ - _ /",
                                     key, kNameMax));
        return name;
    }

    using Policies = std::vector<std::shared_ptr<const Policy>>;

    /// What stands in `policy`, and in the files of `policies`.
    Result<Policies> policies_of(const toml::table& table) {
        Policies policies;
        const auto add = [&](const toml::node& at, std::string_view json,
                             std::string_view place) -> Status {
            auto policy = parse_policy(json, PolicyKind::Identity);
            if (!policy) return fault(at, fmt::format("{}: {}", place, policy.error().message));
            policies.push_back(std::make_shared<const Policy>(std::move(*policy)));
            return {};
        };
        if (table.contains("policy")) {
            ASSIGN(const std::string json, text(table, "policy"));
            TRY(add(*table.get("policy"), json, "policy"));
        }
        const toml::node* files = table.get("policies");
        if (files == nullptr) return policies;
        if (!files->is_array()) return fault(*files, "policies must be a list of files");
        for (const toml::node& node : *files->as_array()) {
            const auto name = node.value_exact<std::string_view>();
            if (!name) return fault(node, "policies must be a list of files");
            FileStamp stamp;
            auto json = read_file(file_.parent_path() / *name, S_IWOTH | S_IWGRP, stamp);
            if (!json) return fault(node, json.error().message);
            to_.read.push_back(std::move(stamp));
            TRY(add(node, *json, *name));
        }
        return policies;
    }

    Status read_user(const toml::table& user) {
        TRY(only(user, {"name", "account", "policy", "policies", "key"}));
        ASSIGN(const std::string account, account_of(user));
        ASSIGN(const std::string name, name_of(user, "name"));
        Identity made = user_of(account, name);
        ASSIGN(made.policies, policies_of(user));
        const auto identity = std::make_shared<const Identity>(std::move(made));
        return each(user, "key",
                    [&](const toml::table& key) { return read_key(key, identity, false); });
    }

    Status read_role(const toml::table& role) {
        TRY(only(role, {"name", "account", "policy", "policies", "key"}));
        ASSIGN(const std::string account, account_of(role));
        ASSIGN(const std::string name, name_of(role, "name"));
        ASSIGN(const auto policies, policies_of(role));
        return each(role, "key", [&](const toml::table& key) -> Status {
            ASSIGN(const std::string session, name_of(key, "session"));
            Identity made = session_of(account, name, session);
            made.policies = policies;
            return read_key(key, std::make_shared<const Identity>(std::move(made)), true);
        });
    }

    Status read_key(const toml::table& key, IdentityPtr identity, bool is_role) {
        if (is_role) {
            TRY(only(key, {"id", "secret", "session_token", "expires", "session"}));
        } else {
            TRY(only(key, {"id", "secret", "session_token", "expires"}));
        }
        Credential credential;
        ASSIGN(credential.access_key, text(key, "id"));
        if (!is_access_key(credential.access_key))
            return fault(key, fmt::format("a key needs an id of 1 to {} letters, digits, - and _",
                                          kAccessKeyMax));
        ASSIGN(credential.secret, text(key, "secret"));
        if (credential.secret.empty())
            return fault(key, fmt::format("key {} needs a secret", credential.access_key));
        ASSIGN(credential.session_token, text(key, "session_token"));
        if (const toml::node* expires = key.get("expires")) {
            ASSIGN(credential.expires, time_of(*expires));
        }
        credential.identity = std::move(identity);
        const std::string id = credential.access_key;
        if (!to_.keys.add(std::move(credential)))
            return fault(key, fmt::format("key {} is there twice", id));
        return {};
    }

    Result<WallTime> time_of(const toml::node& node) const {
        constexpr std::string_view kWanted = "must be a time with its zone: 2027-01-01T00:00:00Z";
        const auto* time = node.as_date_time();
        if (time == nullptr || !time->get().offset) return fault(node, kWanted);
        const toml::date_time& value = time->get();
        const std::chrono::year_month_day date{std::chrono::year(value.date.year),
                                               std::chrono::month(value.date.month),
                                               std::chrono::day(value.date.day)};
        if (!date.ok()) return fault(node, kWanted);
        return WallTime(std::chrono::sys_days(date) + std::chrono::hours(value.time.hour) +
                        std::chrono::minutes(value.time.minute) +
                        std::chrono::seconds(value.time.second) -
                        std::chrono::minutes(value.offset->minutes));
    }

    std::filesystem::path file_;
    CredentialsFile& to_;
};

std::string random_text(std::size_t length, std::string_view alphabet) {
    std::string text;
    while (text.size() < length)
        for (const std::byte byte : random_secret(length)) {
            // Even: what the alphabet does not divide is drawn again.
            const auto value = std::to_integer<std::size_t>(byte);
            if (value >= 256 / alphabet.size() * alphabet.size()) continue;
            if (text.size() < length) text.push_back(alphabet[value % alphabet.size()]);
        }
    return text;
}

Status append(const std::filesystem::path& file, std::string_view text) {
    const Descriptor opened{
        ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600)};
    if (opened.fd < 0) return refused(file, "open");
    if (::write(opened.fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(opened.fd) != 0)
        return refused(file, "write");
    return {};
}

std::string iso_time(WallTime time) {
    const std::string basic = basic_time(time);
    return fmt::format("{}-{}-{}T{}:{}:{}Z", basic.substr(0, 4), basic.substr(4, 2),
                       basic.substr(6, 2), basic.substr(9, 2), basic.substr(11, 2),
                       basic.substr(13, 2));
}

}  // namespace

Result<CredentialsFile> load_credentials(const std::filesystem::path& file) {
    CredentialsFile loaded;
    FileStamp stamp;
    ASSIGN(const std::string text, read_file(file, S_IRWXO | S_IWGRP, stamp));
    loaded.read.push_back(std::move(stamp));
    try {
        const toml::table root = toml::parse(text, file.string());
        TRY(Reader(file, loaded).read(root));
    } catch (const toml::parse_error& error) {
        const auto& at = error.source().begin;
        return fail(Errc::InvalidArgument, fmt::format("{}:{}:{}: {}", file.string(), at.line,
                                                       at.column, error.description()));
    }
    return loaded;
}

std::vector<FileStamp> look_again(const std::vector<FileStamp>& read) {
    std::vector<FileStamp> now;
    for (const FileStamp& was : read) {
        struct stat facts{};
        now.push_back(::stat(was.file.c_str(), &facts) == 0 ? stamp_of(was.file, facts)
                                                            : FileStamp{.file = was.file});
    }
    return now;
}

Result<Credential> add_credential(const std::filesystem::path& file, const NewCredential& wanted,
                                  WallTime now) {
    constexpr std::string_view kKeyLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    constexpr std::string_view kSecretLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!is_account(wanted.account))
        return fail(Errc::InvalidArgument,
                    fmt::format("an account has 12 digits; this is '{}'", wanted.account));
    const bool is_session = !wanted.session.empty();
    for (const std::string* name : {&wanted.name, is_session ? &wanted.session : &wanted.name})
        if (!is_name(*name))
            return fail(Errc::InvalidArgument,
                        fmt::format("'{}' is no name: use A-Z a-z 0-9 + = , . @ - _ /", *name));
    if (std::filesystem::exists(file)) TRY(load_credentials(file));

    Credential made;
    made.access_key = (is_session ? "ASIA" : "AKIA") + random_text(16, kKeyLetters);
    made.secret = random_text(40, kSecretLetters);
    if (is_session) made.session_token = random_text(128, kSecretLetters);
    if (wanted.life.count() > 0) made.expires = now + wanted.life;
    made.identity = std::make_shared<const Identity>(
        is_session ? session_of(wanted.account, wanted.name, wanted.session)
                   : user_of(wanted.account, wanted.name));

    const std::string_view kind = is_session ? "role" : "user";
    std::string text = fmt::format("\n[[{0}]]\nname = \"{1}\"\naccount = \"{2}\"\n[[{0}.key]]\n",
                                   kind, wanted.name, wanted.account);
    text += fmt::format("id = \"{}\"\nsecret = \"{}\"\n", made.access_key, made.secret);
    if (is_session)
        text += fmt::format("session = \"{}\"\nsession_token = \"{}\"\n", wanted.session,
                            made.session_token);
    if (made.expires) text += fmt::format("expires = {}\n", iso_time(*made.expires));
    TRY(append(file, text));
    return made;
}

}  // namespace tidemill
