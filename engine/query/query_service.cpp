#include "engine/query/query_service.h"

#include <fmt/format.h>

#include "engine/query/input_decoder.h"
#include "engine/reactor/call_on.h"
#include "engine/telemetry/log.h"

namespace tidemill::query {
namespace {

/// A reply that is not wanted any more once the service stops.
class StoppableReply final : public QueryReply {
 public:
    StoppableReply(QueryReply& reply, const bool& is_stopping)
        : reply_(reply), is_stopping_(is_stopping) {}
    bool is_wanted() const override { return !is_stopping_ && reply_.is_wanted(); }
    void send(Bytes table, bool is_last) override { reply_.send(table, is_last); }
    void send_error(const Error& error) override { reply_.send_error(error); }
    Task<void> wait_for_room() override { return reply_.wait_for_room(); }

 private:
    QueryReply& reply_;
    const bool& is_stopping_;
};

}  // namespace

QueryService::QueryService(StreamService& service, ReactorGroup& reactors, QueryLimits limits)
    : service_(service), reactors_(reactors), limits_(limits) {
    for (std::uint32_t i = 0; i < reactors.size(); ++i)
        cores_.push_back(std::make_unique<PerCore>());
}

QueryService::~QueryService() = default;

Task<Status> QueryService::start() {
    return call_on(home(), [this] { return load(); });
}

Task<void> QueryService::stop() {
    return call_on(home(), [this] { return stop_all(); });
}

Task<Status> QueryService::create_application(ApplicationDefinition definition) {
    return call_on(home(), [this, definition = std::move(definition)]() mutable {
        return create(std::move(definition));
    });
}

Task<Result<std::vector<sql::PumpCarried>>> QueryService::replace_application(
    ApplicationDefinition definition) {
    return call_on(home(), [this, definition = std::move(definition)]() mutable {
        return replace(std::move(definition));
    });
}

Task<Status> QueryService::start_application(std::string name) {
    return call_on(home(), [this, name = std::move(name)] { return start_one(name); });
}

Task<Status> QueryService::stop_application(std::string name) {
    return call_on(home(), [this, name = std::move(name)] { return stop_one(name); });
}

Task<Status> QueryService::delete_application(std::string name) {
    return call_on(home(), [this, name = std::move(name)] { return remove(name); });
}

Task<std::vector<ApplicationState>> QueryService::list_applications() {
    return call_on(home(), [this] { return list({}); });
}

Task<Result<ApplicationState>> QueryService::describe_application(std::string name) {
    auto found = co_await call_on(home(), [this, name] { return list(name); });
    if (found.empty()) co_return fail(Errc::NotFound, "no SQL application is named " + name);
    co_return std::move(found.front());
}

Task<void> QueryService::run_query(LiveQueryRequest request, QueryReply& reply) {
    Reactor& reactor = Reactor::current();
    PerCore& core = *cores_[reactor.id().value];
    if (core.gate.is_closed()) {
        reply.send_error({Errc::Unavailable, "the broker stops"});
        co_return;
    }
    core.gate.enter();
    StoppableReply stoppable(reply, core.is_stopping);
    co_await run_live_query(service_, reactor, limits_, std::move(request), stoppable);
    core.gate.leave();
}

Task<std::string> QueryService::metrics_text() {
    const auto states = co_await list_applications();
    std::string text;
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            auto value) {
        if (states.empty()) return;
        text += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
        for (const auto& state : states)
            text += fmt::format("{}{{application=\"{}\"}} {}\n", name, state.definition.name,
                                value(state));
    };
    family("tidemill_sql_rows_in_total", "counter", "Rows pushed into the application.",
           [](const auto& state) { return state.rows_in; });
    family("tidemill_sql_rows_out_total", "counter", "Rows that output streams acknowledged.",
           [](const auto& state) { return state.rows_out; });
    family("tidemill_sql_errors_total", "counter", "Rows of error_stream.",
           [](const auto& state) { return state.errors; });
    family("tidemill_sql_checkpoints_total", "counter", "Checkpoints saved.",
           [](const auto& state) { return state.checkpoints; });
    family("tidemill_sql_lag_milliseconds", "gauge", "Age of the oldest record not yet read.",
           [](const auto& state) { return state.lag_ms; });
    family("tidemill_sql_running", "gauge", "1 while the application runs.",
           [](const auto& state) { return state.status == ApplicationStatus::Running ? 1 : 0; });
    co_return text;
}

}  // namespace tidemill::query
