#include "engine/security/canonical_request.h"

#include <algorithm>
#include <vector>

namespace tidemill {
namespace {

bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// The value without space around it, and with one space for each run of it inside.
void append_trimmed(std::string& to, std::string_view value) {
    bool is_between = false;
    const auto begin = to.size();
    for (const char c : value) {
        if (is_space(c)) {
            is_between = true;
            continue;
        }
        if (is_between && to.size() > begin) to.push_back(' ');
        is_between = false;
        to.push_back(c);
    }
}

/// Appends "name:value,value\n".
void append_header(std::string& to, const SignedRequest& request, std::string_view name) {
    for (const char c : name)
        to.push_back(lower(c));
    to.push_back(':');
    bool is_found = false;
    for (const auto& [key, value] : request.headers) {
        if (!is_same_header(key, name)) continue;
        if (std::exchange(is_found, true)) to.push_back(',');
        append_trimmed(to, value);
    }
    if (!is_found)
        if (const auto* other = request.header(name)) append_trimmed(to, *other);
    to.push_back('\n');
}

/// Whether each part of "a;b;c" comes after the one before, and all are lower case: as every SDK
/// sends them.
bool is_canonical_list(std::string_view names) {
    std::string_view previous;
    while (true) {
        const auto end = names.find(';');
        const auto name = names.substr(0, end);
        if (name <= previous || std::ranges::any_of(name, [](char c) { return c != lower(c); }))
            return false;
        if (end == std::string_view::npos) return true;
        previous = name;
        names.remove_prefix(end + 1);
    }
}

/// The same names in lower case, sorted, each once.
std::string canonical_list(std::string_view names) {
    std::vector<std::string> sorted;
    while (!names.empty()) {
        const auto end = std::min(names.find(';'), names.size());
        std::string name(names.substr(0, end));
        std::ranges::transform(name, name.begin(), lower);
        if (!name.empty()) sorted.push_back(std::move(name));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    std::ranges::sort(sorted);
    sorted.erase(std::ranges::unique(sorted).begin(), sorted.end());
    std::string list;
    for (const auto& name : sorted)
        list.append(list.empty() ? "" : ";").append(name);
    return list;
}

void append_listed_headers(std::string& to, const SignedRequest& request, std::string_view names) {
    while (!names.empty()) {
        const auto end = std::min(names.find(';'), names.size());
        append_header(to, request, names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
}

}  // namespace

void append_percent_encoded(std::string& to, std::string_view text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c)) {
            to.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        to.push_back('%');
        to.push_back(kDigits[byte >> 4]);
        to.push_back(kDigits[byte & 0xf]);
    }
}

void append_canonical_path(std::string& to, std::string_view path) {
    if (path.empty() || path == "/") {
        to.push_back('/');
        return;
    }
    std::vector<std::string_view> kept;
    std::string_view rest = path;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('/'), rest.size());
        const auto segment = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (segment.empty() || segment == ".") continue;
        if (segment != "..")
            kept.push_back(segment);
        else if (!kept.empty())
            kept.pop_back();
    }
    for (const auto& segment : kept) {
        to.push_back('/');
        append_percent_encoded(to, segment);
    }
    if (kept.empty() || path.ends_with('/')) to.push_back('/');
}

void append_canonical_query(std::string& to, std::string_view query) {
    if (query.empty()) return;
    std::vector<std::pair<std::string, std::string>> pairs;
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) == "X-Amz-Signature") continue;
        auto& [name, value] = pairs.emplace_back();
        append_percent_encoded(name, percent_decode(pair.substr(0, equals)));
        append_percent_encoded(value,
                               percent_decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
    std::ranges::sort(pairs);
    bool is_first = true;
    for (const auto& [name, value] : pairs) {
        if (!std::exchange(is_first, false)) to.push_back('&');
        to.append(name).append("=").append(value);
    }
}

void append_canonical_headers(std::string& to, const SignedRequest& request,
                              std::string_view signed_headers) {
    const bool is_canonical = is_canonical_list(signed_headers);
    const std::string sorted = is_canonical ? std::string{} : canonical_list(signed_headers);
    const std::string_view names = is_canonical ? signed_headers : std::string_view(sorted);
    append_listed_headers(to, request, names);
    to.push_back('\n');
    to.append(names).push_back('\n');
}

void append_canonical_request(std::string& to, const SignedRequest& request,
                              const SignatureParts& parts, const HexDigest& body_hash) {
    to.append(request.method).push_back('\n');
    append_canonical_path(to, request.path);
    to.push_back('\n');
    append_canonical_query(to, request.query);
    to.push_back('\n');
    append_canonical_headers(to, request, parts.signed_headers);
    to.append(as_text(body_hash));
}

}  // namespace tidemill
