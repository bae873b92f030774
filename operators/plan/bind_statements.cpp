#include "operators/plan/bind_statements.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/result.h"
#include "operators/expr/cast.h"
#include "operators/expr/user_function.h"
#include "operators/plan/bind_select.h"
#include "operators/plan/state_limits.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/parser.h"
#include "operators/sql/printer.h"
#include "operators/sql/stream_options.h"

namespace tidemill::sql {

namespace {

class StatementBinder {
 public:
    StatementBinder(std::string_view text, std::span<const CatalogStream> inputs,
                    std::span<const CatalogTable> tables)
        : text_(text), outside_tables_(tables) {
        plan_.catalog.streams.assign(inputs.begin(), inputs.end());
        plan_.catalog.tables.assign(tables.begin(), tables.end());
    }

    SqlResult<ApplicationPlan> run(const std::vector<ast::Statement>& statements) {
        // Tables may be declared behind the pumps that read them.
        for (const auto& statement : statements)
            if (const auto* table = std::get_if<ast::CreateTable>(&statement.body))
                TRY(add_table(table->definition));
        for (const auto& statement : statements) {
            if (const auto* stream = std::get_if<ast::CreateStream>(&statement.body))
                TRY(add_stream(*stream));
            else if (const auto* function = std::get_if<ast::CreateFunction>(&statement.body))
                TRY(functions_.add(*function, text_));
            else if (const auto* pump = std::get_if<ast::CreatePump>(&statement.body))
                TRY(add_pump(*pump));
        }
        return std::move(plan_);
    }

 private:
    std::unexpected<SqlError> failure(Span span, std::string message) const {
        return std::unexpected(locate(text_, span, std::move(message)));
    }

    SqlResult<Schema> declared_columns(const ast::CreateStream& create) const {
        Schema schema;
        for (const auto& column : create.columns) {
            if (schema.find(column.name.text))
                return failure(column.name.span, fmt::format("The column {} is declared twice.",
                                                             print_name(column.name.text)));
            schema.fields.push_back({column.name.text, column.type, !column.is_not_null, false});
        }
        return schema;
    }

    // Whoever loads the rows may have found the columns.
    SqlResult<void> add_table(const ast::CreateStream& create) {
        const auto& name = create.name.text;
        if (plan_.catalog.find(name))
            return failure(
                create.name.span,
                fmt::format("{} is an input stream and exists already.", print_name(name)));
        const auto existing = plan_.catalog.find_table(name);
        if (existing && *existing < outside_tables_.size()) return {};
        ASSIGN(auto schema, declared_columns(create));
        if (schema.size() == 0)
            return failure(create.name.span,
                           fmt::format("The columns of {} are not known here: declare them.",
                                       print_name(name)));
        if (!existing) {
            plan_.catalog.tables.push_back({name, std::move(schema)});
            return {};
        }
        if (!create.or_replace)
            return failure(
                create.name.span,
                fmt::format("The table {} exists already; CREATE OR REPLACE replaces it.",
                            print_name(name)));
        plan_.catalog.tables[*existing].schema = std::move(schema);
        return {};
    }

    SqlResult<void> add_stream(const ast::CreateStream& create) {
        CatalogStream stream{create.name.text, {}, false};
        ASSIGN(stream.schema, declared_columns(create));
        if (plan_.catalog.find_table(create.name.text))
            return failure(create.name.span, fmt::format("{} is a reference table already.",
                                                         print_name(create.name.text)));
        if (create.name.text == "error_stream" || create.name.text == "ERROR_STREAM")
            return failure(create.name.span, "error_stream is a system stream and exists already.");
        ASSIGN(stream.watermark, watermark_of(create, stream.schema));
        if (is_source(create)) return add_source(create, stream);
        const auto existing = plan_.catalog.find(create.name.text);
        if (!existing) {
            plan_.catalog.streams.push_back(std::move(stream));
            return add_late(create, plan_.catalog.streams.size() - 1);
        }
        if (plan_.catalog.streams[*existing].is_input)
            return failure(create.name.span,
                           fmt::format("{} is an input stream and exists already.",
                                       print_name(create.name.text)));
        if (!create.or_replace)
            return failure(
                create.name.span,
                fmt::format("The stream {} exists already; CREATE OR REPLACE replaces it.",
                            print_name(create.name.text)));
        for (const auto& pump : plan_.pumps)
            if (pump.target == *existing ||
                std::ranges::find(pump.sources, *existing) != pump.sources.end())
                return failure(
                    create.name.span,
                    fmt::format("The stream {} cannot be replaced: pump {} uses it already.",
                                print_name(create.name.text), print_name(pump.name)));
        plan_.catalog.streams[*existing] = std::move(stream);
        return add_late(create, *existing);
    }

