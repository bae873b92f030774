#include "operators/exec/local_run.h"

#include <algorithm>
#include <fstream>
#include <ostream>

#include "operators/connect/file_source.h"
#include "operators/connect/row_encoder.h"
#include "operators/exec/application.h"
#include "operators/exec/external_streams.h"
#include "operators/exec/row_printer.h"

namespace tidemill::sql {

namespace {

constexpr std::size_t kKeptErrorMessages = 20;

/// A bound file: its source, and the batch that is next to be pushed.
struct Feed {
    std::unique_ptr<Source> source;
    StreamId stream;
    RowBatch rows;
    RejectedRows rejected;
    bool is_finished = false;
    bool has_rows = false;
};

Status fill(Feed& feed) {
    while (!feed.has_rows && !feed.is_finished && feed.rejected.empty()) {
        ASSIGN(const auto state, feed.source->poll(feed.rows, feed.rejected));
        feed.is_finished = state == SourceState::Finished;
        feed.has_rows = feed.rows.size() > 0;
    }
    return {};
}

class LocalRun {
 public:
    LocalRun(const LocalRunOptions& options, std::ostream& out) : options_(options), out_(out) {}

    Result<LocalRunSummary> run() {
        TRY(open_files());
        TRY(read_tables());
        TRY(compile());
        summary_.pumps = application_->pumps();
        if (options_.mode == LocalRunOptions::Mode::Plan) return summary_;
        if (options_.mode == LocalRunOptions::Mode::Measure)
            application_->measure_time();
        else
            TRY(open_sinks());
        TRY(subscribe());
        for (const auto& table : tables_)
            application_->reject(table.rejected);
        TRY(pump_rows());
        if (options_.mode == LocalRunOptions::Mode::Measure)
            summary_.operators = application_->stats_with_state();  // while windows are open
        if (!is_wanted()) return summary_;
        application_->finish();
        if (options_.mode == LocalRunOptions::Mode::Measure) add_end(application_->stats());
        for (auto& printer : printers_)
            printer->finish(out_);
        if (!out_) return fail(Errc::IoFailed, "The rows could not be printed.");
        for (const auto& file : files_)
            if (!file->flush()) return fail(Errc::IoFailed, "A file could not be written.");
        return summary_;
    }

 private:
    Status open_files() {
        for (const auto& binding : options_.bind) {
            const auto same = [&](const InputStream& input) {
                return input.name == binding.stream;
            };
            if (std::ranges::any_of(inputs_, same))
                return fail(Errc::InvalidArgument,
                            "The stream " + binding.stream + " is bound twice.");
            ASSIGN(auto source, open_file_source({binding.file, options_.rowtime_column}));
            inputs_.push_back({binding.stream, source->schema()});
            feeds_.push_back(
                {std::move(source), {}, RowBatch(inputs_.back().schema), {}, false, false});
        }
        return open_declared_files();
    }

    // WITH (source = 'file:...'), unless the name is bound to another file.
    Status open_declared_files() {
        const auto declared = external_streams(options_.sql_text);
        if (!declared) return fail(Errc::InvalidArgument, declared.error().to_string());
        sinks_ = declared->sinks;
        table_files_ = declared->tables;
        for (const auto& source : declared->sources) {
            const std::string& name = source.names.front();
            const auto same = [&](const InputStream& input) { return input.name == name; };
            if (std::ranges::any_of(inputs_, same)) continue;
            if (source.connector != Connector::File)
                return fail(Errc::InvalidArgument, "The stream " + name +
                                                       " comes from a stream of a broker; --bind " +
                                                       name + "=FILE takes a file in its place.");
            FileSourceOptions from{source.target, source.rowtime_column, source.layout,
                                   source.columns};
            if (from.rowtime_column.empty()) from.rowtime_column = options_.rowtime_column;
            ASSIGN(auto opened, open_file_source(from));
            inputs_.push_back({name, opened->schema()});
            feeds_.push_back(
                {std::move(opened), {}, RowBatch(inputs_.back().schema), {}, false, false});
        }
        return {};
    }

    // What is bound by name goes before what the SQL text says.
    Status read_tables() {
        for (const auto& binding : options_.tables) {
            const auto declared = std::ranges::find(table_files_, binding.stream, &TableFile::name);
            if (declared != table_files_.end())
                declared->path = binding.file;
            else
                table_files_.push_back({binding.stream, binding.file});
        }
        for (const auto& file : table_files_) {
            ASSIGN(auto table, read_table(file));
            tables_.push_back(std::move(table));
        }
        return {};
    }

    // Rows of WITH (sink = 'file:...' | 'stdout').
    Status open_sinks() {
        for (const auto& sink : sinks_) {
            if (sink.connector != Connector::File && sink.connector != Connector::Stdout) continue;
            ASSIGN(const auto stream, application_->find_stream(sink.name));
            std::ostream* out = &out_;
            if (sink.connector == Connector::File) {
                files_.push_back(std::make_unique<std::ofstream>(
                    sink.target, std::ios::binary | std::ios::app | std::ios::ate));
                out = files_.back().get();
                if (!*out) return fail(Errc::IoFailed, "cannot write " + sink.target);
            }
            const Schema& schema = application_->schema(stream);
            if (sink.has_header && (out == &out_ || out->tellp() == 0)) {
                std::string header;
                append_csv_header(header, schema, sink.delimiter);
                *out << header << '\n';
            }
            application_->subscribe(stream, [this, out, &sink, &schema](const Batch& batch) {
                std::string text;
                batch.selection.for_each([&](std::size_t row) {
                    if (sink.format == RecordFormat::Csv)
                        append_csv_row(text, schema, batch, row, sink.delimiter);
                    else
                        append_json_row(text, schema, batch, row);
                    text += '\n';
                });
                summary_.rows_printed += batch.size();
                *out << text;
            });
        }
        return {};
    }

