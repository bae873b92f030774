#include <algorithm>
#include <cctype>

#include <re2/re2.h>

#include "operators/expr/function.h"

// Positions and lengths count characters of UTF-8, from 1.
namespace tidemill::sql {

namespace {

using Types = std::span<const Type>;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }
bool is_text(const Type& type) { return type.is_text() || type.kind == TypeKind::Null; }
bool is_count(const Type& type) { return type.is_integer() || type.kind == TypeKind::Null; }

std::int64_t character_count(std::string_view text) {
    return std::ranges::count_if(text, starts_character);
}

// Byte offset of character `index` (from 0), at most the size.
std::size_t offset_of(std::string_view text, std::int64_t index) {
    std::size_t at = 0;
    for (; index > 0 && at < text.size(); --index) {
        ++at;
        while (at < text.size() && !starts_character(text[at]))
            ++at;
    }
    return at;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

template <void (*change)(std::string&)>
void map_text(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.assign(call.args[0]->text_at(i));
        change(text);
        call.out.set_text(i, text);
    });
}
template <void (*change)(std::string&)>
std::optional<Signature> resolve_map(Types args) {
    if (!is_text(args[0])) return std::nullopt;
    const auto type = args[0].is_text() ? args[0] : Type::varchar();
    return Signature{{type}, type, map_text<change>};
}
void to_lower(std::string& text) { std::ranges::transform(text, text.begin(), lower); }
void to_upper(std::string& text) { std::ranges::transform(text, text.begin(), upper); }
void to_initcap(std::string& text) {
    bool starts_word = true;
    for (char& c : text) {
        c = starts_word ? upper(c) : lower(c);
        starts_word = std::isalnum(static_cast<unsigned char>(c)) == 0 &&
                      static_cast<unsigned char>(c) < 0x80;
    }
}

void char_length(const KernelCall& call) {
    call.rows.for_each(
        [&](std::size_t i) { call.out.set_int(i, character_count(call.args[0]->text_at(i))); });
}
std::optional<Signature> resolve_length(Types args) {
    if (!is_text(args[0])) return std::nullopt;
    return Signature{{Type::varchar()}, TypeKind::Integer, char_length};
}

void concat(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.assign(call.args[0]->text_at(i));
        text += call.args[1]->text_at(i);
        call.out.set_text(i, std::string_view(text).substr(0, kMaxTextLength));
    });
}
std::optional<Signature> resolve_concat(Types args) {
    if (!is_text(args[0]) || !is_text(args[1])) return std::nullopt;
    const auto length = std::min(args[0].length + args[1].length, kMaxTextLength);
    return Signature{
        {Type::varchar(), Type::varchar()}, Type::varchar(std::max(length, 1u)), concat};
}

// SUBSTRING('abc' FROM 0 FOR 2) counts the place before the first character, as SQL says: 'a'.
void substring(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto text = call.args[0]->text_at(i);
        const auto from = call.args[1]->int_at(i);
        std::int64_t end = INT64_MAX;
        if (call.args.size() > 2) {
            const auto length = call.args[2]->int_at(i);
            if (length < 0)
                return call.fail(i, "INVALID_LENGTH", "SUBSTRING's length must not be negative.");
            if (__builtin_add_overflow(from, length, &end)) end = INT64_MAX;
        }
        const auto begin = std::max<std::int64_t>(from, 1);
        if (end <= begin) return call.out.set_text(i, {});
        const auto tail = text.substr(offset_of(text, begin - 1));
        call.out.set_text(i,
                          end == INT64_MAX ? tail : tail.substr(0, offset_of(tail, end - begin)));
    });
}
std::optional<Signature> resolve_substring(Types args) {
    if (!is_text(args[0]) || !std::ranges::all_of(args.subspan(1), is_count)) return std::nullopt;
    Signature signature{{Type::varchar()},
                        args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                        substring};
    signature.parameters.resize(args.size(), TypeKind::BigInt);
    return signature;
}

template <bool at_front, bool at_back>
void trim(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        auto text = call.args[0]->text_at(i);
        const auto set = call.args.size() > 1 ? call.args[1]->text_at(i) : std::string_view(" ");
        if (at_front) text.remove_prefix(std::min(text.find_first_not_of(set), text.size()));
        if (at_back) text = text.substr(0, text.find_last_not_of(set) + 1);
        call.out.set_text(i, text);
    });
}
template <bool at_front, bool at_back>
std::optional<Signature> resolve_trim(Types args) {
    if (!std::ranges::all_of(args, is_text)) return std::nullopt;
    Signature signature{{},
                        args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                        trim<at_front, at_back>};
    signature.parameters.resize(args.size(), Type::varchar());
    return signature;
}

void position(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        const auto text = call.args[1]->text_at(i);
        const auto at = text.find(call.args[0]->text_at(i));
        call.out.set_int(
            i, at == std::string_view::npos ? 0 : character_count(text.substr(0, at)) + 1);
    });
}
std::optional<Signature> resolve_position(Types args) {
    if (!std::ranges::all_of(args, is_text)) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar()}, TypeKind::Integer, position};
}

