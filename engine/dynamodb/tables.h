#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/catalog/catalog_store.h"
#include "engine/dynamodb/table.h"

namespace tidemill::dynamodb {

/// The spaces of the catalog store's rows. Format: docs/formats/tables.md.
constexpr const char* kTableSpace = "table";
constexpr const char* kItemSpace = "table_item";

/// All tables in memory, and what must yet be written of what was done to them. Nothing here
/// suspends: what one caller does in one go, no other sees half of. Core: one.
class Tables {
 public:
    /// Errors: Corrupt.
    static Result<Tables> load(const std::vector<CatalogRow>& tables,
                               const std::vector<CatalogRow>& items);

    /// What a table is filed under: "000000000000/name".
    static std::string full_name(std::string_view account, std::string_view name);
    Table* find(std::string_view account, std::string_view name);
    /// By full name.
    const std::map<std::string, Table, std::less<>>& all() const { return tables_; }

    /// The name is free. Gives it its uid.
    Table& create(TableDefinition definition);
    void redefine(Table& table, TableDefinition definition);
    /// With its items.
    void drop(const Table& table);
    void put(Table& table, Item item);
    void erase(Table& table, const Item& key);

    /// True when an item of that many bytes more would be too much for all tables together.
    bool is_full(std::size_t more) const;
    std::size_t bytes() const { return bytes_; }
    std::size_t item_count() const { return item_count_; }

    /// What has been done since the last call, in order.
    std::vector<CatalogWrite> take_changes() { return std::exchange(changes_, {}); }

    /// Transactions of the last ten minutes by their tokens: what each asked for, as a digest.
    struct Transaction {
        std::string request;
        WallTime until;
    };
    std::map<std::string, Transaction>& transactions() { return transactions_; }

 private:
    static std::string row_of(const Table& table, const Item& key);
    void write_definition(const Table& table);

    std::map<std::string, Table, std::less<>> tables_;
    std::vector<CatalogWrite> changes_;
    std::map<std::string, Transaction> transactions_;
    std::uint64_t last_uid_ = 0;
    std::size_t bytes_ = 0, item_count_ = 0;
};

}  // namespace tidemill::dynamodb
