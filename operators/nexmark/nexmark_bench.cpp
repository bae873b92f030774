#include "operators/nexmark/nexmark_bench.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include <time.h>

#include "operators/connect/record_decoder.h"
#include "operators/connect/row_encoder.h"
#include "operators/exec/application.h"
#include "operators/nexmark/queries.h"
#include "operators/nexmark/side_input.h"
#include "operators/plan/bare_select.h"

namespace tidemill::nexmark {

namespace {

double seconds_of(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::int64_t clock_millis() {
    return to_millis(
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

// Events a second of the generator alone, over a part that is long enough to time.
double measure_generator(const BenchOptions& options) {
    Generator generator(options.generator);
    Events events;
    const auto count = std::min<std::uint64_t>(options.events, 2'000'000);
    const auto from = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (std::uint64_t done = 0; done < count; done += Generator::kStretch)
        generator.make(done, std::min(Generator::kStretch, count - done), events);
    const auto spent = seconds_of(CLOCK_THREAD_CPUTIME_ID) - from;
    return spent > 0 ? static_cast<double>(count) / spent : 0;
}

class BenchRun {
 public:
    explicit BenchRun(const BenchOptions& options)
        : options_(options), is_by_clock_(is_processing_time(options.query)) {}

    Result<BenchResult> run() {
        TRY(compile());
        result_.generator_events_per_second = measure_generator(options_);
        if (is_json()) make_records();
        const auto wall = seconds_of(CLOCK_MONOTONIC);
        const auto cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        last_checkpoint_ = wall;
        is_json() ? push_records() : push_events();
        if (result_.checkpoints == 0) take_checkpoint();
        application_->finish();
        result_.events = options_.events;
        result_.seconds = seconds_of(CLOCK_MONOTONIC) - wall;
        result_.cpu_seconds = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
        return result_;
    }

 private:
    Status compile() {
        std::string text = options_.sql_text;
        if (text.empty()) {
            const auto* query = find_query(options_.query);
            if (query == nullptr) {
                std::string names;
                for (const auto& known : queries())
                    names += (names.empty() ? "" : ", ") + std::string(known.name);
                return fail(Errc::NotFound,
                            "There is no query " + options_.query + "; there are " + names + ".");
            }
            text = query->sql;
        }
        const std::vector<sql::InputStream> inputs = {
            {"PERSON", person_schema()}, {"AUCTION", auction_schema()}, {"BID", bid_schema()}};
        std::vector<sql::CatalogStream> catalog;
        for (const auto& input : inputs)
            catalog.push_back({.name = input.name, .schema = input.schema, .is_input = true});
        sql::ApplicationOptions options;
        options.tables = {side_input_table()};
        const sql::CatalogTable table{options.tables[0].name, options.tables[0].schema};
        const auto expanded = sql::expand_bare_select(text, catalog, {&table, 1});
        if (!expanded) return fail(Errc::InvalidArgument, expanded.error().to_string());
        auto made = sql::Application::compile(*expanded, inputs, options);
        if (!made) return fail(Errc::InvalidArgument, made.error().to_string());
        application_ = std::move(*made);
        TRY(application_->set_table(table.name, side_input_rows()));
        return subscribe();
    }

    // The blackhole: rows of streams that pumps write to and none reads are counted.
    Status subscribe() {
        const auto pumps = application_->pumps();
        std::vector<std::string> seen;
        for (const auto& pump : pumps) {
            const auto reads = [&](const sql::PumpInfo& other) {
                return std::ranges::find(other.sources, pump.target) != other.sources.end();
            };
            if (std::ranges::any_of(pumps, reads) ||
                std::ranges::find(seen, pump.target) != seen.end())
                continue;
            seen.push_back(pump.target);
            ASSIGN(const auto stream, application_->find_stream(pump.target));
            application_->subscribe(
                stream, [this, schema = application_->schema(stream)](const sql::Batch& batch) {
                    result_.rows_out += batch.size();
                    if (is_json()) encode(schema, batch);
                });
        }
        ASSIGN(const auto errors, application_->find_stream("error_stream"));
        application_->subscribe(errors, [this](const sql::Batch& batch) {
            if (result_.errors == 0)
                result_.first_error = batch.columns[3]->text_at(batch.selection[0]);
            result_.errors += batch.size();
        });
        return {};
    }

    void push_events() {
        Generator generator(options_.generator);
        Events events;
        const sql::StreamId person(0), auction(1), bid(2);
        for (std::uint64_t done = 0; done < options_.events;) {
            const auto count = std::min(Generator::kStretch, options_.events - done);
            generator.make(done, count, events);
            done += count;
            if (is_by_clock_) stamp(events);
            application_->push(person, events.person.view());
            application_->push(auction, events.auction.view());
            application_->push(bid, events.bid.view());
            const auto time = from_millis(is_by_clock_ ? now_ : generator.time_of(done - 1));
            for (const auto stream : {person, auction, bid})
                application_->advance(stream, time);
            if (seconds_of(CLOCK_MONOTONIC) - last_checkpoint_ >= options_.checkpoint_seconds)
                take_checkpoint();
        }
    }

    bool is_json() const { return options_.form == EventForm::Json; }

    void make_records() {
        constexpr std::uint64_t kStretches = 50;
        Generator generator(options_.generator);
        Events events;
        const auto schema = bid_schema();
        for (std::uint64_t stretch = 0; stretch < kStretches; ++stretch) {
            generator.make(stretch * Generator::kStretch, Generator::kStretch, events);
            const auto rows = events.bid.view();
            for (std::size_t row = 0; row < rows.size(); ++row) {
                records_.emplace_back();
                sql::append_json_row(records_.back(), schema, rows, row);
                result_.record_bytes += static_cast<double>(records_.back().size());
            }
        }
        result_.record_bytes /= static_cast<double>(records_.size());
    }

    void push_records() {
        const auto decoder = sql::make_record_decoder(sql::RecordFormat::Json, bid_schema());
        const sql::StreamId bid(2);
        sql::RowBatch rows(bid_schema());
        sql::RejectedRows rejected;
        sql::RecordMetadata metadata;
        std::size_t next = 0;
        for (std::uint64_t done = 0; done < options_.events;) {
            const auto count = std::min<std::uint64_t>(sql::kBatchRows, options_.events - done);
            rows.clear();
            now_ = std::max(now_, clock_millis());
            metadata.rowtime = metadata.arrival_time = now_;
            for (std::uint64_t i = 0; i < count; ++i) {
                decoder->decode(records_[next], metadata, rows, rejected);
                next = next + 1 == records_.size() ? 0 : next + 1;
            }
            done += count;
            application_->push(bid, rows.view());
            application_->reject(rejected);
            rejected.clear();
            if (seconds_of(CLOCK_MONOTONIC) - last_checkpoint_ >= options_.checkpoint_seconds)
                take_checkpoint();
        }
    }

    void encode(const sql::Schema& schema, const sql::Batch& batch) {
        encoded_.clear();
        batch.selection.for_each(
            [&](std::size_t row) { sql::append_json_row(encoded_, schema, batch, row); });
        result_.bytes_out += encoded_.size();
    }

    void stamp(Events& events) {
        now_ = std::max(now_, clock_millis());
        for (auto* rows : {&events.person, &events.auction, &events.bid})
            std::fill_n(rows->rowtime.slots(), rows->size(), now_);
    }

    void take_checkpoint() {
        const auto from = seconds_of(CLOCK_MONOTONIC);
        const auto bytes = application_->snapshot().size();
        last_checkpoint_ = seconds_of(CLOCK_MONOTONIC);
        result_.checkpoint_seconds += last_checkpoint_ - from;
        result_.checkpoint_bytes = std::max<std::uint64_t>(result_.checkpoint_bytes, bytes);
        ++result_.checkpoints;
    }

    const BenchOptions& options_;
    bool is_by_clock_;
    std::int64_t now_ = 0;
    std::unique_ptr<sql::Application> application_;
    std::vector<std::string> records_;
    std::string encoded_;
    double last_checkpoint_ = 0;
    BenchResult result_;
};

}  // namespace

Result<BenchResult> run_bench(const BenchOptions& options) { return BenchRun(options).run(); }

}  // namespace tidemill::nexmark
