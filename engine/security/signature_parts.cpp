#include "engine/security/signature_parts.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/security/signature_time.h"

namespace tidemill {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::chrono::seconds kExpiresMax{7 * 24 * 3600};
constexpr std::ptrdiff_t kSignedHeadersMax = 128;  // each is looked for among all headers

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Calls `each(part)` for the parts of `text` between any of `separators`, without empty ones.
template <class Each>
void split(std::string_view text, std::string_view separators, Each each) {
    while (!text.empty()) {
        const auto end = text.find_first_of(separators);
        if (end != 0) each(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

/// The value of a query parameter; null view when it is not there.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
    std::optional<std::string_view> found;
    split(query, "&", [&](std::string_view pair) {
        const auto equals = pair.find('=');
        if (found || pair.substr(0, equals) != name) return;
        found = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    });
    return found;
}

struct HeaderForm {
    std::string_view algorithm, credential, signed_headers, signature;
};

HeaderForm header_form(std::string_view text) {
    HeaderForm form;
    bool is_first = true;
    split(text, ", \t", [&](std::string_view word) {
        if (std::exchange(is_first, false)) {
            form.algorithm = word;
            return;
        }
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) return;
        const auto name = word.substr(0, equals), value = word.substr(equals + 1);
        if (name == "Credential") form.credential = value;
        if (name == "SignedHeaders") form.signed_headers = value;
        if (name == "Signature") form.signature = value;
    });
    return form;
}

AuthStatus split_scope(std::string_view text, CredentialScope& scope) {
    std::array<std::string_view*, 5> parts{&scope.access_key, &scope.date, &scope.region,
                                           &scope.service, &scope.terminator};
    std::string_view rest = text;
    scope.whole = text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto slash = rest.find('/');
        const bool is_last = i + 1 == parts.size();
        if ((slash == std::string_view::npos) != is_last || slash == 0 || rest.empty())
            return refuse_auth(AuthFault::Incomplete,
                               fmt::format("Credential must have exactly 5 slash-delimited "
                                           "elements, e.g. keyid/date/region/service/term, got "
                                           "'{}'",
                                           text));
        *parts[i] = rest.substr(0, slash);
        rest = is_last ? std::string_view{} : rest.substr(slash + 1);
        if (i == 0) scope.behind = rest;
    }
    return {};
}

AuthStatus no_date(std::string_view text) {
    return refuse_auth(AuthFault::Incomplete,
                       fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                                   "http://en.wikipedia.org/wiki/ISO_8601",
                                   text));
}

AuthStatus parse_header(const SignedRequest& request, SignatureParts& parts) {
    const std::string_view text = *request.header("Authorization");
    const HeaderForm form = header_form(text);
    const auto* amz_date = request.header("X-Amz-Date");
    const auto* date = amz_date != nullptr ? amz_date : request.header("Date");
    std::string missing;
    const auto require = [&](std::string_view value, std::string_view name) {
        if (value.empty())
            missing += fmt::format("Authorization header requires '{}' parameter. ", name);
    };
    require(form.credential, "Credential");
    require(form.signature, "Signature");
    require(form.signed_headers, "SignedHeaders");
    if (date == nullptr)
        missing +=
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    if (!missing.empty())
        return refuse_auth(AuthFault::Incomplete, fmt::format("{}Authorization={}", missing, text));
    if (form.algorithm != kAlgorithm)
        return refuse_auth(AuthFault::Incomplete,
                           fmt::format("Unsupported AWS 'algorithm': '{}'.", form.algorithm));
    parts.signed_headers = form.signed_headers;
    parts.signature = form.signature;
    parts.timestamp_text = *date;
    const auto time = amz_date != nullptr ? parse_basic_time(*amz_date) : parse_date_header(*date);
    if (!time) return no_date(*date);
    parts.timestamp = *time;
    if (const auto* token = request.header("X-Amz-Security-Token")) parts.session_token = *token;
    return split_scope(form.credential, parts.scope);
}

