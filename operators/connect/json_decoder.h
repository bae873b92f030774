#pragma once

#include "operators/connect/row_decoder.h"

namespace tidemill::sql {

std::unique_ptr<RowDecoder> make_json_decoder(const Schema& schema,
                                              std::optional<std::size_t> rowtime_column);

}  // namespace tidemill::sql