    SqlResult<std::int64_t> duration(const ast::CreateStream& create, std::string_view name,
                                     std::int64_t otherwise) const {
        const auto* option = find_option(create, name);
        if (option == nullptr) return otherwise;
        if (!create.watermark)
            return failure(option->name.span,
                           fmt::format("{} goes with WATERMARK FOR a column.", option->name.text));
        if (option->value == "0") return 0;
        const auto millis = parse_duration(option->value);
        if (!millis)
            return failure(option->value_span,
                           fmt::format("{} is a time such as '5 seconds' or '1 minute', or 0.",
                                       option->name.text));
        return *millis;
    }

    SqlResult<std::optional<Watermark>> watermark_of(const ast::CreateStream& create,
                                                     const Schema& schema) const {
        ASSIGN(const auto idle, duration(create, "IDLE_TIMEOUT", Watermark::kDefaultIdleTimeout));
        ASSIGN(const auto lateness, duration(create, "ALLOWED_LATENESS", 0));
        if (!create.watermark) return std::nullopt;
        const auto& clause = *create.watermark;
        const auto column = schema.find(clause.column.text);
        if (!column) {
            std::vector<std::string> names;
            for (const auto& field : schema.fields)
                names.push_back(print_name(field.name));
            return failure(clause.column.span,
                           fmt::format("There is no column {}.{}", print_name(clause.column.text),
                                       did_you_mean(print_name(clause.column.text), names)));
        }
        if (schema[*column].type.kind != TypeKind::Timestamp)
            return failure(
                clause.column.span,
                fmt::format("A watermark needs a TIMESTAMP, {} is {}.",
                            print_name(clause.column.text), schema[*column].type.to_string()));
        return Watermark{*column, clause.millis + lateness, idle, 0};
    }

    // Rows that come too late have a stream of their own.
    SqlResult<void> add_late(const ast::CreateStream& create, std::size_t index) {
        auto& streams = plan_.catalog.streams;
        if (!streams[index].watermark) return {};
        CatalogStream late{streams[index].name + std::string(kLateSuffix), streams[index].schema};
        late.is_late = true;
        for (auto& field : late.schema.fields)
            field.is_nullable = true;
        late.schema.fields.push_back({std::string(kLateBy), TypeKind::BigInt, false, false});
        const auto existing = plan_.catalog.find(late.name);
        if (existing && !streams[*existing].is_late)
            return failure(create.watermark->span,
                           fmt::format("{} is the stream of rows that come too late, and exists "
                                       "already.",
                                       print_name(late.name)));
        streams[index].watermark->late = existing.value_or(streams.size());
        if (existing)
            streams[*existing] = std::move(late);
        else
            streams.push_back(std::move(late));
        return {};
    }

    // Rows from outside: whoever feeds the application may have declared the same streams.
    SqlResult<void> add_source(const ast::CreateStream& create, CatalogStream stream) {
        for (auto& name : source_stream_names(create)) {
            const auto existing = plan_.catalog.find(name);
            if (existing && plan_.catalog.streams[*existing].is_input) {
                auto& known = plan_.catalog.streams[*existing];
                if (create.watermark && create.columns.size() > known.schema.size())
                    return failure(create.name.span, "Its columns are others than those given.");
                known.watermark = stream.watermark;
                TRY(add_late(create, *existing));
                continue;
            }
            if (existing)
                return failure(create.name.span,
                               fmt::format("The stream {} exists already.", print_name(name)));
            if (create.columns.empty())
                return failure(create.name.span,
                               fmt::format("The columns of {} are not known here: declare them.",
                                           print_name(create.name.text)));
            stream.name = std::move(name);
            stream.is_input = true;
            plan_.catalog.streams.push_back(stream);
            TRY(add_late(create, plan_.catalog.streams.size() - 1));
        }
        return {};
    }

