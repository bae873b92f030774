// link: engine/kinesis
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/aws/cbor_document.h"
#include "engine/base/check.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/shapes.h"

/// Request bodies in CBOR: no input breaks a decoder, and where the fast way accepts, the thorough
/// one agrees.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::kinesis;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    (void)parse_cbor(body, CborTimes::Seconds);
    for (const Shape* shape : {&shapes::kCreateStream, &shapes::kListShards, &shapes::kPutRecord,
                               &shapes::kGetShardIterator, &shapes::kGetRecords, &shapes::kAddTags})
        if (auto document = parse_cbor(body, CborTimes::Milliseconds))
            (void)check(*document, *shape, Encoding::Cbor);
    const auto fast = decode_put_records_fast_cbor(body);
    const auto thorough = decode_put_records_thorough(body, Encoding::Cbor);
    if (!fast) return 0;
    TM_CHECK(thorough.has_value(), "only the fast way accepts");
    TM_CHECK(fast->stream_name == thorough->stream_name &&
             fast->records.size() == thorough->records.size());
    for (std::size_t i = 0; i < fast->records.size(); ++i) {
        TM_CHECK(fast->records[i].partition_key == thorough->records[i].partition_key);
        TM_CHECK(as_text(fast->records[i].data) == as_text(thorough->records[i].data));
        TM_CHECK(fast->records[i].explicit_hash_key == thorough->records[i].explicit_hash_key);
    }
    return 0;
}
