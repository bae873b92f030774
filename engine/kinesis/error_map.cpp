#include "engine/kinesis/error_map.h"

namespace tidemill::kinesis {
namespace {

struct Row {
    std::string_view type;
    unsigned status;
};

Row row_of(Errc code) {
    switch (code) {
        case Errc::InvalidArgument:
        case Errc::Unsupported:
        case Errc::TooLarge:
            return {"InvalidArgumentException", 400};
        case Errc::Validation:
            return {"ValidationException", 400};
        case Errc::NotFound:
            return {"ResourceNotFoundException", 400};
        case Errc::AlreadyExists:
        case Errc::ResourceInUse:
            return {"ResourceInUseException", 400};
        case Errc::ExpiredIterator:
            return {"ExpiredIteratorException", 400};
        case Errc::ExpiredToken:
            return {"ExpiredNextTokenException", 400};
        case Errc::AccessDenied:
            return {"AccessDeniedException", 400};
        case Errc::Unauthenticated:
            return {"UnrecognizedClientException", 400};
        // Nothing was written; every SDK backs off and tries again, as it should.
        case Errc::NoSpace:
        case Errc::Throttled:
            return {"ProvisionedThroughputExceededException", 400};
        case Errc::LimitExceeded:
            return {"LimitExceededException", 400};
        case Errc::Unavailable:
            return {"ServiceUnavailableException", 503};
        // Outcomes that a client should simply try again: SDKs do so on 5xx.
        case Errc::ShardClosed:
        case Errc::SequenceGap:
        case Errc::SequenceStale:
        case Errc::SequenceConflict:
        case Errc::Timeout:
        case Errc::Fenced:
        case Errc::IoFailed:
        case Errc::Corrupt:
        case Errc::Unknown:
        case Errc::Cancelled:
        case Errc::Internal:
            return {"InternalFailureException", 500};
    }
    return {"InternalFailureException", 500};
}

}  // namespace

ApiError to_api_error(const Error& error) {
    const Row row = row_of(error.code);
    return {row.type, error.message, row.status};
}

std::string_view put_error_code(const AppendResult& result) {
    return result.error.code == Errc::Throttled || result.error.code == Errc::NoSpace
               ? "ProvisionedThroughputExceededException"
               : "InternalFailure";
}

}  // namespace tidemill::kinesis
