// GetItem, Query, Scan.
#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "engine/dynamodb/attribute_json.h"
#include "engine/dynamodb/condition_check.h"
#include "engine/dynamodb/expression_parser.h"
#include "engine/dynamodb/key_condition.h"
#include "engine/dynamodb/key_order.h"
#include "engine/dynamodb/legacy_parameters.h"
#include "engine/dynamodb/operations.h"
#include "engine/dynamodb/table_limits.h"

namespace tidemill::dynamodb {
namespace {

using Ordered = Table::Ordered;

/// What Query and Scan have in common.
struct Reading {
    Table* table = nullptr;
    const IndexDefinition* index = nullptr;  ///< null: the table itself
    ExpressionScope scope{};
    std::optional<Condition> filter{};
    std::optional<std::vector<DocumentPath>> projection{};
    std::optional<std::string> after{};  ///< the place that ExclusiveStartKey names
    bool counts_only = false, is_consistent = false;

    const KeySchema& key() const { return index ? index->key : table->definition().key; }
    const Ordered& items() const { return index ? table->items_by(*index) : table->items(); }
};

/// The condition of one of two members: an expression, or its elder. `is_query` for the words.
ApiResult<std::optional<Condition>> filter_of(const Value& request, std::string_view elder,
                                              ExpressionScope& scope) {
    if (const auto* text = request.find("FilterExpression")) {
        ASSIGN(Condition made, parse_condition(*text->text(), "FilterExpression", scope));
        return made;
    }
    const auto* filter = request.find(elder);
    if (filter == nullptr) return std::nullopt;
    ASSIGN(Condition made,
           filter_condition(*filter, request.text_or("ConditionalOperator", "AND")));
    return made;
}

/// What an index shows of its items.
std::optional<std::vector<DocumentPath>> projection_of_index(const Reading& reading) {
    const IndexDefinition* index = reading.index;
    if (index == nullptr || index->projection == IndexDefinition::Projection::All)
        return std::nullopt;
    std::vector<DocumentPath> paths;
    const auto add = [&](const std::string& name) {
        DocumentPath path{{PathStep{.name = name}}};
        if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
    };
    for (const auto& attribute : index->key.attributes())
        add(attribute.name);
    for (const auto& attribute : reading.table->definition().key.attributes())
        add(attribute.name);
    for (const auto& name : index->included)
        add(name);
    return paths;
}

ApiResult<std::string> start_place(const Reading& reading, const Value& start) {
    ASSIGN(const Item key, item_of(start));
    const auto& primary = reading.table->definition().key;
    std::size_t count = primary.attributes().size();
    if (reading.index != nullptr)
        for (const auto& attribute : reading.index->key.attributes())
            if (!primary.has(attribute.name)) ++count;
    if (key.size() != count || !has_key(primary, key) || !has_key(reading.key(), key))
        return invalid("The provided starting key is invalid");
    return reading.index != nullptr ? reading.table->place_in(*reading.index, key)
                                    : order_key(primary, key);
}

ApiResult<Reading> begin(Call& call, std::string_view elder_filter) {
    const Value& request = call.input;
    TRY(check_mixture(request));
    Reading reading;
    ASSIGN(reading.scope, ExpressionScope::of(request));
    ASSIGN(reading.filter, filter_of(request, elder_filter, reading.scope));
    ASSIGN(reading.projection, projection_of(request, reading.scope));
    ASSIGN(reading.table, find_table(call, request));
    reading.is_consistent = request.boolean_or("ConsistentRead", false);
    const std::string_view index = request.text_or("IndexName", "");
    if (!index.empty()) {
        reading.index = reading.table->index(index);
        if (reading.index == nullptr)
            return invalid(fmt::format("The table does not have the specified index: {}", index));
        if (reading.is_consistent && !reading.index->is_local)
            return invalid("Consistent reads are not supported on global secondary indexes");
    }
    const std::string_view select = request.text_or("Select", "");
    reading.counts_only = select == "COUNT";
    if (!select.empty() && select != "SPECIFIC_ATTRIBUTES" && reading.projection)
        return invalid(fmt::format("Cannot specify the {} when choosing to get {}",
                                   request.find("ProjectionExpression") != nullptr
                                       ? "ProjectionExpression"
                                       : "AttributesToGet",
                                   select == "COUNT" ? "only the Count" : select));
    if (select == "ALL_PROJECTED_ATTRIBUTES" && reading.index == nullptr)
        return invalid_values(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an "
            "IndexName");
    if (select == "SPECIFIC_ATTRIBUTES" && !reading.projection)
        return invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
            "SPECIFIC_ATTRIBUTES");
    if (const auto* start = request.find("ExclusiveStartKey")) {
        ASSIGN(reading.after, start_place(reading, *start));
    }
    return reading;
}

/// Takes items one after the other until there is enough, then writes the answer.
class Page {
 public:
    Page(Call& call, const Reading& reading)
        : call_(call),
          reading_(reading),
          visible_(projection_of_index(reading)),
          limit_(static_cast<std::size_t>(call.input.integer_or("Limit", INT64_MAX))) {}

