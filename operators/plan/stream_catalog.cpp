#include "operators/plan/stream_catalog.h"

#include "operators/sql/printer.h"

namespace tidemill::sql {

std::vector<std::string> StreamCatalog::printed_names(bool with_tables) const {
    std::vector<std::string> names;
    for (const auto& stream : streams)
        names.push_back(print_name(stream.name));
    if (with_tables)
        for (const auto& table : tables)
            names.push_back(print_name(table.name));
    return names;
}

}  // namespace tidemill::sql
