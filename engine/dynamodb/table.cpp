#include "engine/dynamodb/table.h"

#include <algorithm>

#include "engine/dynamodb/key_order.h"

namespace tidemill::dynamodb {

Table::Table(TableDefinition definition) : definition_(std::move(definition)) {
    for (const auto& index : definition_.indexes)
        indexes_[index.name];
}

void Table::redefine(TableDefinition definition) {
    definition_ = std::move(definition);
    indexes_.clear();
    for (const auto& index : definition_.indexes)
        indexes_[index.name];
    for (const auto& [place, item] : items_)
        add_to_indexes(item);
}

Table::ItemPtr Table::find(const Item& key) const {
    const auto found = items_.find(order_key(definition_.key, key));
    return found == items_.end() ? nullptr : found->second;
}

void Table::put(ItemPtr item) {
    erase(*item);
    bytes_ += size_of(*item);
    add_to_indexes(item);
    items_.insert_or_assign(order_key(definition_.key, *item), std::move(item));
}

void Table::erase(const Item& key) {
    const auto found = items_.find(order_key(definition_.key, key));
    if (found == items_.end()) return;
    const Item& old = *found->second;
    for (const auto& index : definition_.indexes)
        if (has_key(index.key, old)) indexes_.find(index.name)->second.erase(place_in(index, old));
    bytes_ -= size_of(old);
    items_.erase(found);
}

void Table::add_to_indexes(const ItemPtr& item) {
    for (const auto& index : definition_.indexes)
        if (has_key(index.key, *item))
            indexes_.find(index.name)->second.insert_or_assign(place_in(index, *item), item);
}

const IndexDefinition* Table::index(std::string_view name) const {
    const auto found = std::ranges::find(definition_.indexes, name, &IndexDefinition::name);
    return found == definition_.indexes.end() ? nullptr : &*found;
}

const Table::Ordered& Table::items_by(const IndexDefinition& index) const {
    return indexes_.find(index.name)->second;
}

std::string Table::place_in(const IndexDefinition& index, const Item& item) const {
    return order_key(index.key, item) + order_key(definition_.key, item);
}

}  // namespace tidemill::dynamodb
