#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "operators/connect/schema_discovery.h"

namespace tidemill::console {

/// What the demo feeds its stream with, one record a row: a file's rows as they stand, or the
/// machine's own figures.
class DemoInput {
 public:
    virtual ~DemoInput() = default;
    virtual const sql::DiscoveredSchema& columns() const = 0;
    /// Index of the column that holds the row's time, if there is one.
    virtual std::optional<std::size_t> time_column() const = 0;
    virtual std::string description() const = 0;
    /// The next row's text; nothing at the end of a file, or when no sample is due yet.
    virtual std::optional<std::string> next() = 0;
    virtual bool is_finite() const = 0;
};

/// Errors: NotFound, InvalidArgument (no columns, no number to score, no such rowtime column).
Result<std::unique_ptr<DemoInput>> open_demo_file(const std::string& path,
                                                  const std::string& rowtime_column);
std::unique_ptr<DemoInput> make_machine_input();

/// The application that scores an input: passes all columns through and adds ANOMALY_SCORE from a
/// forest over the numeric ones.
std::string demo_sql(const DemoInput& input, std::uint32_t sample, std::uint32_t shingle);

}  // namespace tidemill::console
