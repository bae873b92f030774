#include "engine/aws/api.h"

namespace tidemill::aws {

std::optional<std::string_view> target_operation(const HttpRequest& request,
                                                 std::string_view prefix) {
    std::string_view target = request.header("X-Amz-Target");
    if (!target.starts_with(prefix)) return std::nullopt;
    target.remove_prefix(prefix.size());
    return target;
}

}  // namespace tidemill::aws
