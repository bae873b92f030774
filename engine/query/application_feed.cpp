#include "engine/query/application_feed.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/reactor/turn.h"

namespace tidemill::query {

namespace {

/// Of several inputs that share a stream, whether the shard is this one's.
bool is_own_shard(const InputDefinition& input, std::uint32_t shard) {
    return shard % input.parts == input.part;
}

}  // namespace

ApplicationFeed::ApplicationFeed(StreamService& service, Reactor& reactor,
                                 const QueryLimits& limits, std::vector<InputDefinition> inputs,
                                 std::vector<sql::Field> hidden_fields)
    : service_(service),
      reactor_(reactor),
      limits_(limits),
      definitions_(std::move(inputs)),
      hidden_fields_(std::move(hidden_fields)) {}

Task<Status> ApplicationFeed::open(std::vector<sql::Schema> known, bool may_wait,
                                   std::function<bool()> is_wanted) {
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
        auto input = std::make_unique<Input>();
        input->definition = definitions_[i];
        input->columns = i < known.size() ? known[i] : definitions_[i].columns;
        if (input->columns.size() == 0)
            CO_TRY(co_await find_input_columns(*input, may_wait, is_wanted));
        else
            CO_TRY(service_.find_stream(definitions_[i].stream));
        CO_ASSIGN(input->decoder,
                  InputDecoder::make(input->definition, input->columns, hidden_fields_));
        input->rows = sql::RowBatch(input->decoder->schema());
        CO_TRY(begin_preprocessing(*input));
        inputs_.push_back(std::move(input));
    }
    co_return Status{};
}

std::vector<sql::InputStream> ApplicationFeed::input_streams() const {
    std::vector<sql::InputStream> streams;
    for (const auto& input : inputs_)
        streams.push_back({input->definition.name, input->decoder->schema()});
    return streams;
}

Task<Status> ApplicationFeed::start(sql::Application& application,
                                    const ApplicationCheckpoint* from) {
    if (is_stopped_) co_return fail(Errc::Cancelled, "the application stops");
    application_ = &application;
    set_clock(to_millis(reactor_.clock().wall_now()));
    if (from != nullptr) rows_in_ = from->rows_in;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
        Input& input = *inputs_[i];
        CO_ASSIGN(input.stream, application.find_stream(input.definition.name));
        if (from != nullptr) {
            CO_ASSIGN(const auto stream, service_.find_stream(input.definition.stream));
            input.bound = from->bounds[i];
            // Shards that are gone (expired, or a stream made anew under its name) have nothing
            // left to read.
            for (const auto& position : from->positions)
                for (const auto& shard : stream->shards)
                    if (position.input == i && position.shard == shard.uid &&
                        is_own_shard(input.definition, shard.index))
                        input.shards[shard.index] = {
                            shard, position.next, position.is_finished, false, 0, {}};
        }
        // One that the checkpoint says nothing of begins where its definition says.
        CO_TRY(co_await begin_shards(input, input.shards.empty()));
    }
    co_return Status{};
}

void ApplicationFeed::release() {
    if (is_stopped_ || std::exchange(is_released_, true)) return;
    for (const auto& input : inputs_)
        for (auto& [index, shard] : input->shards)
            if (!shard.is_finished) spawn_reader(*input, shard);
    reactor_.spawn(gate_, follow_clock());
}

Task<void> ApplicationFeed::stop() {
    if (std::exchange(is_stopped_, true)) co_return;
    room_.notify_all();
    openers_.wake();
    for (const auto& input : inputs_)
        if (input->preprocessing) input->preprocessing->command.interrupt();
    co_await gate_.close();
}

void ApplicationFeed::save_to(ApplicationCheckpoint& checkpoint) const {
    for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
        const Input& input = *inputs_[i];
        checkpoint.schemas.push_back(input.columns);
        checkpoint.bounds.push_back(input.bound);
        for (const auto& [index, shard] : input.shards)
            checkpoint.positions.push_back({i, shard.info.uid, shard.next, shard.is_finished});
    }
    checkpoint.rows_in = rows_in_;
}

