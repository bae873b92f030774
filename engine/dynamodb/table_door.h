#pragma once

#include <cstdint>
#include <vector>

#include "engine/dynamodb/table_store.h"
#include "proto/native_table.h"

namespace tidemill::dynamodb {

/// The tables over the native protocol, for `tidemill tables`: kinds kFirstKind to kLastKind of
/// proto/tables.fbs. The server joins it to the door of engine/native.
class TableDoor {
 public:
    static constexpr std::uint8_t kFirstKind = 96, kLastKind = 98;

    /// Ownership: the tables outlive the door.
    explicit TableDoor(TableStore& tables) : tables_(tables) {}

    /// The answer to one request. Core: any. Errors: NotFound; InvalidArgument when the table is
    /// protected from deletion; Corrupt.
    Task<Result<std::vector<std::byte>>> serve(std::uint8_t kind, wire::TableBytes message);

 private:
    TableStore& tables_;
};

}  // namespace tidemill::dynamodb
