#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <simdjson.h>

#include "console/commands/command.h"
#include "console/commands/demo_input.h"
#include "console/commands/interrupt.h"
#include "console/commands/labelled_windows.h"
#include "console/commands/live_view.h"
#include "console/commands/output.h"
#include "console/repl/text_table.h"
#include "consumer/consumer.h"
#include "engine/query/query_service.h"
#include "engine/reactor/call_on.h"
#include "engine/server/server.h"
#include "producer/admin_client.h"
#include "producer/producer.h"

namespace tidemill::console {
namespace {

constexpr const char* kInputStream = "demo-input";
constexpr const char* kScoreStream = "demo-scores";
constexpr const char* kApplication = "demo";
constexpr std::uint64_t kRowsAhead = 20000;  // fed and not yet scored, at most

struct Options {
    std::string input, rowtime, data;
    double seconds = 0, rate = 0;
    std::uint32_t shingle = 1;
    bool keeps_data = false;
};

// Marks a score that stands out of what came before: above mean + 3 deviations of the scores so
// far, once per rise.
class Threshold {
 public:
    double value() const {
        return count_ < 50 ? 0.0 : mean_ + 3 * std::sqrt(square_ / static_cast<double>(count_));
    }
    bool is_above() const { return was_above_; }
    bool rises_above(double score) {
        const double limit = value();
        const bool is_above = limit > 0 && score >= limit;
        const bool rises = is_above && !was_above_;
        was_above_ = is_above;
        ++count_;
        const double step = score - mean_;
        mean_ += step / static_cast<double>(count_);
        square_ += step * (score - mean_);
        return rises;
    }

 private:
    std::uint64_t count_ = 0;
    double mean_ = 0, square_ = 0;
    bool was_above_ = false;
};

class Demo {
 public:
    explicit Demo(const Options& options)
        : options_(options),
          is_terminal_(stdout_is_terminal()),
          view_(is_terminal_, terminal_has_colour()) {}

    int run() {
        if (const auto made = prepare(); !made) return report(made.error().message);
        const auto code = loop();
        view_.finish();
        if (producer_) producer_->close();
        summary();
        return code;
    }

    ~Demo() {
        consumer_.reset();
        producer_.reset();
        server_.reset();
        if (!options_.keeps_data && !data_.empty()) {
            std::error_code ignored;
            std::filesystem::remove_all(data_, ignored);
        }
    }

 private:
    Status prepare() {
        if (options_.input.empty()) {
            input_ = make_machine_input();
        } else {
            ASSIGN(input_, open_demo_file(options_.input, options_.rowtime));
        }
        TRY(start_broker());
        TRY(start_application());
        return connect_clients();
    }

    Status start_broker() {
        data_ = options_.data.empty() ? std::filesystem::temp_directory_path() /
                                            fmt::format("tidemill-demo-{}", ::getpid())
                                      : std::filesystem::path(options_.data);
        if (!options_.data.empty()) options_.keeps_data = true;
        log::set_up(log::Level::Warning);
        Config config;
        config.data_directory = data_;
        config.listen_port = 0;
        config.cores = 1;
        config.tail_cache_bytes = 32_MiB;
        config.read_cache_bytes = 16_MiB;
        ASSIGN(server_, Server::start(config));
        address_ = fmt::format("{}:{}", server_->host(), server_->port());
        auto admin = client::AdminClient::connect(address_);
        if (!admin) return fail(Errc::Unavailable, admin.failure().message);
        for (const auto* stream : {kInputStream, kScoreStream}) {
            client::NewStream wanted;
            wanted.name = stream;
            if (auto made = admin->create_stream(wanted);
                !made && made.failure().code != "already_exists")
                return fail(Errc::Internal, made.failure().message);
        }
        return {};
    }

    Status start_application() {
        sample_ = input_->is_finite() ? 256 : 128;
        query::ApplicationDefinition definition;
        definition.name = kApplication;
        definition.sql_text = demo_sql(*input_, sample_, options_.shingle);
        query::InputDefinition input;
        input.name = "SOURCE_SQL_STREAM_001";
        input.stream = kInputStream;
        input.layout.format = input_->columns().layout.format;
        input.start = query::StartingPosition::TrimHorizon;
        input.columns = input_->columns().schema;
        if (const auto time = input_->time_column())
            input.rowtime_column = input.columns[*time].name;
        definition.inputs.push_back(std::move(input));
        query::OutputDefinition output;
        output.name = "DESTINATION_SQL_STREAM";
        output.stream = kScoreStream;
        definition.outputs.push_back(std::move(output));
        definition.is_started = true;
        Reactor& home = server_->reactors().at(CoreId{0});
        return run_on(
            home, [this, definition] { return server_->queries().create_application(definition); });
    }