// OVERLAY(text PLACING new FROM start [FOR length of what goes])
void overlay(const KernelCall& call) {
    std::string result;
    call.rows.for_each([&](std::size_t i) {
        const auto text = call.args[0]->text_at(i), patch = call.args[1]->text_at(i);
        const auto from = call.args[2]->int_at(i);
        const auto length = call.args.size() > 3 ? call.args[3]->int_at(i) : character_count(patch);
        if (from < 1 || length < 0)
            return call.fail(i, "INVALID_LENGTH",
                             "OVERLAY starts at 1 and has no negative length.");
        const auto begin = offset_of(text, from - 1);
        const auto tail = text.substr(begin);
        result.assign(text.substr(0, begin))
            .append(patch)
            .append(tail.substr(offset_of(tail, length)));
        call.out.set_text(i, result);
    });
}
std::optional<Signature> resolve_overlay(Types args) {
    if (!is_text(args[0]) || !is_text(args[1]) || !std::ranges::all_of(args.subspan(2), is_count))
        return std::nullopt;
    Signature signature{{Type::varchar(), Type::varchar()}, Type::varchar(), overlay};
    signature.parameters.resize(args.size(), TypeKind::BigInt);
    return signature;
}

// REGEX_REPLACE(text, pattern, replacement, start from 1, occurrence; 0: all)
void regex_replace(const KernelCall& call) {
    std::string cached_pattern;
    std::unique_ptr<RE2> regex;
    std::string result;
    call.rows.for_each([&](std::size_t i) {
        const auto pattern = call.args[1]->text_at(i);
        if (!regex || pattern != cached_pattern) {
            cached_pattern = pattern;
            regex = std::make_unique<RE2>(cached_pattern, RE2::Quiet);
        }
        if (!regex->ok())
            return call.fail(i, "INVALID_PATTERN",
                             "The pattern '" + cached_pattern + "' is wrong: " + regex->error());
        const auto text = call.args[0]->text_at(i), replacement = call.args[2]->text_at(i);
        const auto start = call.args[3]->int_at(i), occurrence = call.args[4]->int_at(i);
        if (start < 1 || occurrence < 0)
            return call.fail(i, "INVALID_LENGTH", "REGEX_REPLACE starts at 1, occurrence at 0.");
        const re2::StringPiece piece(text.data(), text.size());
        std::size_t at = offset_of(text, start - 1);
        result.assign(text.substr(0, at));
        re2::StringPiece found;
        for (std::int64_t count = 1; at <= text.size(); ++count) {
            if (!regex->Match(piece, at, text.size(), RE2::UNANCHORED, &found, 1)) break;
            const auto begin = static_cast<std::size_t>(found.data() - text.data());
            result += text.substr(at, begin - at);
            result += occurrence == 0 || count == occurrence ? replacement
                                                             : text.substr(begin, found.size());
            at = begin + found.size();
            if (found.empty()) {
                // An empty match must not stop the walk.
                if (at < text.size()) result += text[at];
                ++at;
            }
            if (occurrence != 0 && count >= occurrence) break;
        }
        if (at < text.size()) result += text.substr(at);
        call.out.set_text(i, result);
    });
}
std::optional<Signature> resolve_regex_replace(Types args) {
    if (!std::ranges::all_of(args.first(3), is_text) ||
        !std::ranges::all_of(args.subspan(3), is_count))
        return std::nullopt;
    return Signature{
        {Type::varchar(), Type::varchar(), Type::varchar(), TypeKind::BigInt, TypeKind::BigInt},
        Type::varchar(),
        regex_replace};
}

constexpr Function kTable[] = {
    {"LOWER", 1, 1, resolve_map<to_lower>, "LOWER(text)"},
    {"UPPER", 1, 1, resolve_map<to_upper>, "UPPER(text)"},
    {"INITCAP", 1, 1, resolve_map<to_initcap>, "INITCAP(text)"},
    {"CHAR_LENGTH", 1, 1, resolve_length, "CHAR_LENGTH(text)"},
    {"CHARACTER_LENGTH", 1, 1, resolve_length, "CHARACTER_LENGTH(text)"},
    {"||", 2, 2, resolve_concat, "text || text"},
    {"SUBSTRING", 2, 3, resolve_substring, "SUBSTRING(text FROM start [FOR length])"},
    {"TRIM", 1, 2, resolve_trim<true, true>,
     "TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)"},
    {"LTRIM", 1, 2, resolve_trim<true, false>, "TRIM(LEADING [characters] FROM text)"},
    {"RTRIM", 1, 2, resolve_trim<false, true>, "TRIM(TRAILING [characters] FROM text)"},
    {"POSITION", 2, 2, resolve_position, "POSITION(text IN text)"},
    {"OVERLAY", 3, 4, resolve_overlay, "OVERLAY(text PLACING text FROM start [FOR length])"},
    {"REGEX_REPLACE", 5, 5, resolve_regex_replace,
     "REGEX_REPLACE(text, pattern, replacement, start, occurrence)"},
};

}  // namespace

std::span<const Function> text_functions() { return kTable; }

}  // namespace tidemill::sql
