#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/io/blocking_worker.h"
#include "engine/query/query_limits.h"
#include "engine/reactor/gate.h"
#include "engine/reactor/reactor.h"
#include "engine/reactor/signal.h"

namespace tidemill::query {

/// One thing that was done to an application from outside: a slice of records pushed, or a bound
/// that followed the clock. Done again in the same order, from the same state, they give the same
/// rows.
struct JournalEntry {
    enum class Kind : std::uint8_t { Slice = 1, Bound = 2 };

    Kind kind = Kind::Slice;
    std::uint32_t input = 0;   ///< place in ApplicationDefinition::inputs
    ShardUid shard{};          ///< Slice
    Ordinal from = 0, to = 0;  ///< Slice: its records
    std::int64_t bound = 0;    ///< Bound: milliseconds of ROWTIME
    std::int64_t now = 0;      ///< the clock that the application was given, milliseconds

    bool operator==(const JournalEntry&) const = default;
};

/// What was done to an application since its checkpoint, on disk before anybody sees the rows that
/// came of it. A sequence of files `<name>.<number>.journal`; a checkpoint names the first that
/// comes after it. Format: docs/formats/sql_journal.md. Durability: `wait_durable`. Core: one.
class InputJournal {
 public:
    /// `name` is the application's; files are in `limits.journal_directory`.
    InputJournal(Reactor& reactor, const QueryLimits& limits, std::string name);
    ~InputJournal();

    /// The entries of the file `first` and later ones; an entry that was cut off, and what is
    /// behind it, counts as not there. New entries go to a file of their own. Errors: IoFailed,
    /// Corrupt (a file in the middle is cut off).
    Task<Result<std::vector<JournalEntry>>> open(std::uint64_t first);
    void add(const JournalEntry& entry);
    /// Later entries go to another file; returns its number.
    std::uint64_t rotate();
    /// Whether what was added so far is on disk now; false when the journal stops.
    Task<bool> wait_durable();
    /// Deletes the files before `number`.
    Task<void> drop_before(std::uint64_t number);
    /// Idempotent.
    Task<void> stop();

    const std::string& trouble() const { return trouble_; }  ///< why it cannot write just now

    /// Deletes all files of an application. Blocks for as long as that takes.
    static void remove(const QueryLimits& limits, const std::string& name);

 private:
    /// Bytes of one file that are not on disk.
    struct Part {
        std::uint64_t number;
        std::vector<std::byte> bytes;
    };
    struct File;

    Task<void> write_on();

    Reactor& reactor_;
    const QueryLimits& limits_;
    std::string name_;
    std::vector<Part> waiting_;
    std::uint64_t number_ = 0;  // of the file for new entries
    std::uint64_t added_ = 0, durable_ = 0;
    bool is_writing_ = false, is_stopped_ = false;
    std::string trouble_;
    Signal changed_;
    Gate gate_;
    std::unique_ptr<File> file_;  // used by the worker alone
    BlockingWorker worker_;
};

}  // namespace tidemill::query
