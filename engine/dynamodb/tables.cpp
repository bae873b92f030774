#include "engine/dynamodb/tables.h"

#include <algorithm>
#include <unordered_map>

#include "engine/dynamodb/item_format.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

constexpr std::size_t kUidBytes = 8;

std::string uid_text(std::uint64_t uid) {
    std::string bytes(kUidBytes, '\0');
    for (std::size_t i = 0; i < kUidBytes; ++i)
        bytes[i] = static_cast<char>(uid >> (8 * (kUidBytes - 1 - i)) & 0xff);
    return bytes;
}

}  // namespace

Result<Tables> Tables::load(const std::vector<CatalogRow>& tables,
                            const std::vector<CatalogRow>& items) {
    Tables made;
    std::unordered_map<std::string, Table*> by_uid;
    for (const auto& row : tables) {
        ASSIGN(const Item item, decode_item(row.value));
        ASSIGN(TableDefinition definition, table_of_item(item));
        made.last_uid_ = std::max(made.last_uid_, definition.uid);
        const std::string name = full_name(definition.account, definition.name);
        Table& table = made.tables_.try_emplace(name, std::move(definition)).first->second;
        by_uid[uid_text(table.definition().uid)] = &table;
    }
    for (const auto& row : items) {
        const auto table = by_uid.find(row.key.substr(0, kUidBytes));
        ASSIGN(Item item, decode_item(row.value));
        if (table == by_uid.end() || !has_key(table->second->definition().key, item))
            return fail(Errc::Corrupt, "an item's row belongs to no table");
        made.put(*table->second, std::move(item));
    }
    made.changes_.clear();
    return made;
}

std::string Tables::full_name(std::string_view account, std::string_view name) {
    return std::string(account) + "/" + std::string(name);
}

Table* Tables::find(std::string_view account, std::string_view name) {
    const auto found = tables_.find(full_name(account, name));
    return found == tables_.end() ? nullptr : &found->second;
}

Table& Tables::create(TableDefinition definition) {
    definition.uid = ++last_uid_;
    const std::string name = full_name(definition.account, definition.name);
    Table& table = tables_.try_emplace(name, std::move(definition)).first->second;
    write_definition(table);
    return table;
}

void Tables::redefine(Table& table, TableDefinition definition) {
    table.redefine(std::move(definition));
    write_definition(table);
}

void Tables::write_definition(const Table& table) {
    const TableDefinition& definition = table.definition();
    changes_.push_back({kTableSpace, full_name(definition.account, definition.name),
                        encode_item(to_item(definition)), std::nullopt});
}

void Tables::drop(const Table& table) {
    const std::string name = full_name(table.definition().account, table.definition().name);
    const auto found = tables_.find(name);
    for (const auto& [place, item] : found->second.items())
        changes_.push_back({kItemSpace, row_of(found->second, *item), std::nullopt, std::nullopt});
    changes_.push_back({kTableSpace, name, std::nullopt, std::nullopt});
    bytes_ -= found->second.bytes();
    item_count_ -= found->second.items().size();
    tables_.erase(found);
}

void Tables::put(Table& table, Item item) {
    const std::size_t bytes = table.bytes(), count = table.items().size();
    changes_.push_back({kItemSpace, row_of(table, item), encode_item(item), std::nullopt});
    table.put(std::make_shared<const Item>(std::move(item)));
    bytes_ += table.bytes() - bytes;
    item_count_ += table.items().size() - count;
}

void Tables::erase(Table& table, const Item& key) {
    const std::size_t bytes = table.bytes(), count = table.items().size();
    table.erase(key);
    if (table.items().size() == count) return;
    changes_.push_back({kItemSpace, row_of(table, key), std::nullopt, std::nullopt});
    bytes_ -= bytes - table.bytes();
    --item_count_;
}

bool Tables::is_full(std::size_t more) const {
    return bytes_ + item_count_ * limits::kItemOverhead + more > limits::kTablesBytes;
}

std::string Tables::row_of(const Table& table, const Item& key) {
    return uid_text(table.definition().uid) + row_key(table.definition().key, key);
}

}  // namespace tidemill::dynamodb
