#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "operators/exec/application.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::sql {

enum class PrintFormat : std::uint8_t { Table, Csv, JsonLines };

/// `STREAM=FILE`: rows of an input stream come from a CSV or JSON-lines file (told by content, then
/// by extension).
struct FileBinding {
    std::string stream;
    std::string file;
};

struct LocalRunOptions {
    std::string sql_text;
    std::vector<FileBinding> bind;
    /// `TABLE=FILE`: reference tables, read before the first row.
    std::vector<FileBinding> tables{};
    /// Column whose value becomes ROWTIME (it stays an ordinary column too); empty: rows are a
    /// millisecond apart from 0.
    std::string rowtime_column;
    std::vector<std::string>
        print;  ///< streams to print; empty: all that pumps write to and none reads
    PrintFormat format = PrintFormat::Table;
    bool with_rowtime = false;  ///< ROWTIME as first printed column
    std::uint64_t seed = 42;
    bool is_kda_score = true;
    /// Rows go here instead of to `out`.
    std::function<void(const std::string& stream, const Schema&, const Batch&)> on_rows;
    std::function<bool()> is_wanted;  ///< asked before each batch; the run ends once it says no
    enum class Mode : std::uint8_t { Run, Plan, Measure };
    /// Plan: compiles, reads no row. Measure: runs and prints no row.
    Mode mode = Mode::Run;
};

struct LocalRunSummary {
    std::uint64_t rows_read = 0, rows_printed = 0;
    std::uint64_t errors = 0;                 ///< rows in error_stream
    std::vector<std::string> error_messages;  ///< the first few, with their place
    std::vector<PumpInfo> pumps;
    std::vector<OperatorStats> operators;  ///< Mode::Measure
};

/// Runs an application over files from the first row to the last, emits open windows at the end of
/// the files, and prints rows to `out`. Several files are merged by ROWTIME. Needs no server and no
/// thread. Errors: InvalidArgument with the SQL error's text (line, column, snippet) or the nearest
/// name of an unknown stream or column; NotFound or IoFailed for files.
Result<LocalRunSummary> run_local(const LocalRunOptions& options, std::ostream& out);

}  // namespace tidemill::sql
