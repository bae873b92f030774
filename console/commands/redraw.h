#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidemill::console {

struct ScreenSize {
    std::size_t rows = 24, columns = 80;
};
/// Of the terminal on stdout; 24 rows of 80 where it does not say.
ScreenSize screen_size();

/// `text` cut to `size`: long lines at its right edge, many lines one before its lower edge, with a
/// last line that says how many are left out. Escape sequences take no room and stay whole.
std::string fit_to_screen(std::string_view text, ScreenSize size);

/// Text on a terminal that takes the place of what it showed before.
class Redraw {
 public:
    /// `text` ends with a newline. Draws over the text of the last call, if any; what does not fit
    /// the terminal is cut, for it could not be drawn over.
    void show(std::string_view text);
    /// What is shown stays; the next text goes below it.
    void keep() { lines_ = 0; }

 private:
    std::size_t lines_ = 0;
};

}  // namespace tidemill::console
