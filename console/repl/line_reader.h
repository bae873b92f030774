#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tidemill::console {

/// Lines typed by a person, with editing and a history that is kept in a file. One a process.
class LineReader {
 public:
    /// `history_file`: empty for none. A file that cannot be read or written is passed over.
    explicit LineReader(std::string history_file);
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    /// What the word that ends `line` may become; `word_begin` says where it starts.
    using Complete =
        std::function<std::vector<std::string>(const std::string& line, std::size_t word_begin)>;
    /// Tab asks it from now on.
    void set_completion(Complete complete);

    /// Blocks for a line, without its line end. Nothing at the end of input, or after an interrupt.
    std::optional<std::string> read(const std::string& prompt);

 private:
    std::string history_file_;
    std::string last_line_;
};

/// "~/.tidemill_history", empty without a home directory.
std::string default_history_file();

}  // namespace tidemill::console