    Status connect_clients() {
        client::ProducerOptions producing;
        producing.endpoint = address_;
        auto producer = client::Producer::connect(producing);
        if (!producer) return fail(Errc::Unavailable, producer.failure().message);
        producer_ = std::make_unique<client::Producer>(std::move(*producer));
        client::ConsumerOptions consuming;
        consuming.endpoint = address_;
        consuming.stream = kScoreStream;
        auto consumer = client::Consumer::connect(consuming);
        if (!consumer) return fail(Errc::Unavailable, consumer.failure().message);
        consumer_ = std::make_unique<client::Consumer>(std::move(*consumer));
        return {};
    }

    // Until Ctrl-C on a terminal; elsewhere until the file is scored, or for some seconds.
    int loop() {
        watch_interrupts();
        started_ = std::chrono::steady_clock::now();
        const bool ends_by_itself = !is_terminal_ || options_.seconds > 0;
        const double seconds = options_.seconds > 0 ? options_.seconds : 20;
        auto next_draw = started_;
        while (!is_interrupted()) {
            feed();
            if (const auto status = take_scores(); !status) return report(status.error().message);
            const auto now = std::chrono::steady_clock::now();
            if (is_terminal_ && now >= next_draw) {
                next_draw = now + std::chrono::milliseconds(100);
                view_.draw(figures());
            }
            const bool is_time_up = elapsed() >= seconds;
            if (options_.seconds > 0 && is_time_up) break;
            if (ends_by_itself && input_->is_finite() ? is_all_scored()
                                                      : ends_by_itself && is_time_up)
                break;
        }
        return kExitOk;
    }

    double elapsed() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    }

    // Paced on a terminal, so that a person sees something; as fast as it goes elsewhere.
    double rate() const {
        if (options_.rate > 0) return options_.rate;
        return is_terminal_ && input_->is_finite() ? 500 : 0;
    }

    void feed() {
        while (!is_fed_ && rows_in_ < rows_scored_ + kRowsAhead) {
            if (rate() > 0 && static_cast<double>(rows_in_) > elapsed() * rate()) return;
            auto row = input_->next();
            if (!row) {
                is_fed_ = input_->is_finite();
                if (is_fed_) producer_->flush();
                return;
            }
            ++rows_in_;
            put_at_.push_back(std::chrono::steady_clock::now());
            producer_->put_async(kInputStream, "demo", *row,
                                 [this](const client::PutResult& result) {
                                     if (!result) ++rows_failed_;
                                 });
        }
    }

    Status take_scores() {
        auto batch = consumer_->next_batch(std::chrono::milliseconds(5));
        if (!batch) return fail(Errc::Unavailable, batch.failure().message);
        if (!*batch) return {};
        for (const auto& record : (*batch)->records)
            TRY(take_score(record.data));
        return {};
    }

    Status take_score(const std::string& text) {
        simdjson::dom::object row;
        if (parser_.parse(text).get_object().get(row))
            return fail(Errc::Corrupt, "a score row is no JSON object: " + text);
        ScoredRow scored;
        const auto& fields = input_->columns().schema.fields;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            simdjson::dom::element value;
            if (row[fields[i].name].get(value)) continue;
            auto shown = simdjson::to_string(value);
            if (shown.size() > 1 && shown.front() == '"') shown = shown.substr(1, shown.size() - 2);
            if (i == input_->time_column())
                scored.time = shown;
            else if (shown != "0" && shown != "0.0" && scored.values.size() < 70)
                scored.values += (scored.values.empty() ? "" : " ") + fields[i].name + "=" + shown;
        }
        ++rows_scored_;
        if (!put_at_.empty()) {
            const auto lag = std::chrono::steady_clock::now() - put_at_.front();
            lag_ms_ = std::chrono::duration<double, std::milli>(lag).count();
            put_at_.pop_front();
        }
        double score = 0;
        const bool has_score = !row["ANOMALY_SCORE"].get(score);
        scored.score = has_score ? score : std::nan("");
        scored.is_learning = has_score && score == 0.0;
        view_.add(scored);
        if (scored.time.empty()) scored.time = fmt::format("row {}", rows_scored_);
        if (has_score) scores_.push_back({scored.time, score});
        if (has_score && !scored.is_learning && threshold_.rises_above(score)) {
            ++marked_;
            view_.mark(scored);
        } else if (threshold_.is_above()) {
            view_.follow(scored);
        }
        return {};
    }

    bool is_all_scored() {
        if (!is_fed_) return false;
        if (rows_scored_ + rows_failed_ >= rows_in_) return true;
        // Rows that the application refused never get a score; ask it now and then.
        const auto now = std::chrono::steady_clock::now();
        if (now < next_question_) return false;
        next_question_ = now + std::chrono::milliseconds(200);
        refused_ = application_errors();
        return rows_scored_ + rows_failed_ + refused_ >= rows_in_;
    }

