// link: engine/dynamodb
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/check.h"
#include "engine/dynamodb/apply_update.h"
#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/item_format.h"

/// Expressions: no text breaks a parser; what it takes can be evaluated, and what an update makes
/// can be stored and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tidemill;
    using namespace tidemill::dynamodb;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Attribute list{.kind = Attribute::Kind::List,
                         .elements = {Attribute::of_number(1), Attribute::of_text("x")}};
    const Attribute set{.kind = Attribute::Kind::StringSet,
                        .elements = {Attribute::of_text("a"), Attribute::of_text("b")}};
    const Item item{{"a", Attribute::of_number(1)},
                    {"s", Attribute::of_text("text")},
                    {"l", list},
                    {"ss", set},
                    {"m", {.kind = Attribute::Kind::Map, .members = {{"l", list}}}}};
    const auto scope = [&] {
        return ExpressionScope({{"#n", "name"}, {"#a", "a"}}, {{":n", Attribute::of_number(2)},
                                                               {":s", Attribute::of_text("t")},
                                                               {":l", list},
                                                               {":ss", set}});
    };
    ExpressionScope of_condition = scope(), of_update = scope(), of_projection = scope();
    if (const auto condition = parse_condition(text, "ConditionExpression", of_condition)) {
        const Condition negated{.kind = Condition::Kind::Not, .parts = {*condition}};
        TM_CHECK(holds(*condition, item) != holds(negated, item));
    }
    if (const auto update = parse_update(text, of_update))
        if (const auto after = updated(*update, item)) {
            const auto stored = decode_item(encode_item(*after));
            TM_CHECK(stored.has_value() && encode_item(*stored) == encode_item(*after));
        }
    if (const auto paths = parse_projection(text, of_projection)) {
        const Item part = project(item, *paths);
        TM_CHECK(part.size() <= item.size());
    }
    return 0;
}
