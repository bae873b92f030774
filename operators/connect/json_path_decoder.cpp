#include "operators/connect/json_path_decoder.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

#include "operators/connect/coercion.h"
#include "operators/connect/row_decoder.h"
#include "operators/connect/schema_decoder.h"

namespace tidemill::sql {
namespace {

namespace ondemand = simdjson::ondemand;

/// The paths of all columns as one tree, so that a document is walked once.
struct Node {
    std::string member;
    std::vector<Node> members;
    std::unique_ptr<Node> elements;    // of the flattened array
    std::vector<std::size_t> columns;  // that take the whole value

    Node& child(const std::string& name) {
        for (auto& node : members)
            if (node.member == name) return node;
        members.push_back({name, {}, nullptr, {}});
        return members.back();
    }
};

struct Tree {
    Node root;
    std::vector<char> is_flat;  // by column: it has a value in each element
    std::vector<JsonPath> flattened;
};

Tree grow(const ColumnPaths& paths) {
    Tree tree;
    tree.is_flat.assign(paths.columns.size(), 0);
    for (std::size_t i = 0; i < paths.columns.size(); ++i) {
        const JsonPath& path = paths.columns[i];
        Node* node = &tree.root;
        for (std::size_t at = 0; at < path.steps.size(); ++at) {
            const auto& step = path.steps[at];
            if (!step.is_elements) {
                node = &node->child(step.member);
                continue;
            }
            // The last `[0:]` of a column stands for the array's text, that of the row path for
            // each element.
            const bool is_row_path = at + 1 == path.steps.size() && at < paths.row.steps.size();
            if (at + 1 == path.steps.size() && !is_row_path) continue;
            if (!node->elements) node->elements = std::make_unique<Node>();
            node = node->elements.get();
            tree.is_flat[i] = 1;
            JsonPath array;
            array.steps.assign(path.steps.begin(),
                               path.steps.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            const auto same = [&](const JsonPath& other) { return other.steps == array.steps; };
            if (std::ranges::none_of(tree.flattened, same)) tree.flattened.push_back(array);
        }
        node->columns.push_back(i);
    }
    return tree;
}

/// A value as the document has it.
struct Found {
    enum class Kind : std::uint8_t { Absent, Null, False, True, Number, Text, Nested };
    Kind kind = Kind::Absent;
    std::string_view text;  // of a Text: unescaped
};

/// Appends what was found of one row.
class FoundRow final : public SchemaDecoder {
 public:
    using SchemaDecoder::SchemaDecoder;
    std::vector<const Found*> values;  // by column; null: NULL

 private:
    bool fill(std::string_view, RowBatch& rows, RejectedRow& bad) override {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] == nullptr || values[i]->kind == Found::Kind::Absent) continue;
            is_set_[i] = 1;
            Column& column = rows.columns[i];
            if (append(column, *values[i])) continue;
            const bool is_truth =
                values[i]->kind == Found::Kind::True || values[i]->kind == Found::Kind::False;
            const std::string_view truth = values[i]->kind == Found::Kind::True ? "true" : "false";
            bad.name = "TYPE_MISMATCH";
            bad.message =
                misfit(is_truth ? truth : values[i]->text, schema_[i].name, column.type());
            return false;
        }
        return true;
    }

    static bool append(Column& column, const Found& found) {
        switch (found.kind) {
            case Found::Kind::Absent:
            case Found::Kind::Null:
                column.append_null();
                return true;
            case Found::Kind::False:
            case Found::Kind::True:
                return append_boolean_as(column, found.kind == Found::Kind::True);
            case Found::Kind::Number:
                return append_number_as(column, found.text);
            case Found::Kind::Text:
                return append_text_as(column, found.text);
            case Found::Kind::Nested:
                return column.type().is_text() && append_text_as(column, found.text);
        }
        return false;
    }
};

class JsonPathDecoder final : public RecordDecoder {
 public:
    JsonPathDecoder(const ColumnPaths& paths, const Schema& schema,
                    std::optional<std::size_t> rowtime_column)
        : tree_(grow(paths)), row_(schema, rowtime_column), shared_(paths.columns.size()) {
        row_.values.resize(paths.columns.size());
    }

    void decode(std::string_view record, const RecordMetadata& metadata, RowBatch& rows,
                RejectedRows& rejected) override {
        while (const auto document = take_row(RecordFormat::Json, record))
            decode_document(*document, metadata, rows, rejected);
    }

