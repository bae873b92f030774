#include "engine/security/sigv4.h"

#include <fmt/format.h>

#include "engine/security/canonical_request.h"
#include "engine/security/signature_time.h"

namespace tidemill {
namespace {

constexpr std::string_view kTerminator = "aws4_request";
constexpr std::size_t kKeptBytes = 64_KiB;  // of memory for canonical requests

/// A timestamp that has been parsed is in the basic format, or longer.
bool is_basic(std::string_view timestamp) { return timestamp.size() == 16; }

AuthStatus wrong(std::string message) {
    return refuse_auth(AuthFault::WrongSignature, std::move(message));
}

/// The session token must be the one that belongs to the key, and its session must last.
AuthStatus check_session(const SignatureParts& parts, const Credential& credential, WallTime now) {
    if (!equal_in_constant_time(parts.session_token.value_or(""), credential.session_token))
        return refuse_auth(AuthFault::UnknownKey,
                           "The security token included in the request is invalid.");
    if (credential.expires && now >= *credential.expires)
        return refuse_auth(AuthFault::ExpiredToken,
                           "The security token included in the request is expired");
    return {};
}

AuthStatus check_scope(const SignatureParts& parts, std::string_view service) {
    const CredentialScope& scope = parts.scope;
    std::string formatted;
    if (!is_basic(parts.timestamp_text)) formatted = basic_time(parts.timestamp);
    const std::string_view time = formatted.empty() ? parts.timestamp_text : formatted;
    const std::string_view date = time.substr(0, 8);
    std::string faults;
    if (scope.service != service)
        faults += fmt::format("Credential should be scoped to correct service: '{}'. ", service);
    if (scope.terminator != kTerminator)
        faults += fmt::format(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
            scope.terminator);
    if (scope.date != date)
        faults += fmt::format(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '{}' != '{}', from '{}'. ",
            scope.date, date, time);
    if (!faults.empty()) return wrong(std::move(faults));
    return {};
}

/// The host must be signed, or a request could be replayed elsewhere.
AuthStatus check_signed_headers(std::string_view names) {
    while (!names.empty()) {
        const auto end = std::min(names.find(';'), names.size());
        const auto name = names.substr(0, end);
        if (is_same_header(name, "host") || name == ":authority") return {};
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return wrong("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

AuthStatus check_time(const SignatureParts& parts, WallTime now) {
    const auto text = [](WallTime time) { return basic_time(time); };
    const WallTime signed_at = parts.timestamp;
    if (signed_at > now + kSignatureSkew)
        return refuse_auth(
            AuthFault::OutOfTime,
            fmt::format("Signature not yet current: {} is still later than {} ({} + {} min.)",
                        text(signed_at), text(now + kSignatureSkew), text(now),
                        kSignatureSkew.count()));
    if (parts.expires) {
        if (signed_at + *parts.expires >= now) return {};
        return refuse_auth(AuthFault::OutOfTime,
                           fmt::format("Signature expired: {} is now earlier than {} ({} - {} "
                                       "sec.)",
                                       text(signed_at), text(now - *parts.expires), text(now),
                                       parts.expires->count()));
    }
    if (signed_at + kSignatureSkew >= now) return {};
    return refuse_auth(
        AuthFault::OutOfTime,
        fmt::format("Signature expired: {} is now earlier than {} ({} - {} min.)", text(signed_at),
                    text(now - kSignatureSkew), text(now), kSignatureSkew.count()));
}

}  // namespace

AuthStatus SigV4Verifier::verify(const SignedRequest& request, const SignatureParts& parts,
                                 const Credential& credential, std::string_view service,
                                 WallTime now) {
    if (auto status = check_session(parts, credential, now); !status) return status;
    if (auto status = check_scope(parts, service); !status) return status;
    if (auto status = check_signed_headers(parts.signed_headers); !status) return status;
    if (auto status = check_time(parts, now); !status) return status;

    canonical_.clear();
    append_canonical_request(canonical_, request, parts, to_hex(sha256_.of(request.body)));
    write_string_to_sign(parts);
    const auto known = keys_.find(parts.scope.whole);
    const Sha256Digest key =
        known != keys_.end() ? known->second : signing_key(parts.scope, credential.secret);
    const HexDigest expected = to_hex(sha256_.hmac(key, string_to_sign_));
    if (!equal_in_constant_time(as_text(expected), parts.signature))
        return wrong(fmt::format(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.\n\nThe Canonical String for this request should have been\n'{}'\n\nThe "
            "String-to-Sign should have been\n'{}'\n",
            canonical_, string_to_sign_));
    // Only now: what anybody can write into a scope takes no memory.
    if (known == keys_.end()) {
        if (keys_.size() >= kKeysKept) keys_.clear();
        keys_.emplace(parts.scope.whole, key);
    }
    if (canonical_.capacity() > kKeptBytes) std::string().swap(canonical_);
    return {};
}

void SigV4Verifier::write_string_to_sign(const SignatureParts& parts) {
    string_to_sign_.clear();
    string_to_sign_.append("AWS4-HMAC-SHA256\n");
    if (is_basic(parts.timestamp_text))
        string_to_sign_.append(parts.timestamp_text);
    else
        string_to_sign_.append(basic_time(parts.timestamp));
    string_to_sign_.push_back('\n');
    string_to_sign_.append(parts.scope.behind).push_back('\n');
    string_to_sign_.append(as_text(to_hex(sha256_.of(canonical_))));
}

Sha256Digest SigV4Verifier::signing_key(const CredentialScope& scope, std::string_view secret) {
    std::string first = "AWS4";
    first.append(secret);
    Sha256Digest key = sha256_.hmac(as_bytes(first), scope.date);
    key = sha256_.hmac(key, scope.region);
    key = sha256_.hmac(key, scope.service);
    return sha256_.hmac(key, scope.terminator);
}

}  // namespace tidemill
