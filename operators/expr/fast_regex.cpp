#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "operators/expr/row_parser.h"

// FAST_REGEX_LOG_PARSE: the pattern becomes a list of items (an atom with its quantifier); the list
// is cut before each group or text between groups, but behind the items of fixed length that begin
// it, so that each part ends where something recognisable stands.
namespace tidemill::sql {

namespace {

constexpr std::size_t kMaxInterval = 1000, kMaxRepeats = 100;

struct Item {
    std::string regex;       ///< for one occurrence
    std::string quantifier;  ///< "", "*", "?", "{n,m}"
    bool is_fixed = true;
    int group = -1;
    std::size_t expression = 0;  ///< the group or the text between groups that it stands in
};

std::string named_class(std::string_view name) {
    struct Class {
        std::string_view name, regex;
    };
    static constexpr Class kClasses[] = {
        {"Digit", "[0-9]"},         {"Upper", "[A-Z]"},        {"Lower", "[a-z]"},
        {"ASCII", "[\\x00-\\x7f]"}, {"Alpha", "[a-zA-Z]"},     {"Alnum", "[a-zA-Z0-9]"},
        {"Punct", "[[:punct:]]"},   {"Blank", "[ \\t]"},       {"Space", "[ \\t\\n\\f\\r\\v]"},
        {"Cntrl", "[[:cntrl:]]"},   {"XDigit", "[0-9a-fA-F]"}, {"Print", "[[:graph:]]"},
        {"Graph", "[[:graph:]]"}};
    for (const auto& entry : kClasses)
        if (entry.name == name) return std::string(entry.regex);
    return {};
}

class FastPattern {
 public:
    FastPattern(std::string_view text, std::string& error) : text_(text), error_(error) {}

    bool read() {
        while (at_ < text_.size()) {
            if (text_[at_] == '(') {
                if (!read_group()) return false;
            } else {
                if (!read_item(-1)) return false;
            }
        }
        return true;
    }
    std::vector<Item> items;
    int groups = 0;

 private:
    bool fail(std::string message) {
        error_ = std::move(message);
        return false;
    }

    // A group whose content is a plain sequence gives its items; any other is one item.
    bool read_group() {
        const auto end = closing(at_);
        if (end == std::string_view::npos) return fail("A group of the pattern has no end.");
        const int group = groups++;
        const auto inside = text_.substr(at_ + 1, end - at_ - 1);
        const bool is_quantified =
            end + 1 < text_.size() &&
            std::string_view("*+?{").find(text_[end + 1]) != std::string_view::npos;
        ++expression_;
        if (is_quantified || has_union(inside)) {
            Item item;
            at_ += 1;
            if (!nested(end, item.regex)) return false;
            item.regex = "(?:" + item.regex + ")";
            item.is_fixed = false;
            if (!read_quantifier(item, group)) return false;
        } else {
            ++at_;
            if (at_ == end) add({"", "", false, group, expression_});
            while (at_ < end)
                if (!read_item(group)) return false;
            ++at_;
        }
        ++expression_;
        return true;
    }

    bool read_item(int group) {
        Item item;
        if (text_[at_] == '(') {
            const auto end = closing(at_);
            if (end == std::string_view::npos) return fail("A group of the pattern has no end.");
            ++at_;
            if (!nested(end, item.regex)) return false;
            item.regex = "(?:" + item.regex + ")";
            item.is_fixed = false;
        } else if (text_[at_] == '|') {
            return fail("A union '|' stands only inside a group of the pattern.");
        } else if (!read_atom(item)) {
            return false;
        }
        return read_quantifier(item, group);
    }

    bool read_quantifier(Item item, int group) {
        item.group = group;
        item.expression = expression_;
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        std::size_t low = 1, high = 1;
        bool is_open = false;
        if (c == '*' || c == '+' || c == '?') {
            ++at_;
            low = c == '+' ? 1 : 0;
            is_open = c != '?';
        } else if (c == '{') {
            const auto end = text_.find('}', at_);
            if (end == std::string_view::npos) return fail("A repetition has no end '}'.");
            const std::string inside(text_.substr(at_ + 1, end - at_ - 1));
            at_ = end + 1;
            const auto comma = inside.find(',');
            const auto number = [](const std::string& digits, std::size_t& value) {
                if (digits.empty() || digits.size() > 3 ||
                    digits.find_first_not_of("0123456789") != std::string::npos)
                    return false;
                value = static_cast<std::size_t>(std::stoul(digits));
                return value <= kMaxRepeats;
            };
            if (!number(inside.substr(0, comma), low))
                return fail(fmt::format("'{{{}}}' is no repetition.", inside));
            high = low;
            if (comma != std::string::npos) {
                is_open = comma + 1 == inside.size();
                if (!is_open && (!number(inside.substr(comma + 1), high) || high < low))
                    return fail(fmt::format("'{{{}}}' is no repetition.", inside));
            }
        }
        // x+ is x x*: what must be there keeps its fixed length.
        for (std::size_t i = 0; i < low; ++i)
            add(item);
        if (is_open)
            item.quantifier = "*";
        else if (high > low)
            item.quantifier = fmt::format("{{0,{}}}", high - low);
        else
            return true;
        item.is_fixed = false;
        add(item);
        return true;
    }