    std::uint64_t application_errors() {
        Reactor& home = server_->reactors().at(CoreId{0});
        const auto state =
            run_on(home, [this] { return server_->queries().describe_application(kApplication); });
        return state ? state->errors : 0;
    }

    LiveFigures figures() const {
        LiveFigures now;
        now.rows_in = rows_in_;
        now.rows_scored = rows_scored_;
        now.rows_per_second = static_cast<double>(rows_scored_) / std::max(0.001, elapsed());
        now.lag_ms = lag_ms_;
        now.threshold = threshold_.value();
        now.input = input_->description();
        now.broker = address_;
        return now;
    }

    void summary() {
        std::printf(
            "\n%s rows in, %s scored in %.1f s (%s rows/s), %s marked as anomalies, %s refused\n",
            short_count(static_cast<double>(rows_in_)).c_str(),
            short_count(static_cast<double>(rows_scored_)).c_str(), elapsed(),
            short_count(static_cast<double>(rows_scored_) / std::max(0.001, elapsed())).c_str(),
            short_count(static_cast<double>(marked_)).c_str(),
            short_count(static_cast<double>(refused_ + rows_failed_)).c_str());
        auto highest = scores_;
        std::ranges::sort(highest, std::greater<>(), &TimedScore::score);
        TextTable table({"highest scores", "at"});
        for (std::size_t i = 0; i < std::min<std::size_t>(10, highest.size()); ++i)
            if (highest[i].score > 0)
                table.add({fmt::format("{:.3f}", highest[i].score), highest[i].time});
        if (!table.is_empty()) std::printf("\n%s", table.to_string().c_str());
        if (!options_.input.empty()) judge_windows();
    }

    void judge_windows() {
        const auto windows = find_labelled_windows(options_.input);
        if (!windows) {
            report(windows.error().message);
            return;
        }
        if (windows->empty()) return;
        const auto verdict = judge(scores_, *windows);
        std::size_t hits = 0;
        TextTable table({"labelled window", "to", "highest score", "at", "rank", "top 1 %"});
        for (const auto& row : verdict.windows) {
            hits += row.is_in_top_percent ? 1 : 0;
            table.add({row.window.begin, row.window.end, fmt::format("{:.3f}", row.peak_score),
                       row.peak_time, std::to_string(row.rank),
                       row.is_in_top_percent ? "yes" : "no"});
        }
        std::printf(
            "\n%s\n%zu of %zu labelled windows have their peak in the top 1 %% (rank %zu or better "
            "of %zu scores "
            "after the first 15 %%)\n",
            table.to_string().c_str(), hits, verdict.windows.size(), verdict.top_percent,
            verdict.judged);
    }

    Options options_;
    bool is_terminal_;
    LiveView view_;
    std::unique_ptr<DemoInput> input_;
    std::filesystem::path data_;
    std::unique_ptr<Server> server_;
    std::string address_;
    std::unique_ptr<client::Producer> producer_;
    std::unique_ptr<client::Consumer> consumer_;
    simdjson::dom::parser parser_;

    MonoTime started_, next_question_;
    std::uint32_t sample_ = 256;
    std::uint64_t rows_in_ = 0, rows_scored_ = 0, marked_ = 0, refused_ = 0;
    std::atomic<std::uint64_t> rows_failed_{0};
    bool is_fed_ = false;
    std::deque<MonoTime> put_at_;
    double lag_ms_ = 0;
    Threshold threshold_;
    std::vector<TimedScore> scores_;
};

}  // namespace

void add_demo_command(CLI::App& app, Run& run) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "demo",
        "Broker, producer, SQL application with RANDOM_CUT_FOREST and consumer on real data, live");
    command
        ->add_option("--input", options->input,
                     "A CSV file with a header, or JSON lines (default: this machine's /proc)")
        ->check(CLI::ExistingFile);
    command->add_option("--rowtime", options->rowtime, "The column that holds each row's time");
    command->add_option("--seconds", options->seconds, "Stop after so long")
        ->check(CLI::PositiveNumber);
    command
        ->add_option("--rate", options->rate,
                     "Rows a second from a file (default: 500 on a terminal, else no limit)")
        ->check(CLI::PositiveNumber);
    command->add_option("--shingle", options->shingle, "Rows that make one point")
        ->check(CLI::Range(1, 30))
        ->capture_default_str();
    command->add_option("--data", options->data,
                        "Keep the broker's data here (default: a temporary directory)");
    command->callback([&run, options] { run = [options] { return Demo(*options).run(); }; });
}

}  // namespace tidemill::console
