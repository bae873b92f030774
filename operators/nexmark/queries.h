#pragma once

#include <span>
#include <string_view>

namespace tidemill::nexmark {

/// A query of `examples/nexmark`: its SQL is part of the program.
struct Query {
    std::string_view name;  ///< "q5"
    std::string_view sql;
};

/// In the order of their numbers.
std::span<const Query> queries();
/// Null if there is none of this name.
const Query* find_query(std::string_view name);
/// Whether ROWTIME is when an event arrives, by the clock; otherwise it is the event's dateTime.
bool is_processing_time(std::string_view name);

}  // namespace tidemill::nexmark