 private:
    void decode_document(std::string_view text, const RecordMetadata& metadata, RowBatch& rows,
                         RejectedRows& rejected) {
        // An array of documents is as many documents, unless the paths speak of its elements.
        const bool is_array =
            text.starts_with('[') && !tree_.root.elements && tree_.root.columns.empty();
        std::ranges::fill(shared_, Found{});
        elements_.clear();
        has_array_ = false;
        if (const auto error = is_array ? walk_all(text, metadata, rows, rejected) : walk(text)) {
            RejectedRow bad;
            bad.name = "PARSE_ERROR";
            bad.message =
                fmt::format("the row is no JSON object: {}", simdjson::error_message(error));
            reject(std::move(bad), text, metadata, rejected);
            return;
        }
        if (!is_array) emit(text, metadata, rows, rejected);
    }

    void emit(std::string_view text, const RecordMetadata& metadata, RowBatch& rows,
              RejectedRows& rejected) {
        const std::size_t width = shared_.size();
        const bool is_empty = has_array_ && elements_.empty();
        const std::size_t count =
            std::max<std::size_t>(elements_.size() / std::max<std::size_t>(width, 1), 1);
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t c = 0; c < width; ++c) {
                const bool is_flat = tree_.is_flat[c] != 0;
                row_.values[c] = is_empty            ? nullptr
                                 : !is_flat          ? &shared_[c]
                                 : elements_.empty() ? nullptr
                                                     : &elements_[i * width + c];
            }
            RejectedRow bad;
            if (!row_.decode(text, metadata, rows, bad))
                reject(std::move(bad), text, metadata, rejected);
        }
    }

    static void reject(RejectedRow bad, std::string_view text, const RecordMetadata& metadata,
                       RejectedRows& rejected) {
        bad.data = text;
        bad.data_rowtime = metadata.rowtime;
        rejected.push_back(std::move(bad));
    }

    simdjson::error_code parse(std::string_view text, ondemand::document& document) {
        padded_.resize(std::max(padded_.size(), text.size() + simdjson::SIMDJSON_PADDING));
        std::memcpy(padded_.data(), text.data(), text.size());
        std::memset(padded_.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
        return parser_.iterate(padded_.data(), text.size(), padded_.size()).get(document);
    }

    simdjson::error_code walk(std::string_view text) {
        ondemand::document document;
        if (auto error = parse(text, document)) return error;
        ondemand::value root;
        if (auto error = document.get_value().get(root)) return error;
        if (auto error = look(root, tree_.root, shared_.data())) return error;
        const char* rest = nullptr;
        return document.current_location().get(rest) ? simdjson::SUCCESS
                                                     : simdjson::TRAILING_CONTENT;
    }

    /// The elements' texts are found first: each is then a document of its own.
    simdjson::error_code walk_all(std::string_view text, const RecordMetadata& metadata,
                                  RowBatch& rows, RejectedRows& rejected) {
        std::vector<std::string_view> documents;
        {
            ondemand::document document;
            if (auto error = parse(text, document)) return error;
            ondemand::array array;
            if (auto error = document.get_array().get(array)) return error;
            for (auto element : array) {
                std::string_view raw;
                if (auto error = simdjson::to_json_string(element).get(raw)) return error;
                // Into the caller's text: the copy is used again.
                documents.push_back(
                    text.substr(static_cast<std::size_t>(raw.data() - padded_.data()), raw.size()));
            }
        }
        for (const auto document : documents) {
            if (document.starts_with('[')) {
                RejectedRow bad;
                bad.name = "PARSE_ERROR";
                bad.message = "the row is no JSON object: it is an array in an array";
                reject(std::move(bad), document, metadata, rejected);
            } else {
                decode_document(document, metadata, rows, rejected);
            }
        }
        return simdjson::SUCCESS;
    }

    simdjson::error_code look(ondemand::value& value, const Node& node, Found* into) {
        ondemand::json_type type{};
        if (auto error = value.type().get(type)) return error;
        switch (type) {
            case ondemand::json_type::object:
                return look_into_object(value, node, into);
            case ondemand::json_type::array:
                return look_into_array(value, node, into);
            default:
                return look_at_scalar(value, type, node, into);
        }
    }

    simdjson::error_code look_at_scalar(ondemand::value& value, ondemand::json_type type,
                                        const Node& node, Found* into) {
        Found found;
        if (type == ondemand::json_type::null) {
            bool is_null = false;
            if (auto error = value.is_null().get(is_null)) return error;
            found.kind = Found::Kind::Null;
        } else if (type == ondemand::json_type::boolean) {
            bool truth = false;
            if (auto error = value.get_bool().get(truth)) return error;
            found.kind = truth ? Found::Kind::True : Found::Kind::False;
        } else if (type == ondemand::json_type::number) {
            found.kind = Found::Kind::Number;
            found.text = value.raw_json_token();
            while (!found.text.empty() && static_cast<unsigned char>(found.text.back()) <= ' ')
                found.text.remove_suffix(1);
            double number = 0;  // 01 and 1.e5 are none
            if (auto error = value.get_double().get(number)) return error;
        } else {
            found.kind = Found::Kind::Text;
            if (auto error = value.get_string().get(found.text)) return error;
        }
        keep(node, found, into);
        return simdjson::SUCCESS;
    }

    simdjson::error_code look_into_object(ondemand::value& value, const Node& node, Found* into) {
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        if (!node.columns.empty()) {
            std::string_view text;
            if (auto error = object.raw_json().get(text)) return error;
            keep(node, {Found::Kind::Nested, text}, into);
            if (node.members.empty() && !node.elements) return simdjson::SUCCESS;
            if (auto error = object.reset().error()) return error;
        }
        Found* place = into;
        const Node* names = &node;
        // An object where an array is flattened is one element.
        if (node.elements && node.members.empty()) {
            names = node.elements.get();
            place = add_element();
        }
        for (auto member : object) {
            std::string_view key;
            if (auto error = member.unescaped_key().get(key)) return error;
            const auto child = std::ranges::find(names->members, key, &Node::member);
            if (child == names->members.end()) continue;
            ondemand::value below;
            if (auto error = member.value().get(below)) return error;
            if (auto error = look(below, *child, place)) return error;
        }
        return simdjson::SUCCESS;
    }

    simdjson::error_code look_into_array(ondemand::value& value, const Node& node, Found* into) {
        ondemand::array array;
        if (auto error = value.get_array().get(array)) return error;
        if (!node.columns.empty()) {
            std::string_view text;
            if (auto error = array.raw_json().get(text)) return error;
            keep(node, {Found::Kind::Nested, text}, into);
            if (node.members.empty() && !node.elements) return simdjson::SUCCESS;
            if (auto error = array.reset().error()) return error;
        }
        if (node.elements) has_array_ = true;
        for (auto element : array) {
            ondemand::value below;
            if (auto error = element.get(below)) return error;
            const auto error = node.elements ? look(below, *node.elements, add_element())
                                             : look_for_members(below, node, into);
            if (error) return error;
        }
        return simdjson::SUCCESS;
    }

    /// `$.a.b` where `a` is an array: of the first element that has it.
    simdjson::error_code look_for_members(ondemand::value& value, const Node& node, Found* into) {
        ondemand::json_type type{};
        if (auto error = value.type().get(type)) return error;
        if (type != ondemand::json_type::object) return simdjson::SUCCESS;
        ondemand::object object;
        if (auto error = value.get_object().get(object)) return error;
        for (auto member : object) {
            std::string_view key;
            if (auto error = member.unescaped_key().get(key)) return error;
            const auto child = std::ranges::find(node.members, key, &Node::member);
            if (child == node.members.end()) continue;
            ondemand::value below;
            if (auto error = member.value().get(below)) return error;
            if (auto error = look(below, *child, into)) return error;
        }
        return simdjson::SUCCESS;
    }

    static void keep(const Node& node, const Found& found, Found* into) {
        // Of two members of one name the first counts.
        for (const std::size_t column : node.columns)
            if (into[column].kind == Found::Kind::Absent) into[column] = found;
    }

    Found* add_element() {
        has_array_ = true;
        elements_.resize(elements_.size() + shared_.size());
        return elements_.data() + (elements_.size() - shared_.size());
    }

    const Tree tree_;
    FoundRow row_;
    std::vector<Found> shared_, elements_;  // elements_: one after the other, a Found a column
    bool has_array_ = false;
    ondemand::parser parser_;
    std::vector<char> padded_;
};

}  // namespace

Status check_paths(const ColumnPaths& paths) {
    const Tree tree = grow(paths);
    if (tree.flattened.size() > 1)
        return fail(Errc::InvalidArgument,
                    fmt::format("only one array can be flattened, not both {} and {}",
                                tree.flattened[0].to_string(), tree.flattened[1].to_string()));
    return {};
}

std::unique_ptr<RecordDecoder> make_json_path_decoder(const ColumnPaths& paths,
                                                      const Schema& schema,
                                                      std::optional<std::size_t> rowtime_column) {
    return std::make_unique<JsonPathDecoder>(paths, schema, rowtime_column);
}

}  // namespace tidemill::sql
