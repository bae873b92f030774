#pragma once

#include "operators/expr/bind_expression.h"
#include "operators/plan/plan.h"
#include "operators/sql/column_list_parser.h"

namespace tidemill::sql {

/// Turns one SELECT into a plan. Parts: bind_select.cpp (clauses in order), bind_from.cpp,
/// bind_join.cpp, bind_lookup.cpp, bind_group.cpp (tumbling), bind_slide.cpp (OVER),
/// bind_forest.cpp (table functions).
class SelectBinder {
 public:
    /// `functions` are those of CREATE FUNCTION, if there are any.
    SelectBinder(std::string_view sql_text, const StreamCatalog& catalog,
                 const UserFunctions* functions = nullptr)
        : text_(sql_text), catalog_(catalog), functions_(functions) {}

    SqlResult<PlanPtr> bind(const ast::Select& select);
    /// Streams that were read, each once.
    const std::vector<std::size_t>& sources() const { return sources_; }
    /// Whether error_stream was read, too.
    bool reads_errors() const { return reads_errors_; }

 private:
    /// A row of a join is met by later rows of others only while each of its own rows can be.
    struct Reach {
        std::size_t rowtime;  ///< column that holds the ROWTIME of such a row
        std::int64_t millis;
    };
    /// How the rows of a changelog are told apart, and where it says what they do.
    struct ChangeColumns {
        std::vector<std::size_t> row_key;
        std::size_t op = 0;
    };
    struct Relation {
        PlanPtr plan;
        Scope scope;
        // In a join:
        std::optional<std::size_t> table{};  ///< of the catalog; `plan` then has its schema alone
        bool has_window = false;             ///< given by OVER
        JoinWindow window{};
        bool has_rows_window = false;  ///< one of its own sides has a window of rows
        std::int64_t following = 0;    ///< milliseconds that the window reaches forward
        std::int64_t row_window = 0;   ///< length of the windows of its rows: TUMBLE, HOP ...
        std::vector<Reach> reach{};
        /// TUMBLE, HOP ...: the scope ends with the columns of the windows, the plan does not yet.
        std::optional<WindowFunction> windows{};
        Span windows_span{};
        // To be grouped again, where rows change:
        std::optional<ChangeColumns> changes{};
        ExpressionPtr changes_filter{};
    };

    SqlResult<PlanPtr> bind_ordered(const ast::Select& select);
    SqlResult<PlanPtr> bind_single(const ast::Select& select);
    SqlResult<PlanPtr> bind_all_rows(const ast::Select& select);
    SqlResult<PlanPtr> bind_union(const ast::Select& select);
    SqlResult<PlanPtr> bind_order(const ast::Select& select, PlanPtr plan);
    SqlResult<PlanPtr> bind_distinct(const ast::Select& select, PlanPtr plan);
    // bind_top_n.cpp: ROW_NUMBER in a subquery, bounded by the WHERE of the query around it
    struct RankBound {
        std::string name;  ///< of the column with the number
        std::uint32_t limit = 1;
        bool has_rank = false, has_op = false;  ///< whether the outer query looks at them
        const std::vector<ast::StreamOption>* options = nullptr;
        std::vector<const ast::Expr*> others{};  ///< conditions on other columns
    };
    SqlResult<std::optional<RankBound>> find_rank_bound(const ast::Select& select) const;
    SqlResult<PlanPtr> bind_ranked(const ast::Select& select, Relation relation,
                                   const std::optional<RankBound>& bound);
    // bind_changes.cpp: changelogs
    /// Whether the query at work says EMIT CHANGES or PERIODIC.
    bool emits_changes() const {
        return tail_->emit && tail_->emit->kind != ast::EmitKind::WindowClose;
    }
    SqlResult<ChangeColumns> identify_changes(const ast::Select& select, PlanNode& from,
                                              std::string_view what) const;
    void take_back_changes(Relation& relation, PlanNode& grouped, GroupChangesNode& node) const;
    SqlResult<void> check_changelog(const ast::Select& select, const Relation& from,
                                    const std::vector<const ast::Expr*>& conditions,
                                    bool is_grouped) const;
    SqlResult<PlanPtr> bind_time_order(const ast::Select& select, PlanPtr plan);
    SqlResult<PlanPtr> project(const ast::Select& select, Relation relation,
                               const Scope& star_scope, ExpressionBinder& binder);

    SqlResult<Relation> bind_from_clause(const ast::Select& select);
    SqlResult<Relation> bind_from(const ast::FromItem& from);
    SqlResult<void> bind_stream(const ast::FromItem& from, Relation& relation,
                                std::vector<std::string>& qualifiers);

