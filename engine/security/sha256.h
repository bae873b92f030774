#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "engine/base/bytes.h"

struct evp_md_ctx_st;

namespace tidemill {

using Sha256Digest = std::array<std::byte, 32>;

/// SHA-256 and HMAC over it, computed again and again without allocating. Core: one.
class Sha256 {
 public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    Sha256Digest of(Bytes bytes);
    Sha256Digest of(std::string_view text) { return of(as_bytes(text)); }
    /// Source: RFC 2104.
    Sha256Digest hmac(Bytes key, Bytes message);
    Sha256Digest hmac(Bytes key, std::string_view message) { return hmac(key, as_bytes(message)); }

 private:
    void begin();
    void add(Bytes bytes);
    Sha256Digest end();

    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// 64 lower-case hexadecimal digits.
using HexDigest = std::array<char, 64>;
HexDigest to_hex(const Sha256Digest& digest);
inline std::string_view as_text(const HexDigest& hex) { return {hex.data(), hex.size()}; }

/// Takes the same time whether they are alike from the start or not at all; their sizes are no
/// secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace tidemill
