#include <algorithm>
#include <cctype>

#include <re2/re2.h>

#include "operators/expr/function.h"
#include "operators/expr/pattern.h"

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

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

// The regex of the row before, as long as the pattern stays the same, as a literal does.
class CachedRegex {
 public:
    /// False: the row has failed.
    bool set(const KernelCall& call, std::size_t row, std::string_view pattern) {
        if (!regex_ || pattern != pattern_) {
            pattern_ = pattern;
            regex_ = std::make_unique<RE2>(pattern_, RE2::Quiet);
        }
        if (regex_->ok()) return true;
        call.fail(row, "INVALID_PATTERN",
                  "The pattern '" + pattern_ + "' is wrong: " + regex_->error());
        return false;
    }
    const RE2* operator->() const { return regex_.get(); }

 private:
    std::string pattern_;
    std::unique_ptr<RE2> regex_;
};

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

// SUBSTRING(text FROM 'regex'): what matches first, null if nothing does.
void substring_of_regex(const KernelCall& call) {
    CachedRegex regex;
    call.rows.for_each([&](std::size_t i) {
        if (!regex.set(call, i, call.args[1]->text_at(i))) return;
        re2::StringPiece found;
        const auto text = piece_of(call.args[0]->text_at(i));
        if (regex->Match(text, 0, text.size(), RE2::UNANCHORED, &found, 1))
            call.out.set_text(i, {found.data(), found.size()});
        else
            call.out.set_null(i);
    });
}

// SUBSTRING(text SIMILAR 'before#"wanted#"after' ESCAPE '#')
void substring_similar(const KernelCall& call) {
    CachedRegex regex;
    call.rows.for_each([&](std::size_t i) {
        const auto pattern = call.args[1]->text_at(i), escape = call.args[2]->text_at(i);
        const auto mark = std::string(escape) + '"';
        const auto first = pattern.find(mark), second = pattern.find(mark, first + mark.size());
        std::string text;
        bool is_good = escape.size() == 1 && second != std::string_view::npos &&
                       first != std::string_view::npos;
        for (int part = 0; is_good && part < 3; ++part) {
            const auto begin = part == 0 ? 0 : (part == 1 ? first : second) + mark.size();
            const auto end = part == 0 ? first : part == 1 ? second : pattern.size();
            const auto one = pattern_to_regex(pattern.substr(begin, end - begin), escape[0], true);
            is_good = one.has_value();
            if (is_good) text += (part == 1 ? "(" : "(?:") + *one + ")";
        }
        if (!is_good)
            return call.fail(
                i, "INVALID_PATTERN",
                "The pattern of SIMILAR needs two marks, the escape character and \".");
        if (!regex.set(call, i, text)) return;
        re2::StringPiece found[2];
        const auto source = piece_of(call.args[0]->text_at(i));
        if (regex->Match(source, 0, source.size(), RE2::UNANCHORED, found, 2))
            call.out.set_text(i, {found[1].data(), found[1].size()});
        else
            call.out.set_null(i);
    });
}
std::optional<Signature> resolve_substring_similar(Types args) {
    if (!std::ranges::all_of(args, is_text)) return std::nullopt;
    return Signature{
        {Type::varchar(), Type::varchar(), Type::varchar()}, Type::varchar(), substring_similar};
}