    SqlResult<void> add_pump(const ast::CreatePump& create) {
        const auto same_name = std::ranges::find(plan_.pumps, create.name.text, &PumpPlan::name);
        if (same_name != plan_.pumps.end()) {
            if (!create.or_replace)
                return failure(
                    create.name.span,
                    fmt::format("The pump {} exists already; CREATE OR REPLACE replaces it.",
                                print_name(create.name.text)));
            plan_.pumps.erase(same_name);
        }
        const auto target = plan_.catalog.find(create.target.text);
        if (!target && plan_.catalog.find_table(create.target.text))
            return failure(create.target.span,
                           fmt::format("{} is a reference table; a pump inserts into a stream.",
                                       print_name(create.target.text)));
        if (!target)
            return failure(create.target.span,
                           fmt::format("There is no stream {}.{}", print_name(create.target.text),
                                       did_you_mean(print_name(create.target.text),
                                                    plan_.catalog.printed_names())));
        if (plan_.catalog.streams[*target].is_late)
            return failure(create.target.span,
                           fmt::format("{} holds rows that came too late; a pump cannot insert "
                                       "into it.",
                                       print_name(create.target.text)));
        if (plan_.catalog.streams[*target].is_input)
            return failure(create.target.span,
                           fmt::format("{} is fed from outside; a pump cannot insert into it.",
                                       print_name(create.target.text)));
        SelectBinder binder(text_, plan_.catalog, &functions_);
        ASSIGN(auto query, binder.bind(*create.select));
        PumpPlan pump;
        pump.name = create.name.text;
        pump.target = *target;
        pump.sources = binder.sources();
        pump.reads_errors = binder.reads_errors();
        pump.is_started = !create.is_stopped;
        for (const auto source : pump.sources)
            if (reaches(*target, source))
                return failure(
                    create.name.span,
                    fmt::format("The pump {} would close a circle: {} feeds {} already.",
                                print_name(create.name.text), print_name(create.target.text),
                                print_name(plan_.catalog.streams[source].name)));
        ASSIGN(pump.root, insert(create, std::move(query), plan_.catalog.streams[*target].schema));
        plan_.pumps.push_back(std::move(pump));
        return {};
    }

    // Whether rows of stream `from` can come to stream `to`.
    bool reaches(std::size_t from, std::size_t to) const {
        if (from == to) return true;
        for (const auto& pump : plan_.pumps)
            if (std::ranges::find(pump.sources, from) != pump.sources.end() &&
                reaches(pump.target, to))
                return true;
        return false;
    }

    // Brings the query's columns to the order and types of the target's.
    SqlResult<PlanPtr> insert(const ast::CreatePump& create, PlanPtr query, const Schema& target) {
        std::vector<std::size_t> places;  // of the target, for each column of the query
        for (const auto& name : create.columns) {
            const auto place = target.find(name.text);
            std::vector<std::string> names;
            for (const auto& field : target.fields)
                names.push_back(print_name(field.name));
            if (!place)
                return failure(
                    name.span,
                    fmt::format("The stream {} has no column {}.{}", print_name(create.target.text),
                                print_name(name.text), did_you_mean(print_name(name.text), names)));
            if (std::ranges::find(places, *place) != places.end())
                return failure(name.span,
                               fmt::format("The column {} is named twice.", print_name(name.text)));
            places.push_back(*place);
        }
        if (create.columns.empty())
            for (std::size_t i = 0; i < target.size(); ++i)
                places.push_back(i);
        if (query->schema.size() != places.size())
            return failure(
                create.select->span,
                fmt::format("The query gives {} columns, {} takes {}.", query->schema.size(),
                            print_name(create.target.text), places.size()));
        std::vector<ExpressionPtr> expressions(target.size());
        for (std::size_t i = 0; i < places.size(); ++i) {
            const auto &from = query->schema[i], &to = target[places[i]];
            if (!is_assignable(from.type, to.type)) {
                const bool is_one_to_one = create.select->items.size() == places.size();
                return failure(
                    is_one_to_one ? create.select->items[i].expr->span : create.select->span,
                    fmt::format("Column {} of {} is {}, the query gives {}. Use CAST.",
                                print_name(to.name), print_name(create.target.text),
                                to.type.to_string(), from.type.to_string()));
            }
            expressions[places[i]] =
                cast_to(std::make_unique<ColumnReference>(from.type, i, from.name), to.type);
        }
        for (std::size_t i = 0; i < expressions.size(); ++i) {
            if (expressions[i]) continue;
            if (!target[i].is_nullable)
                return failure(create.target.span,
                               fmt::format("The column {} is NOT NULL and gets no value.",
                                           print_name(target[i].name)));
            expressions[i] = std::make_unique<Literal>(Value::null(target[i].type));
        }
        auto node = make_node(std::move(query));
        node->body = ProjectNode{std::move(expressions), nullptr};
        node->schema = target;
        node->monotonicity.assign(target.size(), Monotonicity::None);
        return node;
    }

    std::string_view text_;
    std::span<const CatalogTable> outside_tables_;  // the first ones of the catalog
    UserFunctions functions_;
    ApplicationPlan plan_;
};

}  // namespace

SqlResult<ApplicationPlan> plan_application(std::string_view sql_text,
                                            std::span<const CatalogStream> inputs,
                                            std::span<const CatalogTable> tables) {
    ASSIGN(const auto statements, parse(sql_text));
    return StatementBinder(sql_text, inputs, tables).run(statements);
}

}  // namespace tidemill::sql
