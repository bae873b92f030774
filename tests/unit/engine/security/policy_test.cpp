#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/base/random.h"
#include "engine/security/access_decision.h"
#include "engine/security/signature_time.h"
#include "engine/security/wildcard.h"

using namespace tidemill;

namespace {

constexpr std::string_view kStream = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks";

Identity user(std::string_view name = "alice", std::string_view account = "111122223333") {
    return {std::string(account), fmt::format("arn:aws:iam::{}:user/{}", account, name)};
}

Identity job() {
    Identity identity;
    identity.account = "111122223333";
    identity.arn = "arn:aws:sts::111122223333:assumed-role/reader/job";
    identity.role_arn = "arn:aws:iam::111122223333:role/team/reader";
    return identity;
}

Identity with(Identity identity, const std::vector<std::string>& policies) {
    for (const auto& text : policies) {
        auto policy = parse_policy(text, PolicyKind::Identity);
        REQUIRE_MESSAGE(policy.has_value(), (policy ? "" : policy.error().message));
        identity.policies.push_back(std::make_shared<const Policy>(std::move(*policy)));
    }
    return identity;
}

AccessQuestion question(const Identity& identity, std::string_view action = "kinesis:PutRecord",
                        std::string_view resource = kStream) {
    AccessQuestion asked{.identity = identity,
                         .action = action,
                         .resource = resource,
                         .resource_account = "111122223333"};
    asked.now = *parse_basic_time("20261123T100000Z");
    asked.region = "eu-west-1";
    asked.source_ip = "192.0.2.7";
    asked.user_agent = "Boto3/1.43";
    return asked;
}

std::string statement(std::string_view effect, std::string_view action, std::string_view resource,
                      std::string_view more = "") {
    return fmt::format(
        R"({{"Version":"2012-10-17","Statement":{{"Effect":"{}","Action":"{}","Resource":"{}"{}}}}})",
        effect, action, resource, more);
}

std::string for_whom(std::string_view effect, std::string_view principal,
                     std::string_view action = "kinesis:*", std::string_view more = "") {
    return fmt::format(
        R"({{"Version":"2012-10-17","Statement":[{{"Effect":"{}","Principal":{},"Action":"{}","Resource":"{}"{}}}]}})",
        effect, principal, action, kStream, more);
}

Access decide_with(const Identity& identity, const std::string& resource_policy,
                   std::string_view action = "kinesis:PutRecord") {
    auto policy = parse_policy(resource_policy, PolicyKind::Resource);
    REQUIRE_MESSAGE(policy.has_value(), (policy ? "" : policy.error().message));
    return decide(question(identity, action), &*policy);
}

/// Whether a statement with this condition lets the action through.
bool condition_holds(std::string_view condition,
                     const std::function<void(AccessQuestion&)>& change = {}) {
    const Identity identity =
        with(user(), {statement("Allow", "*", "*", fmt::format(R"(,"Condition":{})", condition))});
    AccessQuestion asked = question(identity);
    if (change) change(asked);
    return decide(asked, nullptr) == Access::Granted;
}

}  // namespace

TEST_CASE("an identity without a policy may do everything in its account, and nothing in others") {
    CHECK(decide(question(user()), nullptr) == Access::Granted);
    CHECK(decide(question(user("bob", "999988887777")), nullptr) == Access::NoResourcePolicyAllows);
}

TEST_CASE("a policy allows what it names and nothing else") {
    const Identity alice =
        with(user(), {statement("Allow", "kinesis:Get*", "arn:aws:kinesis:*:*:stream/cl?cks")});
    CHECK(decide(question(alice, "kinesis:GetRecords"), nullptr) == Access::Granted);
    CHECK(decide(question(alice, "kinesis:getrecords"), nullptr) == Access::Granted);
    CHECK(decide(question(alice, "kinesis:PutRecord"), nullptr) == Access::NoIdentityPolicyAllows);
    CHECK(decide(question(alice, "kinesis:GetRecords", "arn:aws:kinesis:x:1:stream/Clicks"),
                 nullptr) == Access::NoIdentityPolicyAllows);
    CHECK(denial_text(question(alice), Access::NoIdentityPolicyAllows) ==
          "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: "
          "kinesis:PutRecord on resource: "
          "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks because no identity-based policy "
          "allows the kinesis:PutRecord action");
}

