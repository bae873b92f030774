#include "operators/exec/build_pump.h"

#include "operators/exec/change_top_n.h"
#include "operators/exec/distinct.h"
#include "operators/exec/filter.h"
#include "operators/exec/forest.h"
#include "operators/exec/group_changes.h"
#include "operators/exec/group_rank.h"
#include "operators/exec/hot_spots.h"
#include "operators/exec/insert.h"
#include "operators/exec/items.h"
#include "operators/exec/join.h"
#include "operators/exec/lookup.h"
#include "operators/exec/parse_row.h"
#include "operators/exec/project.h"
#include "operators/exec/retract.h"
#include "operators/exec/session_groups.h"
#include "operators/exec/slide.h"
#include "operators/exec/sort.h"
#include "operators/exec/stagger.h"
#include "operators/exec/time_sort.h"
#include "operators/exec/top_n.h"
#include "operators/exec/tumble.h"
#include "operators/exec/union_all.h"
#include "operators/exec/window_groups.h"
#include "operators/exec/window_rows.h"

namespace tidemill::sql {

namespace {

class PumpBuilder {
 public:
    PumpBuilder(ExecContext& context, const std::string& pump,
                std::vector<std::unique_ptr<Relay>>& relays, const ReferenceTables& tables,
                const ForestDefaults& forests)
        : context_(context), pump_(pump), relays_(relays), tables_(tables), forests_(forests) {}

    // Makes the operators of `node` and below; its rows go to `next`.
    void build(PlanNode& node, Operator* next) {
        if (auto* scan = std::get_if<ScanNode>(&node.body)) {
            auto& relay =
                scan->stream == kErrorStreamIndex ? relays_.back() : relays_[scan->stream];
            relay->add_reader(next);
            return;
        }
        if (std::holds_alternative<UnionNode>(node.body)) {
            auto merged =
                std::make_unique<UnionAll>(context_, pump_, node.schema, node.inputs.size());
            auto& ports = *merged;
            add(std::move(merged), next)->set_step(node.describe());
            for (std::size_t i = 0; i < node.inputs.size(); ++i)
                build(*node.inputs[i], &ports.port(i));
            return;
        }
        if (auto* join = std::get_if<JoinNode>(&node.body)) {
            std::string step = node.describe();  // before the plan is consumed
            auto made =
                std::make_unique<Join>(context_, pump_, node.inputs[0]->schema,
                                       node.inputs[1]->schema, std::move(*join), node.schema);
            auto& ports = *made;
            add(std::move(made), next)->set_step(std::move(step));
            build(*node.inputs[0], &ports.left_port());
            build(*node.inputs[1], &ports.right_port());
            return;
        }
        auto& below = *node.inputs[0];
        std::string step = node.describe();  // before the plan is consumed
        Operator* made = add(make(node, below.schema), next);
        made->set_step(std::move(step));
        build(below, made);
    }

    Operator* add(std::unique_ptr<Operator> made, Operator* next) {
        made->set_next(next);
        operators_.push_back(std::move(made));
        return operators_.back().get();
    }
    std::vector<std::unique_ptr<Operator>> take() { return std::move(operators_); }

