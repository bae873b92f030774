#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "operators/exec/local_run.h"

namespace tidemill::console {

/// SEAM: where the queries of a shell run: over files in this process, or in a broker.
class SqlRunner {
 public:
    virtual ~SqlRunner() = default;

    struct Summary {
        std::uint64_t rows_printed = 0;
        std::uint64_t errors = 0;  ///< rows in error_stream, where they are known
        std::vector<std::string> messages;
    };

    /// Runs the application, whose last statement may be a bare SELECT, and prints the rows of
    /// `print` (empty: of the SELECT, else of all streams that nothing reads) until the input ends
    /// or `is_wanted` says no. Errors: InvalidArgument with the SQL error's place, line and caret.
    virtual Result<Summary> run(const std::string& sql_text, const std::vector<std::string>& print,
                                sql::PrintFormat format, std::ostream& out,
                                const std::function<bool()>& is_wanted) = 0;

    /// What there is to read from, for people.
    virtual Result<std::string> describe_streams() = 0;
};

}  // namespace tidemill::console
