#pragma once

#include <cstddef>
#include <cstdint>

#include "operators/exec/local_run.h"

namespace tidemill::console {

/// One column a line instead of one row a line. Auto: when a row does not fit the terminal.
enum class Expanded : std::uint8_t { Off, On, Auto };

/// How rows are shown.
struct PrintStyle {
    sql::PrintFormat format = sql::PrintFormat::Table;
    Expanded expanded = Expanded::Off;
    std::size_t columns = 0;  ///< of the terminal; 0: lines may be of any length
    bool is_live =
        false;  ///< a person looks: a line with the rate below the rows, a count at the end
};

}  // namespace tidemill::console
