#pragma once

#include <optional>

#include "engine/dynamodb/call.h"

namespace tidemill::dynamodb {

/// A change of one item, decoded and checked, that may yet be refused for what the item is.
struct ItemWrite {
    enum class Kind : std::uint8_t { Put, Update, Delete, Check };
    Kind kind = Kind::Check;
    Table* table = nullptr;
    Item key{};
    Item item{};      ///< of a Put
    Update update{};  ///< of an Update
    std::optional<Condition> condition{};
    bool shows_item_on_failure = false;
};

/// From a request's members, or those of a transaction's part.
ApiResult<ItemWrite> put_of(Call& call, const Value& request);
ApiResult<ItemWrite> update_of(Call& call, const Value& request);
ApiResult<ItemWrite> delete_of(Call& call, const Value& request);
ApiResult<ItemWrite> check_of(Call& call, const Value& request);

/// What the item would be after the write, nothing when it would be gone; `before` null: there is
/// none. Errors: ConditionalCheckFailedException, and what an update cannot do.
ApiResult<std::optional<Item>> outcome_of(const Call& call, const ItemWrite& write,
                                          const Item* before);
/// Carries it out.
void store(Call& call, const ItemWrite& write, std::optional<Item> after);

}  // namespace tidemill::dynamodb
