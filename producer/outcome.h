#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace tidemill::client {

/// Why something did not work. `code` is stable and short ("throttled", "not_found",
/// "shard_closed", ...); `message` is a sentence for a person and names the endpoint it came from.
struct Failure {
    std::string code;
    std::string message;
    bool is_retryable = false;  ///< the same request may succeed later
};

/// The value, or why there is none. For compilers without std::expected.
template <class T>
class Outcome {
 public:
    Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

    bool is_ok() const { return state_.index() == 0; }
    explicit operator bool() const { return is_ok(); }
    T& value() {
        assert(is_ok());
        return *std::get_if<0>(&state_);
    }
    const T& value() const {
        assert(is_ok());
        return *std::get_if<0>(&state_);
    }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    const Failure& failure() const {
        assert(!is_ok());
        return *std::get_if<1>(&state_);
    }

 private:
    std::variant<T, Failure> state_;
};

struct Nothing {};
/// For what returns no value.
using Completion = Outcome<Nothing>;

}  // namespace tidemill::client