 private:
    std::unique_ptr<Operator> make(PlanNode& node, const Schema& input) {
        if (auto* filter = std::get_if<FilterNode>(&node.body))
            return std::make_unique<Filter>(context_, pump_, input, std::move(filter->predicate));
        if (auto* project = std::get_if<ProjectNode>(&node.body))
            return std::make_unique<Project>(context_, pump_, input, std::move(*project));
        if (auto* tumble = std::get_if<TumbleNode>(&node.body))
            return std::make_unique<Tumble>(context_, pump_, input, std::move(*tumble),
                                            node.schema);
        if (auto* stagger = std::get_if<StaggerNode>(&node.body))
            return std::make_unique<Stagger>(context_, pump_, input, std::move(*stagger),
                                             node.schema);
        if (auto* slide = std::get_if<SlideNode>(&node.body))
            return std::make_unique<Slide>(context_, pump_, input, std::move(*slide));
        if (auto* parse = std::get_if<ParseRowNode>(&node.body))
            return std::make_unique<ParseRow>(context_, pump_, input, std::move(*parse));
        if (auto* items = std::get_if<ItemsNode>(&node.body))
            return std::make_unique<Items>(context_, pump_, input, std::move(*items), node.schema);
        if (auto* sort = std::get_if<SortNode>(&node.body))
            return std::make_unique<Sort>(context_, pump_, input, std::move(*sort));
        if (auto* sort = std::get_if<TimeSortNode>(&node.body))
            return std::make_unique<TimeSort>(context_, pump_, input, sort->millis, node.schema);
        if (auto* retract = std::get_if<RetractNode>(&node.body))
            return std::make_unique<Retract>(context_, pump_, input, std::move(*retract),
                                             node.schema);
        if (auto* changes = std::get_if<GroupChangesNode>(&node.body))
            return std::make_unique<GroupChanges>(context_, pump_, input, std::move(*changes),
                                                  node.schema);
        if (auto* top = std::get_if<TopNNode>(&node.body); top != nullptr && top->is_over_changes)
            return std::make_unique<ChangeTopN>(context_, pump_, input, std::move(*top),
                                                node.schema);
        if (auto* top = std::get_if<TopNNode>(&node.body))
            return std::make_unique<TopN>(context_, pump_, input, std::move(*top), node.schema);
        if (auto* distinct = std::get_if<DistinctNode>(&node.body))
            return std::make_unique<Distinct>(context_, pump_, input, std::move(*distinct));
        if (auto* rank = std::get_if<GroupRankNode>(&node.body))
            return std::make_unique<GroupRank>(context_, pump_, input, *rank, node.schema);
        if (auto* rows = std::get_if<WindowRowsNode>(&node.body))
            return std::make_unique<WindowRows>(context_, pump_, input, std::move(rows->windows),
                                                node.schema);
        if (auto* group = std::get_if<WindowGroupNode>(&node.body)) {
            if (group->windows.kind == WindowKind::Session)
                return std::make_unique<SessionGroups>(context_, pump_, input, std::move(*group),
                                                       node.schema);
            return std::make_unique<WindowGroups>(context_, pump_, input, std::move(*group),
                                                  node.schema);
        }
        if (auto* lookup = std::get_if<LookupNode>(&node.body)) {
            const auto& table = *tables_[lookup->table];
            return std::make_unique<Lookup>(context_, pump_, input, std::move(*lookup), node.schema,
                                            table);
        }
        if (auto* spots = std::get_if<HotSpotsNode>(&node.body))
            return std::make_unique<HotSpots>(context_, pump_, input, std::move(*spots),
                                              forests_.budget);
        auto& forest = std::get<ForestNode>(node.body);
        const auto config = forest_config(forest);
        return std::make_unique<Forest>(context_, pump_, input, std::move(forest), config,
                                        forests_.budget);
    }

    anomaly::ForestConfig forest_config(const ForestNode& node) const {
        anomaly::ForestConfig config;
        config.columns = static_cast<std::uint32_t>(node.columns.size());
        config.shingle = node.shingle;
        config.trees = node.trees;
        config.sample = node.sample;
        config.time_decay = node.time_decay;
        config.seed = forests_.seed;
        config.mode = forests_.is_kda_score ? anomaly::ScoreMode::Kda : anomaly::ScoreMode::Library;
        return config;
    }

    ExecContext& context_;
    std::string pump_;
    std::vector<std::unique_ptr<Relay>>& relays_;
    const ReferenceTables& tables_;
    ForestDefaults forests_;
    std::vector<std::unique_ptr<Operator>> operators_;
};

}  // namespace

std::vector<std::unique_ptr<Operator>> build_pump(ExecContext& context, PumpPlan& pump,
                                                  std::vector<std::unique_ptr<Relay>>& relays,
                                                  const ReferenceTables& tables,
                                                  const ForestDefaults& forests) {
    PumpBuilder builder(context, pump.name, relays, tables, forests);
    auto* insert =
        builder.add(std::make_unique<Insert>(context, pump.name, *relays[pump.target]), nullptr);
    builder.build(*pump.root, insert);
    return builder.take();
}

}  // namespace tidemill::sql
