#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operators/expr/expression.h"
#include "operators/expr/scope.h"

namespace tidemill::sql {

/// The functions that CREATE FUNCTION made, in order. A body sees only functions before its own, so
/// none can call itself.
/// Ownership: the syntax trees belong to the caller and must outlive every binding.
/// Limits: kMaxInlinedCalls bodies put in place for one application.
class UserFunctions {
 public:
    static constexpr std::size_t kMaxInlinedCalls = 10'000;

    /// Checks the body. Errors: the name of a built-in function, the same parameters twice without
    /// OR REPLACE, a body that does not bind or has another type than RETURNS says.
    SqlResult<void> add(const ast::CreateFunction& function, std::string_view sql_text);
    bool has(std::string_view name) const;
    std::vector<std::string> names() const;
    /// Binds a call whose arguments are bound already.
    SqlResult<ExpressionPtr> bind_call(const ast::Expr& call, std::vector<ExpressionPtr> args,
                                       std::string_view sql_text) const;

 private:
    SqlResult<ExpressionPtr> bind_body(std::size_t index, const std::vector<ExpressionPtr>& args,
                                       std::string_view sql_text) const;
    std::size_t visible() const { return owner_ == nullptr ? list_.size() : limit_; }
    const std::vector<const ast::CreateFunction*>& list() const {
        return owner_ == nullptr ? list_ : owner_->list_;
    }

    std::vector<const ast::CreateFunction*> list_;
    const UserFunctions* owner_ = nullptr;  ///< set in a view of the first `limit_` functions
    std::size_t limit_ = 0;
    mutable std::size_t inlined_ = 0;
};

}  // namespace tidemill::sql
