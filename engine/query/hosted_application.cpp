#include "engine/query/hosted_application.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/query/output_writer.h"
#include "engine/query/outside_writer.h"
#include "engine/telemetry/log.h"

namespace tidemill::query {

std::string_view status_name(ApplicationStatus status) {
    switch (status) {
        case ApplicationStatus::Stopped:
            return "stopped";
        case ApplicationStatus::Starting:
            return "starting";
        case ApplicationStatus::Running:
            return "running";
        case ApplicationStatus::Failed:
            return "failed";
    }
    return "unknown";
}

std::unexpected<Error> sql_failure(const sql::SqlError& error) {
    return fail(Errc::InvalidArgument, error.to_string());
}

HostedApplication::HostedApplication(StreamService& service, Reactor& reactor,
                                     const QueryLimits& limits, ApplicationDefinition definition)
    : service_(service),
      reactor_(reactor),
      limits_(limits),
      definition_(std::move(definition)),
      tables_(reactor, limits) {}

void HostedApplication::start() {
    status_ = ApplicationStatus::Starting;
    reactor_.spawn(gate_, live());
}

Task<void> HostedApplication::live() {
    const Status opened = co_await open();
    if (is_stopped_) co_return;
    if (!opened) {
        status_ = ApplicationStatus::Failed;
        message_ = opened.error().message;
        log::error("sql_application_failed",
                   {{"application", definition_.name}, {"reason", opened.error()}});
        co_return;
    }
    // Where it begins is known before it does anything.
    if (const auto saved = co_await save_checkpoint(MonoTime::max()); !saved)
        checkpoint_trouble_ = saved.error().to_string();
    feed_->release();
    status_ = ApplicationStatus::Running;
    log::info("sql_application_running", {{"application", definition_.name}});
    while (co_await gate_.sleep_until(reactor_.clock().mono_now() + limits_.checkpoint_every)) {
        const auto saved = co_await save_checkpoint(MonoTime::max());
        checkpoint_trouble_ = saved ? "" : saved.error().to_string();
        co_await tables_.refresh(*application_);
    }
}

Task<Result<std::optional<ApplicationCheckpoint>>> HostedApplication::load_checkpoint() {
    CO_ASSIGN(const auto bytes, co_await service_.load_blob(kCheckpointBlob, definition_.name));
    if (!bytes) co_return std::nullopt;
    co_return decode_checkpoint(*bytes, definition_.sql_text, definition_.inputs.size());
}

Task<Status> HostedApplication::open() {
    CO_ASSIGN(definition_, with_declared_streams(std::move(definition_)));
    CO_ASSIGN(const auto checkpoint, co_await load_checkpoint());
    const ApplicationCheckpoint* from = checkpoint ? &*checkpoint : nullptr;
    feed_ = std::make_unique<ApplicationFeed>(service_, reactor_, limits_, definition_.inputs,
                                              hidden_fields_in(definition_.sql_text));
    feed_->name_application(definition_.name);
    message_ = "waits for a first record that the columns can be found in";
    CO_TRY(co_await feed_->open(from ? from->schemas : std::vector<sql::Schema>{}, true,
                                [this] { return !is_stopped_; }));
    message_.clear();
    if (!limits_.journal_directory.empty())
        journal_ = std::make_unique<InputJournal>(reactor_, limits_, definition_.name);
    CO_TRY(co_await tables_.open(definition_.sql_text));
    // From here to feed_->start nothing suspends: `stop` sees all outputs or none.
    if (is_stopped_) co_return fail(Errc::Cancelled, "the application stops");
    sql::ApplicationOptions options;
    options.seed = definition_.seed;
    options.is_kda_score = definition_.is_kda_score;
    options.tables = tables_.tables();
    auto compiled =
        sql::Application::compile(definition_.sql_text, feed_->input_streams(), options);
    if (!compiled) co_return sql_failure(compiled.error());
    application_ = std::move(*compiled);
    application_->measure_time();
    // A checkpoint that was carried over to another text has positions alone.
    if (from && !from->snapshot.empty()) {
        const Status restored = application_->restore(from->snapshot);
        if (!restored)
            co_return fail(restored.error().code,
                           fmt::format("the checkpoint cannot be used: {} (tidemill "
                                       "app replace goes on without it)",
                                       restored.error().message));
    }
    CO_TRY(co_await open_outputs(from));
    CO_TRY(tables_.fill(*application_));
    CO_TRY(co_await feed_->start(*application_, from));
    if (!journal_) co_return Status{};
    // Without a checkpoint nothing of an older journal counts.
    if (!from) InputJournal::remove(limits_, definition_.name);
    CO_ASSIGN(const auto entries, co_await journal_->open(from ? from->journal : 1));
    CO_TRY(co_await feed_->replay(entries));
    feed_->note_in(*journal_);
    co_return Status{};
}

std::unique_ptr<Output> HostedApplication::make_output(const OutputDefinition& output,
                                                       const sql::Schema& schema,
                                                       std::uint64_t before,
                                                       OutputPosition position) {
    Output::Hooks hooks{[this](std::size_t rows) { feed_->take_pending(rows); },
                        [this](sql::RejectedRow row) { application_->reject({std::move(row)}); },
                        {}};
    if (output.connector == sql::Connector::Stream) {
        if (journal_) hooks.recorded = [this] { return journal_->wait_durable(); };
        return std::make_unique<OutputWriter>(service_, reactor_, limits_, output, schema, before,
                                              std::move(position), std::move(hooks));
    }
    return std::make_unique<OutsideWriter>(reactor_, limits_, output, schema, before,
                                           std::move(hooks));
}

Task<Status> HostedApplication::open_outputs(const ApplicationCheckpoint* from) {
    for (std::size_t i = 0; i < definition_.outputs.size(); ++i) {
        const OutputDefinition& output = definition_.outputs[i];
        CO_ASSIGN(const auto stream, application_->find_stream(output.name));
        if (output.connector == sql::Connector::Stream) CO_TRY(service_.find_stream(output.stream));
        CO_TRY(OutsideWriter::check(output, limits_));
        const sql::Schema& schema = application_->schema(stream);
        CO_TRY(OutputWriter::check(output, schema));
        const std::uint64_t before = from && i < from->rows_out.size() ? from->rows_out[i] : 0;
        OutputPosition position;
        if (from && i < from->output_positions.size()) position = from->output_positions[i];
        outputs_.push_back(make_output(output, schema, before, std::move(position)));
        Output& writer = *outputs_.back();
        application_->subscribe(stream, [this, &writer](const sql::Batch& batch) {
            feed_->add_pending(batch.size());
            writer.take(batch);
        });
        writer.start();
    }
    CO_ASSIGN(const auto errors, application_->find_stream("error_stream"));
    application_->subscribe(errors, [this](const sql::Batch& batch) { errors_ += batch.size(); });
    co_return Status{};
}

Task<Status> HostedApplication::save_checkpoint(MonoTime deadline) {
    while (is_saving_) {
        if (reactor_.clock().mono_now() >= deadline)
            co_return fail(Errc::Timeout, "another checkpoint is being saved");
        co_await saved_.wait_until(deadline);
    }
    is_saving_ = true;
    Status status = co_await save_checkpoint_alone(deadline);
    is_saving_ = false;
    saved_.notify_all();
    co_return status;
}

/// State, positions and output counts of one moment; on disk only once the outputs of that moment
/// are.
Task<Status> HostedApplication::save_checkpoint_alone(MonoTime deadline) {
    ApplicationCheckpoint checkpoint;
    feed_->save_to(checkpoint);
    for (const auto& output : outputs_)
        checkpoint.rows_out.push_back(output->taken());
    // Nothing read and nothing written since: what is on disk still says it all.
    if (saved_positions_ == checkpoint.positions && saved_rows_out_ == checkpoint.rows_out)
        co_return Status{};
    checkpoint.snapshot = application_->snapshot();
    if (journal_) checkpoint.journal = journal_->rotate();
    for (const auto& output : outputs_)
        output->mark();
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (!co_await outputs_[i]->wait_acknowledged(checkpoint.rows_out[i], deadline))
            co_return fail(Errc::Timeout,
                           "outputs have not taken all rows: " + outputs_[i]->trouble());
    for (const auto& output : outputs_)
        checkpoint.output_positions.push_back(output->position());
    CO_TRY(co_await service_.save_blob(kCheckpointBlob, definition_.name,
                                       encode_checkpoint(checkpoint, definition_.sql_text)));
    if (journal_) co_await journal_->drop_before(checkpoint.journal);
    ++checkpoints_;
    saved_positions_ = std::move(checkpoint.positions);
    saved_rows_out_ = std::move(checkpoint.rows_out);
    co_return Status{};
}

Task<void> HostedApplication::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    if (feed_) co_await feed_->stop();
    const MonoTime deadline = reactor_.clock().mono_now() + limits_.drain_timeout;
    if (status_ == ApplicationStatus::Running) {
        const auto saved = co_await save_checkpoint(deadline);
        if (!saved)
            log::warn("sql_checkpoint_not_saved",
                      {{"application", definition_.name}, {"reason", saved.error()}});
    }
    if (journal_) co_await journal_->stop();
    for (const auto& output : outputs_)
        co_await output->stop();
    co_await gate_.close();
    if (status_ != ApplicationStatus::Failed) status_ = ApplicationStatus::Stopped;
}

ApplicationState HostedApplication::state() const {
    ApplicationState state;
    state.definition = definition_;
    state.status = status_;
    state.message = message_;
    state.errors = errors_;
    state.checkpoints = checkpoints_;
    if (feed_ != nullptr) {
        const FeedStats stats = feed_->stats();
        state.rows_in = stats.rows_in;
        state.lag_ms = stats.lag_ms;
        if (state.message.empty()) state.message = stats.trouble;
    }
    for (const auto& output : outputs_) {
        state.rows_out += output->acknowledged();
        if (state.message.empty()) state.message = output->trouble();
    }
    if (state.message.empty()) state.message = checkpoint_trouble_;
    if (state.message.empty() && journal_) state.message = journal_->trouble();
    return state;
}

ApplicationState HostedApplication::detailed_state() const {
    ApplicationState detailed = state();
    if (application_ != nullptr) {
        detailed.pumps = application_->pumps();
        detailed.operators = application_->stats_with_state();
    }
    return detailed;
}

}  // namespace tidemill::query
