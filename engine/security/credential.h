#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/time.h"
#include "engine/security/policy.h"

namespace tidemill {

/// The account of callers that nobody knows.
constexpr std::string_view kNoAccount = "000000000000";

/// Somebody who may call: a user, an account's root, or a session of a role.
struct Identity {
    std::string account;  ///< 12 digits
    std::string arn;      ///< "arn:aws:iam::000000000000:user/alice"
    /// The role of a session, which policies may name instead: "arn:aws:iam::...:role/reader".
    std::string role_arn{};
    /// What it may do; none: everything that its account may.
    std::vector<std::shared_ptr<const Policy>> policies{};
};
using IdentityPtr = std::shared_ptr<const Identity>;

/// An access key and what its signatures are checked with.
struct Credential {
    std::string access_key;
    std::string secret;
    std::string session_token{};  ///< empty: it needs none
    std::optional<WallTime> expires{};
    IdentityPtr identity{};
};

/// The access keys that are known at one time.
class CredentialSet {
 public:
    /// Returns false when there is one of that access key already.
    bool add(Credential credential);
    /// Null when there is none. Ownership: the set's.
    const Credential* find(std::string_view access_key) const;
    std::size_t size() const { return by_key_.size(); }
    /// The same with identities of its own: for another core, whose counts of use must not be this
    /// core's.
    CredentialSet copy() const;

    auto begin() const { return by_key_.begin(); }
    auto end() const { return by_key_.end(); }

 private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, Credential, Hash, std::equal_to<>> by_key_;
};

/// What a broker knows without a credentials file: one documented key for development, of the
/// account 000000000000.
constexpr std::string_view kDevelopmentAccessKey = "tidemill", kDevelopmentSecret = "tidemill";
CredentialSet development_credentials();

}  // namespace tidemill