    bool is_full() const { return scanned_ >= limit_ || bytes_ >= limits::kPageBytes; }
    void take(const Table::ItemPtr& item) {
        ++scanned_;
        last_ = item;
        Item part = visible_ ? project(*item, *visible_) : *item;
        bytes_ += size_of(part);
        if (reading_.filter && !holds(*reading_.filter, part)) return;
        ++count_;
        if (reading_.counts_only) return;
        items_.push_back(reading_.projection ? project(part, *reading_.projection)
                                             : std::move(part));
    }
    /// `has_more`: something is left behind the last one.
    void answer(bool has_more) {
        auto out = call_.answer();
        out.begin_object();
        if (!reading_.counts_only) {
            out.key("Items").begin_array();
            for (const auto& item : items_)
                write(out, item);
            out.end_array();
        }
        out.member("Count", count_).member("ScannedCount", scanned_);
        if (has_more && last_ != nullptr) {
            Item key = key_of_item(reading_.table->definition().key, *last_);
            if (reading_.index != nullptr) key.merge(key_of_item(reading_.index->key, *last_));
            out.key("LastEvaluatedKey");
            write(out, key);
        }
        write_capacity(call_, out, *reading_.table, half_read_units(bytes_, reading_.is_consistent),
                       reading_.index != nullptr ? reading_.index->name : "");
        out.end_object();
    }

 private:
    Call& call_;
    const Reading& reading_;
    std::optional<std::vector<DocumentPath>> visible_;
    std::size_t limit_;
    std::size_t scanned_ = 0, count_ = 0, bytes_ = 0;
    Table::ItemPtr last_;
    std::vector<Item> items_;
};

ApiResult<KeyCondition> key_condition_of(const Value& request, Reading& reading) {
    if (const auto* text = request.find("KeyConditionExpression")) {
        ASSIGN(const Condition condition,
               parse_condition(*text->text(), "KeyConditionExpression", reading.scope));
        return key_condition(condition, reading.key(), KeyConditionForm::Expression);
    }
    const auto* elder = request.find("KeyConditions");
    if (elder == nullptr)
        return invalid(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
            "request.");
    ASSIGN(const Condition condition, filter_condition(*elder, "AND"));
    return key_condition(condition, reading.key(), KeyConditionForm::Legacy);
}

ApiStatus check_filter(const Reading& reading) {
    if (!reading.filter) return {};
    ApiStatus status;
    for_each_path(*reading.filter, [&](const DocumentPath& path) {
        if (status && reading.key().has(path.top()))
            status = invalid(fmt::format(
                "Filter Expression can only contain non-primary key attributes: Primary key "
                "attribute: {}",
                path.top()));
    });
    return status;
}

}  // namespace

