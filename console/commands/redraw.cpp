#include "console/commands/redraw.h"

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>

#include <fmt/format.h>
#include <unistd.h>

namespace tidemill::console {
namespace {

constexpr char kEscape = '\x1b';
constexpr std::string_view kPlain = "\x1b[0m";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Bytes of the escape sequence or character that `text` begins with.
std::size_t unit_bytes(std::string_view text) {
    std::size_t bytes = 1;
    if (text[0] == kEscape) {
        while (bytes < text.size() && (bytes < 2 || text[bytes] < '@' || text[bytes] > '~'))
            ++bytes;
        return std::min(bytes + 1, text.size());
    }
    while (bytes < text.size() && is_continuation(text[bytes]))
        ++bytes;
    return bytes;
}

std::string fit_line(std::string_view line, std::size_t columns) {
    std::string fitted;
    std::size_t used = 0;
    bool is_coloured = false;
    while (!line.empty()) {
        const auto bytes = unit_bytes(line);
        const bool is_escape = line[0] == kEscape;
        if (!is_escape && used == columns) break;
        is_coloured |= is_escape;
        used += is_escape ? 0 : 1;
        fitted += line.substr(0, bytes);
        line.remove_prefix(bytes);
    }
    if (!line.empty() && is_coloured) fitted += kPlain;
    return fitted;
}

}  // namespace

ScreenSize screen_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return {};
    return {size.ws_row, size.ws_col};
}

std::string fit_to_screen(std::string_view text, ScreenSize size) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    // The cursor stands below the last line.
    const std::size_t room = std::max<std::size_t>(size.rows, 3) - 1;
    const std::size_t shown = lines <= room ? lines : room - 1;
    std::string fitted;
    for (std::size_t line = 0; line < shown; ++line) {
        const auto end = text.find('\n');
        fitted += fit_line(text.substr(0, end), size.columns) + "\n";
        text.remove_prefix(end + 1);
    }
    if (shown < lines)
        fitted += fit_line(fmt::format("... {} more lines", lines - shown), size.columns) + "\n";
    return fitted;
}

void Redraw::show(std::string_view text) {
    const std::string fitted = fit_to_screen(text, screen_size());
    std::string frame;
    if (lines_ > 0) frame += fmt::format("\x1b[{}A", lines_);
    lines_ = 0;
    for (std::string_view rest = fitted; !rest.empty(); ++lines_) {
        const auto end = rest.find('\n');
        frame.append("\r\x1b[2K").append(rest.substr(0, end)).append("\n");
        rest.remove_prefix(end + 1);
    }
    frame += "\x1b[J";
    std::fwrite(frame.data(), 1, frame.size(), stdout);
    std::fflush(stdout);
}

}  // namespace tidemill::console
