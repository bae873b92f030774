#include "tests/contract/log_store_contract.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <unistd.h>

#include "engine/log/local_log_store.h"
#include "engine/reactor/call_on.h"
#include "engine/reactor/test_reactor.h"

using namespace tidemill;

namespace {

LogConfig small_config() {
    LogConfig config;
    config.lane_count = 2;
    config.first_segment_bytes = 1_MiB;
    config.segment_bytes = 2_MiB;
    config.block_bytes = 256_KiB;
    return config;
}

/// On one simulated core.
class OnTestReactor final : public contract::LogStoreUnderTest {
 public:
    OnTestReactor() { open(); }
    ~OnTestReactor() override { reactor_.run(store_->stop()); }
    LogStore& store() override { return *store_; }
    void run(std::function<Task<void>(LogStore&)> task) override { reactor_.run(task(*store_)); }
    void restart() override {
        reactor_.run(store_->stop());
        open();
    }

 private:
    void open() {
        auto config = small_config();
        config.seed = 5;
        store_ = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor_}, config);
        REQUIRE(reactor_.run(store_->open()).has_value());
    }
    TestReactor reactor_;
    std::unique_ptr<LocalLogStore> store_;
};

/// On two real cores and a real disk: half of the shards are another core's.
class OnTwoCores final : public contract::LogStoreUnderTest {
 public:
    OnTwoCores() {
        directory_ = std::filesystem::temp_directory_path() /
                     ("tidemill_log_contract." + std::to_string(::getpid()));
        std::filesystem::remove_all(directory_);
        std::filesystem::create_directories(directory_);
        ReactorConfig config;
        config.data_directory = directory_.string();
        auto group = ReactorGroup::start(2, config);
        REQUIRE(group.has_value());
        group_ = std::move(*group);
        open();
    }
    ~OnTwoCores() override {
        run_on(first(), [this] { return store_->stop(); });
        store_.reset();
        group_->stop();
        group_.reset();
        std::filesystem::remove_all(directory_);
    }
    LogStore& store() override { return *store_; }
    void run(std::function<Task<void>(LogStore&)> task) override {
        run_on(first(), [this, &task] { return task(*store_); });
    }
    void restart() override {
        run_on(first(), [this] { return store_->stop(); });
        open();
    }

 private:
    Reactor& first() { return group_->at(CoreId{0}); }
    void open() {
        store_ = std::make_unique<LocalLogStore>(*group_, small_config());
        REQUIRE(run_on(first(), [this] { return store_->open(); }).has_value());
    }
    std::filesystem::path directory_;
    std::unique_ptr<ReactorGroup> group_;
    std::unique_ptr<LocalLogStore> store_;
};

}  // namespace

TEST_CASE("LogStore contract: LocalLogStore on a simulated disk") {
    contract::check_log_store([] { return std::make_unique<OnTestReactor>(); });
}

TEST_CASE("LogStore contract: LocalLogStore on two cores and a real disk") {
    contract::check_log_store([] { return std::make_unique<OnTwoCores>(); });
}