TEST_CASE("a denial goes before every permission") {
    const Identity alice =
        with(user(), {statement("Allow", "*", "*"), statement("Deny", "kinesis:PutRecord*", "*")});
    CHECK(decide(question(alice), nullptr) == Access::DeniedByIdentityPolicy);
    CHECK(decide(question(alice, "kinesis:GetRecords"), nullptr) == Access::Granted);
    CHECK(decide_with(alice, for_whom("Allow", "\"*\"")) == Access::DeniedByIdentityPolicy);
    CHECK(decide_with(user(), for_whom("Deny", "\"*\"")) == Access::DeniedByResourcePolicy);
    CHECK(denial_text(question(alice), Access::DeniedByResourcePolicy)
              .ends_with("with an explicit deny in a resource-based policy"));
}

TEST_CASE("NotAction, NotResource and NotPrincipal name what is left out") {
    const Identity alice = with(
        user(),
        {R"({"Statement":[{"Effect":"Allow","NotAction":["kinesis:Delete*"],"NotResource":"arn:*:*:*:*:stream/secret"}]})"});
    CHECK(decide(question(alice), nullptr) == Access::Granted);
    CHECK(decide(question(alice, "kinesis:DeleteStream"), nullptr) != Access::Granted);
    CHECK(decide(question(alice, "kinesis:PutRecord", "arn:aws:kinesis:x:1:stream/secret"),
                 nullptr) != Access::Granted);
    const std::string all_but_alice = fmt::format(
        R"({{"Statement":{{"Effect":"Deny","NotPrincipal":{{"AWS":"{}"}},"Action":"*","Resource":"*"}}}})",
        user().arn);
    CHECK(decide_with(user(), all_but_alice) == Access::Granted);
    CHECK(decide_with(user("bob"), all_but_alice) == Access::DeniedByResourcePolicy);
}

TEST_CASE("within an account either side's permission will do; between accounts it takes both") {
    const Identity reader = with(user(), {statement("Allow", "kinesis:Get*", "*")});
    const std::string to_alice =
        for_whom("Allow", R"({"AWS":"arn:aws:iam::111122223333:user/alice"})");
    CHECK(decide_with(reader, to_alice) == Access::Granted);
    CHECK(decide_with(with(user("bob"), {statement("Allow", "kinesis:Get*", "*")}), to_alice) ==
          Access::NoIdentityPolicyAllows);
    // To name the account is to leave it to the account's own policies.
    for (const char* account :
         {R"({"AWS":"111122223333"})", R"({"AWS":["arn:aws:iam::111122223333:root"]})"})
        CHECK(decide_with(reader, for_whom("Allow", account)) == Access::NoIdentityPolicyAllows);

    const Identity stranger = user("carol", "999988887777");
    for (const char* principal : {"\"*\"", R"({"AWS":"*"})", R"({"AWS":"999988887777"})",
                                  R"({"AWS":"arn:aws:iam::999988887777:root"})",
                                  R"({"AWS":"arn:aws:iam::999988887777:user/carol"})"})
        CHECK(decide_with(stranger, for_whom("Allow", principal)) == Access::Granted);
    CHECK(decide_with(stranger, for_whom("Allow", R"({"AWS":"111122223333"})")) ==
          Access::NoResourcePolicyAllows);
    CHECK(decide_with(stranger, for_whom("Allow", R"({"Service":"lambda.amazonaws.com"})")) ==
          Access::NoResourcePolicyAllows);
    const Identity limited =
        with(user("carol", "999988887777"), {statement("Allow", "kinesis:Get*", "*")});
    CHECK(decide_with(limited, for_whom("Allow", "\"*\"")) == Access::NoIdentityPolicyAllows);
    CHECK(decide_with(limited, for_whom("Allow", "\"*\""), "kinesis:GetRecords") ==
          Access::Granted);
}

