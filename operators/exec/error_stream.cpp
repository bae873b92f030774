#include "operators/exec/error_stream.h"

namespace tidemill::sql {

void append_error_row(RowBatch& to, const RejectedRow& rejected, std::int64_t error_time) {
    static constexpr char kHex[] = "0123456789abcdef";
    const auto text = [&](std::size_t column, std::string_view value) {
        to.columns[column].append_text(value.substr(0, to.columns[column].type().length));
    };
    std::string hex;
    for (const char c : std::string_view(rejected.data).substr(0, 49152 / 2)) {
        hex += kHex[static_cast<unsigned char>(c) >> 4];
        hex += kHex[static_cast<unsigned char>(c) & 15];
    }
    to.columns[0].append_int(error_time);
    text(1, "ERROR");
    text(2, rejected.name);
    text(3, rejected.message);
    if (rejected.data_rowtime)
        to.columns[4].append_int(*rejected.data_rowtime);
    else
        to.columns[4].append_null();
    text(5, hex);
    if (rejected.pump.empty())
        to.columns[6].append_null();
    else
        text(6, rejected.pump);
    to.rowtime.append_int(error_time);
}

}  // namespace tidemill::sql
