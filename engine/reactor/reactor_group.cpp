#include <future>
#include <thread>
#include <vector>

#include "engine/base/check.h"
#include "engine/reactor/core_reactor.h"
#include "engine/reactor/reactor.h"

namespace tidemill {
namespace {

class ThreadGroup final : public ReactorGroup {
 public:
    ~ThreadGroup() override { ThreadGroup::stop(); }

    Status add(CoreId id, const ReactorConfig& config) {
        auto& core = *cores_.emplace_back(std::make_unique<CoreReactor>(id, config));
        std::promise<Status> opened;
        auto outcome = opened.get_future();
        std::thread thread([&core, opened = std::move(opened)]() mutable {
            Status status = core.open();
            const bool is_open = status.has_value();
            opened.set_value(std::move(status));
            if (is_open) core.run();
        });
        threads_.push_back(std::move(thread));
        return outcome.get();
    }

    std::uint32_t size() const override { return static_cast<std::uint32_t>(cores_.size()); }

    Reactor& at(CoreId core) override {
        TM_CHECK(core.value < cores_.size(), "there is no core {}", core.value);
        return *cores_[core.value];
    }

    void stop() override {
        for (std::size_t i = threads_.size(); i-- > 0;) {
            cores_[i]->stop();
            threads_[i].join();
        }
        threads_.clear();
    }

 private:
    std::vector<std::unique_ptr<CoreReactor>> cores_;
    std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<ReactorGroup>> ReactorGroup::start(std::uint32_t cores,
                                                          const ReactorConfig& config) {
    TM_CHECK(cores > 0, "a process needs a core");
    auto group = std::make_unique<ThreadGroup>();
    for (std::uint32_t i = 0; i < cores; ++i)
        TRY(group->add(CoreId{i}, config));
    return group;
}

}  // namespace tidemill
