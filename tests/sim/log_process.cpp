#include "tests/sim/log_process.h"

namespace tidemill::sim {

LogProcess::LogProcess(const std::shared_ptr<SimStorage>& storage, std::uint32_t cores_wanted,
                       LogConfig config, const Journal& journal)
    : cores(storage, cores_wanted, config.seed) {
    config.report = [this, &journal](const std::string& text) {
        has_scrub_found = has_scrub_found || (text.find("scrub: ") != std::string::npos &&
                                              text.find("cannot be read") == std::string::npos);
        journal.note("    report: {}", text);
        reports += text + "\n";
    };
    store = std::make_unique<LocalLogStore>(cores.all(), std::move(config));
    for (std::size_t core = 0; core < cores.size(); ++core)
        gates.push_back(std::make_unique<Gate>());
}

Status LogProcess::open(const std::vector<ShardModel>& shards) {
    TRY(run(store->open()));
    is_open_ = true;
    std::vector<std::pair<ShardUid, ShardPolicy>> policies;
    for (const auto& shard : shards)
        policies.emplace_back(shard.uid, ShardPolicy{shard.retention, shard.is_deleted});
    return run(store->configure_shards(policies));
}

void LogProcess::stop() {
    is_closing = true;
    forget_writers();
    if (is_open_) run(store->stop());
    is_open_ = false;
    for (std::size_t core = 0; core < gates.size(); ++core)
        cores.run(core, gates[core]->close());
}

ShardWriter* LogProcess::writer(std::size_t core, ShardModel& shard, std::uint32_t epoch) {
    auto& writer = writers_[{core, shard.uid.value, epoch}];
    if (!writer)
        if (auto opened = store->open_writer(shard.uid, Ownership{epoch})) {
            writer = std::move(*opened);
            shard.epoch_here = std::max(shard.epoch_here, epoch);
        }
    return writer.get();
}

void LogProcess::forget_writers() {
    cores.run_in_turn(0, [&] { writers_.clear(); });
}

LogConfig draw_config(Random& random, std::uint32_t cores) {
    const auto one_of = [&](auto... values) {
        const std::uint64_t choices[] = {static_cast<std::uint64_t>(values)...};
        return choices[random.below(sizeof...(values))];
    };
    LogConfig config;
    config.lane_count = static_cast<std::uint32_t>(cores + random.below(2));
    config.first_segment_bytes = one_of(64_KiB, 128_KiB, 256_KiB);
    config.segment_bytes = one_of(256_KiB, 256_KiB, 512_KiB, 1_MiB);
    config.block_bytes = one_of(16_KiB, 64_KiB, 128_KiB);
    config.second_write_bytes = one_of(1_KiB, 8_KiB, 64_KiB);
    config.early_write_bytes = one_of(4_KiB, 16_KiB, 256_KiB);
    config.writes_in_flight = static_cast<std::uint32_t>(one_of(1, 2, 4, 4));
    config.pending_bytes_max = one_of(64_KiB, 1_MiB, 64_MiB);
    config.tail_cache_bytes = one_of(16_KiB, 128_KiB, 1_MiB);
    config.read_cache_bytes = one_of(1_MiB, 4_MiB);
    config.footer_cache_bytes = one_of(1_KiB, 16_KiB, 1_MiB);
    config.read_ahead_chunks = static_cast<std::uint32_t>(random.below(3));
    config.scrub_bytes_per_second = one_of(0, 0, 100_KiB, 100_MiB);
    config.scrub_interval = std::chrono::seconds(one_of(10, 1000));
    config.spare_files = static_cast<std::uint32_t>(random.below(3));
    config.disk_budget_bytes = one_of(0, 0, 0, 2_MiB);
    config.tick = std::chrono::seconds(one_of(1, 10, 30));
    config.packs = random.chance(0.5);
    config.pack_gain_min = 1;
    config.pack_gain_share = 0.1;
    config.rewrite_gain_min = one_of(8_KiB, 64_KiB, 256_KiB);
    return config;
}

}  // namespace tidemill::sim
