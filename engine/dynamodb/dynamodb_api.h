#pragma once

#include <memory>
#include <vector>

#include "engine/aws/api.h"
#include "engine/dynamodb/table_store.h"
#include "engine/reactor/reactor.h"

namespace tidemill {

struct DynamoDbStats {
    std::uint64_t calls = 0, client_errors = 0, server_errors = 0;
};

/// The part of the DynamoDB API that KCL keeps its leases with, in AWS JSON 1.0, each answer with
/// its x-amz-crc32. What differs from AWS: docs/kcl.md.
class DynamoDbApi final : public aws::Api {
 public:
    /// Ownership: reactors and tables outlive the API.
    DynamoDbApi(const std::vector<Reactor*>& reactors, dynamodb::TableStore& tables)
        : tables_(tables), cores_(reactors.size()) {}

    std::string_view signing_name() const override { return "dynamodb"; }
    std::optional<std::string_view> operation_of(const HttpRequest& request) const override;
    Task<HttpResponse> call(const aws::ApiRequest& request) override;
    HttpResponse refusal(const HttpRequest& request, const aws::ApiError& error) override;

    /// Of this core.
    DynamoDbStats stats() const;

 private:
    struct alignas(64) Core {
        DynamoDbStats stats;
    };
    Core& here();
    HttpResponse refused(const aws::ApiError& error, std::string_view extra);

    dynamodb::TableStore& tables_;
    std::vector<Core> cores_;
};

}  // namespace tidemill
