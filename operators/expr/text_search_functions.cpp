#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "operators/expr/function.h"

// Finding parts of texts, as newer SQL engines offer it.
namespace tidemill::sql {

namespace {

using Types = std::span<const Type>;

bool is_text(const Type& type) { return type.is_text() || type.kind == TypeKind::Null; }
bool is_count(const Type& type) { return type.is_integer() || type.kind == TypeKind::Null; }

// The part behind the `index`th delimiter (from 0) up to the next one; a null pointer if there are
// fewer.
std::string_view split(std::string_view text, std::string_view delimiter, std::int64_t index) {
    const auto find = [&](std::string_view in) {
        return delimiter.size() == 1 ? in.find(delimiter[0]) : in.find(delimiter);
    };
    for (; index > 0; --index) {
        const auto at = find(text);
        if (at == std::string_view::npos) return {};
        text.remove_prefix(at + delimiter.size());
    }
    return text.substr(0, find(text));
}

// SPLIT_INDEX(text, delimiter, index from 0): NULL behind the last part.
void split_index(const KernelCall& call) {
    const auto &texts = *call.args[0], &delimiters = *call.args[1], &indexes = *call.args[2];
    call.rows.for_each([&](std::size_t i) {
        const auto delimiter = delimiters.text_at(i);
        const auto index = indexes.int_at(i);
        const auto text = texts.text_at(i);
        if (delimiter.empty() || index < 0) return call.out.set_null(i);
        const auto part = split(text, delimiter, index);
        if (part.data() == nullptr) return call.out.set_null(i);
        call.out.set_text(i, part);
    });
}
std::optional<Signature> resolve_split_index(Types args) {
    if (!is_text(args[0]) || !is_text(args[1]) || !is_count(args[2])) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar(), TypeKind::BigInt},
                     args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                     split_index};
}

// REGEXP_EXTRACT(text, pattern [, group]): what the group (0: all) of the first match holds; NULL
// without a match or where the group took no part in it.
void regexp_extract(const KernelCall& call) {
    std::string cached_pattern;
    std::unique_ptr<RE2> regex;
    std::vector<re2::StringPiece> groups;
    call.rows.for_each([&](std::size_t i) {
        const auto pattern = call.args[1]->text_at(i);
        if (!regex || pattern != cached_pattern) {
            cached_pattern = pattern;
            regex = std::make_unique<RE2>(cached_pattern, RE2::Quiet);
        }
        if (!regex->ok())
            return call.fail(i, "INVALID_PATTERN",
                             "The pattern '" + cached_pattern + "' is wrong: " + regex->error());
        const auto group = call.args.size() > 2 ? call.args[2]->int_at(i) : 0;
        if (group < 0 || group > regex->NumberOfCapturingGroups())
            return call.fail(
                i, "INVALID_GROUP",
                "The pattern '" + cached_pattern + "' has no group " + std::to_string(group) + ".");
        groups.resize(static_cast<std::size_t>(group) + 1);
        const auto text = call.args[0]->text_at(i);
        const re2::StringPiece piece(text.data(), text.size());
        if (!regex->Match(piece, 0, text.size(), RE2::UNANCHORED, groups.data(),
                          static_cast<int>(group) + 1) ||
            groups.back().data() == nullptr)
            return call.out.set_null(i);
        call.out.set_text(i, {groups.back().data(), groups.back().size()});
    });
}
std::optional<Signature> resolve_regexp_extract(Types args) {
    if (!is_text(args[0]) || !is_text(args[1]) || !std::ranges::all_of(args.subspan(2), is_count))
        return std::nullopt;
    Signature signature{{Type::varchar(), Type::varchar()},
                        args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                        regexp_extract};
    signature.parameters.resize(args.size(), TypeKind::BigInt);
    return signature;
}

// COUNT_CHAR(text, part): how often the part stands in the text, without overlap.
void count_char(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto text = call.args[0]->text_at(i), part = call.args[1]->text_at(i);
        std::int64_t count = 0;
        if (part.size() == 1) {
            for (const char c : text)
                count += c == part[0] ? 1 : 0;
        } else if (!part.empty()) {
            for (auto at = text.find(part); at != std::string_view::npos;
                 at = text.find(part, at + part.size()))
                ++count;
        }
        call.out.set_int(i, count);
    });
}
std::optional<Signature> resolve_count_char(Types args) {
    if (!is_text(args[0]) || !is_text(args[1])) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar()}, TypeKind::BigInt, count_char};
}

constexpr Function kTable[] = {
    {"SPLIT_INDEX", 3, 3, resolve_split_index, "SPLIT_INDEX(text, delimiter, index)"},
    {"REGEXP_EXTRACT", 2, 3, resolve_regexp_extract, "REGEXP_EXTRACT(text, pattern [, group])"},
    {"COUNT_CHAR", 2, 2, resolve_count_char, "COUNT_CHAR(text, part)"},
};

}  // namespace

std::span<const Function> text_search_functions() { return kTable; }

}  // namespace tidemill::sql
