// link: operators/connect
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "operators/connect/input_discovery.h"
#include "operators/connect/json_path.h"
#include "operators/connect/kpl_aggregate.h"
#include "operators/connect/record_layout.h"

/// A line with a path, then a record: no input breaks the path reader, the decoders of both
/// formats, the opener of aggregates or the discovery; columns stay as long as each other, and
/// what is discovered can be decoded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::sql;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string path(rest.substr(0, end));
    const std::string record(rest.substr(std::min(end + 1, rest.size())));

    if (const auto parsed = JsonPath::parse(path)) {
        const auto again = JsonPath::parse(parsed->to_string());
        TM_CHECK(again.has_value() && again->steps == parsed->steps, "a path does not read back");
    }
    const Schema schema{{{"a", TypeKind::BigInt},
                         {"b", Type::varchar(8)},
                         {"c", TypeKind::Timestamp},
                         {"d", TypeKind::Varbinary},
                         {"e", Type::decimal(9, 2)}}};
    for (const auto format : {RecordFormat::Json, RecordFormat::Csv}) {
        RecordLayout layout;
        layout.format = format;
        layout.column_paths = {path, "$.b", "", "", "$.x[0:]"};
        if (format == RecordFormat::Csv) layout.row_delimiter = path.empty() ? "\n" : path;
        const auto decoder = make_record_decoder(layout, schema);
        if (!decoder) continue;
        RowBatch rows(schema);
        RejectedRows rejected;
        (*decoder)->decode(record, {}, rows, rejected);
        for (const auto& column : rows.columns)
            TM_CHECK(column.size() == rows.size(), "columns of different lengths");
    }
    if (const auto inner = open_kpl_aggregate(record))
        for (const auto& one : *inner)
            TM_CHECK(one.data.size() <= record.size(), "more came out than went in");
    const std::vector<std::string> sample{record};
    if (const auto found = discover_input(sample)) {
        TM_CHECK(found->columns.size() > 0, "a schema without columns");
        TM_CHECK(make_record_decoder(found->layout, found->columns).has_value(),
                 "what was discovered cannot be decoded");
    }
    return 0;
}
