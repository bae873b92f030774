// link: engine/security
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/security/canonical_request.h"
#include "engine/security/signature_time.h"
#include "engine/security/sigv4.h"

/// Three lines, query, Authorization and date, then a body: no input breaks the parsers or passes
/// as signed, and what is canonical stays so when it is made canonical again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto line = [&rest] {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto text = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return text;
    };
    const auto query = line(), authorization = line(), date = line();
    std::vector<std::pair<std::string_view, std::string_view>> headers{{"Host", "h"}};
    if (!authorization.empty()) headers.emplace_back("Authorization", authorization);
    if (!date.empty()) headers.emplace_back("X-Amz-Date", date);
    const SignedRequest request{"POST", rest.substr(0, 64), query, headers, rest};

    std::string space;
    (void)claimed_access_key(request, space);
    (void)claimed_region(request, space);
    SignatureParts parts;
    if (parse_signature(request, parts)) {
        TM_CHECK(!parts.scope.access_key.empty() && !parts.scope.terminator.empty());
        Credential credential;
        credential.access_key = "AKIDEXAMPLE";
        credential.secret = "a secret that no input was signed with";
        SigV4Verifier verifier;
        const auto status =
            verifier.verify(request, parts, credential, parts.scope.service, parts.timestamp);
        TM_CHECK(!status.has_value(), "a signature by nobody was right");
    }
    // A canonical query is one of the ways to write itself.
    std::string once, twice;
    append_canonical_query(once, query);
    append_canonical_query(twice, once);
    TM_CHECK(once == twice, "'{}' is not canonical", once);
    std::string path;
    append_canonical_path(path, request.path);
    TM_CHECK(path.starts_with('/') && path.find("//") == std::string::npos);
    return 0;
}
