#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/blocking_worker.h"
#include "engine/query/application_checkpoint.h"
#include "engine/query/application_definition.h"
#include "engine/query/command_processor.h"
#include "engine/query/input_decoder.h"
#include "engine/query/input_journal.h"
#include "engine/query/opener_pool.h"
#include "engine/query/query_limits.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"
#include "engine/service/stream_service.h"
#include "operators/exec/application.h"

namespace tidemill::query {

struct FeedStats {
    std::uint64_t rows_in = 0;  ///< pushed
    std::uint64_t rows_refused =
        0;                    ///< by the decoder or in a damaged batch; error_stream says why
    std::int64_t lag_ms = 0;  ///< age of the oldest record that waits to be read; 0 at the tip
    std::string trouble;      ///< why a shard cannot be read just now; empty when all can
};

/// Feeds an application from the shards of its input streams: one task a shard reads, decodes and
/// pushes slices; children of a split or merged shard follow once their parents are done. Idle
/// inputs whose ROWTIME is the time of arrival follow the clock, so that their windows close; those
/// with a rowtime column move by their rows alone. Core: the one that made it.
class ApplicationFeed {
 public:
    ApplicationFeed(StreamService& service, Reactor& reactor, const QueryLimits& limits,
                    std::vector<InputDefinition> inputs, std::vector<sql::Field> hidden_fields);

    /// Finds the streams and the columns of each input; `known` are those of a checkpoint, empty
    /// without one. While a stream has no record yet that columns could be found in, waits for one
    /// as long as `is_wanted` says so. Errors: NotFound (stream, rowtime column), InvalidArgument
    /// (columns), Cancelled, Unavailable (no record yet and `may_wait` is false).
    Task<Status> open(std::vector<sql::Schema> known, bool may_wait,
                      std::function<bool()> is_wanted);
    /// Commands that records go through are told this name. Before `open`.
    void name_application(std::string name) { application_name_ = std::move(name); }
    /// For Application::compile. After `open`.
    std::vector<sql::InputStream> input_streams() const;
    const std::vector<InputDefinition>& inputs() const { return definitions_; }

    /// Goes to the checkpoint's positions, or where each input says; nothing is pushed yet.
    /// `application` outlives `stop`. Errors: those of the service.
    Task<Status> start(sql::Application& application, const ApplicationCheckpoint* from);
    /// Does again what the journal says was done since the checkpoint. After `start`.
    Task<Status> replay(const std::vector<JournalEntry>& entries);
    /// From now on what is pushed is noted there first; it outlives `stop`.
    void note_in(InputJournal& journal) { journal_ = &journal; }
    /// Begins to read and push. After `start`, once.
    void release();
    /// No push after it. Idempotent.
    Task<void> stop();

    /// Fills schemas, positions, bounds and rows_in; between two pushes, so they belong together.
    void save_to(ApplicationCheckpoint& checkpoint) const;
    FeedStats stats() const;

    /// Back-pressure: sources wait while this many rows are on their way out.
    void add_pending(std::size_t rows) { pending_ += rows; }
    void take_pending(std::size_t rows) {
        pending_ -= rows;
        if (pending_ < limits_.rows_in_flight_max) room_.notify_all();
    }

 private:
    struct Shard {
        ShardInfo info;
        Ordinal next = 0;
        bool is_finished = false;
        bool is_behind = false;        // records wait to be read
        std::int64_t clear_until = 0;  // all that arrived before has been pushed
        std::string trouble;
    };
    struct Unprocessed {
        CommandRecord record;
        Ordinal ordinal = 0;
        WallTime arrival{};
    };
    struct Preprocessing {
        CommandProcessor command;
        BlockingWorker worker;  // ends before the command
    };
    struct Input {
        InputDefinition definition;
        sql::Schema columns;
        std::unique_ptr<InputDecoder> decoder;
        sql::StreamId stream;
        sql::RowBatch rows;
        Ordinal slice_from = 0;  // first record of what is about to be pushed
        std::int64_t bound = INT64_MIN;
        std::map<std::uint32_t, Shard> shards;  // by index; nodes stay in place
        std::unique_ptr<Preprocessing> preprocessing;
    };

    Task<Status> find_input_columns(Input& input, bool may_wait,
                                    const std::function<bool()>& is_wanted);
    Task<Result<std::vector<std::string>>> sample(const StreamInfo& stream);
    Task<Status> begin_shards(Input& input, bool is_first);
    Task<Result<Ordinal>> first_ordinal(const Input& input, ShardUid shard, bool is_first);
    void decode(Input& input, const Shard& shard, const RecordView& record, Ordinal ordinal,
                WallTime arrival);
    void spawn_reader(Input& input, Shard& shard);
    Task<void> read_shard(Input& input, Shard& shard);
    Task<void> push_batch(Input& input, Shard& shard, RecordBatchView batch);
    Task<void> push_compressed(Input& input, Shard& shard, RecordBatchView batch);
    Task<void> push_records(Input& input, Shard& shard, RecordBatchView batch, RecordCursor cursor);
    Task<void> push_processed(Input& input, Shard& shard, RecordBatchView batch,
                              RecordCursor cursor);
    Task<std::vector<CommandOutcome>> process(Input& input, Shard& shard,
                                              std::vector<CommandRecord> records);
    Unprocessed unprocessed(const Shard& shard, const RecordCursor& cursor,
                            const RecordView& record) const;
    Task<bool> decode_processed(Input& input, Shard& shard, const std::vector<Unprocessed>& group);
    Status begin_preprocessing(Input& input);
    Result<Shard*> shard_of(Input& input, ShardUid uid);
    Task<Status> replay_slice(Input& input, Shard& shard, const JournalEntry& entry);
    Task<Status> decode_again(Input& input, Shard& shard, RecordBatchView batch, Ordinal end);
    void begin_slice(Input& input, const Shard& shard);
    void report_unreadable(Input& input, Shard& shard, const RecordBatchView& batch,
                           const Error& error);
    Task<void> end_slice(Input& input, Shard& shard);
    void push_rows(Input& input, Shard& shard);
    void push_decoded(Input& input);
    Task<void> follow_clock();
    void advance_idle(Input& input);
    Task<bool> pause(std::chrono::milliseconds& delay);
    WallTime wall_now() { return reactor_.clock().wall_now(); }
    void set_clock(std::int64_t now);
    std::uint32_t number_of(const Input& input) const;
    MonoTime mono_now() { return reactor_.clock().mono_now(); }

    StreamService& service_;
    Reactor& reactor_;
    const QueryLimits& limits_;
    std::vector<InputDefinition> definitions_;
    std::vector<sql::Field> hidden_fields_;
    std::vector<std::unique_ptr<Input>> inputs_;
    std::string application_name_;
    sql::Application* application_ = nullptr;
    sql::RejectedRows rejected_;
    OpenerPool openers_;
    Signal room_;
    std::size_t pending_ = 0;
    std::size_t slice_rows_ = 256;  // adapted so that a slice takes its time and no more
    MonoTime slice_began_{};
    std::uint64_t rows_in_ = 0, rows_refused_ = 0;
    InputJournal* journal_ = nullptr;
    std::int64_t clock_ = 0;  // that the application has, milliseconds
    bool is_released_ = false;
    bool is_stopped_ = false;
    Gate gate_;
};

}  // namespace tidemill::query
