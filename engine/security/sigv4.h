#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/base/time.h"
#include "engine/security/auth_refusal.h"
#include "engine/security/credential.h"
#include "engine/security/sha256.h"
#include "engine/security/signature_parts.h"
#include "engine/security/signed_request.h"

namespace tidemill {

/// How far a signer's clock may be off.
constexpr std::chrono::minutes kSignatureSkew{5};

/// Checks AWS Signature Version 4. Costs a digest of the body, and some microseconds: the keys
/// derived from secrets are kept. Core: one.
class SigV4Verifier {
 public:
    /// Limits: as many derived keys are kept.
    static constexpr std::size_t kKeysKept = 1024;

    /// Whether `parts` is the signature of `request`, made with `credential` for `service` at about
    /// `now`. Errors: those of AuthFault, but for MissingToken.
    AuthStatus verify(const SignedRequest& request, const SignatureParts& parts,
                      const Credential& credential, std::string_view service, WallTime now);

    /// Drops the derived keys: the credentials have changed.
    void forget_keys() { keys_.clear(); }
    std::size_t keys_kept() const { return keys_.size(); }

 private:
    Sha256Digest signing_key(const CredentialScope& scope, std::string_view secret);
    void write_string_to_sign(const SignatureParts& parts);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    Sha256 sha256_;
    std::string canonical_, string_to_sign_;  // kept for their memory
    std::unordered_map<std::string, Sha256Digest, Hash, std::equal_to<>> keys_;  // by whole scope
};

}  // namespace tidemill
