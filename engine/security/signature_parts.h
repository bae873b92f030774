#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/time.h"
#include "engine/security/auth_refusal.h"
#include "engine/security/signed_request.h"

namespace tidemill {

/// key/date/region/service/aws4_request
struct CredentialScope {
    std::string_view access_key, date, region, service, terminator;
    std::string_view whole;   ///< all five
    std::string_view behind;  ///< all but the access key: what the string to sign names
};

/// A signature as a request carries it, in its headers or (presigned) in its query. Ownership:
/// views into the request and, of a query that needed decoding, into `decoded`; so it stays where
/// it was made.
struct SignatureParts {
    bool is_presigned = false;
    CredentialScope scope;
    std::string_view signed_headers;  ///< "content-type;host;x-amz-date"
    std::string_view signature;
    std::string_view timestamp_text;  ///< as sent
    WallTime timestamp{};
    std::optional<std::chrono::seconds> expires;  ///< of a presigned request
    std::optional<std::string_view> session_token;
    std::array<std::string, 7> decoded;
};

/// Whether a request has anything of a signature: an Authorization header, X-Amz-Algorithm in its
/// query, or both.
bool has_authorization_header(const SignedRequest& request);
bool has_presigned_query(const SignedRequest& request);

/// The access key that a request claims, whatever else is wrong with it; empty without one.
/// `space` holds it if it needed decoding.
std::string_view claimed_access_key(const SignedRequest& request, std::string& space);
/// The same for the region: "us-east-1".
std::string_view claimed_region(const SignedRequest& request, std::string& space);

/// Errors: MissingToken, Incomplete, WrongSignature (signed in both ways).
AuthStatus parse_signature(const SignedRequest& request, SignatureParts& parts);

/// Undoes percent-encoding; what is no escape stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace tidemill