FeedStats ApplicationFeed::stats() const {
    FeedStats stats;
    stats.rows_in = rows_in_;
    stats.rows_refused = rows_refused_;
    const std::int64_t now = to_millis(reactor_.clock().wall_now());
    for (const auto& input : inputs_)
        for (const auto& [index, shard] : input->shards) {
            if (shard.is_behind && !shard.is_finished)
                stats.lag_ms = std::max(stats.lag_ms, now - shard.clear_until);
            if (!shard.trouble.empty()) stats.trouble = shard.trouble;
        }
    return stats;
}

/// Starts the shards that nobody reads yet and whose parents are done or gone.
Task<Status> ApplicationFeed::begin_shards(Input& input, bool is_first) {
    CO_ASSIGN(const auto stream, service_.find_stream(input.definition.stream));
    const auto is_done = [&](std::optional<std::uint32_t> parent) {
        if (!parent || stream->shard_by_index(*parent) == nullptr) return true;
        if (!is_own_shard(input.definition, *parent))
            return true;  // another input's: its rows come there
        const auto found = input.shards.find(*parent);
        return found != input.shards.end() && found->second.is_finished;
    };
    const bool only_open = is_first && input.definition.start == StartingPosition::Now;
    for (const ShardInfo& info : stream->shards) {
        if (input.shards.contains(info.index) || !is_own_shard(input.definition, info.index))
            continue;
        if (only_open && !info.is_open()) {
            input.shards[info.index] = {info, info.end_ordinal, true, false, 0, {}};
            continue;
        }
        if (!only_open && !(is_done(info.parent) && is_done(info.adjacent_parent))) continue;
        Shard& shard = input.shards[info.index];
        shard.info = info;
        const auto first = co_await first_ordinal(input, info.uid, is_first);
        if (!first) {
            input.shards.erase(info.index);
            co_return std::unexpected(first.error());
        }
        shard.next = *first;
        if (gate_.is_closed()) co_return fail(Errc::Cancelled, "the application stops");
        spawn_reader(input, shard);
    }
    co_return Status{};
}

Task<Result<Ordinal>> ApplicationFeed::first_ordinal(const Input& input, ShardUid shard,
                                                     bool is_first) {
    if (!is_first || input.definition.start == StartingPosition::TrimHorizon) co_return Ordinal{0};
    if (input.definition.start == StartingPosition::Time)
        co_return co_await service_.seek_time(shard, from_millis(input.definition.start_time));
    CO_ASSIGN(const TailInfo tail, co_await service_.tail(shard));
    co_return tail.end;
}

// Before `release` the shard waits for it.
void ApplicationFeed::spawn_reader(Input& input, Shard& shard) {
    if (!is_released_) return;
    shard.is_behind = true;
    shard.clear_until = input.bound == INT64_MIN ? 0 : input.bound;
    reactor_.spawn(gate_, read_shard(input, shard));
}

/// Moves the clock of idle inputs, and looks for new shards now and then.
Task<void> ApplicationFeed::follow_clock() {
    do {
        set_clock(to_millis(reactor_.clock().wall_now()));
        for (const auto& input : inputs_) {
            if (input->definition.rowtime_column.empty()) advance_idle(*input);
            // A stream that is gone shows in its readers.
            (void)co_await begin_shards(*input, false);
        }
    } while (co_await gate_.sleep_until(mono_now() + limits_.idle_tick));
}

void ApplicationFeed::advance_idle(Input& input) {
    std::int64_t bound = to_millis(wall_now());
    for (const auto& [index, shard] : input.shards)
        if (!shard.is_finished) bound = std::min(bound, shard.clear_until);
    bound -= limits_.idle_slack.count();
    if (bound <= input.bound) return;
    input.bound = bound;
    if (journal_ != nullptr)
        journal_->add({.kind = JournalEntry::Kind::Bound,
                       .input = number_of(input),
                       .bound = bound,
                       .now = clock_});
    application_->advance(input.stream, from_millis(bound));
}

std::uint32_t ApplicationFeed::number_of(const Input& input) const {
    const auto found = std::ranges::find(
        inputs_, &input, [](const std::unique_ptr<Input>& one) { return one.get(); });
    return static_cast<std::uint32_t>(found - inputs_.begin());
}

void ApplicationFeed::set_clock(std::int64_t now) {
    clock_ = now;
    application_->set_now(from_millis(now));
}

}  // namespace tidemill::query