ApiStatus get_item(Call& call) {
    TRY(check_mixture(call.input));
    ASSIGN(ExpressionScope scope, ExpressionScope::of(call.input));
    ASSIGN(const auto projection, projection_of(call.input, scope));
    TRY(scope.all_used());
    ASSIGN(Table * table, find_table(call, call.input));
    ASSIGN(const Item key, key_of(*table, *call.input.find("Key")));
    const Table::ItemPtr item = table->find(key);
    auto out = call.answer();
    out.begin_object();
    if (item != nullptr) {
        out.key("Item");
        write(out, projection ? project(*item, *projection) : *item);
    }
    write_capacity(call, out, *table,
                   half_read_units(item != nullptr ? size_of(*item) : 0,
                                   call.input.boolean_or("ConsistentRead", false)));
    out.end_object();
    return {};
}

ApiStatus query(Call& call) {
    ASSIGN(Reading reading, begin(call, "QueryFilter"));
    ASSIGN(const KeyCondition condition, key_condition_of(call.input, reading));
    TRY(reading.scope.all_used());
    TRY(check_filter(reading));
    const Ordered& items = reading.items();
    const std::string prefix = order_prefix(condition.hash);
    if (reading.after && !reading.after->starts_with(prefix))
        return invalid(
            "The provided starting key is outside query boundaries based on provided "
            "conditions");
    Page page(call, reading);
    const auto take_all = [&](auto at, auto end) {
        for (; at != end && at->first.starts_with(prefix); ++at) {
            if (condition.range && !holds(*condition.range, *at->second)) continue;
            if (page.is_full()) return true;
            page.take(at->second);
        }
        // As at AWS: a page that is exactly full does not know that nothing follows.
        return page.is_full();
    };
    bool has_more = false;
    if (call.input.boolean_or("ScanIndexForward", true)) {
        std::string from = prefix;
        if (condition.low) from += range_part(*condition.low);
        auto begin = items.lower_bound(from);
        if (reading.after && *reading.after >= from) begin = items.upper_bound(*reading.after);
        has_more = take_all(begin, items.end());
    } else {
        auto begin = reading.after ? items.lower_bound(*reading.after)
                                   : items.lower_bound(order_end(condition.hash));
        has_more = take_all(std::make_reverse_iterator(begin), items.rend());
    }
    page.answer(has_more);
    return {};
}

ApiStatus scan(Call& call) {
    ASSIGN(Reading reading, begin(call, "ScanFilter"));
    TRY(reading.scope.all_used());
    const Value* segment = call.input.find("Segment");
    const Value* total = call.input.find("TotalSegments");
    if (segment != nullptr && total == nullptr)
        return invalid(
            "The TotalSegments parameter is required but was not present in the request when "
            "parameter Segment is present");
    if (segment == nullptr && total != nullptr)
        return invalid(
            "The Segment parameter is required but was not present in the request when parameter "
            "TotalSegments is present");
    const Ordered& items = reading.items();
    auto begin = items.begin(), end = items.end();
    if (segment != nullptr) {
        const auto number = static_cast<std::uint64_t>(call.input.integer_or("Segment", 0));
        const auto count = static_cast<std::uint64_t>(call.input.integer_or("TotalSegments", 1));
        if (number >= count)
            return invalid(
                fmt::format("The Segment parameter is zero-based and must be less than parameter "
                            "TotalSegments: Segment: {} is not less than TotalSegments: {}",
                            number, count));
        begin = items.lower_bound(segment_begin(number, count));
        if (number + 1 < count) end = items.lower_bound(segment_begin(number + 1, count));
        if (reading.after) {
            const auto first = segment_begin(number, count);
            if (*reading.after < first ||
                (number + 1 < count && *reading.after >= segment_begin(number + 1, count)))
                return invalid(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
                    "ExclusiveStartKey with correct Segment. TotalSegments: " +
                    fmt::format("{} Segment: {}", count, number));
        }
    }
    if (reading.after) begin = items.upper_bound(*reading.after);
    Page page(call, reading);
    auto at = begin;
    for (; at != end && !page.is_full(); ++at)
        page.take(at->second);
    page.answer(page.is_full());
    return {};
}

}  // namespace tidemill::dynamodb
