#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/time.h"
#include "engine/dynamodb/attribute.h"

namespace tidemill::dynamodb {

struct KeyAttribute {
    std::string name;
    Attribute::Kind kind = Attribute::Kind::String;
    bool operator==(const KeyAttribute&) const = default;
};

/// What items are found and ordered by.
struct KeySchema {
    KeyAttribute hash;
    std::optional<KeyAttribute> range{};

    std::vector<KeyAttribute> attributes() const;
    bool has(std::string_view name) const;
    bool operator==(const KeySchema&) const = default;
};

/// Remembered and shown; nobody is throttled by it.
struct Throughput {
    std::int64_t read = 0, write = 0;
    bool operator==(const Throughput&) const = default;
};

struct IndexDefinition {
    enum class Projection : std::uint8_t { All, KeysOnly, Include };
    std::string name;
    KeySchema key;
    bool is_local = false;
    Projection projection = Projection::All;
    std::vector<std::string> included{};
    Throughput throughput{};
    bool operator==(const IndexDefinition&) const = default;
};

/// Everything about a table but its items.
struct TableDefinition {
    std::string name;
    std::string account{};  ///< whose it is: each account has its own names
    std::string id{};       ///< a UUID
    std::uint64_t uid = 0;  ///< of its rows in the catalog store
    WallTime created{};
    KeySchema key;
    std::vector<KeyAttribute> attributes{};  ///< as declared
    std::vector<IndexDefinition> indexes{};
    bool is_on_demand = false;
    Throughput throughput{};
    std::map<std::string, std::string> tags{};
    std::string expiry_attribute{};  ///< of TimeToLive; empty: off
    bool has_recovery = false;       ///< PointInTimeRecovery was asked for
    bool is_protected = false;       ///< from deletion
    std::string table_class{};
    std::string encryption{};  ///< SSEType, when asked for
    bool operator==(const TableDefinition&) const = default;
};

/// As a row of the catalog store. Format: docs/formats/tables.md.
Item to_item(const TableDefinition& table);
/// Errors: Corrupt.
Result<TableDefinition> table_of_item(const Item& item);

}  // namespace tidemill::dynamodb
