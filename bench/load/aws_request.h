#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/time.h"

namespace tidemill::bench {

/// An access key that requests are signed with; no id: they are not signed.
struct AccessKey {
    std::string id, secret;
};

/// How the calls of a load are written down.
struct AwsForm {
    bool is_cbor = false;
    AccessKey key;
    std::string host;  ///< "127.0.0.1:4567"
};

/// A whole HTTP/1.1 request for an operation of Kinesis, signed by AWS Signature Version 4 where
/// the form has a key. A signature is good for five minutes around `now`.
std::string aws_request(const AwsForm& form, std::string_view operation, std::string_view body,
                        WallTime now);

/// One map of text, numbers and bytes as the form has it: what the bodies of a load are made of.
class AwsBody {
 public:
    explicit AwsBody(bool is_cbor) : is_cbor_(is_cbor) {}

    AwsBody& begin_map();
    AwsBody& end_map();
    AwsBody& begin_list(std::string_view name);
    AwsBody& end_list();
    AwsBody& text(std::string_view name, std::string_view value);
    AwsBody& number(std::string_view name, std::uint64_t value);
    AwsBody& blob(std::string_view name, std::string_view bytes);
    std::string take() { return std::move(out_); }

 private:
    void key(std::string_view name);
    void cbor_text(std::string_view value);
    void cbor_head(unsigned major, std::uint64_t value);

    bool is_cbor_;
    bool is_first_ = true;
    std::string out_;
};

}  // namespace tidemill::bench
