// PutItem, UpdateItem, DeleteItem.
#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/item_write.h"
#include "engine/dynamodb/operations.h"

namespace tidemill::dynamodb {
namespace {

/// What ReturnValues asks for; nothing when there is nothing to show.
std::optional<Item> shown(const Call& call, const ItemWrite& write, const Item* before,
                          const std::optional<Item>& after) {
    const std::string_view wanted = call.input.text_or("ReturnValues", "NONE");
    if (wanted == "ALL_OLD" && before != nullptr) return *before;
    if (wanted == "ALL_NEW") return after;
    if (wanted != "UPDATED_OLD" && wanted != "UPDATED_NEW") return std::nullopt;
    const Item* from = wanted == "UPDATED_NEW" ? &*after : before;
    if (from == nullptr) return std::nullopt;
    Item part = project(*from, write.update.paths());
    if (part.empty()) return std::nullopt;
    return part;
}

ApiStatus carry_out(Call& call, const ItemWrite& write) {
    const Table::ItemPtr before = write.table->find(write.key);
    auto after = outcome_of(call, write, before.get());
    if (!after) {
        if (after.error().type == "ConditionalCheckFailedException" &&
            write.shows_item_on_failure && before != nullptr) {
            DocumentWriter out(call.error_extra, Encoding::Json);
            out.key("Item");
            dynamodb::write(out, *before);
        }
        return std::unexpected(after.error());
    }
    const std::size_t bytes =
        std::max(before != nullptr ? size_of(*before) : 0, *after ? size_of(**after) : 0);
    const auto attributes = shown(call, write, before.get(), *after);
    store(call, write, std::move(*after));
    auto out = call.answer();
    out.begin_object();
    if (attributes) {
        out.key("Attributes");
        dynamodb::write(out, *attributes);
    }
    write_capacity(call, out, *write.table, 2 * write_units(bytes));
    out.end_object();
    return {};
}

ApiStatus check_return_values(const Call& call) {
    const std::string_view wanted = call.input.text_or("ReturnValues", "NONE");
    if (wanted != "NONE" && wanted != "ALL_OLD")
        return invalid("Return values set to invalid value");
    return {};
}

}  // namespace

ApiStatus put_item(Call& call) {
    TRY(check_return_values(call));
    ASSIGN(const ItemWrite write, put_of(call, call.input));
    return carry_out(call, write);
}

ApiStatus update_item(Call& call) {
    ASSIGN(const ItemWrite write, update_of(call, call.input));
    return carry_out(call, write);
}

ApiStatus delete_item(Call& call) {
    TRY(check_return_values(call));
    ASSIGN(const ItemWrite write, delete_of(call, call.input));
    return carry_out(call, write);
}

}  // namespace tidemill::dynamodb
