#pragma once

#include <optional>
#include <string>

namespace tidemill::console {

/// Lines typed by a person, with editing and a history that is kept in a file. One a process.
class LineReader {
 public:
    /// `history_file`: empty for none. A file that cannot be read or written is passed over.
    explicit LineReader(std::string history_file);
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    /// Blocks for a line, without its line end. Nothing at the end of input, or after an interrupt.
    std::optional<std::string> read(const std::string& prompt);

 private:
    std::string history_file_;
};

/// "~/.tidemill_history", empty without a home directory.
std::string default_history_file();

}  // namespace tidemill::console
