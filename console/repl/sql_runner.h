#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "console/repl/explanation.h"
#include "console/repl/print_style.h"
#include "engine/base/result.h"
#include "operators/vector/schema.h"

namespace tidemill::console {

/// A stream that queries can read.
struct KnownStream {
    std::string name;     ///< as it is written in SQL, without quotes
    std::string from;     ///< where its rows come from, for people
    sql::Schema columns;  ///< empty: not known without a query
};

/// SEAM: where the queries of a shell run: over files in this process, or in a broker.
class SqlRunner {
 public:
    virtual ~SqlRunner() = default;

    struct Summary {
        std::uint64_t rows_printed = 0;
        std::uint64_t errors = 0;  ///< rows in error_stream, where they are known
        std::vector<std::string> messages;
    };
    struct Request {
        /// The application; its last statement may be a bare SELECT, with LIMIT.
        std::string sql_text;
        /// Streams whose rows are wanted; empty: of the SELECT, else of all that nothing reads.
        std::vector<std::string> print;
        PrintStyle style;
    };
    using IsWanted = std::function<bool()>;

    /// Runs the application and prints rows until the input or the LIMIT ends, or `is_wanted` says
    /// no. Errors: InvalidArgument with the SQL error's place, line and caret.
    virtual Result<Summary> run(const Request& request, std::ostream& out,
                                const IsWanted& is_wanted) = 0;

    /// How the application would be computed. Errors: as `run`.
    virtual Result<Explanation> explain(const std::string& sql_text) = 0;
    /// Runs the application without printing rows, until its input ends or `is_wanted` says no,
    /// and says what its operators did. `on_progress` hears of it meanwhile, about once a second.
    virtual Result<Explanation> measure(
        const std::string& sql_text, const IsWanted& is_wanted,
        const std::function<void(const Explanation&)>& on_progress) = 0;
    /// The application `name` of the broker as it runs, from two looks a second apart: now and
    /// before. Errors: NotFound, Unsupported.
    virtual Result<std::pair<Explanation, Explanation>> explain_application(
        const std::string& name) = 0;

    /// What there is to read from besides the streams that SQL text creates.
    virtual Result<std::vector<KnownStream>> streams() = 0;
    /// Columns of a stream, which `sql_text` may have created.
    virtual Result<sql::Schema> columns_of(const std::string& sql_text,
                                           const std::string& stream) = 0;
    /// Binds a stream's name to a file or a stream of the broker from now on.
    virtual void bind(const std::string& name, const std::string& target) = 0;
    /// Where reading begins from now on. Over files that is always the oldest row.
    virtual void read_from_oldest(bool) {}
    /// Asked once at the start of a name: how `bind` targets are called, "file" or "stream".
    virtual std::string target_word() const = 0;
};

}  // namespace tidemill::console
