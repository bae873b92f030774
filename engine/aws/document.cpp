#include "engine/aws/document.h"

#include "engine/aws/cbor_document.h"
#include "engine/aws/json_document.h"

namespace tidemill::aws {

ApiResult<Value> parse_document(std::string_view body, Encoding encoding) {
    auto document =
        encoding == Encoding::Json ? parse_json(body) : parse_cbor(body, CborTimes::Milliseconds);
    if (!document || document->map() == nullptr) return refuse("SerializationException", "");
    return std::move(*document);
}

}  // namespace tidemill::aws
