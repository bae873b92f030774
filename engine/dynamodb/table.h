#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/dynamodb/table_definition.h"

namespace tidemill::dynamodb {

/// One table in memory: its items by primary key, and by each index that they are in. Core: one.
class Table {
 public:
    using ItemPtr = std::shared_ptr<const Item>;
    using Ordered = std::map<std::string, ItemPtr>;

    explicit Table(TableDefinition definition);

    const TableDefinition& definition() const { return definition_; }
    /// Indexes that are new are built, those that are gone dropped. The key stays as it is.
    void redefine(TableDefinition definition);

    /// The item with the key that `key` has; null when there is none.
    ItemPtr find(const Item& key) const;
    void put(ItemPtr item);
    void erase(const Item& key);

    /// By primary key.
    const Ordered& items() const { return items_; }
    /// By an index. Null when there is none of that name.
    const IndexDefinition* index(std::string_view name) const;
    const Ordered& items_by(const IndexDefinition& index) const;
    /// Where an item that has the index's key, and the primary one, stands in it.
    std::string place_in(const IndexDefinition& index, const Item& item) const;

    std::size_t bytes() const { return bytes_; }  ///< of the items, as DynamoDB counts

 private:
    void add_to_indexes(const ItemPtr& item);

    TableDefinition definition_;
    Ordered items_;
    std::map<std::string, Ordered, std::less<>> indexes_;
    std::size_t bytes_ = 0;
};

}  // namespace tidemill::dynamodb
