// QueryService: another definition for an application that is there.
#include <algorithm>

#include <fmt/format.h>

#include "engine/query/application_checkpoint.h"
#include "engine/query/application_feed.h"
#include "engine/query/input_decoder.h"
#include "engine/query/input_journal.h"
#include "engine/query/query_service.h"
#include "engine/query/table_loader.h"
#include "engine/telemetry/log.h"

namespace tidemill::query {
namespace {

/// Where an input of the new definition goes on: in front of the records that any old input has not
/// read of the same shards.
void carry_positions(const ApplicationCheckpoint& old, const std::vector<InputDefinition>& before,
                     std::uint32_t to, const InputDefinition& input,
                     ApplicationCheckpoint& carried) {
    for (const auto& position : old.positions) {
        if (before[position.input].stream != input.stream) continue;
        const auto same = [&](const ShardPosition& other) {
            return other.input == to && other.shard == position.shard;
        };
        const auto known = std::ranges::find_if(carried.positions, same);
        if (known != carried.positions.end()) {
            known->next = std::min(known->next, position.next);
            known->is_finished = known->is_finished && position.is_finished;
            continue;
        }
        carried.positions.push_back(position);
        carried.positions.back().input = to;
    }
}

ApplicationCheckpoint carried_over(ApplicationCheckpoint old, const ApplicationDefinition& before,
                                   const ApplicationDefinition& after) {
    ApplicationCheckpoint carried;
    for (std::uint32_t i = 0; i < after.inputs.size(); ++i) {
        const InputDefinition& input = after.inputs[i];
        const auto same = std::ranges::find(before.inputs, input.name, &InputDefinition::name);
        const bool is_known = same != before.inputs.end() && same->stream == input.stream;
        const auto place = static_cast<std::size_t>(same - before.inputs.begin());
        carried.bounds.push_back(is_known ? old.bounds[place] : INT64_MIN);
        carried.schemas.push_back(input.columns.size() == 0 && is_known ? old.schemas[place]
                                                                        : input.columns);
        carry_positions(old, before.inputs, i, input, carried);
    }
    for (const auto& output : after.outputs) {
        const auto same = std::ranges::find(before.outputs, output.name, &OutputDefinition::name);
        const auto place = static_cast<std::size_t>(same - before.outputs.begin());
        carried.rows_out.push_back(place < old.rows_out.size() ? old.rows_out[place] : 0);
    }
    carried.rows_in = old.rows_in;
    return carried;
}

std::vector<sql::PumpCarried> all_anew(const sql::Application& application, const char* why) {
    std::vector<sql::PumpCarried> fates;
    for (const auto& pump : application.pumps())
        fates.push_back({pump.name, sql::PumpCarried::Fate::Reset, why});
    return fates;
}

}  // namespace

/// The state of what is in both applications, in the shape of the new one. Nothing is carried when
/// the columns of an input are not known yet.
Task<Result<std::vector<sql::PumpCarried>>> QueryService::carry_state(
    const ApplicationDefinition& to, Bytes snapshot, ApplicationCheckpoint& carried) {
    TableLoader tables(Reactor::current(), limits_);
    CO_TRY(co_await tables.open(to.sql_text));
    ApplicationFeed feed(service_, Reactor::current(), limits_, to.inputs,
                         hidden_fields_in(to.sql_text));
    const Status opened = co_await feed.open(carried.schemas, false, [] { return false; });
    Result<std::vector<sql::PumpCarried>> fates;
    if (opened) {
        sql::ApplicationOptions options;
        options.seed = to.seed;
        options.is_kda_score = to.is_kda_score;
        options.tables = tables.tables();
        auto compiled = sql::Application::compile(to.sql_text, feed.input_streams(), options);
        if (!compiled)
            fates = sql_failure(compiled.error());
        else if (fates = (*compiled)->carry(snapshot); fates)
            carried.snapshot = (*compiled)->snapshot();
        else if (fates.error().code == Errc::InvalidArgument)
            fates = all_anew(**compiled, "its state is of another version");
    }
    co_await feed.stop();
    co_return fates;
}

/// The checkpoint of `from` as one of `to`; none stays none.
Task<Result<std::vector<sql::PumpCarried>>> QueryService::carry_checkpoint(
    ApplicationDefinition from, ApplicationDefinition to) {
    CO_ASSIGN(const auto bytes, co_await service_.load_blob(kCheckpointBlob, from.name));
    if (!bytes) co_return std::vector<sql::PumpCarried>();
    CO_ASSIGN(const ApplicationDefinition before, with_declared_streams(std::move(from)));
    CO_ASSIGN(const ApplicationDefinition after, with_declared_streams(std::move(to)));
    CO_ASSIGN(auto old, decode_checkpoint(*bytes, before.sql_text, before.inputs.size()));
    const auto snapshot = std::move(old.snapshot);
    auto carried = carried_over(std::move(old), before, after);
    std::vector<sql::PumpCarried> fates;
    if (!snapshot.empty()) {
        CO_ASSIGN(fates, co_await carry_state(after, snapshot, carried));
    }
    CO_TRY(co_await service_.save_blob(kCheckpointBlob, after.name,
                                       encode_checkpoint(carried, after.sql_text)));
    co_return fates;
}

Task<Result<std::vector<sql::PumpCarried>>> QueryService::replace(
    ApplicationDefinition definition) {
    const auto known = applications_.find(definition.name);
    if (known == applications_.end())
        co_return fail(Errc::NotFound,
                       fmt::format("there is no SQL application {}", definition.name));
    if (definition.inputs.empty()) {
        definition.inputs = known->second.definition.inputs;
        if (definition.outputs.empty()) definition.outputs = known->second.definition.outputs;
    }
    CO_TRY(co_await check(definition));
    CO_ASSIGN(Entry * entry, entry_for_change(definition.name));
    const Change change(*entry);
    definition.is_started |= entry->definition.is_started;
    co_await unhost(*entry);
    // The old one has saved what it had when it stopped; where it could not, rows since its last
    // checkpoint may be written again.
    InputJournal::remove(limits_, definition.name);
    auto fates = co_await carry_checkpoint(entry->definition, definition);
    if (fates)
        if (const auto kept = co_await keep(definition); !kept)
            fates = std::unexpected(kept.error());
    if (fates) {
        log::info("sql_application_replaced", {{"application", definition.name}});
        entry->definition = std::move(definition);
    }
    if (entry->definition.is_started) co_await host(*entry);
    co_return fates;
}

}  // namespace tidemill::query
