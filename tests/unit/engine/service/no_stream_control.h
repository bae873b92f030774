#pragma once

#include "engine/service/stream_service.h"

namespace tidemill {

/// For services in memory whose tests are about records: consumers, settings and policies are
/// Unsupported.
class NoStreamControl : public StreamService {
 public:
    Task<Result<ConsumerInfo>> register_consumer(std::string, std::string,
                                                 std::map<std::string, std::string>) override {
        co_return none();
    }
    Task<Status> deregister_consumer(ConsumerRef) override { co_return none(); }
    Task<Status> edit_consumer_tags(ConsumerRef, std::map<std::string, std::string>,
                                    std::vector<std::string>) override {
        co_return none();
    }
    Task<Result<std::shared_ptr<const StreamInfo>>> change_settings(std::string,
                                                                    SettingsChange) override {
        co_return none();
    }
    Task<Status> set_policy(std::string, std::string) override { co_return none(); }
    Task<Status> set_consumer_policy(ConsumerRef, std::string) override { co_return none(); }
    Task<Result<AccountSettings>> account_settings(std::string) override { co_return none(); }
    Task<Result<AccountSettings>> commit_throughput(std::string, bool) override {
        co_return none();
    }

 private:
    static std::unexpected<Error> none() {
        return fail(Errc::Unsupported, "this service has records only");
    }
};

}  // namespace tidemill
