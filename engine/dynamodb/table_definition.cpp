#include "engine/dynamodb/table_definition.h"

#include <charconv>

namespace tidemill::dynamodb {
namespace {

using Kind = Attribute::Kind;
using Projection = IndexDefinition::Projection;

Attribute map_of(Item members) { return {.kind = Kind::Map, .members = std::move(members)}; }
Attribute truth_of(bool truth) { return {.kind = Kind::Boolean, .truth = truth}; }

Attribute key_item(const KeySchema& key) {
    Item item{{"hash", Attribute::of_text(key.hash.name)},
              {"hash_kind", Attribute::of_text(kind_name(key.hash.kind))}};
    if (key.range) {
        item["range"] = Attribute::of_text(key.range->name);
        item["range_kind"] = Attribute::of_text(kind_name(key.range->kind));
    }
    return map_of(std::move(item));
}

/// Reads members, remembering whether one was not as it must be.
class Members {
 public:
    explicit Members(const Item& item) : item_(item) {}

    std::string text(std::string_view name, bool is_required = true) {
        const auto found = item_.find(name);
        if (found == item_.end()) {
            is_sound_ = is_sound_ && !is_required;
            return {};
        }
        is_sound_ = is_sound_ && found->second.kind == Kind::String;
        return found->second.bytes;
    }
    std::int64_t number(std::string_view name) {
        const auto found = item_.find(name);
        if (found == item_.end()) return 0;
        const std::string digits = found->second.number.text();
        std::int64_t value = 0;
        const auto end = digits.data() + digits.size();
        const auto read = std::from_chars(digits.data(), end, value);
        is_sound_ = is_sound_ && found->second.kind == Kind::Number && read.ptr == end;
        return value;
    }
    bool truth(std::string_view name) const {
        const auto found = item_.find(name);
        return found != item_.end() && found->second.truth;
    }
    const Item& map(std::string_view name) {
        static const Item kNone;
        const auto found = item_.find(name);
        return found == item_.end() ? kNone : found->second.members;
    }
    const std::vector<Attribute>& list(std::string_view name) {
        static const std::vector<Attribute> kNone;
        const auto found = item_.find(name);
        return found == item_.end() ? kNone : found->second.elements;
    }
    KeyAttribute key_attribute(std::string_view name, std::string_view kind) {
        KeyAttribute made{text(name), {}};
        is_sound_ = parse_kind(text(kind), made.kind) && is_sound_;
        return made;
    }
    bool is_sound() const { return is_sound_; }
    void add(const Members& inner) { is_sound_ = is_sound_ && inner.is_sound_; }

 private:
    const Item& item_;
    bool is_sound_ = true;
};

KeySchema key_of(Members& members) {
    Members in(members.map("key"));
    KeySchema key{in.key_attribute("hash", "hash_kind")};
    if (!in.text("range", false).empty()) key.range = in.key_attribute("range", "range_kind");
    members.add(in);
    return key;
}

Attribute index_item(const IndexDefinition& index) {
    Item item{{"name", Attribute::of_text(index.name)},
              {"key", key_item(index.key)},
              {"is_local", truth_of(index.is_local)},
              {"projection", Attribute::of_number(static_cast<int>(index.projection))},
              {"read", Attribute::of_number(index.throughput.read)},
              {"write", Attribute::of_number(index.throughput.write)}};
    Attribute included{.kind = Kind::List};
    for (const auto& name : index.included)
        included.elements.push_back(Attribute::of_text(name));
    item["included"] = std::move(included);
    return map_of(std::move(item));
}

IndexDefinition index_of(const Attribute& stored, Members& all) {
    Members in(stored.members);
    IndexDefinition index{.name = in.text("name"), .key = key_of(in)};
    index.is_local = in.truth("is_local");
    index.projection = static_cast<Projection>(in.number("projection"));
    for (const auto& name : in.list("included"))
        index.included.push_back(name.bytes);
    index.throughput = {in.number("read"), in.number("write")};
    all.add(in);
    return index;
}

}  // namespace

std::vector<KeyAttribute> KeySchema::attributes() const {
    std::vector<KeyAttribute> all{hash};
    if (range) all.push_back(*range);
    return all;
}

bool KeySchema::has(std::string_view name) const {
    return hash.name == name || (range && range->name == name);
}

Item to_item(const TableDefinition& table) {
    Item item{{"name", Attribute::of_text(table.name)},
              {"account", Attribute::of_text(table.account)},
              {"id", Attribute::of_text(table.id)},
              {"uid", Attribute::of_number(static_cast<std::int64_t>(table.uid))},
              {"created", Attribute::of_number(to_millis(table.created))},
              {"key", key_item(table.key)},
              {"is_on_demand", truth_of(table.is_on_demand)},
              {"read", Attribute::of_number(table.throughput.read)},
              {"write", Attribute::of_number(table.throughput.write)},
              {"expiry", Attribute::of_text(table.expiry_attribute)},
              {"has_recovery", truth_of(table.has_recovery)},
              {"is_protected", truth_of(table.is_protected)},
              {"class", Attribute::of_text(table.table_class)},
              {"encryption", Attribute::of_text(table.encryption)}};
    Attribute attributes{.kind = Kind::List}, indexes{.kind = Kind::List};
    for (const auto& declared : table.attributes)
        attributes.elements.push_back(
            map_of({{"name", Attribute::of_text(declared.name)},
                    {"kind", Attribute::of_text(kind_name(declared.kind))}}));
    for (const auto& index : table.indexes)
        indexes.elements.push_back(index_item(index));
    Item tags;
    for (const auto& [key, value] : table.tags)
        tags[key] = Attribute::of_text(value);
    item["attributes"] = std::move(attributes);
    item["indexes"] = std::move(indexes);
    item["tags"] = map_of(std::move(tags));
    return item;
}

Result<TableDefinition> table_of_item(const Item& item) {
    Members in(item);
    TableDefinition table{.name = in.text("name"),
                          .account = in.text("account"),
                          .id = in.text("id"),
                          .uid = static_cast<std::uint64_t>(in.number("uid")),
                          .created = from_millis(in.number("created")),
                          .key = key_of(in)};
    for (const auto& declared : in.list("attributes")) {
        Members one(declared.members);
        table.attributes.push_back(one.key_attribute("name", "kind"));
        in.add(one);
    }
    for (const auto& index : in.list("indexes"))
        table.indexes.push_back(index_of(index, in));
    table.is_on_demand = in.truth("is_on_demand");
    table.throughput = {in.number("read"), in.number("write")};
    for (const auto& [key, value] : in.map("tags"))
        table.tags[key] = value.bytes;
    table.expiry_attribute = in.text("expiry");
    table.has_recovery = in.truth("has_recovery");
    table.is_protected = in.truth("is_protected");
    table.table_class = in.text("class");
    table.encryption = in.text("encryption");
    if (!in.is_sound() || table.name.empty())
        return fail(Errc::Corrupt, "a table's row is malformed");
    return table;
}

}  // namespace tidemill::dynamodb
