// TransactWriteItems, TransactGetItems.
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/item_write.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/operations.h"
#include "engine/dynamodb/table_limits.h"
#include "engine/security/sha256.h"

namespace tidemill::dynamodb {
namespace {

constexpr auto kTokenLife = std::chrono::minutes{10};

struct Part {
    std::string_view name;
    ApiResult<ItemWrite> (*decode)(Call& call, const Value& request);
    std::string_view required[2];
};
constexpr Part kParts[] = {{"ConditionCheck", check_of, {"Key", "ConditionExpression"}},
                           {"Put", put_of, {"Item", ""}},
                           {"Update", update_of, {"Key", "UpdateExpression"}},
                           {"Delete", delete_of, {"Key", ""}}};

std::unexpected<ApiError> missing(std::size_t number, std::string_view part,
                                  std::string_view member) {
    const auto lower = [](std::string_view name) {
        std::string text(name);
        text[0] = static_cast<char>(text[0] + 32);
        return text;
    };
    return invalid(
        fmt::format("1 validation error detected: Value null at 'transactItems.{}.member.{}.{}' "
                    "failed to satisfy constraint: Member must not be null",
                    number, lower(part), lower(member)));
}

ApiResult<ItemWrite> write_of(Call& call, const Value& item, std::size_t number) {
    const Part* found = nullptr;
    std::size_t count = 0;
    for (const auto& part : kParts)
        if (item.find(part.name) != nullptr) {
            ++count;
            found = &part;
        }
    if (count != 1)
        return invalid("TransactItems can only contain one of Check, Put, Update or Delete");
    const Value& request = *item.find(found->name);
    if (request.map() == nullptr) return refuse("SerializationException", "Expected map or null");
    if (request.find("TableName") == nullptr) return missing(number, found->name, "TableName");
    for (const auto name : found->required)
        if (!name.empty() && request.find(name) == nullptr)
            return missing(number, found->name, name);
    for (const std::string_view name : {"TableName", "ConditionExpression", "UpdateExpression"})
        if (const auto* member = request.find(name); member != nullptr && member->text() == nullptr)
            return refuse("SerializationException", "NUMBER_VALUE cannot be converted to String");
    return found->decode(call, request);
}

/// Why one part of a transaction was refused.
struct Reason {
    std::string_view code = "None";
    std::string message{};
    Table::ItemPtr item{};
};

std::unexpected<ApiError> cancelled(Call& call, const std::vector<Reason>& reasons) {
    std::vector<std::string_view> codes;
    // Behind the message, within the error's object.
    DocumentWriter out(call.error_extra, Encoding::Json);
    out.key("CancellationReasons").begin_array();
    for (const auto& reason : reasons) {
        codes.push_back(reason.code);
        out.begin_object().member("Code", reason.code);
        if (!reason.message.empty()) out.member("Message", reason.message);
        if (reason.item != nullptr) {
            out.key("Item");
            write(out, *reason.item);
        }
        out.end_object();
    }
    out.end_array();
    return refuse("TransactionCanceledException",
                  fmt::format("Transaction cancelled, please refer cancellation reasons for "
                              "specific reasons [{}]",
                              fmt::join(codes, ", ")));
}

/// The same request has the same, whatever its token.
std::string digest_of(const Call& call) {
    // Values print in the order they were sent, as an SDK does that tries again.
    std::string text;
    const auto print = [&](const auto& self, const Value& value) -> void {
        if (const auto* map = value.map()) {
            text += '{';
            for (const auto& [name, member] : *map) {
                text += fmt::format("{}:{}=", name.size(), name);
                self(self, member);
            }
            text += '}';
        } else if (const auto* list = value.list()) {
            text += '[';
            for (const auto& element : *list)
                self(self, element);
            text += ']';
        } else if (const auto* words = value.text()) {
            text += fmt::format("{}:{}", words->size(), *words);
        } else if (const auto* truth = value.boolean()) {
            text += *truth ? 't' : 'f';
        } else if (const auto number = value.number()) {
            text += fmt::format("{};", *number);
        }
    };
    print(print, *call.input.find("TransactItems"));
    return std::string(as_text(to_hex(Sha256().of(text))));
}

/// True when the token's transaction has been carried out already.
ApiResult<bool> is_repeated(Call& call, const std::string& token, const std::string& digest) {
    auto& known = call.tables.transactions();
    std::erase_if(known, [&](const auto& entry) { return entry.second.until <= call.now; });
    const auto found = known.find(token);
    if (found == known.end()) return false;
    if (found->second.request != digest)
        return refuse("IdempotentParameterMismatchException",
                      "The request token has already been used with different parameters");
    return true;
}

void answer(Call& call, const std::map<std::string, std::int64_t>& half_units) {
    auto out = call.answer();
    out.begin_object();
    if (wants_capacity(call)) {
        out.key("ConsumedCapacity").begin_array();
        for (const auto& [table, units] : half_units)
            write_capacity_of(call, out, table, units);
        out.end_array();
    }
    out.end_object();
}

}  // namespace

ApiStatus transact_write_items(Call& call) {
    const auto& items = *call.input.find("TransactItems")->list();
    std::vector<ItemWrite> writes;
    std::set<std::pair<const Table*, std::string>> seen;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        ASSIGN(ItemWrite write, write_of(call, items[i], i + 1));
        if (!seen.emplace(write.table, order_key(write.table->definition().key, write.key)).second)
            return invalid("Transaction request cannot include multiple operations on one item");
        bytes += size_of(write.item);
        writes.push_back(std::move(write));
    }
    if (bytes > limits::kTransactionBytes)
        return invalid("Collection size of all items in the transaction exceeds 4 MB limit");
    const std::string token(call.input.text_or("ClientRequestToken", ""));
    std::string digest = token.empty() ? std::string{} : digest_of(call);
    std::map<std::string, std::int64_t> half_units;
    if (!token.empty()) {
        ASSIGN(const bool is_done, is_repeated(call, token, digest));
        if (is_done) {
            answer(call, half_units);
            return {};
        }
    }
    std::vector<std::optional<Item>> outcomes;
    std::vector<Reason> reasons(writes.size());
    bool is_cancelled = false;
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const auto before = writes[i].table->find(writes[i].key);
        auto after = outcome_of(call, writes[i], before.get());
        if (!after) {
            is_cancelled = true;
            const bool is_condition = after.error().type == "ConditionalCheckFailedException";
            reasons[i].code = is_condition ? "ConditionalCheckFailed" : "ValidationError";
            reasons[i].message = after.error().message;
            if (is_condition && writes[i].shows_item_on_failure) reasons[i].item = before;
            outcomes.emplace_back();
            continue;
        }
        half_units[writes[i].table->definition().name] +=
            4 * write_units(std::max(before != nullptr ? size_of(*before) : 0,
                                     *after ? size_of(**after) : 0));
        outcomes.push_back(std::move(*after));
    }
    if (is_cancelled) return cancelled(call, reasons);
    for (std::size_t i = 0; i < writes.size(); ++i)
        store(call, writes[i], std::move(outcomes[i]));
    auto& known = call.tables.transactions();
    if (!token.empty() && known.size() < limits::kTransactionTokens)
        known[token] = {std::move(digest), call.now + kTokenLife};
    answer(call, half_units);
    return {};
}