    bool has_local_sink(const std::string& stream) const {
        return std::ranges::any_of(sinks_, [&](const ExternalSink& sink) {
            return sink.name == stream &&
                   (sink.connector == Connector::File || sink.connector == Connector::Stdout);
        });
    }

    Status compile() {
        ApplicationOptions options{options_.seed, options_.is_kda_score};
        for (std::size_t i = 0; i < tables_.size(); ++i)
            options.tables.push_back({table_files_[i].name, tables_[i].schema});
        auto compiled = Application::compile(options_.sql_text, inputs_, options);
        if (!compiled) return fail(Errc::InvalidArgument, compiled.error().to_string());
        application_ = std::move(*compiled);
        for (std::size_t i = 0; i < tables_.size(); ++i)
            TRY(application_->set_table(table_files_[i].name, tables_[i].rows));
        for (std::size_t i = 0; i < feeds_.size(); ++i)
            feeds_[i].stream = StreamId(static_cast<std::uint32_t>(i));
        return {};
    }

    // What pumps write to and no pump reads.
    std::vector<std::string> last_streams() const {
        std::vector<std::string> names;
        const auto pumps = application_->pumps();
        for (const auto& pump : pumps) {
            const auto reads = [&](const PumpInfo& other) {
                return std::ranges::find(other.sources, pump.target) != other.sources.end();
            };
            const bool is_new = std::ranges::find(names, pump.target) == names.end();
            if (is_new && std::ranges::none_of(pumps, reads) && !has_local_sink(pump.target))
                names.push_back(pump.target);
        }
        return names;
    }

    Status subscribe() {
        const auto names = options_.print.empty() ? last_streams() : options_.print;
        for (const auto& name : names) {
            auto stream = application_->find_stream(name);
            if (!stream) return fail(Errc::InvalidArgument, stream.error().message);
            if (options_.mode == LocalRunOptions::Mode::Measure) continue;
            if (options_.on_rows) {
                const Schema& schema = application_->schema(*stream);
                application_->subscribe(*stream, [this, name, &schema](const Batch& batch) {
                    summary_.rows_printed += batch.size();
                    options_.on_rows(name, schema, batch);
                });
                continue;
            }
            printers_.push_back(std::make_unique<RowPrinter>(
                options_.format, application_->schema(*stream), options_.with_rowtime,
                names.size() > 1 ? name : std::string()));
            application_->subscribe(*stream,
                                    [this, printer = printers_.back().get()](const Batch& batch) {
                                        summary_.rows_printed += batch.size();
                                        printer->print(batch, out_);
                                    });
        }
        ASSIGN(const auto errors, application_->find_stream("error_stream"));
        application_->subscribe(errors, [this](const Batch& batch) { count_errors(batch); });
        return {};
    }

    bool is_wanted() const { return !options_.is_wanted || options_.is_wanted(); }

    // Counts and times of the end; state is what there was before it.
    void add_end(const std::vector<OperatorStats>& end) {
        for (std::size_t i = 0; i < end.size(); ++i) {
            const auto state_bytes = summary_.operators[i].state_bytes;
            summary_.operators[i] = end[i];
            summary_.operators[i].state_bytes = state_bytes;
        }
    }

    void count_errors(const Batch& batch) {
        const auto& message = *batch.columns[3];
        batch.selection.for_each([&](std::size_t row) {
            ++summary_.errors;
            if (summary_.error_messages.size() < kKeptErrorMessages)
                summary_.error_messages.push_back(cell_text(*batch.columns[4], row) + ": " +
                                                  std::string(message.text_at(row)));
        });
    }

    // Pushes, of all files, the run of rows that is earliest, so that streams with several sources
    // advance together.
    Status pump_rows() {
        for (;;) {
            if (!is_wanted()) return {};
            Feed* first = nullptr;
            for (auto& feed : feeds_) {
                TRY(fill(feed));
                if (!feed.rejected.empty()) {
                    summary_.rows_read += feed.rejected.size();
                    application_->reject(feed.rejected);
                    feed.rejected.clear();
                    TRY(fill(feed));
                }
                if (feed.has_rows && (first == nullptr ||
                                      feed.rows.rowtime.int_at(0) < first->rows.rowtime.int_at(0)))
                    first = &feed;
            }
            if (first == nullptr) {
                const bool is_over = std::ranges::all_of(feeds_, [](const Feed& feed) {
                    return feed.is_finished && feed.rejected.empty();
                });
                if (is_over) return {};
                continue;
            }
            summary_.rows_read += first->rows.size();
            application_->push_rows(first->stream, first->rows);
            first->has_rows = false;
        }
    }

    const LocalRunOptions& options_;
    std::ostream& out_;
    std::vector<InputStream> inputs_;
    std::vector<Feed> feeds_;
    std::unique_ptr<Application> application_;
    std::vector<std::unique_ptr<RowPrinter>> printers_;
    std::vector<ExternalSink> sinks_;
    std::vector<TableFile> table_files_;
    std::vector<TableRows> tables_;  // of those files
    std::vector<std::unique_ptr<std::ofstream>> files_;
    LocalRunSummary summary_;
};

}  // namespace

Result<LocalRunSummary> run_local(const LocalRunOptions& options, std::ostream& out) {
    return LocalRun(options, out).run();
}

}  // namespace tidemill::sql
