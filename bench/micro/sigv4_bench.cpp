// What checking one request's signature costs a core: parsing the Authorization header, the
// canonical request, the body's digest, HMACs. The key derived from the secret is kept, as in a
// broker; HTTP and the operation are not in it. The argument is the body's size.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/security/signature_time.h"
#include "engine/security/sigv4.h"

namespace tidemill {
namespace {

void verify(benchmark::State& state) {
    Credential credential;
    credential.access_key = "AKIDEXAMPLE";
    credential.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
    const std::string scope = "20150830/us-east-1/kinesis/aws4_request";
    std::string authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" + scope +
                                ", SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
                                "Signature=" +
                                std::string(64, '0');
    std::vector<std::pair<std::string_view, std::string_view>> headers{
        {"Host", "127.0.0.1:4567"},
        {"Accept-Encoding", "identity"},
        {"X-Amz-Target", "Kinesis_20131202.PutRecords"},
        {"Content-Type", "application/x-amz-json-1.1"},
        {"User-Agent", "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux lang/python"},
        {"X-Amz-Date", "20150830T123600Z"},
        {"Authorization", authorization},
        {"Content-Length", "12345"}};
    const WallTime now = *parse_basic_time("20150830T123600Z");
    SigV4Verifier verifier;
    const auto check = [&] {
        const SignedRequest request{"POST", "/", "", headers, body};
        SignatureParts parts;
        auto status = parse_signature(request, parts);
        if (status) status = verifier.verify(request, parts, credential, "kinesis", now);
        return status;
    };
    // The right signature is the one that makes it pass: from what the refusal says was to be
    // signed.
    const std::string message = check().error().message;
    const std::string mark = "String-to-Sign should have been\n'";
    const auto begin = message.find(mark) + mark.size();
    const std::string to_sign = message.substr(begin, message.rfind('\'') - begin);
    Sha256 sha256;
    auto key = sha256.hmac(as_bytes("AWS4" + credential.secret), "20150830");
    for (const char* part : {"us-east-1", "kinesis", "aws4_request"})
        key = sha256.hmac(key, part);
    const auto signature = to_hex(sha256.hmac(key, to_sign));
    authorization.replace(authorization.size() - 64, 64, as_text(signature));
    headers[6].second = authorization;
    for (auto _ : state) {
        if (!check()) state.SkipWithError("the signature is wrong");
    }
    state.SetBytesProcessed(state.range(0) * state.iterations());
}

BENCHMARK(verify)->Arg(200)->Arg(90'000);

}  // namespace
}  // namespace tidemill
