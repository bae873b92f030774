#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/io/task.h"

namespace tidemill {

using NativeExecutor = boost::asio::io_context::executor_type;

using NativeSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, NativeExecutor>;

/// The token of every socket wait here: the error comes as a value, first of the tuple.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<NativeExecutor>> kAwait{};

}  // namespace tidemill
