#pragma once

#include <string>
#include <string_view>

#include "engine/analytics/analytics_store.h"
#include "engine/analytics/descriptions.h"
#include "engine/aws/shape.h"

namespace tidemill::analytics {

/// One call of one operation, on the store's home core.
struct Call {
    AnalyticsStore& store;
    const aws::Value& input;  ///< has passed its shape's check
    ApiVersion api;
    const std::string& region;
    const std::string& account;
    WallTime now;
    aws::Value output{};       ///< the answer; nothing: {}
    aws::Value error_extra{};  ///< members of an error's body behind its message

    std::string arn_of(std::string_view application) const;
};

/// One operation of the API. To add one: its shapes in shapes.cpp, a function in the file of its
/// family, a line in operations.cpp.
struct Operation {
    std::string_view name;
    const aws::Shape* shape_v1;  ///< null: not in that version
    const aws::Shape* shape_v2;
    Task<aws::ApiStatus> (*run)(Call& call);
};

/// Null when there is none of that name in that version.
const Operation* find_operation(std::string_view name, ApiVersion api);

/// The application that the request names; a copy, to be changed and kept. Errors:
/// ResourceNotFoundException.
aws::ApiResult<AnalyticsApplication> named_application(const Call& call);

/// Holds an application for one change. Errors: ResourceInUseException, and
/// ConcurrentModificationException when the request speaks of another version of it.
class Change {
 public:
    static aws::ApiResult<Change> begin(const Call& call);
    Change(Change&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {
        key_ = std::move(other.key_);
        application = std::move(other.application);
    }
    Change& operator=(Change&&) = delete;
    ~Change() {
        if (store_ != nullptr) store_->end_change(key_);
    }

    AnalyticsApplication application;

    /// Raises its version, keeps it, and lets it go on as changed if it runs.
    Task<aws::ApiStatus> finish(Call& call);

 private:
    Change(AnalyticsStore& store, std::string key, AnalyticsApplication held)
        : application(std::move(held)), store_(&store), key_(std::move(key)) {}

    AnalyticsStore* store_;
    std::string key_;
};

/// The broker's own failures. InternalFailure, 500.
std::unexpected<aws::ApiError> internal(const Error& error);

// application_operations.cpp
Task<aws::ApiStatus> create_application(Call& call);
Task<aws::ApiStatus> update_application(Call& call);
Task<aws::ApiStatus> delete_application(Call& call);
Task<aws::ApiStatus> describe(Call& call);
Task<aws::ApiStatus> list_applications(Call& call);
// run_operations.cpp
Task<aws::ApiStatus> start_application(Call& call);
Task<aws::ApiStatus> stop_application(Call& call);
// part_operations.cpp
Task<aws::ApiStatus> add_input(Call& call);
Task<aws::ApiStatus> add_output(Call& call);
Task<aws::ApiStatus> add_reference(Call& call);
Task<aws::ApiStatus> add_logging(Call& call);
Task<aws::ApiStatus> add_processing(Call& call);
Task<aws::ApiStatus> delete_output(Call& call);
Task<aws::ApiStatus> delete_reference(Call& call);
Task<aws::ApiStatus> delete_logging(Call& call);
Task<aws::ApiStatus> delete_processing(Call& call);
// tag_operations.cpp
Task<aws::ApiStatus> tag_resource(Call& call);
Task<aws::ApiStatus> untag_resource(Call& call);
Task<aws::ApiStatus> list_tags(Call& call);
/// The tags of a request. Errors: TooManyTagsException, InvalidArgumentException.
aws::ApiResult<std::map<std::string, std::string>> tags_of(const aws::Value& input);
// discover_operation.cpp
Task<aws::ApiStatus> discover_input_schema(Call& call);
/// What only applications of Flink have. UnsupportedOperationException.
Task<aws::ApiStatus> not_for_sql(Call& call);

}  // namespace tidemill::analytics
