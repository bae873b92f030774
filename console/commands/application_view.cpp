#include "console/commands/application_view.h"

#include <fmt/format.h>

#include "console/commands/output.h"
#include "console/repl/explanation.h"
#include "console/repl/rate_line.h"
#include "console/repl/text_table.h"
#include "operators/sql/printer.h"

namespace tidemill::console {
namespace {

std::string rate_text(double rate) { return short_count(rate) + "/s"; }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string inputs_text(const ApplicationLine& application) {
    std::string text;
    for (const auto& input : application.inputs)
        text +=
            fmt::format("  reads   {} from stream {}\n", sql::print_name(input.name), input.stream);
    for (const auto& output : application.outputs)
        text += fmt::format(
            "  writes  {} to stream {}{}\n", sql::print_name(output.name), output.stream,
            output.key_column.empty() ? "" : ", key " + sql::print_name(output.key_column));
    return text;
}

}  // namespace

std::string lag_text(std::int64_t milliseconds) {
    const auto lag = static_cast<double>(milliseconds);
    if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
    if (milliseconds < 120'000) return fmt::format("{:.1f} s", lag / 1e3);
    if (milliseconds < 7'200'000) return fmt::format("{:.0f} min", lag / 6e4);
    return fmt::format("{:.1f} h", lag / 3.6e6);
}

std::string draw_applications(const std::vector<ApplicationLine>& applications,
                              const std::vector<ApplicationRate>& rates) {
    std::vector<std::string> headings = {"application", "status", "rows in", "rows out",
                                         "errors",      "lag",    "message"};
    if (!rates.empty()) headings.insert(headings.begin() + 4, {"in", "out"});
    TextTable table(headings);
    for (std::size_t i = 0; i < applications.size(); ++i) {
        const auto& app = applications[i];
        std::vector<std::string> row = {app.name,
                                        app.status,
                                        with_commas(app.rows_in),
                                        with_commas(app.rows_out),
                                        app.errors == 0 ? "0" : with_commas(app.errors),
                                        app.status == "running" ? lag_text(app.lag_ms) : "",
                                        first_line(app.message)};
        if (!rates.empty())
            row.insert(row.begin() + 4,
                       {rate_text(rates[i].rows_in), rate_text(rates[i].rows_out)});
        table.add(std::move(row));
    }
    return table.to_string();
}

Result<std::string> application_table(SqlClient& client) {
    ASSIGN(const auto applications, client.list_applications());
    if (applications.empty())
        return "The broker has no SQL applications. `tidemill app create NAME -f FILE` makes "
               "one.\n";
    return draw_applications(applications);
}

std::string next_step(const ApplicationLine& application) {
    const std::string& name = application.name;
    if (application.status == "failed")
        return fmt::format("Once the cause is gone: tidemill app start {}", name);
    if (application.status == "stopped")
        return fmt::format("To go on from its last checkpoint: tidemill app start {}", name);
    if (application.status == "starting" && application.message.contains("first record"))
        return fmt::format(
            "Columns are found in the data: put a record, for example with "
            "tidemill put {}",
            application.inputs.empty() ? "STREAM" : application.inputs[0].stream);
    if (application.errors != 0)
        return "Rows were refused: read error_stream by an output, --output "
               "error_stream=STREAM, to see why.";
    return {};
}

std::string draw_application(const ApplicationLine& application, const ApplicationLine* before,
                             double seconds, std::size_t columns) {
    std::string text = fmt::format("{}  {}\n", application.name, application.status);
    text += inputs_text(application);
    const auto counted = [&](std::string_view what, std::uint64_t now, std::uint64_t then) {
        text += fmt::format("  {:8}{}", what, with_commas(now));
        if (before != nullptr && seconds > 0)
            text +=
                fmt::format(", {} rows/s", short_count(static_cast<double>(now - then) / seconds));
        text += "\n";
    };
    counted("in", application.rows_in, before == nullptr ? 0 : before->rows_in);
    counted("out", application.rows_out, before == nullptr ? 0 : before->rows_out);
    text += fmt::format("  errors  {}\n", with_commas(application.errors));
    if (application.status == "running")
        text += fmt::format("  lag     {}\n", lag_text(application.lag_ms));
    std::uint64_t state_bytes = 0;
    for (const auto& op : application.operators)
        state_bytes += op.state_bytes;
    if (!application.operators.empty())
        text += fmt::format("  state   {}\n", short_bytes(static_cast<double>(state_bytes)));
    text += fmt::format("  checkpoints saved  {}\n", with_commas(application.checkpoints));
    if (!application.message.empty()) text += "\n" + application.message + "\n";
    if (const auto next = next_step(application); !next.empty()) text += "\n" + next + "\n";
    if (!application.pumps.empty()) {
        const Explanation now{application.pumps, application.operators,
                              std::chrono::duration<double>(seconds)};
        Explanation then;
        if (before != nullptr) then.operators = before->operators;
        text += "\n" + draw_explanation(now, before == nullptr ? nullptr : &then, columns);
    }
    return text;
}

std::string application_json(const ApplicationLine& application, bool with_text) {
    std::string text = fmt::format(
        "{{\"name\":{},\"status\":{},\"rows_in\":{},\"rows_out\":{},\"errors\":{},\"lag_ms\":{},"
        "\"checkpoints\":{},\"message\":{}",
        json_string(application.name), json_string(application.status), application.rows_in,
        application.rows_out, application.errors, application.lag_ms, application.checkpoints,
        json_string(application.message));
    if (with_text) {
        const auto list = [&](std::string_view name, const auto& bindings) {
            text += fmt::format(",\"{}\":[", name);
            for (std::size_t i = 0; i < bindings.size(); ++i)
                text += fmt::format("{}{{\"name\":{},\"stream\":{}}}", i == 0 ? "" : ",",
                                    json_string(bindings[i].name), json_string(bindings[i].stream));
            text += "]";
        };
        list("inputs", application.inputs);
        list("outputs", application.outputs);
        text += ",\"operators\":[";
        for (std::size_t i = 0; i < application.operators.size(); ++i) {
            const auto& op = application.operators[i];
            text += fmt::format(
                "{}{{\"pump\":{},\"operator\":{},\"step\":{},\"rows_in\":{},\"rows_out\":{},"
                "\"rejected\":{},\"nanoseconds\":{},\"state_bytes\":{}}}",
                i == 0 ? "" : ",", json_string(op.pump), json_string(op.name), json_string(op.step),
                op.rows_in, op.rows_out, op.rows_rejected, op.time.count(), op.state_bytes);
        }
        text += "],\"sql\":" + json_string(application.sql_text);
    }
    return text + "}";
}

}  // namespace tidemill::console
