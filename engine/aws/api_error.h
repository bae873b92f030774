#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace tidemill::aws {

/// A failed call in the API's own terms.
struct ApiError {
    std::string_view type;  ///< "ResourceNotFoundException"; a literal
    std::string message;    ///< empty: the body has none
    unsigned status = 400;
};

template <class T>
using ApiResult = std::expected<T, ApiError>;
using ApiStatus = ApiResult<void>;

[[nodiscard]] inline std::unexpected<ApiError> refuse(std::string_view type, std::string message,
                                                      unsigned status = 400) {
    return std::unexpected<ApiError>(std::in_place, type, std::move(message), status);
}
[[nodiscard]] inline std::unexpected<ApiError> invalid_argument(std::string message) {
    return refuse("InvalidArgumentException", std::move(message));
}

}  // namespace tidemill::aws
