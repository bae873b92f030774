#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor_group.h"
#include "tests/sim/shard_model.h"

namespace tidemill::sim {

/// One process with a log on the simulated disk: cores, store, writers. It ends by `stop`.
class LogProcess {
 public:
    LogProcess(const std::shared_ptr<SimStorage>& storage, std::uint32_t cores, LogConfig config,
               const Journal& journal);

    /// Opens the log and tells it of the shards. Errors: those of LogStore; nothing is open then.
    Status open(const std::vector<ShardModel>& shards);
    bool is_open() const { return is_open_; }
    /// The power has gone since.
    bool is_lost() { return cores.at(0).disk().is_lost(); }
    void stop();

    ShardWriter* writer(std::size_t core, ShardModel& shard, std::uint32_t epoch);
    void forget_writers();
    template <class T>
    T run(Task<T> task) {
        return cores.run(0, std::move(task));
    }

    TestReactorGroup cores;
    std::unique_ptr<LocalLogStore> store;
    std::string reports;
    bool has_scrub_found = false;  ///< damage
    bool is_closing = false;
    std::vector<std::unique_ptr<Gate>> gates;  ///< of the world's own tasks, by core

 private:
    struct WriterKey {
        std::size_t core;
        std::uint32_t shard, epoch;
        auto operator<=>(const WriterKey&) const = default;
    };
    std::map<WriterKey, std::unique_ptr<ShardWriter>> writers_;
    bool is_open_ = false;
};

/// A log of small parts, drawn by chance: rolls over soon, evicts soon, refuses soon.
LogConfig draw_config(Random& random, std::uint32_t cores);

}  // namespace tidemill::sim
