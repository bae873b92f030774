// link: engine/dynamodb
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/aws/json_document.h"
#include "engine/base/check.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/item_format.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "engine/http/http_limits.h"

/// Items as clients send them: no input breaks the decoder, and what it takes comes back the same
/// from JSON and from the stored form. Stored bytes: none breaks their decoder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::dynamodb;
    std::string body(reinterpret_cast<const char*>(data), size);
    (void)decode_item(as_bytes(body));
    body.resize(size + kBodyPadding);
    const auto document = aws::parse_json(std::string_view(body).substr(0, size), 96);
    if (!document) return 0;
    if (document->map() != nullptr) {
        (void)expected_condition(*document, "AND");
        (void)filter_condition(*document, "OR");
        (void)attribute_updates(*document);
    }
    const auto item = item_of(*document);
    if (!item) return 0;
    std::string text;
    aws::DocumentWriter out(text, aws::Encoding::Json);
    write(out, *item);
    const auto again = aws::parse_json(text, 96);
    TM_CHECK(again.has_value());
    const auto same = item_of(*again);
    TM_CHECK(same.has_value() && *same == *item);
    const auto stored = decode_item(encode_item(*item));
    TM_CHECK(stored.has_value() && encode_item(*stored) == encode_item(*item));
    return 0;
}