// SUBSTRING with commas: null if it starts behind the end.
void substring(const KernelCall& call);
void substr(const KernelCall& call) {
    substring(call);
    call.rows.for_each([&](std::size_t i) {
        if (call.args[1]->int_at(i) > character_count(call.args[0]->text_at(i)))
            call.out.set_null(i);
    });
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
template <Kernel kernel>
std::optional<Signature> resolve_substring(Types args) {
    if (kernel == Kernel(substring) && args.size() == 2 && is_text(args[0]) && args[1].is_text())
        return Signature{{Type::varchar(), Type::varchar()}, Type::varchar(), substring_of_regex};
    if (!is_text(args[0]) || !std::ranges::all_of(args.subspan(1), is_count)) return std::nullopt;
    Signature signature{{Type::varchar()},
                        args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                        kernel};
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
        if (length < 0)
            return call.fail(i, "INVALID_LENGTH", "OVERLAY's length must not be negative.");
        // A start before the text puts that much of the new text in front.
        std::int64_t end = 0;
        if (__builtin_add_overflow(from - 1, length, &end)) end = INT64_MAX;
        result.assign(text.substr(0, offset_of(text, std::max<std::int64_t>(from - 1, 0))))
            .append(patch)
            .append(text.substr(offset_of(text, std::max<std::int64_t>(end, 0))));
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

// $1 and ${name} stand for groups, a backslash takes the next character as it is. False: no such
// group.
constexpr int kMaxGroups = 10;
bool append_replacement(std::string& to, std::string_view replacement,
                        std::span<const re2::StringPiece> groups) {
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const char c = replacement[i];
        if (c == '\\' && i + 1 < replacement.size()) {
            to += replacement[++i];
        } else if (c == '$') {
            const auto digit = i + 1 < replacement.size() ? replacement[i + 1] - '0' : -1;
            if (digit < 0 || digit > 9 || static_cast<std::size_t>(digit) >= groups.size())
                return false;
            const auto& group = groups[static_cast<std::size_t>(digit)];
            if (group.data() != nullptr) to.append(group.data(), group.size());
            ++i;
        } else {
            to += c;
        }
    }
    return true;
}

// REGEX_REPLACE(text, pattern, replacement, start from 1, occurrence; 0: all)
void regex_replace(const KernelCall& call) {
    CachedRegex regex;
    std::string result;
    call.rows.for_each([&](std::size_t i) {
        if (!regex.set(call, i, call.args[1]->text_at(i))) return;
        const auto text = call.args[0]->text_at(i), replacement = call.args[2]->text_at(i);
        const auto start = call.args.size() > 3 ? call.args[3]->int_at(i) : 1;
        const auto occurrence = call.args.size() > 4 ? call.args[4]->int_at(i) : 0;
        if (start < 1 || occurrence < 0)
            return call.fail(i, "INVALID_LENGTH", "REGEX_REPLACE starts at 1, occurrence at 0.");
        if (start > character_count(text)) return call.out.set_text(i, text);
        const auto piece = piece_of(text);
        std::size_t at = offset_of(text, start - 1);
        result.assign(text.substr(0, at));
        re2::StringPiece found[kMaxGroups];
        const int groups = std::min(regex->NumberOfCapturingGroups() + 1, kMaxGroups);
        for (std::int64_t count = 1; at <= text.size(); ++count) {
            if (!regex->Match(piece, at, text.size(), RE2::UNANCHORED, found, groups)) break;
            const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
            result += text.substr(at, begin - at);
            if (occurrence != 0 && count != occurrence)
                result += text.substr(begin, found[0].size());
            else if (!append_replacement(result, replacement,
                                         {found, static_cast<std::size_t>(groups)}))
                return call.fail(i, "INVALID_PATTERN",
                                 "The replacement names a group that the pattern does not have.");
            at = begin + found[0].size();
            if (found[0].empty()) {
                // An empty match must not stop the walk.
                if (at < text.size()) result += text[at];
                ++at;
            }
            if (occurrence != 0 && count >= occurrence) break;
        }
        if (at < text.size()) result += text.substr(at);
        call.out.set_text(i, std::string_view(result).substr(0, kMaxTextLength));
    });
}
std::optional<Signature> resolve_regex_replace(Types args) {
    if (!std::ranges::all_of(args.first(3), is_text) ||
        !std::ranges::all_of(args.subspan(3), is_count))
        return std::nullopt;
    Signature signature{
        {Type::varchar(), Type::varchar(), Type::varchar()}, Type::varchar(), regex_replace};
    signature.parameters.resize(args.size(), TypeKind::BigInt);
    return signature;
}

// REGEXP_EXTRACT(text, pattern [, group]): null if nothing matches.
void regexp_extract(const KernelCall& call) {
    CachedRegex regex;
    call.rows.for_each([&](std::size_t i) {
        if (!regex.set(call, i, call.args[1]->text_at(i))) return;
        const auto group = call.args.size() > 2 ? call.args[2]->int_at(i) : 0;
        if (group < 0 || group >= kMaxGroups || group > regex->NumberOfCapturingGroups())
            return call.fail(i, "INVALID_PATTERN", "The pattern has no such group.");
        re2::StringPiece found[kMaxGroups];
        const auto text = piece_of(call.args[0]->text_at(i));
        const bool matches =
            regex->Match(text, 0, text.size(), RE2::UNANCHORED, found, static_cast<int>(group) + 1);
        const auto& piece = found[group];
        if (matches && piece.data() != nullptr)
            call.out.set_text(i, {piece.data(), piece.size()});
        else
            call.out.set_null(i);
    });
}
std::optional<Signature> resolve_regexp_extract(Types args) {
    if (!std::ranges::all_of(args.first(2), is_text) ||
        !std::ranges::all_of(args.subspan(2), is_count))
        return std::nullopt;
    Signature signature{{Type::varchar(), Type::varchar()}, Type::varchar(), regexp_extract};
    signature.parameters.resize(args.size(), TypeKind::BigInt);
    return signature;
}

// SPLIT_INDEX(text, separator, index from 0): null behind the last part.
void split_index(const KernelCall& call) {
    call.rows.for_each([&](std::size_t i) {
        auto text = call.args[0]->text_at(i);
        const auto separator = call.args[1]->text_at(i);
        auto index = call.args[2]->int_at(i);
        if (index < 0 || separator.empty()) return call.out.set_null(i);
        for (; index > 0; --index) {
            const auto at = text.find(separator);
            if (at == std::string_view::npos) return call.out.set_null(i);
            text.remove_prefix(at + separator.size());
        }
        call.out.set_text(i, text.substr(0, text.find(separator)));
    });
}
std::optional<Signature> resolve_split_index(Types args) {
    if (!is_text(args[0]) || !is_text(args[1]) || !is_count(args[2])) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar(), TypeKind::BigInt},
                     args[0].is_text() ? Type::varchar(args[0].length) : Type::varchar(),
                     split_index};
}

