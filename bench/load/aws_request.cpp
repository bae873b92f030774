#include "bench/load/aws_request.h"

#include <array>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "engine/base/bytes.h"
#include "engine/security/base64.h"

namespace tidemill::bench {
namespace {

constexpr std::string_view kRegion = "us-east-1";
constexpr std::string_view kService = "kinesis";
constexpr std::string_view kSignedHeaders = "content-type;host;x-amz-date;x-amz-target";

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string hex(const Digest& digest) {
    std::string text;
    for (const unsigned char byte : digest)
        text += fmt::format("{:02x}", byte);
    return text;
}

Digest sha256(std::string_view text) {
    Digest digest;
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

Digest hmac(std::string_view key, std::string_view text) {
    Digest digest;
    ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           nullptr);
    return digest;
}

std::string_view as_key(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Source: AWS Signature Version 4, "Create a signed AWS API request".
std::string authorization(const AwsForm& form, std::string_view type, std::string_view target,
                          std::string_view date, std::string_view body) {
    const std::string canonical =
        fmt::format("POST\n/\n\ncontent-type:{}\nhost:{}\nx-amz-date:{}\nx-amz-target:{}\n\n{}\n{}",
                    type, form.host, date, target, kSignedHeaders, hex(sha256(body)));
    const std::string_view day = date.substr(0, 8);
    const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, kRegion, kService);
    const std::string to_sign =
        fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, hex(sha256(canonical)));
    Digest key = hmac("AWS4" + form.key.secret, day);
    for (const std::string_view part : {kRegion, kService, std::string_view("aws4_request")})
        key = hmac(as_key(key), part);
    return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                       form.key.id, scope, kSignedHeaders, hex(hmac(as_key(key), to_sign)));
}

}  // namespace

std::string aws_request(const AwsForm& form, std::string_view operation, std::string_view body,
                        WallTime now) {
    const std::string_view type =
        form.is_cbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1";
    const std::string target = fmt::format("Kinesis_20131202.{}", operation);
    std::string request =
        fmt::format("POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nX-Amz-Target: {}\r\n",
                    form.host, type, target);
    if (!form.key.id.empty()) {
        const std::string date = fmt::format(
            "{:%Y%m%dT%H%M%SZ}", fmt::gmtime(static_cast<std::time_t>(to_millis(now) / 1000)));
        request += fmt::format("X-Amz-Date: {}\r\nAuthorization: {}\r\n", date,
                               authorization(form, type, target, date, body));
    }
    request += fmt::format("Content-Length: {}\r\n\r\n", body.size());
    request += body;
    return request;
}

// CBOR as RFC 8949 has it; maps and lists of indefinite length, which need no count ahead.
AwsBody& AwsBody::begin_map() {
    if (is_cbor_) {
        out_ += '\xbf';
    } else {
        if (!is_first_) out_ += ',';
        out_ += '{';
    }
    is_first_ = true;
    return *this;
}

AwsBody& AwsBody::end_map() {
    out_ += is_cbor_ ? '\xff' : '}';
    is_first_ = false;
    return *this;
}

AwsBody& AwsBody::begin_list(std::string_view name) {
    key(name);
    out_ += is_cbor_ ? '\x9f' : '[';
    is_first_ = true;
    return *this;
}

AwsBody& AwsBody::end_list() {
    out_ += is_cbor_ ? '\xff' : ']';
    is_first_ = false;
    return *this;
}

void AwsBody::cbor_head(unsigned major, std::uint64_t value) {
    const auto first = [major](unsigned low) { return static_cast<char>(major << 5 | low); };
    if (value < 24) {
        out_ += first(static_cast<unsigned>(value));
        return;
    }
    const unsigned bytes = value <= UINT8_MAX    ? 1
                           : value <= UINT16_MAX ? 2
                           : value <= UINT32_MAX ? 4
                                                 : 8;
    out_ += first(bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27);
    for (unsigned left = bytes; left-- > 0;)
        out_ += static_cast<char>(value >> 8 * left & 0xff);
}

void AwsBody::cbor_text(std::string_view value) {
    cbor_head(3, value.size());
    out_ += value;
}

void AwsBody::key(std::string_view name) {
    if (is_cbor_) return cbor_text(name);
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_ += fmt::format("\"{}\":", name);
}

AwsBody& AwsBody::text(std::string_view name, std::string_view value) {
    key(name);
    if (is_cbor_)
        cbor_text(value);
    else
        out_ += fmt::format("\"{}\"", value);
    return *this;
}

AwsBody& AwsBody::number(std::string_view name, std::uint64_t value) {
    key(name);
    if (is_cbor_)
        cbor_head(0, value);
    else
        out_ += std::to_string(value);
    return *this;
}

AwsBody& AwsBody::blob(std::string_view name, std::string_view bytes) {
    key(name);
    if (is_cbor_) {
        cbor_head(2, bytes.size());
        out_ += bytes;
    } else {
        out_ += '"' + base64_encode(as_bytes(bytes)) + '"';
    }
    return *this;
}

}  // namespace tidemill::bench