AuthStatus parse_expires(std::string_view text, SignatureParts& parts) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size())
        return refuse_auth(AuthFault::Incomplete, "X-Amz-Expires should be a number");
    if (seconds < 0)
        return refuse_auth(AuthFault::Incomplete, "X-Amz-Expires must be non-negative");
    if (std::chrono::seconds(seconds) > kExpiresMax)
        return refuse_auth(AuthFault::Incomplete,
                           "X-Amz-Expires must be less than a week (in seconds); that is, the "
                           "given X-Amz-Expires must be less than 604800 seconds");
    parts.expires = std::chrono::seconds(seconds);
    return {};
}

AuthStatus parse_query(const SignedRequest& request, SignatureParts& parts) {
    constexpr std::array<std::string_view, 7> kNames{
        "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature",     "X-Amz-SignedHeaders",
        "X-Amz-Date",      "X-Amz-Expires",    "X-Amz-Security-Token"};
    constexpr std::size_t kRequired = 5;
    std::string missing;
    std::array<std::optional<std::string_view>, kNames.size()> values;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (const auto value = query_value(request.query, kNames[i])) {
            parts.decoded[i] = percent_decode(*value);
            values[i] = parts.decoded[i];
        }
        if (i < kRequired && (!values[i] || values[i]->empty()))
            missing += fmt::format("AWS query-string parameters must include '{}'. ", kNames[i]);
    }
    if (!missing.empty())
        return refuse_auth(AuthFault::Incomplete,
                           missing + "Re-examine the query-string parameters.");
    if (*values[0] != kAlgorithm)
        return refuse_auth(AuthFault::Incomplete,
                           fmt::format("Unsupported AWS 'algorithm': '{}'.", *values[0]));
    parts.is_presigned = true;
    parts.signature = *values[2];
    parts.signed_headers = *values[3];
    parts.timestamp_text = *values[4];
    const auto time = parse_basic_time(*values[4]);
    if (!time) return no_date(*values[4]);
    parts.timestamp = *time;
    if (values[5])
        if (auto status = parse_expires(*values[5], parts); !status) return status;
    parts.session_token = values[6];
    return split_scope(*values[1], parts.scope);
}

/// The credential of either form, as it was sent or decoded into `space`.
std::string_view claimed_credential(const SignedRequest& request, std::string& space) {
    if (const auto* header = request.header("Authorization"))
        return header_form(*header).credential;
    const auto value = query_value(request.query, "X-Amz-Credential");
    if (!value) return {};
    if (value->find('%') == std::string_view::npos) return *value;
    space = percent_decode(*value);
    return space;
}

}  // namespace

std::string percent_decode(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high >= 0 && low >= 0) {
                plain.push_back(static_cast<char>(high << 4 | low));
                i += 2;
                continue;
            }
        }
        plain.push_back(text[i]);
    }
    return plain;
}

bool has_authorization_header(const SignedRequest& request) {
    return request.header("Authorization") != nullptr;
}

bool has_presigned_query(const SignedRequest& request) {
    return !request.query.empty() && query_value(request.query, "X-Amz-Algorithm").has_value();
}

std::string_view claimed_access_key(const SignedRequest& request, std::string& space) {
    const auto credential = claimed_credential(request, space);
    return credential.substr(0, credential.find('/'));
}

std::string_view claimed_region(const SignedRequest& request, std::string& space) {
    std::string_view rest = claimed_credential(request, space);
    for (int skipped = 0; skipped < 2; ++skipped) {
        const auto slash = rest.find('/');
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
    return rest.substr(0, rest.find('/'));
}

AuthStatus parse_signature(const SignedRequest& request, SignatureParts& parts) {
    const bool by_header = has_authorization_header(request);
    const bool by_query = has_presigned_query(request);
    if (by_header && by_query)
        return refuse_auth(AuthFault::WrongSignature,
                           "Found both 'X-Amz-Algorithm' as a query-string param and "
                           "'Authorization' as HTTP header.");
    if (!by_header && !by_query)
        return refuse_auth(AuthFault::MissingToken, "Missing Authentication Token");
    if (auto status = by_header ? parse_header(request, parts) : parse_query(request, parts);
        !status)
        return status;
    if (std::ranges::count(parts.signed_headers, ';') >= kSignedHeadersMax)
        return refuse_auth(AuthFault::Incomplete,
                           fmt::format("More than {} headers are signed.", kSignedHeadersMax));
    return {};
}

}  // namespace tidemill
