#include "engine/base/error.h"

#include <array>
#include <cstring>

#include "engine/base/check.h"

namespace tidemill {
namespace {
constexpr std::array kErrors = {
    ErrcInfo{Errc::InvalidArgument, "invalid_argument", false,
             "a value is out of range or malformed"},
    ErrcInfo{Errc::Validation, "validation", false,
             "a request breaks a constraint of the API model"},
    ErrcInfo{Errc::NotFound, "not_found", false, "the named thing does not exist"},
    ErrcInfo{Errc::AlreadyExists, "already_exists", false, "the name is taken"},
    ErrcInfo{Errc::ResourceInUse, "resource_in_use", false, "its state does not allow this"},
    ErrcInfo{Errc::ShardClosed, "shard_closed", false, "the shard was split or merged"},
    ErrcInfo{Errc::SequenceGap, "sequence_gap", true,
             "an earlier batch of the producer is missing; nothing was written"},
    ErrcInfo{Errc::SequenceStale, "sequence_stale", false,
             "a batch from before those remembered of its producer; not written again"},
    ErrcInfo{Errc::SequenceConflict, "sequence_conflict", false,
             "the producer's sequence numbers stand for other records already"},
    ErrcInfo{Errc::ExpiredIterator, "expired_iterator", false, "the shard iterator is too old"},
    ErrcInfo{Errc::ExpiredToken, "expired_token", false, "the pagination token is too old"},
    ErrcInfo{Errc::AccessDenied, "access_denied", false, "not allowed"},
    ErrcInfo{Errc::Unauthenticated, "unauthenticated", false, "no or wrong credentials"},
    ErrcInfo{Errc::Unsupported, "unsupported", false, "understood, and not offered"},
    ErrcInfo{Errc::Throttled, "throttled", true, "a rate or queue is at its limit"},
    ErrcInfo{Errc::LimitExceeded, "limit_exceeded", true, "a count of resources is at its limit"},
    ErrcInfo{Errc::TooLarge, "too_large", false, "a request or record is above its size limit"},
    ErrcInfo{Errc::Unavailable, "unavailable", true, "starting, stopping or out of reach"},
    ErrcInfo{Errc::Timeout, "timeout", true, "a deadline passed; the outcome may be unknown"},
    ErrcInfo{Errc::Fenced, "fenced", true, "another owner holds the shard"},
    ErrcInfo{Errc::NoSpace, "no_space", true,
             "the disk or its budget is full; nothing was written"},
    ErrcInfo{Errc::IoFailed, "io_failed", true, "the operating system refused"},
    ErrcInfo{Errc::Corrupt, "corrupt", false, "bytes fail their checksum or break their format"},
    ErrcInfo{Errc::Unknown, "unknown", true, "a write whose outcome cannot be known"},
    ErrcInfo{Errc::Cancelled, "cancelled", true, "given up by its owner"},
    ErrcInfo{Errc::Internal, "internal", true, "a bug that was contained"},
};
}  // namespace

const ErrcInfo& info(Errc code) {
    const auto index = static_cast<std::size_t>(code);
    TM_CHECK(index < kErrors.size() && kErrors[index].code == code, "error code {} has no row",
             index);
    return kErrors[index];
}

const ErrcInfo* all_errors(std::size_t& count) {
    count = kErrors.size();
    return kErrors.data();
}

std::string Error::to_string() const {
    std::string text = fmt::format("{}: {}", info(code).name, message);
    if (sys_errno != 0) text += fmt::format(" ({})", std::strerror(sys_errno));
    return text;
}

}  // namespace tidemill
