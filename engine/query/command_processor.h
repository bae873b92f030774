#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace tidemill::query {

/// A record on its way to the command.
struct CommandRecord {
    std::string id, data, sequence_number, partition_key, shard_id;
    std::int64_t arrival_time = 0;  ///< milliseconds
};

/// What the command made of one.
struct CommandOutcome {
    enum class Kind : std::uint8_t { Ok, Dropped, ProcessingFailed };
    Kind kind = Kind::Ok;
    std::string data;  ///< of Ok
};

/// The request that a command reads, one line of JSON, and the answer that it writes, another.
/// Source: Kinesis Data Analytics developer guide, "Pre-processing data using a Lambda function".
std::string encode_invocation(const std::vector<CommandRecord>& records, std::string_view id,
                              std::string_view application, std::string_view stream);
/// In the order of `records`. Errors: Corrupt when the answer is not of that form, or an id is
/// missing, twice, or not known.
Result<std::vector<CommandOutcome>> decode_answer(std::string_view line,
                                                  const std::vector<CommandRecord>& records);

/// A command that records go through: a child process that reads invocations on its standard input
/// and answers on its standard output, a line each. It is started when it is first needed and again
/// when it has died. Its standard error is the broker's. Blocks. Threads: one; `interrupt` any.
class CommandProcessor {
 public:
    CommandProcessor(std::string command, std::string application, std::string stream,
                     std::chrono::milliseconds timeout);
    ~CommandProcessor();  ///< ends the command
    CommandProcessor(const CommandProcessor&) = delete;
    CommandProcessor& operator=(const CommandProcessor&) = delete;

    /// Errors: Unavailable (it cannot be started or died), Timeout, Corrupt (its answer; it is then
    /// ended, so that the next begins anew), Cancelled.
    Result<std::vector<CommandOutcome>> process(const std::vector<CommandRecord>& records);
    /// Ends a `process` that waits, and every later one.
    void interrupt();

 private:
    Status start();
    void end();
    Status write_line(std::string_view line, std::chrono::steady_clock::time_point deadline);
    Result<std::string> read_line(std::chrono::steady_clock::time_point deadline);
    Status wait(int fd, short events, std::chrono::steady_clock::time_point deadline);

    const std::string command_, application_, stream_;
    const std::chrono::milliseconds timeout_;
    int process_ = -1, input_ = -1, output_ = -1;
    std::string rest_;  // read behind the last line
    std::uint64_t invocations_ = 0;
    std::atomic<bool> is_interrupted_{false};
};

}  // namespace tidemill::query