    bool read_atom(Item& item) {
        const char c = text_[at_++];
        switch (c) {
            case '.':
                item.regex = ".";
                return true;
            case '@':
                item.regex = ".*";
                item.is_fixed = false;
                return true;
            case '#':
                item.regex = "[^\\x{0}-\\x{10ffff}]";
                return true;
            case '&':
                return fail("The intersection '&' of patterns is not offered.");
            case '\\': {
                if (at_ >= text_.size()) return fail("The pattern ends with a backslash.");
                item.regex = quoted(1);
                return true;
            }
            case '"': {
                const auto end = text_.find('"', at_);
                if (end == std::string_view::npos) return fail("A text of the pattern has no end.");
                item.regex = "(?:" + quoted(end - at_) + ")";
                ++at_;
                return true;
            }
            case '[': {
                auto end = at_ < text_.size() && text_[at_] == '^' ? at_ + 1 : at_;
                for (++end; end < text_.size() && text_[end] != ']'; ++end)
                    if (text_[end] == '\\') ++end;
                if (end >= text_.size()) return fail("A class of characters has no end ']'.");
                item.regex = "[" + std::string(text_.substr(at_, end - at_)) + "]";
                at_ = end + 1;
                return true;
            }
            case '<':
                return read_name(item);
            case ')':
                return fail("A ')' of the pattern closes nothing.");
            default:
                --at_;
                item.regex = quoted(character_bytes());
                return true;
        }
    }

    bool read_name(Item& item) {
        const auto end = text_.find('>', at_);
        if (end == std::string_view::npos) return fail("A name of the pattern has no end '>'.");
        const auto name = text_.substr(at_, end - at_);
        at_ = end + 1;
        item.regex = named_class(name);
        if (!item.regex.empty()) return true;
        unsigned long low = 0, high = 0;
        const auto dash = name.find('-');
        const auto is_number = [](std::string_view digits) {
            return !digits.empty() && digits.size() < 7 &&
                   digits.find_first_not_of("0123456789") == std::string_view::npos;
        };
        if (dash == std::string_view::npos || !is_number(name.substr(0, dash)) ||
            !is_number(name.substr(dash + 1)))
            return fail(fmt::format("The pattern's name <{}> is unknown.", name));
        low = std::stoul(std::string(name.substr(0, dash)));
        high = std::stoul(std::string(name.substr(dash + 1)));
        if (high < low || high - low > kMaxInterval)
            return fail(fmt::format("The interval <{}> has no number, or more than {}.", name,
                                    kMaxInterval));
        item.is_fixed = std::to_string(low).size() == std::to_string(high).size();
        for (auto number = high + 1; number-- > low;)
            item.regex += (item.regex.empty() ? "(?:" : "|") + std::to_string(number);
        item.regex += ")";
        if (!item.is_fixed) item.regex = "0*" + item.regex;
        item.regex = "(?:" + item.regex + ")";
        return true;
    }

    // Everything up to `end` as one regex; stops behind it.
    bool nested(std::size_t end, std::string& regex) {
        while (at_ < end) {
            if (text_[at_] == '|') {
                regex += '|';
                ++at_;
            } else if (text_[at_] == '(') {
                const auto inner = closing(at_);
                ++at_;
                regex += "(?:";
                if (!nested(inner, regex)) return false;
                regex += ")";
            } else if (std::string_view("*+?{").find(text_[at_]) != std::string_view::npos) {
                const auto stop = text_[at_] == '{' ? std::min(text_.find('}', at_), end - 1) : at_;
                regex += text_.substr(at_, stop - at_ + 1);
                at_ = stop + 1;
            } else {
                Item item;
                if (!read_atom(item)) return false;
                regex += item.regex;
            }
        }
        at_ = end + 1;
        return true;
    }