TEST_CASE("a role's session is named by itself, its role or its account") {
    const Identity session = with(job(), {statement("Allow", "kinesis:Get*", "*")});
    for (const char* principal : {R"({"AWS":"arn:aws:sts::111122223333:assumed-role/reader/job"})",
                                  R"({"AWS":"arn:aws:iam::111122223333:role/team/reader"})"})
        CHECK(decide_with(session, for_whom("Allow", principal)) == Access::Granted);
    CHECK(
        decide_with(session, for_whom("Allow", R"({"AWS":"arn:aws:iam::111122223333:role/x"})")) ==
        Access::NoIdentityPolicyAllows);
    const auto context = question(session);
    CHECK(context_value(context, "aws:principalarn") == session.role_arn);
    CHECK(context_value(context, "aws:PrincipalType") == "AssumedRole");
    CHECK_FALSE(context_value(context, "aws:username"));
}

TEST_CASE("conditions compare texts, numbers, dates, addresses and ARNs") {
    for (
        const char* holding :
        {R"({"StringEquals":{"aws:PrincipalAccount":["1","111122223333"]}})",
         R"({"StringEquals":{"AWS:principalaccount":"111122223333"}})",
         R"({"StringNotEquals":{"aws:PrincipalAccount":["1","2"]}})",
         R"({"StringEqualsIgnoreCase":{"aws:username":"ALICE"}})",
         R"({"StringLike":{"aws:UserAgent":"Boto3/*"}})",
         R"({"StringNotLike":{"aws:UserAgent":"*Java*"}})",
         R"({"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}})",
         R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}})",
         R"({"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}})",
         R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}})",
         R"({"NotIpAddress":{"aws:SourceIp":"192.0.2.8"}})",
         R"({"Bool":{"aws:SecureTransport":false}})",
         R"({"Bool":{"aws:SecureTransport":"false"}})",
         R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}})",
         R"({"DateLessThanEquals":{"aws:CurrentTime":"2026-11-23T11:00:00+01:00"}})",
         R"({"DateGreaterThanEquals":{"aws:EpochTime":"1700000000"}})",
         R"({"NumericGreaterThan":{"aws:EpochTime":1700000000}})",
         R"({"NumericLessThan":{"aws:EpochTime":"1e11"}})",
         R"({"Null":{"aws:ResourceTag/x":"true"}})",
         R"({"Null":{"aws:SourceIp":"false"}})",
         R"({"StringEqualsIfExists":{"aws:ResourceTag/x":"y"}})",
         R"({"StringNotEquals":{"aws:ResourceTag/x":"y"}})",
         R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}})",
         R"({"ForAnyValue:StringLike":{"aws:username":["a*","b*"]}})",
         R"({"StringEquals":{"aws:RequestedRegion":"eu-west-1"},"IpAddress":{"aws:SourceIp":"192.0.2.7/32"}})",
         R"({"StringEquals":{"aws:username":"${aws:username}"}})"}) {
        CAPTURE(holding);
        CHECK(condition_holds(holding));
    }
    for (const char* failing :
         {R"({"StringEquals":{"aws:PrincipalAccount":"111122223334"}})",
          R"({"StringEquals":{"aws:UserAgent":"Boto3/*"}})",
          R"({"StringNotEquals":{"aws:PrincipalAccount":["1","111122223333"]}})",
          R"({"StringEquals":{"aws:username":"ALICE"}})",
          R"({"ArnLike":{"aws:PrincipalArn":"arn:*:user/a*"}})",
          R"({"IpAddress":{"aws:SourceIp":"192.0.2.8/30"},"StringEquals":{"aws:username":"bob"}})",
          R"({"IpAddress":{"aws:SourceIp":"2001:db8::/32"}})",
          R"({"NotIpAddress":{"aws:SourceIp":"192.0.0.0/16"}})",
          R"({"Bool":{"aws:SecureTransport":true}})",
          R"({"DateLessThan":{"aws:CurrentTime":"2026-11-23T10:00:00Z"}})",
          R"({"NumericEquals":{"aws:EpochTime":1}})", R"({"Null":{"aws:SourceIp":"true"}})",
          R"({"StringEquals":{"aws:ResourceTag/x":"y"}})",
          R"({"StringEquals":{"aws:Nonsense":""}})",
          R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}})",
          R"({"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}})",
          R"({"StringEquals":{"aws:username":[]}})",
          R"({"StringLike":{"aws:username":"${aws:ResourceTag/x}"}})"}) {
        CAPTURE(failing);
        CHECK_FALSE(condition_holds(failing));
    }
    CHECK(condition_holds(R"({"IpAddress":{"aws:SourceIp":"2001:db8::/32"}})",
                          [](AccessQuestion& q) { q.source_ip = "2001:db8:1::7"; }));
    CHECK(condition_holds(R"({"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}})",
                          [](AccessQuestion& q) { q.source_ip = "::ffff:192.0.2.9"; }));
    CHECK(condition_holds(R"({"Bool":{"aws:SecureTransport":"true"}})",
                          [](AccessQuestion& q) { q.is_secure = true; }));
    const std::map<std::string, std::string> tags{{"team", "a*"}};
    const auto tagged = [&](AccessQuestion& q) { q.resource_tags = &tags; };
    CHECK(condition_holds(R"({"StringEquals":{"aws:ResourceTag/team":"a*"}})", tagged));
    CHECK_FALSE(condition_holds(R"({"StringEquals":{"aws:ResourceTag/team":"ab"}})", tagged));
}

TEST_CASE("variables stand for themselves: what they bring in is no wildcard") {
    const Identity owner =
        with(user(), {statement("Allow", "*", "arn:aws:kinesis:*:*:stream/${aws:username}-*")});
    CHECK(decide(question(owner, "kinesis:PutRecord", "arn:aws:kinesis:x:1:stream/alice-1"),
                 nullptr) == Access::Granted);
    CHECK(decide(question(owner, "kinesis:PutRecord", "arn:aws:kinesis:x:1:stream/bob-1"),
                 nullptr) != Access::Granted);
    const std::map<std::string, std::string> tags{{"owner", "*"}};
    const Identity tricked = with(
        user(), {statement("Allow", "*", "arn:aws:kinesis:*:*:stream/${aws:ResourceTag/owner}")});
    AccessQuestion asked = question(tricked);
    asked.resource_tags = &tags;
    CHECK(decide(asked, nullptr) != Access::Granted);
    asked.resource = "arn:aws:kinesis:eu-west-1:111122223333:stream/*";
    CHECK(decide(asked, nullptr) == Access::Granted);
    CHECK(condition_holds(R"({"StringEquals":{"aws:username":"${aws:ResourceTag/x, 'alice'}"}})"));
    CHECK_FALSE(condition_holds(R"({"StringLike":{"aws:username":"${*}"}})"));
}

TEST_CASE("a malformed policy is refused in AWS's words") {
    const auto words = [](const std::string& text, PolicyKind kind = PolicyKind::Resource) {
        const auto policy = parse_policy(text, kind);
        return policy ? std::string("accepted") : policy.error().message;
    };
    const std::string fine = for_whom("Allow", "\"*\"");
    CHECK(words(fine) == "accepted");
    CHECK(words("") == "Syntax errors in policy.");
    CHECK(words("[]") == "Syntax errors in policy.");
    CHECK(words(R"({"Version":"2012-10-17"})") == "Syntax errors in policy.");
    CHECK(words(R"({"Version":"2020-01-01","Statement":[]})") ==
          "Policy document must be version 2012-10-17 or greater.");
    CHECK(words(R"({"Statement":{"Action":"*","Resource":"*","Principal":"*"}})") ==
          "Missing required field Effect");
    CHECK(words(R"({"Statement":{"Effect":"Permit","Action":"*","Resource":"*"}})") ==
          "Invalid effect: Permit");
    CHECK(words(R"({"Statement":{"Effect":"Allow","Resource":"*","Principal":"*"}})") ==
          "Policy statement must contain actions.");
    CHECK(words(R"({"Statement":{"Effect":"Allow","Action":"*","Principal":"*"}})") ==
          "Policy statement must contain resources.");
    CHECK(words(R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})") ==
          "Missing required field Principal");
    CHECK(words(fine, PolicyKind::Identity) == "Policy document should not specify a principal.");
    CHECK(words(for_whom("Allow", "\"*\"", "PutRecord")) ==
          "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
    CHECK(words(for_whom("Allow", "\"alice\"")) == "Invalid principal in policy: \"alice\"");
    CHECK(words(for_whom("Allow", R"({"AWS":"alice"})")) ==
          "Invalid principal in policy: \"AWS\":\"alice\"");
    CHECK(words(for_whom("Allow", R"({"AWS":"arn:aws:iam::*:root"})")) ==
          "Invalid principal in policy: \"AWS\":\"arn:aws:iam::*:root\"");
    CHECK(words(for_whom("Allow", "{}")) == "Missing required field Principal cannot be empty!");
    CHECK(
        words(
            R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"clicks"}})") ==
        "Resource clicks must be in ARN format or \"*\".");
    CHECK(words(for_whom("Allow", "\"*\"", "*",
                         R"(,"Condition":{"StringIs":{"aws:username":"a"}})")) ==
          "Invalid Condition type : StringIs.");
    CHECK(words(for_whom("Allow", "\"*\"", "*",
                         R"(,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}})")) ==
          "The value 10.0.0.0/33 of aws:SourceIp cannot be compared.");
    CHECK(
        words(
            R"({"Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
                                {"Sid":"a","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]})") ==
        "Statement IDs (SID) in a single policy must be unique.");
    CHECK(words(fine + std::string(kPolicyBytesMax, ' ')).starts_with("The policy is longer"));
    CHECK(words(R"({"Statement":)" + std::string(100, '[') + std::string(100, ']') + "}") ==
          "Syntax errors in policy.");
}

namespace {

/// What a wildcard means, in the fewest words.
bool slow_match(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        for (std::size_t taken = 0; taken <= text.size(); ++taken)
            if (slow_match(pattern.substr(1), text.substr(taken))) return true;
        return false;
    }
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           slow_match(pattern.substr(1), text.substr(1));
}

}  // namespace

TEST_CASE("wildcards match as their plain definition says") {
    constexpr std::uint64_t kSeed = 11;
    CAPTURE(kSeed);
    Random random(kSeed);
    const auto text = [&](std::string_view letters, std::size_t most) {
        std::string made;
        for (std::size_t i = random.below(most + 1); i > 0; --i)
            made.push_back(letters[random.below(letters.size())]);
        return made;
    };
    int matched = 0;
    for (int i = 0; i < 50'000; ++i) {
        const std::string pattern = text("ab*?", 8), subject = text("ab", 10);
        CAPTURE(pattern);
        CAPTURE(subject);
        const bool is_match = matches_wildcard(pattern, subject);
        REQUIRE(is_match == slow_match(pattern, subject));
        matched += is_match ? 1 : 0;
    }
    CHECK(matched > 5'000);
    CHECK(matched < 45'000);
    CHECK(matches_wildcard("KINESIS:get*", "kinesis:GetRecords", LetterCase::Ignored));
    CHECK_FALSE(matches_wildcard("KINESIS:get*", "kinesis:GetRecords"));
    CHECK(matches_arn("arn:aws:kinesis:*:1*:stream/a", "arn:aws:kinesis:x:12:stream/a"));
    CHECK_FALSE(matches_arn("arn:*:stream/a", "arn:aws:kinesis:x:12:stream/a"));
    CHECK_FALSE(matches_arn("arn:aws:kinesis:*:stream/a", "arn:aws:kinesis:x:12:stream/a"));
}

namespace {

/// One statement of the model: everything in it is a plain set.
struct ModelStatement {
    bool is_allow;
    std::vector<std::size_t> actions, resources, principals;  // positions in the lists below
    bool not_actions, not_resources, not_principals;
    int condition;  // 0: none, 1: account is the first, 2: account is not the first
};

const std::vector<std::string> kActions{"kinesis:PutRecord", "kinesis:GetRecords",
                                        "kinesis:DeleteStream"};
const std::vector<std::string> kResources{"arn:aws:kinesis:r:111111111111:stream/a",
                                          "arn:aws:kinesis:r:111111111111:stream/b"};
/// Everybody, the accounts, then single ones: as the identities below.
const std::vector<std::string> kPrincipals{"*",
                                           "111111111111",
                                           "arn:aws:iam::222222222222:root",
                                           "arn:aws:iam::111111111111:user/u",
                                           "arn:aws:iam::222222222222:user/v",
                                           "arn:aws:iam::111111111111:role/r"};

std::vector<Identity> model_identities() {
    Identity session;
    session.account = "111111111111";
    session.arn = "arn:aws:sts::111111111111:assumed-role/r/s";
    session.role_arn = kPrincipals[5];
    return {{"111111111111", "arn:aws:iam::111111111111:user/u"},
            {"222222222222", "arn:aws:iam::222222222222:user/v"},
            session,
            {"111111111111", "arn:aws:iam::111111111111:root"},
            {"222222222222", "arn:aws:iam::222222222222:user/w"}};
}

/// Per principal above and identity: 0 not named, 1 by its account, 2 itself.
constexpr int kNaming[6][5] = {{2, 2, 2, 2, 2}, {1, 0, 1, 2, 0}, {0, 1, 0, 0, 1},
                               {2, 0, 0, 0, 0}, {0, 2, 0, 0, 0}, {0, 0, 2, 0, 0}};

bool has(const std::vector<std::size_t>& list, std::size_t wanted) {
    return std::ranges::find(list, wanted) != list.end();
}

/// Of a list of statements: whether any denies, whether any allows, and how.
struct ModelVerdict {
    bool denies = false, allows = false, allows_account = false;
};

ModelVerdict model_verdict(const std::vector<ModelStatement>& statements, bool is_resource,
                           std::size_t who, std::size_t action, std::size_t resource) {
    ModelVerdict verdict;
    for (const auto& s : statements) {
        int named = 2;
        if (is_resource) {
            named = 0;
            for (const std::size_t principal : s.principals)
                named = std::max(named, kNaming[principal][who]);
            if (s.not_principals) named = named == 0 ? 2 : 0;
        }
        const bool is_first_account = who != 1 && who != 4;
        if (named == 0 || has(s.actions, action) == s.not_actions ||
            has(s.resources, resource) == s.not_resources ||
            (s.condition == 1 && !is_first_account) || (s.condition == 2 && is_first_account))
            continue;
        verdict.denies |= !s.is_allow;
        verdict.allows |= s.is_allow && named == 2;
        verdict.allows_account |= s.is_allow && named == 1;
    }
    return verdict;
}

std::string list_of(const std::vector<std::size_t>& positions,
                    const std::vector<std::string>& names) {
    std::string list;
    for (const std::size_t position : positions)
        list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", names[position]);
    return "[" + list + "]";
}

std::string document_of(const std::vector<ModelStatement>& statements, bool is_resource) {
    std::string text;
    for (const auto& s : statements) {
        text += fmt::format(R"({}{{"Effect":"{}","{}Action":{},"{}Resource":{})",
                            text.empty() ? "" : ",", s.is_allow ? "Allow" : "Deny",
                            s.not_actions ? "Not" : "", list_of(s.actions, kActions),
                            s.not_resources ? "Not" : "", list_of(s.resources, kResources));
        if (is_resource)
            text += fmt::format(R"(,"{}Principal":{{"AWS":{}}})", s.not_principals ? "Not" : "",
                                list_of(s.principals, kPrincipals));
        if (s.condition != 0)
            text += fmt::format(
                R"(,"Condition":{{"String{}Equals":{{"aws:PrincipalAccount":"111111111111"}}}})",
                s.condition == 2 ? "Not" : "");
        text += "}";
    }
    return R"({"Version":"2012-10-17","Statement":[)" + text + "]}";
}

}  // namespace

TEST_CASE("decisions are those of a plain model of the evaluation logic") {
    constexpr std::uint64_t kSeed = 7;
    CAPTURE(kSeed);
    Random random(kSeed);
    const auto some_of = [&](std::size_t count) {
        std::vector<std::size_t> chosen;
        for (std::size_t i = 0; i < count; ++i)
            if (random.chance(0.4)) chosen.push_back(i);
        if (chosen.empty()) chosen.push_back(random.below(count));
        return chosen;
    };
    const auto some_statements = [&] {
        std::vector<ModelStatement> statements;
        for (std::size_t i = 1 + random.below(3); i > 0; --i)
            statements.push_back({random.chance(0.7), some_of(3), some_of(2), some_of(6),
                                  random.chance(0.2), random.chance(0.2), random.chance(0.2),
                                  static_cast<int>(random.below(4)) % 3});
        return statements;
    };
    std::map<Access, int> counts;
    for (int i = 0; i < 3'000; ++i) {
        const auto of_identity = some_statements(), of_resource = some_statements();
        const bool is_free = random.chance(0.2), has_policy = random.chance(0.7);
        const auto parsed = parse_policy(document_of(of_resource, true));
        REQUIRE_MESSAGE(parsed.has_value(), document_of(of_resource, true));
        const auto identities = model_identities();
        const std::size_t who = random.below(identities.size());
        const Identity identity =
            is_free ? identities[who] : with(identities[who], {document_of(of_identity, false)});
        for (std::size_t action = 0; action < kActions.size(); ++action)
            for (std::size_t resource = 0; resource < kResources.size(); ++resource) {
                AccessQuestion asked = question(identity, kActions[action], kResources[resource]);
                asked.resource_account = "111111111111";
                const Access access = decide(asked, has_policy ? &*parsed : nullptr);
                ++counts[access];

                auto mine = model_verdict(of_identity, false, who, action, resource);
                if (is_free) mine = {.allows = true};
                const auto theirs = has_policy
                                        ? model_verdict(of_resource, true, who, action, resource)
                                        : ModelVerdict{};
                const bool is_own = identity.account == "111111111111";
                bool may = false;
                if (!mine.denies && !theirs.denies)
                    may = is_own ? mine.allows || theirs.allows
                                 : mine.allows && (theirs.allows || theirs.allows_account);
                INFO(document_of(of_identity, false), "\n", document_of(of_resource, true), "\n",
                     identity.arn, " ", kActions[action], " ", kResources[resource]);
                REQUIRE((access == Access::Granted) == may);
                REQUIRE((access == Access::DeniedByIdentityPolicy) == mine.denies);
            }
    }
    for (const auto& [access, count] : counts)
        CHECK(count > 100);
    CHECK(counts.size() == 5);
}
