#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operators/expr/aggregate.h"
#include "operators/expr/expression.h"
#include "operators/expr/row_parser.h"
#include "operators/plan/state_limits.h"
#include "operators/plan/stream_catalog.h"

/// What a pump does, as a tree of relational steps with bound expressions; `exec` makes one
/// operator of each.
namespace tidemill::sql {

struct PlanNode;
using PlanPtr = std::unique_ptr<PlanNode>;

/// Rows of a stream.
struct ScanNode {
    std::size_t stream;
    std::string name;
};

/// Rows for which the predicate is true.
struct FilterNode {
    ExpressionPtr predicate;
};

/// Computed columns; `rowtime`, if given, replaces ROWTIME (`expr AS ROWTIME`).
struct ProjectNode {
    std::vector<ExpressionPtr> expressions;
    ExpressionPtr rowtime;
};

/// A group key that is STEP or FLOOR of ROWTIME says when its window ends.
struct WindowEnd {
    std::size_t key;
    std::int64_t step_millis;      ///< STEP
    std::optional<TimeUnit> unit;  ///< FLOOR ... TO unit
};

/// Tumbling GROUP BY: groups live until a monotonic key changes. Output: keys, then aggregates.
struct TumbleNode {
    std::vector<ExpressionPtr> keys;
    std::vector<std::size_t> monotonic_keys;
    std::vector<ExpressionPtr> arguments;
    std::vector<AggregateCall> aggregates;  ///< `argument` counts in `arguments`
    std::vector<WindowEnd> ends;
};

/// GROUP BY ... EMIT CHANGES: groups go out whenever they change. Output: keys, ROW_OP, aggregates.
struct GroupChangesNode {
    std::vector<ExpressionPtr> keys;
    std::vector<std::size_t> monotonic_keys;  ///< a change of one forgets all groups
    std::vector<ExpressionPtr> arguments;
    std::vector<AggregateCall> aggregates;
    ExpressionPtr having;                 ///< over the output's columns; may be null
    bool has_op = false;                  ///< whether ROW_OP is looked at
    std::optional<std::size_t> weight{};  ///< column of the input: 1, or -1 to take a row back
    std::int64_t period_millis = 0;       ///< EMIT PERIODIC; 0: after each batch
    StateLimits limits;
};
/// A changelog as rows that come and go. Output: the expressions, then the weight, 1 or -1.
struct RetractNode {
    std::vector<ExpressionPtr> expressions;
    ExpressionPtr predicate;           ///< rows that fail it are as good as gone; may be null
    std::vector<std::size_t> row_key;  ///< columns that identify a row
    std::size_t input_op = 0;          ///< column with its ROW_OP
    StateLimits limits;
};
/// What a row of a changelog does: '+I' a new one, '+U' replaces that of its key, '-D' is gone.
inline constexpr std::string_view kRowOp = "ROW_OP";

/// WINDOWED BY STAGGER: each key's window opens with its first row. Output: keys, then aggregates.
struct StaggerNode {
    std::vector<ExpressionPtr> keys;
    std::int64_t millis = 0;
    std::vector<ExpressionPtr> arguments;
    std::vector<AggregateCall> aggregates;
};

enum class WindowKind : std::uint8_t { Tumble, Hop, Cumulate, Session };
/// TUMBLE, HOP, CUMULATE, SESSION: which windows a row belongs to, by its ROWTIME. They begin at
/// multiples of `slide` since 1970 (Cumulate: of `size`) and do not hold their end.
struct WindowFunction {
    WindowKind kind = WindowKind::Tumble;
    std::int64_t size = 0;                 ///< milliseconds; Session: the gap that ends one
    std::int64_t slide = 0;                ///< of Hop; the step of Cumulate; else the size
    std::vector<std::size_t> partition{};  ///< Session: columns
};
/// The columns that they add.
enum class WindowColumn : std::uint8_t { Start, End, Time };

/// A row for each window that the row belongs to. Output: the input's columns, window_start,
/// window_end, window_time.
struct WindowRowsNode {
    WindowFunction windows;
};

/// GROUP BY window_start, window_end, keys: a group lives as long as its window. Output: a column
/// of the window or the next key for each of `outputs`, then aggregates.
struct WindowGroupNode {
    WindowFunction windows;
    std::vector<ExpressionPtr> keys;
    std::vector<std::optional<WindowColumn>> outputs;
    std::vector<ExpressionPtr> arguments;
    std::vector<AggregateCall> aggregates;
};

/// agg OVER (PARTITION BY keys RANGE | ROWS preceding). Output: the input's columns, then
/// aggregates.
struct SlideNode {
    std::vector<ExpressionPtr> keys;
    bool is_rows = false;
    std::int64_t preceding = 0;  ///< rows, or milliseconds
    std::vector<ExpressionPtr> arguments;
    std::vector<AggregateCall> aggregates;
};

/// RANDOM_CUT_FOREST[_WITH_EXPLANATION]. Output: the input's columns, ANOMALY_SCORE [,
/// ANOMALY_EXPLANATION].
struct ForestNode {
    std::vector<ExpressionPtr> keys;   ///< PARTITION BY: a forest each
    std::vector<std::size_t> columns;  ///< numeric columns of the input that make the point
    std::uint32_t trees = 100, sample = 256, time_decay = 100000, shingle = 1;
    bool has_explanation = false;
};

/// HOTSPOTS. Output: the input's columns, HOTSPOTS_RESULT.
struct HotSpotsNode {
    std::vector<ExpressionPtr> keys;   ///< PARTITION BY: a window each
    std::vector<std::size_t> columns;  ///< numeric columns of the input that make the point
    std::uint32_t window = 0;          ///< records
    std::int64_t period = 0;           ///< milliseconds that the window spans; 0: records only
    double radius = 0;
    std::uint32_t minimum = 0;
    bool has_identity = false;
};

/// A log parser. Output: the input's columns, then one text for each column of the row.
struct ParseRowNode {
    ExpressionPtr line;
    RowParserPtr parser;
    std::vector<bool> is_not_null;
};
inline constexpr std::uint32_t kMaxLogColumnLength = 1024;

/// TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING. Output: ITEM and ITEM_COUNT, or
/// NUMBER_OF_DISTINCT_ITEMS.
struct ItemsNode {
    ExpressionPtr item;       ///< as VARCHAR
    std::uint32_t top = 0;    ///< K; 0: the number of different items
    std::int64_t millis = 0;  ///< of the tumbling window
};

/// GROUP_RANK: rows of equal ROWTIME with their rank by one column. Output: the input's columns,
/// the rank.
struct GroupRankNode {
    enum class Order : std::uint8_t { AsReceived, Ascending, Descending };
    std::size_t column = 0;
    bool is_descending = false;  ///< the largest value has rank 1
    Order output = Order::AsReceived;
    std::uint32_t limit = 0;  ///< rows of a group; 0: all
};

/// Streaming ORDER BY: rows between two changes of the first key, sorted by all.
struct SortNode {
    std::vector<ExpressionPtr> keys;
    std::vector<bool> is_descending;
};

/// ORDER BY time WITHIN interval: rows put in the order of their time, which is the input's last
/// column and becomes ROWTIME. Output: the columns before it.
struct TimeSortNode {
    std::int64_t millis = 0;
};

/// SELECT DISTINCT: the first row of each value of the keys, at once. What was seen is forgotten
/// when a monotonic key changes.
struct DistinctNode {
    std::vector<std::size_t> keys;       ///< columns
    std::vector<std::size_t> monotonic;  ///< those of the keys that move one way
    std::vector<std::string> names{};    ///< of the keys, for people
    StateLimits limits;
};

/// Which rows of one side of a join a row of the other side meets: those of its own time and of
/// `length` milliseconds before, or the latest `length` ones.
struct JoinWindow {
    bool is_rows = false;
    std::int64_t length = 0;
};

/// Join of two streams. Output: the columns of the left, those of the right, then ROWTIME of the
/// left and of the right where they are asked for.
struct JoinNode {
    bool keeps_left = false, keeps_right = false;  ///< rows without a match go out with nulls
    JoinWindow left, right;
    std::vector<ExpressionPtr> left_keys, right_keys;  ///< equal in a match; of the same types
    ExpressionPtr residual;                            ///< over the output's columns; null: none
    bool has_left_rowtime = false, has_right_rowtime = false;
};

/// Join of a stream, the input, with a reference table. Output: the columns of both.
struct LookupNode {
    std::size_t table = 0;
    std::string name;
    bool is_table_first = false;  ///< in the output
    bool keeps_stream = false;    ///< rows without a match go out with nulls
    std::vector<ExpressionPtr> stream_keys, table_keys;
    ExpressionPtr residual;  ///< over the output's columns; null: none
};

/// ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) <= limit: a changelog of the first rows of
/// each partition. Output: the input's columns without those behind `rank`'s projection ($...),
/// ROW_OP.
struct TopNNode {
    std::vector<std::size_t> partition, order;  ///< columns of the input
    std::vector<bool> is_descending;            ///< of `order`
    bool later_first = false;                   ///< of rows with equal keys
    std::uint32_t limit = 1;
    std::size_t rank = 0;                   ///< column of the number
    bool has_rank = false, has_op = false;  ///< whether the query looks at the number, at ROW_OP
    StateLimits limits;
    /// Over a changelog: the columns that identify its rows, and its ROW_OP.
    bool is_over_changes = false;
    /// A column of `partition` that moves one way: when it changes, earlier partitions are over.
    std::optional<std::size_t> monotonic{};
    std::string by{}, in_order{};  ///< PARTITION BY and ORDER BY, for people
    std::vector<std::size_t> row_key{};
    std::size_t input_op = 0;
};
inline constexpr std::uint32_t kMaxRank = 10'000;

/// UNION ALL; rows merged by ROWTIME.
struct UnionNode {};

struct PlanNode {
    std::variant<ScanNode, FilterNode, ProjectNode, TumbleNode, StaggerNode, SlideNode, ForestNode,
                 HotSpotsNode, ItemsNode, SortNode, TimeSortNode, ParseRowNode, JoinNode,
                 LookupNode, UnionNode, DistinctNode, GroupChangesNode, RetractNode, TopNNode,
                 WindowRowsNode, WindowGroupNode, GroupRankNode>
        body;
    std::vector<PlanPtr> inputs;
    Schema schema;                           ///< of its output
    std::vector<Monotonicity> monotonicity;  ///< of its output columns
    bool is_changelog = false;               ///< later rows replace earlier ones
    /// Of a changelog: the columns that rows which replace each other agree in, if all are there.
    std::optional<std::vector<std::size_t>> changelog_key{};
    std::vector<std::size_t> fixed_columns{};  ///< of a changelog: no change of a row changes them

    /// One line for this step: "Filter (value > 3)".
    std::string describe() const;
    /// The whole tree, indented, its inputs below.
    std::string describe_tree(std::size_t indent = 0) const;
};

struct PumpPlan {
    std::string name;
    std::size_t target = 0;
    std::vector<std::size_t> sources;
    bool reads_errors = false;
    bool is_started = true;
    PlanPtr root;  ///< its columns are those of the target
};

struct ApplicationPlan {
    StreamCatalog catalog;
    std::vector<PumpPlan> pumps;
};

}  // namespace tidemill::sql
