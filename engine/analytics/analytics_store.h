#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/analytics/analytics_application.h"
#include "engine/aws/api_error.h"
#include "engine/query/query_service.h"
#include "engine/reactor/reactor.h"
#include "engine/service/stream_service.h"

namespace tidemill::analytics {

/// The applications of the Kinesis Analytics API: definitions in blobs of the StreamService, run by
/// the QueryService. Core: made anywhere; everything else on `home`, which operations go to.
class AnalyticsStore {
 public:
    /// Ownership: all outlive the store.
    AnalyticsStore(Reactor& home, StreamService& service, query::QueryService& queries)
        : home_(home), service_(service), queries_(queries) {}

    Reactor& home() { return home_; }
    StreamService& service() { return service_; }
    query::QueryService& queries() { return queries_; }

    /// Reads what is kept. One that cannot be read is reported in the log and left alone. Errors:
    /// those of listing the blobs.
    Task<Status> load();

    /// Null when there is none. The pointer holds until the application is removed; who suspends
    /// holds a Change.
    AnalyticsApplication* find(std::string_view account, std::string_view name);
    /// By name, from the first behind `after` on, `most` at the most.
    std::vector<const AnalyticsApplication*> list(std::string_view account, std::string_view after,
                                                  std::size_t most) const;
    std::size_t size() const { return applications_.size(); }

    /// One change of an application at a time: false while another has it.
    bool try_begin_change(const std::string& key);
    void end_change(const std::string& key) { changing_.erase(key); }
    static std::string key_of(std::string_view account, std::string_view name);

    /// Keeps a new application, or what has changed of one. Durability: kept once it returns.
    Task<Status> keep(AnalyticsApplication application);
    Task<Status> remove(std::string account, std::string name);

    /// READY, STARTING or RUNNING.
    Task<std::string> status_of(const AnalyticsApplication& application);
    /// Starts it. With `from_last_stop` from where it stopped, if it ran before. Errors:
    /// InvalidApplicationConfigurationException and others of AWS's.
    Task<aws::ApiStatus> run(AnalyticsApplication application, bool from_last_stop);
    Task<aws::ApiStatus> stop(AnalyticsApplication application);

 private:
    Reactor& home_;
    StreamService& service_;
    query::QueryService& queries_;
    std::map<std::string, AnalyticsApplication, std::less<>> applications_;  // by account/name
    std::map<std::string, bool, std::less<>> changing_;
};

}  // namespace tidemill::analytics
