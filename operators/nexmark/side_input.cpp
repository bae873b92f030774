#include "operators/nexmark/side_input.h"

#include <string>

namespace tidemill::nexmark {

sql::TableInfo side_input_table() {
    return {"SIDE_INPUT",
            {{{"KEY", sql::TypeKind::BigInt, false, false},
              {"VALUE", sql::Type::varchar(16), false, false}}}};
}

std::shared_ptr<const sql::RowBatch> side_input_rows() {
    constexpr std::int64_t kKeys = 10'000;
    auto rows = std::make_shared<sql::RowBatch>(side_input_table().schema);
    for (std::int64_t key = 0; key < kKeys; ++key) {
        rows->columns[0].append_int(key);
        rows->columns[1].append_text("value-" + std::to_string(key));
        rows->rowtime.append_int(0);
    }
    return rows;
}

}  // namespace tidemill::nexmark
