#pragma once

#include <expected>
#include <utility>

#include "engine/base/error.h"

namespace tidemill {

/// The value, or why there is none.
template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(Errc code, std::string message, int sys_errno = 0) {
    return std::unexpected<Error>(std::in_place, code, std::move(message), sys_errno);
}

}  // namespace tidemill

#define TM_CONCAT_(a, b) a##b
#define TM_CONCAT(a, b) TM_CONCAT_(a, b)

/// TRY(expr): returns the error of `expr` from this function. ASSIGN(decl, expr): the same, else
/// binds the value. CO_TRY, CO_ASSIGN are the twins for coroutines.
#define TRY(...)                                                    \
    do {                                                            \
        if (auto try_status_ = (__VA_ARGS__); !try_status_)         \
            return std::unexpected(std::move(try_status_).error()); \
    } while (false)
#define ASSIGN(declaration, ...)                                                     \
    auto TM_CONCAT(try_result_, __LINE__) = (__VA_ARGS__);                           \
    if (!TM_CONCAT(try_result_, __LINE__))                                           \
        return std::unexpected(std::move(TM_CONCAT(try_result_, __LINE__)).error()); \
    declaration = std::move(*TM_CONCAT(try_result_, __LINE__))
#define CO_TRY(...)                                                    \
    do {                                                               \
        if (auto try_status_ = (__VA_ARGS__); !try_status_)            \
            co_return std::unexpected(std::move(try_status_).error()); \
    } while (false)
#define CO_ASSIGN(declaration, ...)                                                     \
    auto TM_CONCAT(try_result_, __LINE__) = (__VA_ARGS__);                              \
    if (!TM_CONCAT(try_result_, __LINE__))                                              \
        co_return std::unexpected(std::move(TM_CONCAT(try_result_, __LINE__)).error()); \
    declaration = std::move(*TM_CONCAT(try_result_, __LINE__))
