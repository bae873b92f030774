#include "operators/expr/function.h"

namespace tidemill::sql {

namespace {

template <class F>
void for_each_function(F&& visit) {
    for (const auto table :
         {numeric_functions(), text_functions(), text_search_functions(), time_functions()})
        for (const auto& function : table)
            visit(function);
}

}  // namespace

const Function* find_function(std::string_view name) {
    const Function* found = nullptr;
    for_each_function([&](const Function& function) {
        if (function.name == name) found = &function;
    });
    return found;
}

std::vector<std::string> function_names() {
    std::vector<std::string> names = {"COALESCE",   "NULLIF",      "IFNULL",  "COUNT",
                                      "SUM",        "AVG",         "MIN",     "MAX",
                                      "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP"};
    for_each_function([&](const Function& function) {
        if (function.name.front() != '$' && function.name.find(' ') == std::string_view::npos)
            names.emplace_back(function.name);
    });
    return names;
}

}  // namespace tidemill::sql
