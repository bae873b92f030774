#include "operators/plan/stream_catalog.h"

#include "operators/sql/printer.h"

namespace tidemill::sql {

Schema error_stream_schema() {
    return {{{"ERROR_TIME", TypeKind::Timestamp, true, false},
             {"ERROR_LEVEL", Type::varchar(10), true, false},
             {"ERROR_NAME", Type::varchar(32), true, false},
             {"MESSAGE", Type::varchar(4096), true, false},
             {"DATA_ROWTIME", TypeKind::Timestamp, true, false},
             {"DATA_ROW", Type::varchar(49152), true, false},
             {"PUMP_NAME", Type::varchar(128), true, false}}};
}

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
