#include "operators/nexmark/queries.h"

#include <algorithm>

namespace tidemill::nexmark {

const Query* find_query(std::string_view name) {
    const auto found = std::ranges::find(queries(), name, &Query::name);
    return found == queries().end() ? nullptr : &*found;
}

bool is_processing_time(std::string_view name) { return name == "q12"; }

}  // namespace tidemill::nexmark
