#include "operators/expr/pattern.h"

#include <re2/re2.h>

namespace tidemill::sql {

std::optional<std::string> pattern_to_regex(std::string_view pattern, std::optional<char> escape,
                                            bool is_similar) {
    std::string regex;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        char c = pattern[i];
        if (escape && c == *escape) {
            if (++i == pattern.size()) return std::nullopt;
            c = pattern[i];
        } else if (c == '%') {
            regex += ".*";
            continue;
        } else if (c == '_') {
            regex += '.';
            continue;
        } else if (is_similar &&
                   std::string_view("|*+?{}()[]^-,").find(c) != std::string_view::npos) {
            regex += c;
            continue;
        }
        if (std::string_view("\\.^$|()[]{}*+?").find(c) != std::string_view::npos) regex += '\\';
        regex += c;
    }
    return regex;
}

namespace {

// Compiles a pattern once as long as it stays the same from row to row, as a literal does.
class PatternTest final : public Expression {
 public:
    PatternTest(std::vector<ExpressionPtr> args, bool is_similar, bool is_negated)
        : Expression(TypeKind::Boolean),
          args_(std::move(args)),
          inputs_(args_.size()),
          is_similar_(is_similar),
          is_negated_(is_negated),
          out_(TypeKind::Boolean) {}

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        for (std::size_t i = 0; i < args_.size(); ++i)
            inputs_[i] = &args_[i]->evaluate(evaluation, rows);
        out_.reset(evaluation.batch.rows);
        const auto live = select_non_null(inputs_, rows, out_, scratch_);
        live.for_each([&](std::size_t row) {
            const auto pattern = inputs_[1]->text_at(row);
            const auto escape = inputs_.size() > 2 ? inputs_[2]->text_at(row) : std::string_view();
            if (!regex_ || pattern != pattern_ || escape != escape_) compile(pattern, escape);
            if (!regex_ || !regex_->ok()) {
                evaluation.fail(row, "INVALID_PATTERN", "The pattern '" + pattern_ + "' is wrong.");
                out_.set_null(row);
                return;
            }
            const auto text = inputs_[0]->text_at(row);
            const bool matches =
                RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex_);
            out_.set_bool(row, matches != is_negated_);
        });
        return out_;
    }
    std::string describe() const override {
        return args_[0]->describe() + (is_negated_ ? " NOT" : "") +
               (is_similar_ ? " SIMILAR TO " : " LIKE ") + args_[1]->describe();
    }

 private:
    void compile(std::string_view pattern, std::string_view escape) {
        pattern_ = pattern;
        escape_ = escape;
        regex_.reset();
        if (escape.size() > 1) return;
        const auto text = pattern_to_regex(
            pattern, escape.empty() ? std::nullopt : std::optional<char>(escape[0]), is_similar_);
        if (!text) return;
        RE2::Options options(RE2::Quiet);
        options.set_dot_nl(true);
        regex_ = std::make_unique<RE2>(*text, options);
    }

    std::vector<ExpressionPtr> args_;
    std::vector<const Column*> inputs_;
    bool is_similar_, is_negated_;
    std::string pattern_, escape_;
    std::unique_ptr<RE2> regex_;
    std::vector<RowIndex> scratch_;
    Column out_;
};

}  // namespace

ExpressionPtr make_pattern_test(ExpressionPtr value, ExpressionPtr pattern, ExpressionPtr escape,
                                bool is_similar, bool is_negated) {
    std::vector<ExpressionPtr> args;
    args.push_back(std::move(value));
    args.push_back(std::move(pattern));
    if (escape) args.push_back(std::move(escape));
    return std::make_unique<PatternTest>(std::move(args), is_similar, is_negated);
}

}  // namespace tidemill::sql
