#include "operators/connect/json_path.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {
namespace {

constexpr std::size_t kPathMax = 65'535;
constexpr std::size_t kStepsMax = 1'000;

bool is_plain(std::string_view member) {
    return !member.empty() && member.find_first_of(".[]'\" \t\r\n") == std::string_view::npos;
}

class Reader {
 public:
    explicit Reader(std::string_view text) : text_(text) {}

    Result<JsonPath> read() {
        if (text_.size() > kPathMax) return wrong("it is too long");
        // `$name` without a point is written by some.
        if (!take('$')) return wrong("it must begin with $");
        JsonPath path;
        while (at_ < text_.size()) {
            if (path.steps.size() == kStepsMax) return wrong("it has too many steps");
            if (take('['))
                TRY(bracket(path));
            else
                TRY(member(path));
        }
        return path;
    }

 private:
    std::unexpected<Error> wrong(std::string_view why) const {
        return fail(Errc::InvalidArgument,
                    fmt::format("{} is no path: {}", text_.substr(0, 200), why));
    }
    bool take(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    Status member(JsonPath& path) {
        if (!take('.') && !path.steps.empty()) return wrong("expected . or [");
        const auto end = std::min(text_.find_first_of(".[", at_), text_.size());
        if (end == at_) return wrong("a member's name is missing");
        path.steps.push_back({std::string(text_.substr(at_, end - at_)), false});
        at_ = end;
        return {};
    }
    Status bracket(JsonPath& path) {
        if (text_.substr(at_).starts_with("0:]")) {
            at_ += 3;
            path.steps.push_back({{}, true});
            return {};
        }
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"')
            return wrong("the only index is [0:], all elements of an array");
        std::string name;
        for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            name += text_[at_];
        }
        if (!take(quote) || !take(']')) return wrong("a quoted name does not end");
        path.steps.push_back({std::move(name), false});
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) { return Reader(text).read(); }

bool JsonPath::starts_with(const JsonPath& other) const {
    return steps.size() >= other.steps.size() &&
           std::equal(other.steps.begin(), other.steps.end(), steps.begin());
}

std::string JsonPath::to_string() const {
    std::string text = "$";
    for (const auto& step : steps) {
        if (step.is_elements) {
            text += "[0:]";
        } else if (is_plain(step.member)) {
            text += "." + step.member;
        } else {
            text += "['";
            for (const char c : step.member) {
                if (c == '\'' || c == '\\') text += '\\';
                text += c;
            }
            text += "']";
        }
    }
    return text;
}

}  // namespace tidemill::sql
