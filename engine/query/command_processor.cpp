#include "engine/query/command_processor.h"

#include <cerrno>
#include <csignal>
#include <map>
#include <sys/wait.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <simdjson.h>
#include <spawn.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "engine/base/json_text.h"
#include "engine/security/base64.h"

extern char** environ;

namespace tidemill::query {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerMax = 64 * 1024 * 1024;
constexpr std::chrono::milliseconds kLook{200};      // how often an interruption is looked for
constexpr std::chrono::milliseconds kPatience{500};  // that a command has to end by itself

void add_text(std::string& to, std::string_view name, std::string_view value) {
    to += fmt::format("\"{}\":", name);
    append_json_string(to, value);
}

Result<CommandOutcome> outcome_of(simdjson::dom::element record) {
    std::string_view result, data;
    if (record["result"].get(result))
        return fail(Errc::Corrupt, "a record of the answer has no result");
    CommandOutcome outcome;
    if (result == "Dropped") {
        outcome.kind = CommandOutcome::Kind::Dropped;
    } else if (result == "ProcessingFailed") {
        outcome.kind = CommandOutcome::Kind::ProcessingFailed;
    } else if (result == "Ok") {
        if (record["data"].get(data))
            return fail(Errc::Corrupt, "a record of the answer is Ok and has no data");
        const auto bytes = base64_decode(data);
        if (!bytes) return fail(Errc::Corrupt, "the data of a record of the answer is no base64");
        outcome.data = as_text(*bytes);
    } else {
        return fail(Errc::Corrupt,
                    fmt::format("a result is Ok, Dropped or ProcessingFailed, not {}",
                                result.substr(0, 100)));
    }
    return outcome;
}

}  // namespace

std::string encode_invocation(const std::vector<CommandRecord>& records, std::string_view id,
                              std::string_view application, std::string_view stream) {
    std::string text = "{";
    add_text(text, "invocationId", id);
    text += ',';
    add_text(text, "applicationArn", application);
    text += ',';
    add_text(text, "streamArn", stream);
    text += ",\"records\":[";
    for (std::size_t i = 0; i < records.size(); ++i) {
        const CommandRecord& record = records[i];
        text += i == 0 ? "{" : ",{";
        add_text(text, "recordId", record.id);
        text += ",\"data\":\"" + base64_encode(as_bytes(record.data)) +
                "\",\"kinesisStreamRecordMetadata\":{";
        add_text(text, "sequenceNumber", record.sequence_number);
        text += ',';
        add_text(text, "partitionKey", record.partition_key);
        text += ',';
        add_text(text, "shardId", record.shard_id);
        text += fmt::format(",\"approximateArrivalTimestamp\":{}}}}}", record.arrival_time);
    }
    return text + "]}\n";
}

Result<std::vector<CommandOutcome>> decode_answer(std::string_view line,
                                                  const std::vector<CommandRecord>& records) {
    simdjson::dom::parser parser;
    simdjson::dom::array answers;
    if (const auto error = parser.parse(line.data(), line.size()).at_key("records").get(answers))
        return fail(Errc::Corrupt, fmt::format("the command's answer is no JSON with records: {}",
                                               simdjson::error_message(error)));
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < records.size(); ++i)
        places.emplace(records[i].id, i);
    std::vector<CommandOutcome> outcomes(records.size());
    for (const auto answer : answers) {
        std::string_view id;
        if (answer["recordId"].get(id))
            return fail(Errc::Corrupt, "a record of the answer has no recordId");
        const auto place = places.find(id);
        if (place == places.end())
            return fail(Errc::Corrupt, fmt::format("the answer has the recordId {}, which was not "
                                                   "asked for, or has it twice",
                                                   id.substr(0, 100)));
        ASSIGN(outcomes[place->second], outcome_of(answer));
        places.erase(place);
    }
    if (!places.empty())
        return fail(Errc::Corrupt,
                    fmt::format("the answer lacks {} of {} records, among them {}", places.size(),
                                records.size(), places.begin()->first));
    return outcomes;
}

CommandProcessor::CommandProcessor(std::string command, std::string application, std::string stream,
                                   std::chrono::milliseconds timeout)
    : command_(std::move(command)),
      application_(std::move(application)),
      stream_(std::move(stream)),
      timeout_(timeout) {}

