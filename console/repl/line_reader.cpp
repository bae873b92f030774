#include "console/repl/line_reader.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <editline/readline.h>

namespace tidemill::console {
namespace {

constexpr int kHistoryLines = 1000;

}  // namespace

LineReader::LineReader(std::string history_file) : history_file_(std::move(history_file)) {
    using_history();
    stifle_history(kHistoryLines);
    if (!history_file_.empty()) read_history(history_file_.c_str());
}

LineReader::~LineReader() {
    if (!history_file_.empty()) write_history(history_file_.c_str());
}

std::optional<std::string> LineReader::read(const std::string& prompt) {
    const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt.c_str()), &std::free);
    if (line == nullptr) return std::nullopt;
    if (*line != '\0') add_history(line.get());
    return std::string(line.get());
}

std::string default_history_file() {
    const char* home = std::getenv("HOME");
    return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.tidemill_history";
}

}  // namespace tidemill::console
