#pragma once

#include <span>
#include <string>

#include "engine/base/result.h"
#include "operators/sql/discover_parser.h"

namespace tidemill::console {

/// The answer of DISCOVER SCHEMA for people: the CREATE STREAM that declares what was found, and
/// the sample's rows. Errors: InvalidArgument when nothing can be made of the records.
Result<std::string> schema_report(const sql::DiscoverStatement& statement,
                                  std::span<const std::string> records);
/// The same of a file, by its beginning. Errors: also NotFound, IoFailed.
Result<std::string> file_schema_report(const sql::DiscoverStatement& statement);

}  // namespace tidemill::console
