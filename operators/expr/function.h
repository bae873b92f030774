#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "operators/expr/expression.h"

namespace tidemill::sql {

/// A function as it applies to certain argument types.
struct Signature {
    std::vector<Type> parameters;  ///< arguments are brought to these first
    Type result;
    Kernel kernel;
};

/// One row of the function registry. Adding a function means adding its row to the table of its
/// file (numeric_functions.cpp, text_functions.cpp, time_functions.cpp) and a case to tests/sql.
struct Function {
    std::string_view name;
    std::uint8_t min_args, max_args;
    /// The signature for these argument types; nothing if the function does not take them.
    std::optional<Signature> (*resolve)(std::span<const Type> args);
    std::string_view usage;  ///< for error messages: "MOD(number, number)"
};

std::span<const Function> numeric_functions();
std::span<const Function> text_functions();
std::span<const Function> text_search_functions();
std::span<const Function> time_functions();

/// By upper-case name; null if there is none.
const Function* find_function(std::string_view name);
/// Names of all functions, for suggestions.
std::vector<std::string> function_names();

}  // namespace tidemill::sql
