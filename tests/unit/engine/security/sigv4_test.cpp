#include "engine/security/sigv4.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/security/canonical_request.h"
#include "engine/security/signature_time.h"

using namespace tidemill;

namespace {

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

const WallTime kThen = *parse_basic_time("20150830T123600Z");

/// The key of AWS's published examples.
Credential example_credential() {
    Credential credential;
    credential.access_key = "AKIDEXAMPLE";
    credential.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    credential.identity = std::make_shared<const Identity>(Identity{"123456789012", "arn"});
    return credential;
}

std::string authorization(std::string_view names, std::string_view signature,
                          std::string_view scope = "20150830/us-east-1/service/aws4_request") {
    return std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        .append(scope)
        .append(", SignedHeaders=")
        .append(names)
        .append(", Signature=")
        .append(signature);
}

AuthStatus verify(const SignedRequest& request, const Credential& credential,
                  std::string_view service = "service", WallTime now = kThen) {
    SigV4Verifier verifier;
    SignatureParts parts;
    if (auto status = parse_signature(request, parts); !status) return status;
    return verifier.verify(request, parts, credential, service, now);
}

/// A request of the suite: its headers are host, x-amz-date and those given.
struct Vector {
    const char* name;
    const char* method;
    const char* path;
    const char* query;
    Headers more;
    const char* body;
    const char* signed_headers;
    const char* signature;
};

const Vector kVectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     "",
     {},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/",
     "Param2=value2&Param1=value1",
     {},
     "",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/",
     "Param1=value1",
     {},
     "",
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-unreserved",
     "GET",
     "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
     "",
     {},
     "",
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",
     "/\xe1\x88\xb4",
     "",
     {},
     "",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-slashes",
     "GET",
     "//example//",
     "",
     {},
     "",
     "host;x-amz-date",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-relative-relative",
     "GET",
     "/example1/example2/../..",
     "",
     {},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash",
     "GET",
     "/./",
     "",
     {},
     "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     "",
     {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
     "",
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-trim",
     "GET",
     "/",
     "",
     {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
     "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"post-vanilla",
     "POST",
     "/",
     "",
     {},
     "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-case",
     "POST",
     "/",
     "",
     {{"My-Header1", "value1"}},
     "",
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     "",
     {{"Content-Type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

}  // namespace

TEST_CASE("signatures of AWS's published example requests are right, and of no other request") {
    const Credential credential = example_credential();
    for (const Vector& vector : kVectors) {
        CAPTURE(vector.name);
        const std::string header = authorization(vector.signed_headers, vector.signature);
        Headers headers{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
        headers.insert(headers.end(), vector.more.begin(), vector.more.end());
        headers.emplace_back("Authorization", header);
        SignedRequest request{vector.method, vector.path, vector.query, headers, vector.body};
        const auto status = verify(request, credential);
        CHECK_MESSAGE(status.has_value(), (status ? "" : status.error().message));
        request.body = "another body";
        CHECK_FALSE(verify(request, credential).has_value());
        request.body = vector.body;
        request.method = "PUT";
        CHECK_FALSE(verify(request, credential).has_value());
        request.method = vector.method;
        headers[0].second = "elsewhere.amazonaws.com";
        CHECK_FALSE(verify(request, credential).has_value());
    }
}

TEST_CASE("the documentation's ListUsers request is right") {
    const std::string header =
        authorization("content-type;host;x-amz-date",
                      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
                      "20150830/us-east-1/iam/aws4_request");
    const Headers headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                          {"Host", "iam.amazonaws.com"},
                          {"X-Amz-Date", "20150830T123600Z"},
                          {"Authorization", header}};
    const SignedRequest request{"GET", "/", "Action=ListUsers&Version=2010-05-08", headers, ""};
    CHECK(verify(request, example_credential(), "iam").has_value());
    const auto elsewhere = verify(request, example_credential(), "kinesis");
    REQUIRE_FALSE(elsewhere.has_value());
    CHECK(elsewhere.error().fault == AuthFault::WrongSignature);
    CHECK(elsewhere.error().message ==
          "Credential should be scoped to correct service: 'kinesis'. ");
}

namespace {

/// A request signed here, to be bent afterwards.
struct Signed {
    std::string date = "20150830T123600Z";
    Headers headers;
    std::string header;
    SignedRequest request{"POST", "/", "", {}, "{}"};

    void sign(std::string_view names, const Credential& credential,
              std::string_view scope = "20150830/eu-west-1/kinesis/aws4_request") {
        headers.emplace_back("X-Amz-Date", date);
        header = authorization(names, std::string(64, '0'), scope);
        headers.emplace_back("Authorization", header);
        request.headers = headers;
        SigV4Verifier verifier;
        SignatureParts parts;
        REQUIRE(parse_signature(request, parts).has_value());
        Sha256 sha256;
        std::string canonical;
        append_canonical_request(canonical, request, parts, to_hex(sha256.of(request.body)));
        std::string text = "AWS4-HMAC-SHA256\n" + basic_time(parts.timestamp) + "\n" +
                           std::string(scope) + "\n" +
                           std::string(as_text(to_hex(sha256.of(canonical))));
        auto key = sha256.hmac(as_bytes("AWS4" + credential.secret), parts.scope.date);
        key = sha256.hmac(key, parts.scope.region);
        key = sha256.hmac(key, parts.scope.service);
        key = sha256.hmac(key, parts.scope.terminator);
        header = authorization(names, as_text(to_hex(sha256.hmac(key, text))), scope);
        headers.back().second = header;
        request.headers = headers;
    }
};

}  // namespace

TEST_CASE("HTTP/2's authority stands for the host, and the other way round") {
    const Credential credential = example_credential();
    for (const char* signed_name : {":authority", "host"})
        for (const char* sent_name : {":authority", "Host"}) {
            CAPTURE(signed_name);
            CAPTURE(sent_name);
            Signed example;
            example.headers = {{sent_name, "localhost:4567"}};
            example.sign(std::string(signed_name) + ";x-amz-date", credential);
            CHECK(verify(example.request, credential, "kinesis").has_value());
            example.headers[0].second = "localhost:4568";
            CHECK_FALSE(verify(example.request, credential, "kinesis").has_value());
        }
}

TEST_CASE("a signature is good for five minutes on both sides of its time") {
    const Credential credential = example_credential();
    Signed example;
    example.headers = {{"Host", "h"}};
    example.sign("host;x-amz-date", credential);
    const auto at = [&](WallTime now) {
        return verify(example.request, credential, "kinesis", now);
    };
    CHECK(at(kThen + 5min).has_value());
    CHECK(at(kThen - 5min).has_value());
    const auto late = at(kThen + 5min + 1s);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().fault == AuthFault::OutOfTime);
    CHECK(late.error().message ==
          "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
          "(20150830T124101Z - 5 min.)");
    const auto early = at(kThen - 5min - 1s);
    REQUIRE_FALSE(early.has_value());
    CHECK(early.error().message ==
          "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
          "(20150830T123059Z + 5 min.)");
}

TEST_CASE("a session token must be the key's, and its session must last") {
    Credential credential = example_credential();
    credential.session_token = "the token";
    credential.expires = kThen + 1min;
    Signed example;
    example.headers = {{"Host", "h"}, {"X-Amz-Security-Token", "the token"}};
    example.sign("host;x-amz-date;x-amz-security-token", credential);
    CHECK(verify(example.request, credential, "kinesis").has_value());
    const auto later = verify(example.request, credential, "kinesis", kThen + 1min);
    REQUIRE_FALSE(later.has_value());
    CHECK(later.error().fault == AuthFault::ExpiredToken);
    credential.session_token = "another token";
    CHECK(verify(example.request, credential, "kinesis").error().fault == AuthFault::UnknownKey);
    credential.session_token.clear();
    CHECK(verify(example.request, credential, "kinesis").error().fault == AuthFault::UnknownKey);
}

TEST_CASE("a wrong scope and an unsigned host are named") {
    const Credential credential = example_credential();
    const auto refused = [&](std::string_view names, std::string_view scope) {
        Signed example;
        example.headers = {{"Host", "h"}};
        example.sign(names, credential, scope);
        const auto status = verify(example.request, credential, "kinesis");
        return status ? std::string("accepted") : status.error().message;
    };
    CHECK(refused("host;x-amz-date", "20150830/eu-west-1/kinesis/aws4_request") == "accepted");
    CHECK(refused("x-amz-date;host", "20150830/eu-west-1/kinesis/aws4_request") == "accepted");
    CHECK(refused("host;x-amz-date", "20150831/eu-west-1/kinesis/aws4_request") ==
          "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
          "HTTP: '20150831' != '20150830', from '20150830T123600Z'. ");
    CHECK(refused("host;x-amz-date", "20150830/eu-west-1/kinesis/aws3_request") ==
          "Credential should be scoped with a valid terminator: 'aws4_request', not "
          "'aws3_request'. ");
    CHECK(refused("x-amz-date", "20150830/eu-west-1/kinesis/aws4_request") ==
          "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST_CASE("a wrong signature is answered with what should have been signed") {
    Signed example;
    example.headers = {{"Host", "h"}};
    Credential other = example_credential();
    other.secret = "another";
    example.sign("host;x-amz-date", other);
    const auto status = verify(example.request, example_credential(), "kinesis");
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().fault == AuthFault::WrongSignature);
    const std::string& text = status.error().message;
    CHECK(text.starts_with(
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for "
        "details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n"
        "host:h\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"));
    CHECK(
        text.contains("\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"
                      "20150830T123600Z\n20150830/eu-west-1/kinesis/aws4_request\n"));
}

TEST_CASE("the Date header serves where there is no X-Amz-Date") {
    const Credential credential = example_credential();
    Signed example;
    example.headers = {{"Host", "h"}, {"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}};
    example.sign("date;host", credential);
    // Signed with both; the verifier finds X-Amz-Date first and it is the same moment.
    CHECK(verify(example.request, credential, "kinesis").has_value());
    Signed date_only;
    date_only.date = "Sun, 30 Aug 2015 12:36:00 GMT";
    date_only.headers = {{"Host", "h"}};
    CHECK(parse_date_header(date_only.date) == kThen);
    CHECK(parse_date_header("20150830T123600Z") == kThen);
    for (const char* text : {"", "Sun, 30 Aug 2015", "Sun, 31 Feb 2015 12:36:00 GMT",
                             "Sun, 30 Agu 2015 12:36:00 GMT", "20150830T126000Z", "2015-08-30"})
        CHECK_FALSE(parse_date_header(text));
}

TEST_CASE(
    "a presigned request lives as long as it says, and no signature is counted among what it "
    "signs") {
    const Credential credential = example_credential();
    std::string query =
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fkinesis%2Faws4_request"
        "&X-Amz-Date=20150830T123600Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host";
    const Headers headers{{"Host", "h"}};
    SignedRequest request{"POST", "/", query, headers, "{}"};
    Sha256 sha256;
    std::string canonical =
        "POST\n/\n" + query + "\nhost:h\n\nhost\n" + std::string(as_text(to_hex(sha256.of("{}"))));
    const std::string text =
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/kinesis/aws4_request\n" +
        std::string(as_text(to_hex(sha256.of(canonical))));
    auto key = sha256.hmac(as_bytes("AWS4" + credential.secret), "20150830");
    for (const char* step : {"us-east-1", "kinesis", "aws4_request"})
        key = sha256.hmac(key, step);
    const std::string whole =
        "X-Amz-Signature=" + std::string(as_text(to_hex(sha256.hmac(key, text)))) + "&" + query;
    request.query = whole;
    CHECK(verify(request, credential, "kinesis").has_value());
    CHECK(verify(request, credential, "kinesis", kThen + 15min).has_value());
    const auto late = verify(request, credential, "kinesis", kThen + 15min + 1s);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().fault == AuthFault::OutOfTime);
    CHECK_FALSE(verify(request, credential, "kinesis", kThen - 6min).has_value());
    const std::string longer = whole + "&Extra=1";
    request.query = longer;
    CHECK_FALSE(verify(request, credential, "kinesis").has_value());
}

TEST_CASE("what is missing of a signature is named as AWS names it") {
    const auto fault = [](Headers headers, std::string_view query) {
        const SignedRequest request{"POST", "/", query, headers, ""};
        SignatureParts parts;
        const auto status = parse_signature(request, parts);
        REQUIRE_FALSE(status.has_value());
        return status.error();
    };
    CHECK(fault({}, "").fault == AuthFault::MissingToken);
    CHECK(fault({}, "").message == "Missing Authentication Token");
    CHECK(fault({{"Authorization", "hello"}}, "").message ==
          "Authorization header requires 'Credential' parameter. Authorization header requires "
          "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
          "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
          "Authorization=hello");
    CHECK(fault({{"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"},
                 {"X-Amz-Date", "20150830T123600Z"}},
                "")
              .message ==
          "Credential must have exactly 5 slash-delimited elements, e.g. "
          "keyid/date/region/service/term, got 'a'");
    CHECK(fault({}, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=1").message ==
          "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string "
          "parameters must include 'X-Amz-Signature'. AWS query-string parameters must include "
          "'X-Amz-SignedHeaders'. Re-examine the query-string parameters.");
    const auto both = fault({{"Authorization", "x"}}, "X-Amz-Algorithm=y");
    CHECK(both.fault == AuthFault::WrongSignature);
    CHECK(both.message ==
          "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP "
          "header.");
}

TEST_CASE("keys derived for scopes are kept, and only of signatures that were right") {
    const Credential credential = example_credential();
    SigV4Verifier verifier;
    Signed example;
    example.headers = {{"Host", "h"}};
    example.sign("host;x-amz-date", credential);
    SignatureParts parts;
    REQUIRE(parse_signature(example.request, parts).has_value());
    CHECK(verifier.verify(example.request, parts, credential, "kinesis", kThen).has_value());
    CHECK(verifier.keys_kept() == 1);
    Credential changed = credential;
    changed.secret = "changed";
    CHECK(verifier.verify(example.request, parts, changed, "kinesis", kThen).has_value());
    verifier.forget_keys();
    CHECK_FALSE(verifier.verify(example.request, parts, changed, "kinesis", kThen).has_value());
    CHECK(verifier.keys_kept() == 0);
}

TEST_CASE("HMAC-SHA256 follows RFC 4231") {
    Sha256 sha256;
    const std::string long_key(131, '\xaa');
    CHECK(as_text(to_hex(sha256.hmac(as_bytes("Jefe"), "what do ya want for nothing?"))) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(as_text(to_hex(sha256.hmac(as_bytes(long_key),
                                     "Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
