#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

/// What went wrong, in the product's own terms. Doors translate it to their protocol
/// (`engine/kinesis/error_map`, `engine/native`). Adding one means adding its row in `error.cpp`; a
/// test walks all codes.
enum class Errc : std::uint8_t {
    // the caller's fault
    InvalidArgument,   ///< a value is out of range or malformed
    Validation,        ///< a request breaks a documented constraint of the API model
    NotFound,          ///< the named stream, shard, application ... does not exist
    AlreadyExists,     ///< the name is taken
    ResourceInUse,     ///< it exists but is not in a state that allows this
    ShardClosed,       ///< the shard was sealed by a split or merge; read its children
    SequenceGap,       ///< a producer's earlier batch is missing; nothing was written
    SequenceStale,     ///< a producer's batch from before those that are remembered
    SequenceConflict,  ///< a producer's sequence numbers stand for other records already
    ExpiredIterator,   ///< a shard iterator older than its life
    ExpiredToken,      ///< a pagination token older than its life
    AccessDenied,      ///< authenticated, but not allowed
    Unauthenticated,   ///< no or wrong credentials
    Unsupported,       ///< understood, and not offered
    // overload: try again later
    Throttled,      ///< a rate or queue is at its limit
    LimitExceeded,  ///< a count of resources is at its limit
    TooLarge,       ///< a request or record above its size limit
    Unavailable,    ///< starting, stopping, or the peer cannot be reached
    Timeout,        ///< a deadline passed; the outcome may be unknown
    // the environment
    Fenced,     ///< another owner holds the shard
    NoSpace,    ///< the disk or its budget is full; nothing was written
    IoFailed,   ///< the operating system refused; `sys_errno` says why
    Corrupt,    ///< bytes from disk or network fail their checksum or break their format
    Unknown,    ///< a write whose outcome cannot be known
    Cancelled,  ///< given up by its owner (shutdown, disconnect)
    Internal,   ///< a bug that was contained
};

struct ErrcInfo {
    Errc code;
    std::string_view name;     ///< stable, snake_case; used in logs and on the native wire
    bool is_retryable;         ///< the same request may succeed later
    std::string_view meaning;  ///< for documentation
};

const ErrcInfo& info(Errc code);
/// All codes in order, for tests and documentation.
const ErrcInfo* all_errors(std::size_t& count);

/// A failed outcome as a value. `message` is a full sentence for a person and names what it speaks
/// of.
struct Error {
    Errc code = Errc::Internal;
    int sys_errno = 0;  ///< 0 unless the operating system gave a reason
    std::string message;

    Error() = default;
    Error(Errc c, std::string text, int os_reason = 0)
        : code(c), sys_errno(os_reason), message(std::move(text)) {}

    /// "<name>: <message> (<strerror>)"
    std::string to_string() const;
};

}  // namespace tidemill
