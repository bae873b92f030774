// link: engine/kinesis
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/aws/json_document.h"
#include "engine/base/check.h"
#include "engine/http/http_limits.h"
#include "engine/kinesis/put_request.h"
#include "engine/kinesis/shapes.h"

/// Request bodies: no input breaks a decoder, and where the fast way accepts, the thorough one
/// agrees.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::kinesis;
    std::string body(reinterpret_cast<const char*>(data), size);
    body.resize(size + kBodyPadding);
    const std::string_view view = std::string_view(body).substr(0, size);
    for (const Shape* shape : {&shapes::kCreateStream, &shapes::kListShards, &shapes::kPutRecord,
                               &shapes::kGetShardIterator, &shapes::kGetRecords, &shapes::kAddTags})
        if (auto document = parse_json(view)) (void)check(*document, *shape);
    const auto fast = decode_put_records_fast(view);
    const auto thorough = decode_put_records_thorough(view);
    if (!fast) return 0;
    TM_CHECK(thorough.has_value(), "only the fast way accepts");
    TM_CHECK(fast->stream_name == thorough->stream_name &&
             fast->records.size() == thorough->records.size());
    for (std::size_t i = 0; i < fast->records.size(); ++i) {
        TM_CHECK(fast->records[i].partition_key == thorough->records[i].partition_key);
        TM_CHECK(as_text(fast->records[i].data) == as_text(thorough->records[i].data));
    }
    return 0;
}