    bool has_union(std::string_view inside) const {
        int depth = 0;
        for (std::size_t i = 0; i < inside.size(); ++i) {
            if (inside[i] == '\\')
                ++i;
            else if (inside[i] == '(')
                ++depth;
            else if (inside[i] == ')')
                --depth;
            else if (inside[i] == '|' && depth == 0)
                return true;
        }
        return false;
    }
    std::size_t closing(std::size_t open) const {
        int depth = 0;
        for (auto i = open; i < text_.size(); ++i) {
            if (text_[i] == '\\')
                ++i;
            else if (text_[i] == '(')
                ++depth;
            else if (text_[i] == ')' && --depth == 0)
                return i;
        }
        return std::string_view::npos;
    }
    std::size_t character_bytes() const {
        auto end = at_ + 1;
        while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xc0) == 0x80)
            ++end;
        return end - at_;
    }
    std::string quoted(std::size_t bytes) {
        const auto regex = RE2::QuoteMeta(re2::StringPiece(text_.data() + at_, bytes));
        at_ += bytes;
        return regex;
    }
    void add(Item item) { items.push_back(std::move(item)); }

    std::string_view text_;
    std::string& error_;
    std::size_t at_ = 0, expression_ = 0;
};

// One step of the scan: a regex, and which of its groups belongs to which column.
struct Part {
    std::string regex;
    std::vector<int> columns;
    bool is_greedy = false;
    std::unique_ptr<RE2> compiled;
};

class FastRegexParser final : public RowParser {
 public:
    FastRegexParser(std::vector<Part> parts, std::size_t columns)
        : parts_(std::move(parts)), columns_(columns) {
        std::size_t most = 0;
        for (const auto& part : parts_)
            most = std::max(most, part.columns.size());
        found_.resize(most + 1);
    }

    std::size_t size() const override { return columns_; }
    bool parse(std::string_view line,
               std::vector<std::optional<std::string_view>>& pieces) override {
        pieces.assign(columns_, std::nullopt);
        const re2::StringPiece text(line.data(), line.size());
        std::size_t at = 0;
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            const auto& part = parts_[p];
            const bool is_last = p + 1 == parts_.size();
            if (!part.compiled->Match(text, at, text.size(),
                                      is_last ? RE2::ANCHOR_BOTH : RE2::ANCHOR_START, found_.data(),
                                      static_cast<int>(part.columns.size()) + 1))
                return false;
            at = static_cast<std::size_t>(found_[0].data() - line.data()) + found_[0].size();
            for (std::size_t i = 0; i < part.columns.size(); ++i) {
                auto& piece = pieces[static_cast<std::size_t>(part.columns[i])];
                const auto& more = found_[i + 1];
                if (more.data() == nullptr) continue;
                // A column that goes on in the next part: both lie side by side.
                const char* begin = piece ? piece->data() : more.data();
                piece = std::string_view(
                    begin, static_cast<std::size_t>(more.data() + more.size() - begin));
            }
        }
        return at == line.size();
    }

 private:
    std::vector<Part> parts_;
    std::size_t columns_;
    std::vector<re2::StringPiece> found_;
};

// Lazy everywhere, but for text between groups that nothing recognisable ends: it takes all it can.
Part make_part(const std::vector<Item>& items) {
    Part part;
    part.is_greedy = std::ranges::all_of(
        items, [](const Item& item) { return item.group < 0 && !item.is_fixed; });
    int open = -1;
    for (const auto& item : items) {
        if (item.group != open) {
            if (open >= 0) part.regex += ")";
            if (item.group >= 0) {
                part.regex += "(";
                part.columns.push_back(item.group);
            }
            open = item.group;
        }
        part.regex += item.regex;
        if (item.regex == ".*" && !part.is_greedy) part.regex += "?";
        if (!item.quantifier.empty()) part.regex += item.quantifier + (part.is_greedy ? "" : "?");
    }
    if (open >= 0) part.regex += ")";
    return part;
}

}  // namespace

RowParserPtr make_fast_regex_parser(std::string_view pattern, std::string& error) {
    FastPattern fast(pattern, error);
    if (!fast.read()) return nullptr;
    if (fast.groups == 0) {
        error = "The pattern has no group (...), so the row would have no column.";
        return nullptr;
    }
    // A part begins at the first item of an expression that has no fixed length.
    std::vector<std::vector<Item>> cut(1);
    std::size_t begun = SIZE_MAX;
    for (auto& item : fast.items) {
        if (!item.is_fixed && item.expression != begun) {
            if (!cut.back().empty()) cut.emplace_back();
            begun = item.expression;
        }
        cut.back().push_back(std::move(item));
    }
    std::vector<Part> parts;
    for (const auto& items : cut) {
        parts.push_back(make_part(items));
        RE2::Options options(RE2::Quiet);
        options.set_dot_nl(true);
        options.set_max_mem(64 << 20);
        parts.back().compiled = std::make_unique<RE2>(parts.back().regex, options);
        if (!parts.back().compiled->ok()) {
            error = "The pattern cannot be used: " + parts.back().compiled->error() + ".";
            return nullptr;
        }
    }
    return std::make_unique<FastRegexParser>(std::move(parts),
                                             static_cast<std::size_t>(fast.groups));
}

}  // namespace tidemill::sql
