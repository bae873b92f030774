#pragma once

#include <string>
#include <vector>

namespace tidemill::sql_test {

/// Rows of one input stream, as CSV text with a header; ROWTIME is its column of that name.
struct SltInput {
    std::string stream, csv;
};
/// Rows of a stream as CSV lines, in order, ROWTIME first if `with_rowtime`. With `key_columns` the
/// stream is a changelog: of the rows that agree in so many first columns the last one stands.
struct SltOutput {
    std::string stream;
    bool with_rowtime = false;
    std::size_t key_columns = 0;
    std::vector<std::string> rows;
    std::size_t line = 0;
};

/// One case of a .slt file: inputs, the application, what comes out, or the error it is refused
/// with.
struct SltCase {
    std::string name, file, sql, error;
    std::vector<SltInput> inputs;
    std::vector<SltInput> tables;  ///< reference tables: the same without ROWTIME
    std::vector<SltOutput> outputs;
};

/// Reads a file; format in tests/sql/README.md.
std::vector<SltCase> read_slt(const std::string& path);

}  // namespace tidemill::sql_test
