#pragma once

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "engine/catalog/memory_catalog_store.h"
#include "engine/log/local_log_store.h"
#include "engine/reactor/test_reactor.h"
#include "engine/service/local_stream_service.h"

namespace tidemill {

/// A service over the real log on a simulated disk; `restart` keeps disk and catalog.
struct ServiceFixture {
    TestReactor reactor;
    MemoryCatalogStore catalog{reactor};
    EncryptionOptions encryption;
    UsageOptions usage;
    std::unique_ptr<LocalLogStore> log;
    std::unique_ptr<LocalStreamService> service;

    explicit ServiceFixture(EncryptionOptions options = {}, UsageOptions limits = {})
        : encryption(std::move(options)), usage(limits) {
        start();
    }
    ~ServiceFixture() { stop(); }
    ServiceFixture(const ServiceFixture&) = delete;

    void start() {
        LogConfig config;
        config.lane_count = 1;
        config.first_segment_bytes = 1_MiB;
        config.segment_bytes = 32_MiB;
        config.block_bytes = 256_KiB;
        config.seed = 7;
        log = std::make_unique<LocalLogStore>(std::vector<Reactor*>{&reactor}, config);
        REQUIRE(reactor.run(log->open()));
        auto started =
            reactor.run(LocalStreamService::start({&reactor}, *log, catalog, encryption, usage));
        REQUIRE(started);
        service = std::move(*started);
    }
    void stop() {
        reactor.run(service->stop());
        reactor.run(log->stop());
        service.reset();
        log.reset();
    }
    void restart() {
        stop();
        start();
    }

    Result<StreamPtr> create(CreateStream request) {
        return reactor.run(service->create_stream(std::move(request)));
    }
    StreamPtr create(std::string name, std::uint32_t shards = 1,
                     StreamMode mode = StreamMode::Provisioned) {
        CreateStream request;
        request.name = std::move(name);
        request.shard_count = shards;
        request.mode = mode;
        auto made = create(std::move(request));
        REQUIRE(made);
        return *made;
    }
    StreamPtr find(std::string_view name) {
        Result<StreamPtr> found;
        reactor.run_in_turn([&] { found = service->find_stream(name); });
        REQUIRE(found);
        return *found;
    }
};

}  // namespace tidemill
