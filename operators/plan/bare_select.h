#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "operators/plan/stream_catalog.h"
#include "operators/sql/sql_error.h"

namespace tidemill::sql {

/// The stream that a bare SELECT's rows come out of.
inline constexpr std::string_view kBareSelectStream = "QUERY";

/// Where the text's last statement begins if that is a SELECT of its own, as people type it into a
/// shell; nothing when it is no SELECT, or the text cannot be split into tokens.
std::optional<std::size_t> find_bare_select(std::string_view sql_text);

/// Takes `LIMIT n` off the end of the text, if it ends in a bare SELECT with one (blanks stand in
/// its place). Errors: LIMIT with something else than a number.
SqlResult<std::optional<std::uint64_t>> take_limit(std::string& sql_text);

/// The same text with its bare SELECT made into the stream QUERY and a pump that fills it;
/// unchanged without one. Errors: those of the statements and of the SELECT, at their places in
/// `sql_text`.
SqlResult<std::string> expand_bare_select(std::string_view sql_text,
                                          std::span<const CatalogStream> inputs,
                                          std::span<const CatalogTable> tables = {});

}  // namespace tidemill::sql
