#include "operators/expr/user_function.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/aggregate.h"
#include "operators/expr/bind_expression.h"
#include "operators/expr/cast.h"
#include "operators/expr/function.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

namespace {

// Computes the arguments once, and the body over a batch whose columns they are.
class UserCall final : public Expression {
 public:
    UserCall(std::string name, std::vector<ExpressionPtr> args, ExpressionPtr body, bool is_strict)
        : Expression(body->type()),
          name_(std::move(name)),
          args_(std::move(args)),
          body_(std::move(body)),
          is_strict_(is_strict),
          out_(type()) {
        inputs_.resize(args_.size());
        monotonicity = is_strict_ ? Monotonicity::None : body_->monotonicity;
        is_nullable = body_->is_nullable || is_strict_;
    }

    const Column& evaluate(Evaluation& evaluation, const Selection& rows) override {
        Batch inner;
        inner.rowtime = evaluation.batch.rowtime;
        inner.rows = evaluation.batch.rows;
        for (std::size_t i = 0; i < args_.size(); ++i)
            inputs_[i] = &args_[i]->evaluate(evaluation, rows);
        inner.columns = inputs_;
        Selection live = rows;
        if (is_strict_) {
            out_.reset(inner.rows);
            live = select_non_null(inputs_, rows, out_, non_null_);
        }
        inner.selection = live;
        Evaluation nested(inner, evaluation.now);
        const auto& result = body_->evaluate(nested, live);
        for (auto& error : nested.errors)
            evaluation.fail(error.row, error.name, std::move(error.message));
        if (!is_strict_) return result;
        live.for_each([&](std::size_t row) { out_.set_from(row, result, row); });
        return out_;
    }
    std::string describe() const override {
        std::string text = name_ + "(";
        for (std::size_t i = 0; i < args_.size(); ++i)
            text += (i > 0 ? ", " : "") + args_[i]->describe();
        return text + ")";
    }

 private:
    std::string name_;
    std::vector<ExpressionPtr> args_;
    ExpressionPtr body_;
    bool is_strict_;
    std::vector<const Column*> inputs_;
    std::vector<RowIndex> non_null_;
    Column out_;
};

// Exact types: the kind must be the same; lengths and digits may differ, and NULL goes anywhere.
bool takes(const Type& parameter, const Type& argument) {
    return argument.kind == TypeKind::Null || argument.kind == parameter.kind ||
           (argument.is_text() && parameter.is_text());
}

bool has_parameters(const ast::CreateFunction& a, const ast::CreateFunction& b) {
    return std::ranges::equal(a.parameters, b.parameters, [](const auto& x, const auto& y) {
        return x.type.kind == y.type.kind;
    });
}

std::string list_types(const ast::CreateFunction& function) {
    std::string text;
    for (const auto& parameter : function.parameters)
        text += (text.empty() ? "" : ", ") + parameter.type.to_string();
    return function.name.text + "(" + text + ")";
}

}  // namespace

bool UserFunctions::has(std::string_view name) const {
    for (std::size_t i = 0; i < visible(); ++i)
        if (list()[i]->name.text == name) return true;
    return false;
}

std::vector<std::string> UserFunctions::names() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < visible(); ++i)
        names.push_back(print_name(list()[i]->name.text));
    return names;
}

SqlResult<void> UserFunctions::add(const ast::CreateFunction& function, std::string_view sql_text) {
    const auto& name = function.name;
    const auto failure = [&](Span span, std::string message) {
        return std::unexpected(locate(sql_text, span, std::move(message)));
    };
    if (find_function(name.text) != nullptr || aggregate_kind(name.text))
        return failure(name.span,
                       fmt::format("{} is a built-in function already.", print_name(name.text)));
    for (std::size_t i = 0; i < function.parameters.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (function.parameters[i].name.text == function.parameters[k].name.text)
                return failure(function.parameters[i].name.span,
                               fmt::format("The parameter {} is declared twice.",
                                           print_name(function.parameters[i].name.text)));
    std::size_t place = 0;
    while (place < list_.size() &&
           (list_[place]->name.text != name.text || !has_parameters(*list_[place], function)))
        ++place;
    if (place < list_.size() && !function.or_replace)
        return failure(name.span,
                       fmt::format("The function {} exists already; CREATE OR REPLACE replaces it.",
                                   list_types(function)));
    const auto* before = place < list_.size() ? list_[place] : nullptr;
    if (before == nullptr)
        list_.push_back(&function);
    else
        list_[place] = &function;
    std::vector<ExpressionPtr> args;
    for (const auto& parameter : function.parameters)
        args.push_back(std::make_unique<Literal>(Value::null(parameter.type)));
    auto body = bind_body(place, args, sql_text);
    if (body) return {};
    if (before == nullptr)
        list_.pop_back();
    else
        list_[place] = before;
    return std::unexpected(std::move(body).error());
}

SqlResult<ExpressionPtr> UserFunctions::bind_body(std::size_t index,
                                                  const std::vector<ExpressionPtr>& args,
                                                  std::string_view sql_text) const {
    const auto& function = *list()[index];
    UserFunctions earlier;
    earlier.owner_ = owner_ == nullptr ? this : owner_;
    earlier.limit_ = index;
    Scope scope{sql_text, {function.name.text}, {}};
    scope.functions = &earlier;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const auto& parameter = function.parameters[i];
        const bool is_check = args[i]->monotonicity == Monotonicity::Constant;
        scope.columns.push_back({parameter.name.text, parameter.type,
                                 is_check || args[i]->is_nullable, false, args[i]->monotonicity});
    }
    ASSIGN(auto body, ExpressionBinder(scope).bind(*function.body));
    if (!is_assignable(body->type(), function.result))
        return std::unexpected(
            locate(sql_text, function.body->span,
                   fmt::format("{} returns {}, its expression gives {}. Use CAST.",
                               print_name(function.name.text), function.result.to_string(),
                               body->type().to_string())));
    return cast_to(std::move(body), function.result);
}

SqlResult<ExpressionPtr> UserFunctions::bind_call(const ast::Expr& call,
                                                  std::vector<ExpressionPtr> args,
                                                  std::string_view sql_text) const {
    const auto failure = [&](std::string message) {
        return std::unexpected(locate(sql_text, call.span, std::move(message)));
    };
    std::string candidates;
    for (std::size_t i = 0; i < visible(); ++i) {
        const auto& function = *list()[i];
        if (function.name.text != call.op) continue;
        candidates += (candidates.empty() ? "" : " or ") + list_types(function);
        const bool fits = std::ranges::equal(
            function.parameters, args,
            [](const auto& parameter, auto& arg) { return takes(parameter.type, arg->type()); });
        if (!fits) continue;
        auto& inlined = owner_ == nullptr ? inlined_ : owner_->inlined_;
        if (++inlined > kMaxInlinedCalls)
            return failure(fmt::format("The application calls its functions more than {} times.",
                                       kMaxInlinedCalls));
        for (std::size_t k = 0; k < args.size(); ++k)
            args[k] = cast_to(std::move(args[k]), function.parameters[k].type);
        ASSIGN(auto body, bind_body(i, args, sql_text));
        return std::make_unique<UserCall>(call.op, std::move(args), std::move(body),
                                          function.is_null_on_null);
    }
    std::string types;
    for (const auto& arg : args)
        types += (types.empty() ? "" : ", ") + arg->type().to_string();
    return failure(
        fmt::format("{}({}) fits no function; expected {}. Use CAST.", call.op, types, candidates));
}

}  // namespace tidemill::sql
