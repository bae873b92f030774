#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <simdjson.h>

#include "engine/security/access_question.h"
#include "engine/security/policy.h"
#include "engine/security/policy_values.h"
#include "engine/security/wildcard.h"

namespace tidemill {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kNestingMax = 16;

std::unexpected<Error> malformed(std::string message) {
    return fail(Errc::InvalidArgument, std::move(message));
}

struct Operator {
    std::string_view name;
    Comparison comparison;
    bool is_negated = false;
};
constexpr Operator kOperators[] = {
    {"StringEquals", Comparison::String},
    {"StringNotEquals", Comparison::String, true},
    {"StringEqualsIgnoreCase", Comparison::StringIgnoreCase},
    {"StringNotEqualsIgnoreCase", Comparison::StringIgnoreCase, true},
    {"StringLike", Comparison::StringLike},
    {"StringNotLike", Comparison::StringLike, true},
    {"ArnEquals", Comparison::Arn},
    {"ArnLike", Comparison::Arn},
    {"ArnNotEquals", Comparison::Arn, true},
    {"ArnNotLike", Comparison::Arn, true},
    {"NumericEquals", Comparison::NumericEquals},
    {"NumericNotEquals", Comparison::NumericEquals, true},
    {"NumericLessThan", Comparison::NumericLess},
    {"NumericLessThanEquals", Comparison::NumericLessEquals},
    {"NumericGreaterThan", Comparison::NumericGreater},
    {"NumericGreaterThanEquals", Comparison::NumericGreaterEquals},
    {"DateEquals", Comparison::DateEquals},
    {"DateNotEquals", Comparison::DateEquals, true},
    {"DateLessThan", Comparison::DateLess},
    {"DateLessThanEquals", Comparison::DateLessEquals},
    {"DateGreaterThan", Comparison::DateGreater},
    {"DateGreaterThanEquals", Comparison::DateGreaterEquals},
    {"Bool", Comparison::Bool},
    {"BinaryEquals", Comparison::String},
    {"IpAddress", Comparison::IpAddress},
    {"NotIpAddress", Comparison::IpAddress, true},
    {"Null", Comparison::Null},
};

bool is_plain(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

/// Texts, numbers and truth values all stand as texts in a policy.
std::optional<std::string> scalar(const dom::element& element) {
    switch (element.type()) {
        case dom::element_type::STRING:
            return std::string(std::string_view(element));
        case dom::element_type::BOOL:
            return bool(element) ? "true" : "false";
        case dom::element_type::INT64:
            return fmt::format("{}", std::int64_t(element));
        case dom::element_type::UINT64:
            return fmt::format("{}", std::uint64_t(element));
        case dom::element_type::DOUBLE:
            return fmt::format("{}", double(element));
        default:
            return std::nullopt;
    }
}

/// One value or a list of them.
Result<std::vector<std::string>> values_of(const dom::element& element) {
    std::vector<std::string> values;
    const auto add = [&values](const dom::element& one) {
        auto text = scalar(one);
        if (!text || !is_plain(*text)) return false;
        values.push_back(std::move(*text));
        return true;
    };
    if (element.is_array()) {
        for (const dom::element one : dom::array(element))
            if (!add(one)) return malformed("Syntax errors in policy.");
    } else if (!add(element)) {
        return malformed("Syntax errors in policy.");
    }
    return values;
}

bool is_account(std::string_view text) {
    return text.size() == 12 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "*", an account, or arn:aws:iam::ACCOUNT:root|user/...|role/... and sessions of roles.
bool is_principal(std::string_view text) {
    if (text == "*" || is_account(text)) return true;
    if (text.contains('*') || text.contains('?')) return false;
    for (const char* form :
         {"arn:aws*:iam::????????????:root", "arn:aws*:iam::????????????:user/?*",
          "arn:aws*:iam::????????????:role/?*", "arn:aws*:sts::????????????:assumed-role/?*/?*",
          "arn:aws*:sts::????????????:federated-user/?*"})
        if (matches_arn(form, text)) return true;
    return false;
}

class StatementReader {
 public:
    explicit StatementReader(PolicyKind kind) : kind_(kind) {}

    Result<PolicyStatement> read(const dom::object& members) {
        for (const auto& [key, value] : members) {
            if (!seen_.insert(std::string(key)).second)
                return malformed("Syntax errors in policy.");
            TRY(read_member(key, value));
        }
        if (!has("Effect")) return malformed("Missing required field Effect");
        if (has("Action") == has("NotAction"))
            return malformed(has("Action") ? "Statement must contain Action or NotAction, not both."
                                           : "Policy statement must contain actions.");
        if (has("Resource") == has("NotResource"))
            return malformed(has("Resource")
                                 ? "Statement must contain Resource or NotResource, not both."
                                 : "Policy statement must contain resources.");
        const bool has_principal = has("Principal") || has("NotPrincipal");
        if (kind_ == PolicyKind::Identity && has_principal)
            return malformed("Policy document should not specify a principal.");
        if (kind_ == PolicyKind::Resource && has("Principal") == has("NotPrincipal"))
            return malformed(has_principal
                                 ? "Statement must contain Principal or NotPrincipal, not both."
                                 : "Missing required field Principal");
        return std::move(statement_);
    }

 private:
    bool has(const char* name) const { return seen_.contains(name); }

    Status read_member(std::string_view key, const dom::element& value) {
        if (key == "Sid") return read_sid(value);
        if (key == "Effect") return read_effect(value);
        if (key == "Action" || key == "NotAction") return read_actions(value, key == "NotAction");
        if (key == "Resource" || key == "NotResource")
            return read_resources(value, key == "NotResource");
        if (key == "Principal" || key == "NotPrincipal")
            return read_principals(value, key == "NotPrincipal");
        if (key == "Condition") return read_conditions(value);
        return malformed(fmt::format("Syntax errors in policy: unknown field {}.", key));
    }

    Status read_sid(const dom::element& value) {
        if (!value.is_string()) return malformed("Syntax errors in policy.");
        statement_.sid = std::string_view(value);
        return {};
    }

    Status read_effect(const dom::element& value) {
        const bool is_text = value.is_string();
        const std::string_view effect = is_text ? std::string_view(value) : std::string_view{};
        if (effect != "Allow" && effect != "Deny")
            return malformed(fmt::format("Invalid effect: {}", effect));
        statement_.is_allow = effect == "Allow";
        return {};
    }

    Status read_actions(const dom::element& value, bool is_negated) {
        ASSIGN(auto values, values_of(value));
        if (values.empty()) return malformed("Policy statement must contain actions.");
        for (const auto& action : values) {
            const auto colon = action.find(':');
            if (action != "*" && (colon == std::string::npos || colon == 0))
                return malformed(
                    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
        }
        statement_.actions = {is_negated, std::move(values)};
        return {};
    }

    Status read_resources(const dom::element& value, bool is_negated) {
        ASSIGN(auto values, values_of(value));
        if (values.empty()) return malformed("Policy statement must contain resources.");
        for (const auto& resource : values)
            if (resource != "*" &&
                (!resource.starts_with("arn:") || std::ranges::count(resource, ':') < 5))
                return malformed(
                    fmt::format("Resource {} must be in ARN format or \"*\".", resource));
        statement_.resources = {is_negated, std::move(values)};
        return {};
    }

    Status read_principals(const dom::element& value, bool is_negated) {
        statement_.principals.is_negated = is_negated;
        if (value.is_string()) {
            const std::string_view text(value);
            if (text != "*")
                return malformed(fmt::format("Invalid principal in policy: \"{}\"", text));
            statement_.principals.values = {"*"};
            return {};
        }
        if (!value.is_object()) return malformed("Syntax errors in policy.");
        bool is_empty = true;
        for (const auto& [type, listed] : dom::object(value)) {
            is_empty = false;
            ASSIGN(auto values, values_of(listed));
            if (type == "Service" || type == "Federated" || type == "CanonicalUser") continue;
            if (type != "AWS")
                return malformed(fmt::format("Invalid principal in policy: \"{}\"", type));
            for (auto& principal : values) {
                if (!is_principal(principal))
                    return malformed(
                        fmt::format("Invalid principal in policy: \"AWS\":\"{}\"", principal));
                statement_.principals.values.push_back(std::move(principal));
            }
        }
        if (is_empty) return malformed("Missing required field Principal cannot be empty!");
        return {};
    }

    Status read_conditions(const dom::element& value) {
        if (!value.is_object()) return malformed("Syntax errors in policy.");
        for (const auto& [name, keys] : dom::object(value)) {
            ASSIGN(const PolicyCondition made, condition_of(name));
            if (!keys.is_object()) return malformed("Syntax errors in policy.");
            for (const auto& [key, values] : dom::object(keys)) {
                PolicyCondition condition = made;
                condition.key = key;
                if (!is_plain(key) || !key.contains(':'))
                    return malformed(
                        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, "
                        "etc.");
                ASSIGN(condition.values, values_of(values));
                TRY(check_values(condition));
                statement_.conditions.push_back(std::move(condition));
            }
        }
        return {};
    }

    static Result<PolicyCondition> condition_of(std::string_view name) {
        PolicyCondition condition;
        std::string_view rest = name;
        for (const auto& [prefix, quantifier] :
             {std::pair<std::string_view, Quantifier>{"ForAllValues:", Quantifier::ForAllValues},
              std::pair<std::string_view, Quantifier>{"ForAnyValue:", Quantifier::ForAnyValue}})
            if (rest.starts_with(prefix)) {
                condition.quantifier = quantifier;
                rest.remove_prefix(prefix.size());
                break;
            }
        if (rest.ends_with("IfExists")) {
            condition.if_exists = true;
            rest.remove_suffix(8);
        }
        const auto* found = std::ranges::find(kOperators, rest, &Operator::name);
        if (found == std::end(kOperators) ||
            (found->comparison == Comparison::Null && condition.if_exists))
            return malformed(fmt::format("Invalid Condition type : {}.", name));
        condition.comparison = found->comparison;
        condition.is_negated = found->is_negated;
        return condition;
    }

    /// What can never be compared is refused now, not passed over later.
    static Status check_values(const PolicyCondition& condition) {
        for (const auto& value : condition.values)
            if (!value.contains("${") && !is_comparable(condition.comparison, value))
                return malformed(
                    fmt::format("The value {} of {} cannot be compared.", value, condition.key));
        return {};
    }

    PolicyKind kind_;
    PolicyStatement statement_;
    std::set<std::string, std::less<>> seen_;
};

Status read_statements(const dom::element& value, Policy& policy) {
    const auto add = [&policy](const dom::element& one) -> Status {
        if (!one.is_object()) return malformed("Syntax errors in policy.");
        StatementReader reader(policy.kind);
        ASSIGN(auto statement, reader.read(dom::object(one)));
        const bool is_taken =
            !statement.sid.empty() &&
            std::ranges::any_of(policy.statements, [&](const PolicyStatement& other) {
                return other.sid == statement.sid;
            });
        if (is_taken) return malformed("Statement IDs (SID) in a single policy must be unique.");
        policy.statements.push_back(std::move(statement));
        return {};
    };
    if (!value.is_array()) return add(value);
    for (const dom::element one : dom::array(value))
        TRY(add(one));
    if (policy.statements.empty()) return malformed("Syntax errors in policy.");
    return {};
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, PolicyKind kind) {
    if (text.size() > kPolicyBytesMax)
        return malformed(
            fmt::format("The policy is longer than {} bytes: {}.", kPolicyBytesMax, text.size()));
    dom::parser parser;
    dom::element document;
    const simdjson::padded_string padded(text);
    if (parser.allocate(text.size() + 1, kNestingMax) != simdjson::SUCCESS ||
        parser.parse(padded).get(document) != simdjson::SUCCESS || !document.is_object())
        return malformed("Syntax errors in policy.");
    Policy policy;
    policy.kind = kind;
    bool has_statement = false;
    std::set<std::string, std::less<>> seen;
    for (const auto& [key, value] : dom::object(document)) {
        if (!seen.insert(std::string(key)).second) return malformed("Syntax errors in policy.");
        if (key == "Version") {
            if (!value.is_string() || (std::string_view(value) != "2012-10-17" &&
                                       std::string_view(value) != "2008-10-17"))
                return malformed("Policy document must be version 2012-10-17 or greater.");
        } else if (key == "Statement") {
            has_statement = true;
            TRY(read_statements(value, policy));
        } else if (key != "Id") {
            return malformed(fmt::format("Syntax errors in policy: unknown field {}.", key));
        }
    }
    if (!has_statement) return malformed("Syntax errors in policy.");
    return policy;
}

}  // namespace tidemill