    // bind_join.cpp: joins; bind_lookup.cpp: those with reference tables
    struct JoinCondition {
        std::vector<ExpressionPtr> left_keys, right_keys;
        std::vector<const ast::Expr*> residual;
        std::vector<MergedColumn> merged;  ///< `hidden`: its columns, the left one first
        bool is_same_rowtime = false;      ///< a.ROWTIME = b.ROWTIME is one of them
        bool is_same_window = false;       ///< a.window_end = b.window_end is
    };
    SqlResult<Relation> bind_join_tree(const ast::FromItem& from, const ast::Select& select,
                                       bool sees_where);
    SqlResult<void> bind_join_window(const ast::FromItem& from, const ast::Select& select,
                                     Relation& relation);
    SqlResult<Relation> bind_join(const ast::FromItem& from, Relation left, Relation right,
                                  const ast::Expr* where);
    SqlResult<Relation> bind_stream_join(const ast::FromItem& from, Relation left, Relation right,
                                         Scope scope, JoinCondition condition);
    SqlResult<Relation> bind_lookup(const ast::FromItem& from, Relation left, Relation right,
                                    Scope scope, JoinCondition condition);
    SqlResult<Scope> join_scope(const ast::FromItem& from, const Relation& left,
                                const Relation& right);
    SqlResult<JoinCondition> join_condition(const ast::FromItem& from, const Relation& left,
                                            const Relation& right, const Scope& scope,
                                            const ast::Expr* where);
    SqlResult<void> add_using(const ast::FromItem& from, const Relation& left,
                              const Relation& right, JoinCondition& condition);
    SqlResult<void> add_key(const ast::Expr& at, ExpressionPtr left, ExpressionPtr right,
                            JoinCondition& condition);
    SqlResult<ExpressionPtr> bind_residual(const JoinCondition& condition, const Scope& scope);
    SqlResult<PlanPtr> bind_forest(const ast::Expr& call);

    // bind_windows.cpp: TUMBLE, HOP, CUMULATE, SESSION
    SqlResult<Relation> bind_windows(const ast::FromItem& from);
    SqlResult<std::int64_t> window_length(const ast::Expr& call, std::size_t index,
                                          std::string_view what);
    bool is_window_group(const ast::Select& select, const Relation& relation) const;
    SqlResult<void> add_window_columns(Relation& relation);
    SqlResult<void> check_window_group(const ast::Select& select, const Relation& relation) const;

    // bind_row_parse.cpp: the log parsers
    struct RowParse {
        RowParserPtr parser;
        std::vector<LogColumn> columns;
    };
    /// A row of the select list, and where its columns begin.
    struct RowColumns {
        const ast::Expr* call;
        std::size_t first;
        std::vector<LogColumn> columns;
    };
    SqlResult<void> bind_rows(const ast::Select& select, Relation& relation);
    SqlResult<RowParse> bind_row_parser(const ast::Expr& call);
    SqlResult<RowParse> bind_variable_columns(const ast::Expr& call);
    SqlResult<std::vector<LogColumn>> log_columns(const ast::Expr& at, const std::string& list);
    SqlResult<std::string> row_literal(const ast::Expr& call, std::size_t index,
                                       std::string_view what);
    SqlResult<std::vector<std::pair<std::string, ExpressionPtr>>> row_fields(
        const ast::Expr& call, const std::string& name);
    SqlResult<void> rename_columns(const ast::FromItem& from, PlanNode& plan);

    SqlResult<PlanPtr> bind_hot_spots(const ast::Expr& call);
    SqlResult<PlanPtr> bind_items(const ast::Expr& call);
    SqlResult<PlanPtr> bind_group_rank(const ast::Expr& call);
    SqlResult<std::size_t> named_column(const ast::Expr& named, const PlanNode& input);
    SqlResult<std::vector<ExpressionPtr>> bind_partition(const ast::Expr& cursor,
                                                         const PlanNode& input);
    SqlResult<std::vector<std::size_t>> point_columns(const ast::Expr& cursor,
                                                      const PlanNode& input,
                                                      const std::vector<ExpressionPtr>& keys);
    SqlResult<std::int64_t> forest_parameter(const ast::Expr& call, std::size_t index,
                                             std::string_view name, std::int64_t otherwise,
                                             std::int64_t low, std::int64_t high);

    SqlResult<PlanPtr> bind_grouped(const ast::Select& select, Relation relation);
    SqlResult<PlanPtr> bind_windowed(const ast::Select& select, Relation relation);

    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(text_, span, std::move(message)));
    }

    std::string_view text_;
    const StreamCatalog& catalog_;
    const UserFunctions* functions_;
    const ast::Select* tail_ = nullptr;    ///< has EMIT and WITH of the query at work
    std::optional<RankBound> rank_bound_;  ///< from the query around the one to be bound next
    std::vector<std::size_t> sources_;
    bool reads_errors_ = false;
    std::vector<RowColumns> rows_;
};

/// A scope of a plan's columns under the given names.
Scope scope_of(std::string_view sql_text, const PlanNode& plan,
               std::vector<std::string> qualifiers);
PlanPtr make_filter(PlanPtr input, ExpressionPtr predicate);
/// Where a projection gives the columns of a changelog's key; nothing if it leaves one out.
std::optional<std::vector<std::size_t>> key_through(
    const ProjectNode& project, const std::optional<std::vector<std::size_t>>& key);
/// Where a projection gives any of these columns as they are.
std::vector<std::size_t> columns_through(const ProjectNode& project,
                                         const std::vector<std::size_t>& columns);
/// Whether it is ROW_NUMBER() OVER ...
bool is_row_number(const ast::Expr& expr);
/// Whether the call makes a ROW: a log parser.
bool is_row_function(const ast::Expr& expr);
/// A node with one input and its schema, to be changed by the caller.
PlanPtr make_node(PlanPtr input);
/// Calls `visit` for every node of the tree that is not inside another query; stops below nodes for
/// which it is false.
void walk(const ast::Expr& expr, const std::function<bool(const ast::Expr&)>& visit);

}  // namespace tidemill::sql
