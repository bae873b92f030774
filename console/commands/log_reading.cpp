#include "console/commands/log_reading.h"

#include <filesystem>

#include <fmt/format.h>

#include "engine/io/directory_lock.h"
#include "engine/reactor/call_on.h"
#include "engine/reactor/reactor.h"

namespace tidemill::console {

Result<LogReport> read_log(const LogOptions& options, VisitBatch visit) {
    // Somebody will name the folder of the log itself.
    std::filesystem::path data(options.data);
    if (!std::filesystem::exists(data / "log") && std::filesystem::exists(data / "superblock"))
        data = std::filesystem::absolute(data).parent_path();
    if (!std::filesystem::exists(data / "log" / "superblock"))
        return fail(Errc::NotFound, fmt::format("{} holds no log: there is no {}", data.string(),
                                                (data / "log" / "superblock").string()));
    ASSIGN(const auto lock, DirectoryLock::take(data.string(), DirectoryLock::Kind::Look));
    ReactorConfig config;
    config.data_directory = data.string();
    config.spin = std::chrono::microseconds(0);
    ASSIGN(const auto reactors, ReactorGroup::start(1, config));
    Reactor& reactor = reactors->at(CoreId{0});
    std::optional<LaneId> only;
    if (options.has_lane) only = LaneId{options.lane};
    auto found = run_on(reactor, [&reactor, &visit, only] {
        return verify_log(reactor.disk(), "log", std::move(visit), only);
    });
    reactors->stop();
    if (found && options.has_lane && found->lanes.empty())
        return fail(Errc::NotFound, fmt::format("there is no lane {}", options.lane));
    return found;
}

}  // namespace tidemill::console
