// QueryService on its home core: which applications there are, and their lives.
#include <fmt/format.h>

#include "engine/query/input_decoder.h"
#include "engine/query/output_writer.h"
#include "engine/query/outside_writer.h"
#include "engine/query/query_service.h"
#include "engine/query/table_loader.h"
#include "engine/reactor/call_on.h"
#include "engine/telemetry/log.h"

namespace tidemill::query {
namespace {

Task<std::unique_ptr<HostedApplication>> start_hosted(StreamService& service,
                                                      const QueryLimits& limits,
                                                      ApplicationDefinition definition) {
    auto hosted = std::make_unique<HostedApplication>(service, Reactor::current(), limits,
                                                      std::move(definition));
    hosted->start();
    co_return hosted;
}

Task<void> stop_hosted(std::unique_ptr<HostedApplication> hosted) {
    co_await hosted->stop();
    hosted.reset();
}

Task<ApplicationState> state_of(const HostedApplication* hosted, bool is_detailed = false) {
    co_return is_detailed ? hosted->detailed_state() : hosted->state();
}

Task<void> stop_live_queries(Gate& gate, bool& is_stopping) {
    is_stopping = true;
    if (!gate.is_closed()) co_await gate.close();
}

}  // namespace

Task<Status> QueryService::load() {
    CO_ASSIGN(const auto names, co_await service_.list_blobs(kDefinitionBlob));
    for (const auto& name : names) {
        const auto bytes = co_await service_.load_blob(kDefinitionBlob, name);
        auto definition = bytes && *bytes ? decode_definition(**bytes)
                                          : Result<ApplicationDefinition>(fail(
                                                Errc::NotFound, "the definition is not there"));
        if (!definition || definition->name != name) {
            log::error("sql_application_unreadable",
                       {{"application", name},
                        {"reason", definition ? Error(Errc::Corrupt, "it bears another name")
                                              : definition.error()}});
            continue;
        }
        Entry& entry = applications_[name];
        entry.definition = std::move(*definition);
        entry.core = CoreId{next_core_++ % reactors_.size()};
        if (entry.definition.is_started) co_await host(entry);
    }
    co_return Status{};
}

Task<void> QueryService::stop_all() {
    is_stopped_ = true;
    for (std::uint32_t i = 0; i < cores_.size(); ++i)
        co_await call_on(reactors_.at(CoreId{i}), [core = cores_[i].get()] {
            return stop_live_queries(core->gate, core->is_stopping);
        });
    for (auto& [name, entry] : applications_)
        co_await unhost(entry);
}

Task<void> QueryService::host(Entry& entry) {
    if (entry.hosted) co_return;
    entry.hosted = co_await call_on(
        reactors_.at(entry.core),
        [&service = service_, &limits = limits_, definition = entry.definition]() mutable {
            return start_hosted(service, limits, std::move(definition));
        });
}

Task<void> QueryService::unhost(Entry& entry) {
    if (!entry.hosted) co_return;
    co_await call_on(reactors_.at(entry.core), [hosted = std::move(entry.hosted)]() mutable {
        return stop_hosted(std::move(hosted));
    });
}

Task<Status> QueryService::keep(ApplicationDefinition definition) {
    return service_.save_blob(kDefinitionBlob, definition.name, encode_definition(definition));
}

Result<QueryService::Entry*> QueryService::entry_for_change(const std::string& name) {
    if (is_stopped_) return fail(Errc::Unavailable, "the broker stops");
    const auto found = applications_.find(name);
    if (found == applications_.end())
        return fail(Errc::NotFound, "no SQL application is named " + name);
    if (found->second.is_changing)
        return fail(Errc::ResourceInUse, "another change of " + name + " is under way");
    return &found->second;
}

Task<Status> QueryService::check(ApplicationDefinition definition) {
    CO_ASSIGN(const ApplicationDefinition whole, with_declared_streams(std::move(definition)));
    CO_TRY(check_definition(whole));
    for (const auto& input : whole.inputs)
        CO_TRY(service_.find_stream(input.stream));
    for (const auto& input : whole.inputs)
        CO_TRY(check_preprocessing(input, limits_));
    for (const auto& output : whole.outputs) {
        if (output.connector == sql::Connector::Stream) CO_TRY(service_.find_stream(output.stream));
        CO_TRY(OutsideWriter::check(output, limits_));
    }
    co_return co_await try_compile(whole);
}

Task<Status> QueryService::create(ApplicationDefinition definition) {
    CO_TRY(co_await check(definition));
    if (is_stopped_) co_return fail(Errc::Unavailable, "the broker stops");
    if (applications_.contains(definition.name))
        co_return fail(Errc::AlreadyExists,
                       fmt::format("a SQL application {} exists", definition.name));
    if (applications_.size() >= limits::kApplicationsMax)
        co_return fail(Errc::LimitExceeded,
                       fmt::format("there are {} SQL applications, the most there may be",
                                   limits::kApplicationsMax));
    const std::string name = definition.name;
    Entry& entry = applications_[name];
    entry.definition = definition;
    entry.core = CoreId{next_core_++ % reactors_.size()};
    Status kept;
    {
        const Change change(entry);
        kept = co_await keep(std::move(definition));
        if (kept && entry.definition.is_started) co_await host(entry);
    }
    if (!kept) applications_.erase(name);
    co_return kept;
}

/// Compiles the SQL if all columns can be had without waiting.
Task<Status> QueryService::try_compile(ApplicationDefinition definition) {
    TableLoader tables(Reactor::current(), limits_);
    CO_TRY(co_await tables.open(definition.sql_text));
    ApplicationFeed feed(service_, Reactor::current(), limits_, definition.inputs,
                         hidden_fields_in(definition.sql_text));
    const Status opened = co_await feed.open({}, false, [] { return false; });
    Status status = opened;
    if (!opened && opened.error().code == Errc::Unavailable) {
        status = {};
    } else if (opened) {
        sql::ApplicationOptions options;
        options.tables = tables.tables();
        const auto compiled =
            sql::Application::compile(definition.sql_text, feed.input_streams(), options);
        if (!compiled) status = sql_failure(compiled.error());
        for (const auto& output : definition.outputs)
            if (compiled && status) {
                const auto stream = (*compiled)->find_stream(output.name);
                status = stream ? OutputWriter::check(output, (*compiled)->schema(*stream))
                                : Status(std::unexpected(stream.error()));
            }
    }
    co_await feed.stop();
    co_return status;
}

Task<Status> QueryService::start_one(std::string name) {
    CO_ASSIGN(Entry * entry, entry_for_change(name));
    const Change change(*entry);
    entry->definition.is_started = true;
    CO_TRY(co_await keep(entry->definition));
    // One that failed starts anew.
    if (entry->hosted) {
        const auto state = co_await call_on(
            reactors_.at(entry->core), [hosted = entry->hosted.get()] { return state_of(hosted); });
        if (state.status == ApplicationStatus::Failed) co_await unhost(*entry);
    }
    co_await host(*entry);
    co_return Status{};
}

Task<Status> QueryService::stop_one(std::string name) {
    CO_ASSIGN(Entry * entry, entry_for_change(name));
    const Change change(*entry);
    entry->definition.is_started = false;
    CO_TRY(co_await keep(entry->definition));
    co_await unhost(*entry);
    co_return Status{};
}

Task<Status> QueryService::remove(std::string name) {
    CO_ASSIGN(Entry * entry, entry_for_change(name));
    Status gone;
    {
        const Change change(*entry);
        co_await unhost(*entry);
        gone = co_await service_.delete_blob(kDefinitionBlob, name);
        if (gone) gone = co_await service_.delete_blob(kCheckpointBlob, name);
        if (gone) InputJournal::remove(limits_, name);
    }
    if (gone) applications_.erase(name);
    co_return gone;
}

/// All of them, or the one of that name.
Task<std::vector<ApplicationState>> QueryService::list(std::string only) {
    std::vector<std::string> names;
    for (const auto& [name, entry] : applications_)
        if (only.empty() || only == name) names.push_back(name);
    std::vector<ApplicationState> states;
    for (const auto& name : names) {
        const auto found = applications_.find(name);
        if (found == applications_.end()) continue;
        Entry& entry = found->second;
        ApplicationState state;
        state.definition = entry.definition;
        // The call reaches the core before any later one that stops the application there.
        if (entry.hosted)
            state = co_await call_on(reactors_.at(entry.core),
                                     [hosted = entry.hosted.get(), is_detailed = !only.empty()] {
                                         return state_of(hosted, is_detailed);
                                     });
        states.push_back(std::move(state));
    }
    co_return states;
}

}  // namespace tidemill::query
