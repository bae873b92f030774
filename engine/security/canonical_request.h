#pragma once

#include <string>
#include <string_view>

#include "engine/security/sha256.h"
#include "engine/security/signature_parts.h"

namespace tidemill {

/// Appends the canonical form of `request` that its signer hashed: method, path, query, the signed
/// headers, their names, the body's hash. Source: AWS Signature Version 4, "Create a signed AWS API
/// request", with the path normalised and encoded again, as for every service but S3.
void append_canonical_request(std::string& to, const SignedRequest& request,
                              const SignatureParts& parts, const HexDigest& body_hash);

// Its parts.
void append_canonical_path(std::string& to, std::string_view path);
void append_canonical_query(std::string& to, std::string_view query);
void append_canonical_headers(std::string& to, const SignedRequest& request,
                              std::string_view signed_headers);

/// Appends `text` with everything but A-Z a-z 0-9 - . _ ~ as %XX. Source: RFC 3986, section 2.3.
void append_percent_encoded(std::string& to, std::string_view text);

}  // namespace tidemill
