#include "operators/expr/row_parser.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

namespace tidemill::sql {

namespace {

using Pieces = std::vector<std::optional<std::string_view>>;

class RegexParser final : public RowParser {
 public:
    explicit RegexParser(const std::string& pattern) : regex_(pattern, options()) {
        groups_.resize(static_cast<std::size_t>(std::max(regex_.NumberOfCapturingGroups(), 0)) + 1);
    }
    bool is_good() const { return regex_.ok(); }
    const std::string& error() const { return regex_.error(); }

    std::size_t size() const override { return groups_.size() - 1; }
    bool parse(std::string_view line, Pieces& pieces) override {
        const re2::StringPiece text(line.data(), line.size());
        if (!regex_.Match(text, 0, text.size(), RE2::ANCHOR_BOTH, groups_.data(),
                          static_cast<int>(groups_.size())))
            return false;
        pieces.clear();
        for (std::size_t i = 1; i < groups_.size(); ++i) {
            if (groups_[i].data() == nullptr)
                pieces.emplace_back();
            else
                pieces.emplace_back(std::string_view(groups_[i].data(), groups_[i].size()));
        }
        return true;
    }

 private:
    static RE2::Options options() {
        RE2::Options options(RE2::Quiet);
        options.set_max_mem(64 << 20);
        return options;
    }
    RE2 regex_;
    std::vector<re2::StringPiece> groups_;
};

class DelimitedParser final : public RowParser {
 public:
    DelimitedParser(std::size_t count, std::string delimiter, std::string escape,
                    std::string quotes)
        : count_(count),
          delimiter_(std::move(delimiter)),
          escape_(std::move(escape)),
          quotes_(std::move(quotes)) {}

    std::size_t size() const override { return count_; }
    // Quotes and escapes fall away, so pieces are copied where there are any.
    bool parse(std::string_view line, Pieces& pieces) override {
        kept_.clear();
        kept_.reserve(line.size());
        std::vector<std::pair<std::size_t, std::size_t>> places;
        std::size_t begin = 0;
        char closing = 0;
        for (std::size_t i = 0; i < line.size();) {
            const auto rest = line.substr(i);
            if (!escape_.empty() && rest.starts_with(escape_) && rest.size() > escape_.size()) {
                kept_ += rest[escape_.size()];
                i += escape_.size() + 1;
            } else if (closing != 0 && rest[0] == closing) {
                closing = 0;
                ++i;
            } else if (closing == 0 && !quotes_.empty() && rest[0] == quotes_.front()) {
                closing = quotes_.back();
                ++i;
            } else if (closing == 0 && rest.starts_with(delimiter_)) {
                places.emplace_back(begin, kept_.size());
                begin = kept_.size();
                i += delimiter_.size();
            } else {
                kept_ += rest[0];
                ++i;
            }
        }
        places.emplace_back(begin, kept_.size());
        pieces.assign(count_, std::nullopt);
        for (std::size_t i = 0; i < std::min(count_, places.size()); ++i)
            pieces[i] =
                std::string_view(kept_).substr(places[i].first, places[i].second - places[i].first);
        return true;
    }

 private:
    std::size_t count_;
    std::string delimiter_, escape_, quotes_, kept_;
};

class FixedParser final : public RowParser {
 public:
    explicit FixedParser(std::vector<FixedColumn> columns) : columns_(std::move(columns)) {}

    std::size_t size() const override { return columns_.size(); }
    bool parse(std::string_view line, Pieces& pieces) override {
        pieces.clear();
        for (const auto& column : columns_) {
            if (column.start >= line.size()) {
                pieces.emplace_back();
                continue;
            }
            auto piece = line.substr(column.start, column.length.value_or(line.size()));
            while (piece.ends_with(' '))
                piece.remove_suffix(1);
            while (piece.starts_with(' '))
                piece.remove_prefix(1);
            pieces.emplace_back(piece);
        }
        return true;
    }