CommandProcessor::~CommandProcessor() { end(); }

void CommandProcessor::interrupt() { is_interrupted_.store(true); }

Status CommandProcessor::start() {
    if (process_ >= 0) return {};
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0) return fail(Errc::IoFailed, "no pipe", errno);
    if (::pipe2(from, O_CLOEXEC) != 0) {
        const int error = errno;
        ::close(to[0]), ::close(to[1]);
        return fail(Errc::IoFailed, "no pipe", error);
    }
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    // A group of its own, to be ended with all that it started; signals as a command expects them.
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t defaults, none;
    ::sigfillset(&defaults);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    const char* arguments[] = {"sh", "-c", command_.c_str(), nullptr};
    pid_t process = -1;
    const int error = ::posix_spawn(&process, "/bin/sh", &actions, &attributes,
                                    const_cast<char**>(arguments), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(to[0]), ::close(from[1]);
    if (error != 0) {
        ::close(to[1]), ::close(from[0]);
        return fail(Errc::Unavailable, "the command cannot be started", error);
    }
    process_ = process, input_ = to[1], output_ = from[0];
    ::fcntl(input_, F_SETFL, O_NONBLOCK);
    ::fcntl(output_, F_SETFL, O_NONBLOCK);
    rest_.clear();
    return {};
}

void CommandProcessor::end() {
    if (process_ < 0) return;
    ::close(input_), ::close(output_);
    // Its input has ended: most end by themselves.
    const auto until = Clock::now() + kPatience;
    int status = 0;
    while (::waitpid(process_, &status, WNOHANG) == 0) {
        if (Clock::now() >= until || is_interrupted_.load()) {
            ::kill(-process_, SIGKILL);
            ::waitpid(process_, &status, 0);
            break;
        }
        ::poll(nullptr, 0, 5);
    }
    process_ = input_ = output_ = -1;
}

Status CommandProcessor::wait(int fd, short events, Clock::time_point deadline) {
    pollfd poll{fd, events, 0};
    for (;;) {
        if (is_interrupted_.load()) return fail(Errc::Cancelled, "the application stops");
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::min<Clock::duration>(deadline - Clock::now(), kLook));
        if (left.count() <= 0) return fail(Errc::Timeout, "the command did not answer in time");
        if (::poll(&poll, 1, static_cast<int>(left.count())) > 0) return {};
    }
}

Status CommandProcessor::write_line(std::string_view line, Clock::time_point deadline) {
    while (!line.empty()) {
        TRY(wait(input_, POLLOUT, deadline));
        const auto written = ::write(input_, line.data(), line.size());
        if (written < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (written < 0) return fail(Errc::Unavailable, "the command died", errno);
        line.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Result<std::string> CommandProcessor::read_line(Clock::time_point deadline) {
    char buffer[16 * 1024];
    for (std::size_t looked = 0;;) {
        const auto end = rest_.find('\n', looked);
        if (end != std::string::npos) {
            std::string line = rest_.substr(0, end);
            rest_.erase(0, end + 1);
            return line;
        }
        looked = rest_.size();
        if (looked > kAnswerMax) return fail(Errc::Corrupt, "the command's answer has no end");
        TRY(wait(output_, POLLIN, deadline));
        const auto got = ::read(output_, buffer, sizeof buffer);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0) return fail(Errc::Unavailable, "the command died");
        rest_.append(buffer, static_cast<std::size_t>(got));
    }
}

Result<std::vector<CommandOutcome>> CommandProcessor::process(
    const std::vector<CommandRecord>& records) {
    TRY(start());
    const auto deadline = Clock::now() + timeout_;
    const std::string invocation = encode_invocation(
        records, fmt::format("{:08x}-{:016x}", process_, ++invocations_), application_, stream_);
    const auto answer = [&]() -> Result<std::vector<CommandOutcome>> {
        TRY(write_line(invocation, deadline));
        ASSIGN(const std::string line, read_line(deadline));
        return decode_answer(line, records);
    }();
    if (!answer) end();
    return answer;
}

}  // namespace tidemill::query
