#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace tidemill {

/// What a function that suspends returns. It runs on one io_context and resumes there.
/// Errors are values: `Task<Result<T>>`. An exception that leaves a task is our bug or a failed
/// allocation.
template <class T>
using Task = boost::asio::awaitable<T, boost::asio::io_context::executor_type>;

}  // namespace tidemill