 private:
    std::vector<FixedColumn> columns_;
};

std::string predefined(std::string_view name) {
    if (name == "COMMON") return "%h %l %u %t \"%r\" %>s %b";
    if (name == "COMMON WITH VHOST") return "%v %h %l %u %t \"%r\" %>s %b";
    if (name == "NCSA EXTENDED")
        return "%h %l %u %t \"%r\" %>s %b \"%[Referer]i\" \"%[User-agent]i\"";
    if (name == "REFERER") return "%[Referer]i ---> %U";
    if (name == "AGENT") return "%[User-agent]i";
    return {};
}

// address, user, date, time, service, server, server address, milliseconds, bytes in, bytes out,
// status, system status, method, target, parameters
std::string iis_regex() {
    std::string regex = R"(([^,]*))";
    for (int i = 1; i < 15; ++i)
        regex += R"(, ?([^,]*))";
    return regex + R"(,? *)";
}

}  // namespace

RowParserPtr make_regex_parser(std::string_view pattern, std::string& error) {
    auto parser = std::make_unique<RegexParser>(std::string(pattern));
    if (!parser->is_good()) {
        error = fmt::format(
            "The pattern cannot be used: {}. Backreferences, lookaround and possessive quantifiers "
            "are not offered: patterns are matched in linear time.",
            parser->error());
        return nullptr;
    }
    if (parser->size() == 0) {
        error = "The pattern has no group (...), so the row would have no column.";
        return nullptr;
    }
    return parser;
}

RowParserPtr make_syslog_parser() {
    std::string error;
    return make_regex_parser(
        R"(([A-Z][a-z]{2} +[0-9]{1,2} [0-9]{1,2}:[0-9]{2}:[0-9]{2}) ((?s:.*)))", error);
}

RowParserPtr make_w3c_parser(std::string_view format, std::string& error) {
    if (format == "IIS") return make_regex_parser(iis_regex(), error);
    const auto named = predefined(format);
    if (!named.empty()) format = named;
    std::string regex;
    for (std::size_t i = 0; i < format.size();) {
        if (format[i] != '%') {
            regex += RE2::QuoteMeta(re2::StringPiece(&format[i], 1));
            ++i;
            continue;
        }
        // %[conditions][<>][\[name\] or {name}]letter
        ++i;
        while (i < format.size() &&
               (std::string_view("!<>,").find(format[i]) != std::string_view::npos ||
                (format[i] >= '0' && format[i] <= '9')))
            ++i;
        if (i < format.size() && (format[i] == '[' || format[i] == '{')) {
            const auto end = format.find(format[i] == '[' ? ']' : '}', i);
            i = end == std::string_view::npos ? format.size() : end + 1;
        }
        if (i >= format.size()) {
            error = "The format ends inside a specifier.";
            return nullptr;
        }
        const char letter = format[i++];
        const char next = i < format.size() ? format[i] : '\0';
        if (letter == '%') {
            regex += '%';
        } else if (std::string_view("aABbCDefhHilmnopPqrstTuUvVXIO").find(letter) ==
                   std::string_view::npos) {
            error = fmt::format("The format specifier '%{}' is unknown.", letter);
            return nullptr;
        } else if (letter == 't') {
            regex += R"(\[([^\]]*)\])";
        } else if (letter == 'b' || letter == 'B' || letter == 's' || letter == 'D' ||
                   letter == 'T' || letter == 'p' || letter == 'I' || letter == 'O') {
            regex += "([0-9]+|-)";
        } else if (next == '"') {
            regex += R"(((?:[^"\\]|\\.)*))";
        } else if (next == '\0' || letter == 'i' || letter == 'r' || letter == 'o') {
            regex += "(.*?)";
        } else {
            regex += "([^ ]*)";
        }
    }
    return make_regex_parser(regex, error);
}

RowParserPtr make_delimited_parser(std::size_t count, std::string delimiter, std::string escape,
                                   std::string quotes) {
    return std::make_unique<DelimitedParser>(count, std::move(delimiter), std::move(escape),
                                             std::move(quotes));
}

RowParserPtr make_fixed_parser(std::vector<FixedColumn> columns) {
    return std::make_unique<FixedParser>(std::move(columns));
}

}  // namespace tidemill::sql