// REPLACE(text, old, new): every place.
void replace(const KernelCall& call) {
    std::string result;
    call.rows.for_each([&](std::size_t i) {
        auto text = call.args[0]->text_at(i);
        const auto from = call.args[1]->text_at(i), to = call.args[2]->text_at(i);
        if (from.empty()) return call.out.set_text(i, text);
        result.clear();
        for (auto at = text.find(from); at != std::string_view::npos; at = text.find(from)) {
            result.append(text.substr(0, at)).append(to);
            text.remove_prefix(at + from.size());
        }
        result += text;
        call.out.set_text(i, std::string_view(result).substr(0, kMaxTextLength));
    });
}
std::optional<Signature> resolve_replace(Types args) {
    if (!std::ranges::all_of(args, is_text)) return std::nullopt;
    return Signature{{Type::varchar(), Type::varchar(), Type::varchar()}, Type::varchar(), replace};
}

void concat_all(const KernelCall& call) {
    std::string text;
    call.rows.for_each([&](std::size_t i) {
        text.clear();
        for (const auto* arg : call.args)
            text += arg->text_at(i);
        call.out.set_text(i, std::string_view(text).substr(0, kMaxTextLength));
    });
}
std::optional<Signature> resolve_concat_all(Types args) {
    if (!std::ranges::all_of(args, is_text)) return std::nullopt;
    return Signature{std::vector<Type>(args.size(), Type::varchar()), Type::varchar(), concat_all};
}

constexpr Function kTable[] = {
    {"LOWER", 1, 1, resolve_map<to_lower>, "LOWER(text)"},
    {"UPPER", 1, 1, resolve_map<to_upper>, "UPPER(text)"},
    {"INITCAP", 1, 1, resolve_map<to_initcap>, "INITCAP(text)"},
    {"CHAR_LENGTH", 1, 1, resolve_length, "CHAR_LENGTH(text)"},
    {"CHARACTER_LENGTH", 1, 1, resolve_length, "CHARACTER_LENGTH(text)"},
    {"||", 2, 2, resolve_concat, "text || text"},
    {"LENGTH", 1, 1, resolve_length, "LENGTH(text)"},
    {"CONCAT", 1, 32, resolve_concat_all, "CONCAT(text, ...)"},
    {"REPLACE", 3, 3, resolve_replace, "REPLACE(text, old, new)"},
    {"SPLIT_INDEX", 3, 3, resolve_split_index, "SPLIT_INDEX(text, separator, index)"},
    {"REGEXP_EXTRACT", 2, 3, resolve_regexp_extract, "REGEXP_EXTRACT(text, pattern [, group])"},
    {"SUBSTRING", 2, 3, resolve_substring<substring>,
     "SUBSTRING(text FROM start [FOR length]) or SUBSTRING(text FROM 'pattern')"},
    {"SUBSTR", 2, 3, resolve_substring<substr>, "SUBSTRING(text, start [, length])"},
    {"SUBSTRING SIMILAR", 3, 3, resolve_substring_similar,
     "SUBSTRING(text SIMILAR pattern ESCAPE character)"},
    {"TRIM", 1, 2, resolve_trim<true, true>,
     "TRIM([BOTH | LEADING | TRAILING] [characters] FROM text)"},
    {"LTRIM", 1, 2, resolve_trim<true, false>, "TRIM(LEADING [characters] FROM text)"},
    {"RTRIM", 1, 2, resolve_trim<false, true>, "TRIM(TRAILING [characters] FROM text)"},
    {"POSITION", 2, 2, resolve_position, "POSITION(text IN text)"},
    {"OVERLAY", 3, 4, resolve_overlay, "OVERLAY(text PLACING text FROM start [FOR length])"},
    {"REGEX_REPLACE", 3, 5, resolve_regex_replace,
     "REGEX_REPLACE(text, pattern, replacement [, start [, occurrence]])"},
};

}  // namespace

std::span<const Function> text_functions() { return kTable; }

}  // namespace tidemill::sql
