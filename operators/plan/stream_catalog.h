#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/vector/schema.h"

namespace tidemill::sql {

struct CatalogStream {
    std::string name;
    Schema schema;
    bool is_input = false;
};

/// The streams that SQL text may name, in order.
struct StreamCatalog {
    std::vector<CatalogStream> streams;

    std::optional<std::size_t> find(std::string_view name) const {
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (streams[i].name == name) return i;
        return std::nullopt;
    }
    /// As they are written in SQL, for suggestions.
    std::vector<std::string> printed_names() const;
};

}  // namespace tidemill::sql
