#pragma once

#include <string>
#include <vector>

#include "console/repl/sql_client.h"

namespace tidemill::console {

/// What an application did in a second.
struct ApplicationRate {
    double rows_in = 0, rows_out = 0;
};

/// A table of applications for people; with `rates`, one of each.
std::string draw_applications(const std::vector<ApplicationLine>& applications,
                              const std::vector<ApplicationRate>& rates = {});
/// The same, asked of the broker now; a hint where there are none.
Result<std::string> application_table(SqlClient& client);
/// All about one: its streams, what it has done, why it failed, its steps with their counts.
/// `before`: the same application `seconds` earlier, for rates.
std::string draw_application(const ApplicationLine& application, const ApplicationLine* before,
                             double seconds, std::size_t columns);
/// What a person can do next about the state it is in; empty when all is well.
std::string next_step(const ApplicationLine& application);
/// One JSON object.
std::string application_json(const ApplicationLine& application, bool with_text);

/// "1.2 s", "3 min": how far an application is behind its input.
std::string lag_text(std::int64_t milliseconds);

}  // namespace tidemill::console
