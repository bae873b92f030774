#include "engine/cloudwatch/query_form.h"

#include <charconv>
#include <map>
#include <memory>

#include <simdjson.h>

namespace tidemill::cloudwatch {
namespace {

constexpr std::size_t kDepthMax = 12;
constexpr std::size_t kMembersMax = 100'000;

struct Node {
    std::optional<std::string> text;
    std::map<std::string, std::unique_ptr<Node>, std::less<>> members;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool unescape(std::string_view text, std::string& to) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            to += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return false;
        to += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return simdjson::validate_utf8(to.data(), to.size());
}

/// Calls `visit(name, value)` for each pair as it stands until it says no.
template <class Visit>
bool for_each_pair(std::string_view body, Visit visit) {
    while (!body.empty()) {
        const auto end = body.find('&');
        const std::string_view pair = body.substr(0, end);
        body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        if (!visit(pair.substr(0, equals), value)) return false;
    }
    return true;
}

bool insert(Node& root, std::string_view name, std::string value) {
    Node* at = &root;
    for (std::size_t depth = 0;; ++depth) {
        if (depth == kDepthMax || at->text) return false;
        const auto dot = name.find('.');
        auto& next = at->members[std::string(name.substr(0, dot))];
        if (next == nullptr) next = std::make_unique<Node>();
        at = next.get();
        if (dot == std::string_view::npos) break;
        name = name.substr(dot + 1);
    }
    if (!at->members.empty()) return false;
    at->text = std::move(value);
    return true;
}

/// The elements of a list by their numbers; false when they are not numbers.
bool by_number(const Node& node, std::map<std::uint32_t, const Node*>& to) {
    for (const auto& [name, member] : node.members) {
        std::uint32_t number = 0;
        const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
        if (read.ec != std::errc{} || read.ptr != name.data() + name.size()) return false;
        to[number] = member.get();
    }
    return true;
}

aws::Value value_of(const Node& node) {
    aws::Value value;
    if (node.text) {
        value.content = *node.text;
        return value;
    }
    std::map<std::uint32_t, const Node*> elements;
    const auto member = node.members.find("member");
    if (node.members.size() == 1 && member != node.members.end() &&
        by_number(*member->second, elements)) {
        auto& list = value.content.emplace<aws::Value::List>();
        for (const auto& [number, element] : elements)
            list.push_back(value_of(*element));
        return value;
    }
    auto& map = value.content.emplace<aws::Value::Map>();
    for (const auto& [name, inner] : node.members)
        map.push_back({name, value_of(*inner)});
    return value;
}

}  // namespace

std::optional<aws::Value> parse_query_form(std::string_view body) {
    Node root;
    std::size_t members = 0;
    const bool is_sound = for_each_pair(body, [&](std::string_view name, std::string_view value) {
        std::string plain_name, plain_value;
        return ++members <= kMembersMax && unescape(name, plain_name) &&
               unescape(value, plain_value) && insert(root, plain_name, std::move(plain_value));
    });
    if (!is_sound) return std::nullopt;
    return value_of(root);
}

std::string_view raw_parameter(std::string_view body, std::string_view name) {
    std::string_view found;
    for_each_pair(body, [&](std::string_view one, std::string_view value) {
        if (one == name) found = value;
        return one != name;
    });
    return found;
}

}  // namespace tidemill::cloudwatch
