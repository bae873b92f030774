#include "console/repl/line_reader.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <editline/readline.h>

namespace tidemill::console {
namespace {

constexpr int kHistoryLines = 1000;

/// libedit calls back without an argument: one reader a process.
LineReader::Complete complete_line;
std::vector<std::string> candidates;

char* next_candidate(const char*, int state) {
    const auto at = static_cast<std::size_t>(state);
    return at < candidates.size() ? ::strdup(candidates[at].c_str()) : nullptr;
}

char** attempt(const char* text, int begin, int end) {
    rl_attempted_completion_over = 1;  // never names of files unasked
    const std::string line(rl_line_buffer, static_cast<std::size_t>(end));
    candidates = complete_line(line, static_cast<std::size_t>(begin));
    if (candidates.empty()) return nullptr;
    rl_completion_append_character = candidates.front().ends_with('/') ? '\0' : ' ';
    return rl_completion_matches(text, next_candidate);
}

}  // namespace

LineReader::LineReader(std::string history_file) : history_file_(std::move(history_file)) {
    using_history();
    stifle_history(kHistoryLines);
    if (!history_file_.empty()) read_history(history_file_.c_str());
}

LineReader::~LineReader() {
    complete_line = nullptr;
    rl_attempted_completion_function = nullptr;
    if (!history_file_.empty()) write_history(history_file_.c_str());
}

void LineReader::set_completion(Complete complete) {
    complete_line = std::move(complete);
    static char breaks[] = " \t\n(),;=<>+-*|.'";
    rl_completer_word_break_characters = breaks;
    rl_basic_word_break_characters = breaks;  // the one that libedit looks at
    rl_attempted_completion_function = attempt;
}

std::optional<std::string> LineReader::read(const std::string& prompt) {
    const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt.c_str()), &std::free);
    if (line == nullptr) return std::nullopt;
    std::string text(line.get());
    if (!text.empty() && text != last_line_) add_history(text.c_str());
    last_line_ = text;
    return text;
}

std::string default_history_file() {
    const char* home = std::getenv("HOME");
    return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.tidemill_history";
}

}  // namespace tidemill::console
