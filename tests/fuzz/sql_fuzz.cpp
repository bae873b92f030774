// link: operators/exec
#include <cstdint>
#include <string_view>
#include <vector>

#include "operators/exec/application.h"

using namespace tidemill::sql;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Schema schema{{{"timestamp", TypeKind::Timestamp},
                         {"value", TypeKind::BigInt},
                         {"k", Type::varchar(16)},
                         {"v", TypeKind::Double}}};
    const std::vector<InputStream> inputs = {{"SOURCE_SQL_STREAM_001", schema}, {"S", schema}};
    const auto compiled = Application::compile(text, inputs);
    if (!compiled) {
        // An error always has a place in the text and words.
        if (compiled.error().message.empty() || compiled.error().line == 0) __builtin_trap();
        return 0;
    }
    RowBatch rows(schema);
    for (std::int64_t i = 0; i < 5; ++i) {
        rows.columns[0].append_int(i * 40'000);
        rows.columns[1].append_int(i - 2);
        rows.columns[2].append_text(i % 2 == 0 ? "ab" : "x");
        rows.columns[3].append_double(static_cast<double>(i) / 2);
        rows.rowtime.append_int(i * 40'000);
    }
    for (const auto& input : inputs)
        if (const auto stream = (*compiled)->find_stream(input.name))
            (*compiled)->push_rows(*stream, rows);
    (*compiled)->finish();
    return 0;
}