ApiStatus transact_get_items(Call& call) {
    auto out = call.answer();
    out.begin_object().key("Responses").begin_array();
    std::map<std::string, std::int64_t> half_units;
    std::size_t number = 0;
    for (const auto& item : *call.input.find("TransactItems")->list()) {
        ++number;
        const Value* get = item.find("Get");
        if (get == nullptr || get->map() == nullptr)
            return invalid(fmt::format(
                "1 validation error detected: Value null at 'transactItems.{}.member.get' failed "
                "to satisfy constraint: Member must not be null",
                number));
        for (const std::string_view name : {"TableName", "Key"})
            if (get->find(name) == nullptr) return missing(number, "Get", name);
        if (get->find("TableName")->text() == nullptr)
            return refuse("SerializationException", "NUMBER_VALUE cannot be converted to String");
        TRY(check_mixture(*get));
        ASSIGN(ExpressionScope scope, ExpressionScope::of(*get));
        ASSIGN(const auto projection, projection_of(*get, scope));
        TRY(scope.all_used());
        ASSIGN(Table * table, find_table(call, *get));
        ASSIGN(const Item key, key_of(*table, *get->find("Key")));
        const auto found = table->find(key);
        half_units[table->definition().name] +=
            2 * half_read_units(found != nullptr ? size_of(*found) : 0, true);
        out.begin_object();
        if (found != nullptr) {
            out.key("Item");
            write(out, projection ? project(*found, *projection) : *found);
        }
        out.end_object();
    }
    out.end_array();
    if (wants_capacity(call)) {
        out.key("ConsumedCapacity").begin_array();
        for (const auto& [table, units] : half_units)
            write_capacity_of(call, out, table, units);
        out.end_array();
    }
    out.end_object();
    return {};
}

}  // namespace tidemill::dynamodb
