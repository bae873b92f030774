#include "operators/exec/application.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/crc32c.h"
#include "operators/exec/build_pump.h"
#include "operators/exec/error_stream.h"
#include "operators/plan/bind_statements.h"
#include "operators/sql/nearest_name.h"
#include "operators/sql/printer.h"

namespace tidemill::sql {

struct Application::Impl {
    struct Pump {
        PumpInfo info;
        std::vector<std::unique_ptr<Operator>> operators;
    };

    ExecContext context;
    std::vector<std::unique_ptr<Relay>> relays;  // as StreamId counts; the error stream is the last
    std::vector<char> is_input;                  // by relay
    ReferenceTables tables;
    std::vector<Pump> pumps;
    std::uint64_t fingerprint = 0;
    std::int64_t last_error_time = kNoBound;
    bool is_finished = false;
    std::size_t snapshot_bytes = 0;  // of the last snapshot

    void push(std::size_t input, const Batch& batch);
    void advance(std::size_t input, std::int64_t bound);
    void drain_errors();
    void advance_errors();
};

namespace {

constexpr std::uint64_t kSnapshotVersion = 5;

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

}  // namespace

Application::Application(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Application::~Application() = default;

SqlResult<std::unique_ptr<Application>> Application::compile(std::string_view sql_text,
                                                             std::span<const InputStream> inputs,
                                                             const ApplicationOptions& options) {
    std::vector<CatalogStream> catalog;
    for (const auto& input : inputs)
        catalog.push_back({input.name, input.schema, true});
    std::vector<CatalogTable> tables;
    for (const auto& table : options.tables)
        tables.push_back({table.name, table.schema});
    ASSIGN(auto plan, plan_application(sql_text, catalog, tables));
    auto impl = std::make_unique<Impl>();
    impl->fingerprint =
        fnv1a(fmt::format("{} {}", options.seed, options.is_kda_score), 0xcbf29ce484222325);
    for (const auto& stream : plan.catalog.streams) {
        impl->is_input.push_back(stream.is_input ? 1 : 0);
        impl->relays.push_back(std::make_unique<Relay>(impl->context, stream.name, stream.schema));
        impl->fingerprint = fnv1a(stream.name, impl->fingerprint);
        for (const auto& field : stream.schema.fields)
            impl->fingerprint = fnv1a(field.name + " " + field.type.to_string(), impl->fingerprint);
    }
    impl->is_input.push_back(0);
    impl->relays.push_back(
        std::make_unique<Relay>(impl->context, std::string(kErrorStream), error_stream_schema()));
    for (std::size_t i = 0; i < plan.catalog.streams.size(); ++i)
        if (const auto& watermark = plan.catalog.streams[i].watermark) {
            impl->relays[i]->follow_event_time(*watermark, *impl->relays[watermark->late]);
            impl->fingerprint = fnv1a(fmt::format("{} {} {}", watermark->column, watermark->delay,
                                                  watermark->idle_timeout),
                                      impl->fingerprint);
        }
    for (const auto& table : plan.catalog.tables)
        impl->tables.push_back(
            std::make_unique<ReferenceTable>(ReferenceTable{table.name, table.schema, nullptr, 0}));
    for (auto& pump : plan.pumps) {
        Impl::Pump made;
        made.info = {pump.name,
                     plan.catalog.streams[pump.target].name,
                     {},
                     pump.is_started,
                     pump.root->describe_tree()};
        for (const auto source : pump.sources)
            made.info.sources.push_back(plan.catalog.streams[source].name);
        if (pump.reads_errors) made.info.sources.emplace_back(kErrorStream);
        impl->fingerprint = fnv1a(pump.name + made.info.target + made.info.plan, impl->fingerprint);
        if (pump.is_started)
            made.operators =
                build_pump(impl->context, pump, impl->relays, impl->tables,
                           {.seed = options.seed, .is_kda_score = options.is_kda_score});
        impl->pumps.push_back(std::move(made));
    }
    for (const auto& table : impl->tables)
        for (const auto& field : table->schema.fields)
            impl->fingerprint =
                fnv1a(table->name + field.name + field.type.to_string(), impl->fingerprint);
    for (auto& relay : impl->relays)
        relay->seal();
    return std::unique_ptr<Application>(new Application(std::move(impl)));
}

std::vector<StreamInfo> Application::streams() const {
    std::vector<StreamInfo> streams;
    for (std::size_t i = 0; i < impl_->relays.size(); ++i) {
        const auto& relay = *impl_->relays[i];
        streams.push_back({relay.name(), relay.schema(), impl_->is_input[i] != 0, relay.rows()});
    }
    return streams;
}

std::vector<TableInfo> Application::tables() const {
    std::vector<TableInfo> tables;
    for (const auto& table : impl_->tables)
        tables.push_back({table->name, table->schema});
    return tables;
}

Status Application::set_table(std::string_view name, std::shared_ptr<const RowBatch> rows) {
    const auto found =
        std::ranges::find(impl_->tables, name, [](const auto& table) { return table->name; });
    if (found == impl_->tables.end())
        return fail(Errc::NotFound, fmt::format("There is no reference table {}.", name));
    auto& table = **found;
    const bool fits = std::ranges::equal(
        rows->columns, table.schema.fields,
        [](const Column& column, const Field& field) { return column.type() == field.type; });
    if (!fits)
        return fail(Errc::InvalidArgument,
                    fmt::format("The rows do not have the columns of {}.", name));
    table.rows = std::move(rows);
    ++table.version;
    return {};
}

std::vector<PumpInfo> Application::pumps() const {
    std::vector<PumpInfo> pumps;
    for (const auto& pump : impl_->pumps)
        pumps.push_back(pump.info);
    return pumps;
}

std::vector<OperatorStats> Application::stats() const {
    std::vector<OperatorStats> stats;
    for (const auto& pump : impl_->pumps)
        for (const auto& op : pump.operators)
            stats.push_back({op->pump(), op->name(), op->rows_in(), op->rows_out(),
                             op->batches_in(), op->rows_rejected(), op->step(), op->time(), 0});
    return stats;
}

std::vector<OperatorStats> Application::stats_with_state() const {
    auto all = stats();
    auto at = all.begin();
    for (const auto& pump : impl_->pumps)
        for (const auto& op : pump.operators)
            (at++)->state_bytes = op->snapshot_bytes();
    return all;
}

void Application::measure_time() { impl_->context.measures_time = true; }

Result<StreamId> Application::find_stream(std::string_view name) const {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    const auto& relays = impl_->relays;
    for (const std::string_view wanted : {name, std::string_view(upper)})
        for (std::size_t i = 0; i < relays.size(); ++i)
            if (relays[i]->name() == wanted) return StreamId(static_cast<std::uint32_t>(i));
    if (upper == "ERROR_STREAM") return StreamId(static_cast<std::uint32_t>(relays.size() - 1));
    std::vector<std::string> names;
    for (const auto& relay : relays)
        names.push_back(relay->name());
    return fail(Errc::NotFound, fmt::format("There is no stream {} in this application.{}", name,
                                            did_you_mean(name, names)));
}

const Schema& Application::schema(StreamId stream) const {
    return impl_->relays.at(stream.value)->schema();
}

void Application::set_now(WallTime now) { impl_->context.now = to_millis(now); }

void Application::Impl::push(std::size_t input, const Batch& batch) {
    TM_CHECK(input < is_input.size() && is_input[input] != 0,
             "rows pushed into a stream that is no input");
    TM_CHECK(!is_finished, "rows pushed after the end");
    if (batch.size() == 0) return;
    relays[input]->push(0, batch);
    // A row promises its own time, so windows that it closes elsewhere close now.
    auto bound = kNoBound;
    batch.selection.for_each(
        [&](std::size_t row) { bound = std::max(bound, batch.rowtime->int_at(row)); });
    relays[input]->advance(0, bound);
    drain_errors();
    advance_errors();
}

// Its readers' windows follow the clock.
void Application::Impl::advance_errors() {
    auto& errors = *relays.back();
    if (!errors.has_readers()) return;
    errors.advance(0, context.clock());
    drain_errors();
}

void Application::Impl::advance(std::size_t input, std::int64_t bound) {
    TM_CHECK(input < is_input.size() && is_input[input] != 0,
             "a bound for a stream that is no input");
    context.latest_rowtime =
        bound == kEndOfTime ? context.latest_rowtime : std::max(context.latest_rowtime, bound);
    relays[input]->advance(0, bound);
    drain_errors();
    advance_errors();
}

void Application::Impl::drain_errors() {
    auto& errors = *relays.back();
    // Errors of those who read errors go to subscribers alone: else one could make another for
    // ever.
    for (bool is_first = true; !context.rejected.empty(); is_first = false) {
        RejectedRows rejected;
        std::swap(rejected, context.rejected);
        RowBatch rows(errors.schema());
        for (std::size_t i = 0; i < rejected.size(); ++i) {
            // Without a clock the row's own time serves, so that errors do not depend on how rows
            // were batched.
            const auto time = context.now == kNoBound
                                  ? rejected[i].data_rowtime.value_or(context.latest_rowtime)
                                  : context.now;
            // Never below the stream's own time: a late error would be an error again.
            last_error_time = std::max({last_error_time, time, errors.last_rowtime()});
            append_error_row(rows, rejected[i], last_error_time);
            if (rows.is_full() || i + 1 == rejected.size()) {
                if (is_first)
                    errors.push(0, rows.view());
                else
                    errors.show(rows.view());
                rows.clear();
            }
        }
    }
}

void Application::push(StreamId input, const Batch& batch) { impl_->push(input.value, batch); }

void Application::push_rows(StreamId input, const RowBatch& rows) {
    if (rows.size() <= kBatchRows) return impl_->push(input.value, rows.view());
    const auto all = rows.view();
    RowBatch part(schema(input));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        part.append_row(all, row);
        if (!part.is_full() && row + 1 < rows.size()) continue;
        impl_->push(input.value, part.view());
        part.clear();
    }
}

void Application::advance(StreamId input, WallTime rowtime_bound) {
    impl_->advance(input.value, to_millis(rowtime_bound));
}

void Application::finish() {
    for (std::size_t input = 0; input < impl_->is_input.size(); ++input)
        if (impl_->is_input[input] != 0) impl_->advance(input, kEndOfTime);
    impl_->relays.back()->advance(0, kEndOfTime);
    impl_->drain_errors();
    impl_->is_finished = true;
}

void Application::reject(const RejectedRows& rows) {
    impl_->context.rejected.insert(impl_->context.rejected.end(), rows.begin(), rows.end());
    impl_->drain_errors();
}

// version, fingerprint, clocks, relays, operators of each pump, CRC32C of all before it.
std::vector<std::byte> Application::snapshot() const {
    StateWriter writer;
    // About as large as the last one, and a little more.
    writer.reserve(impl_->snapshot_bytes + impl_->snapshot_bytes / 8 + 64);
    writer.put_count(kSnapshotVersion);
    writer.put_int(static_cast<std::int64_t>(impl_->fingerprint));
    writer.put_int(impl_->context.latest_rowtime);
    writer.put_int(impl_->last_error_time);
    for (const auto& relay : impl_->relays)
        relay->save(writer);
    for (const auto& pump : impl_->pumps)
        for (const auto& op : pump.operators)
            op->snapshot(writer);
    auto bytes = writer.take();
    const auto checksum = crc32c(bytes);
    bytes.resize(bytes.size() + sizeof checksum);
    store_le(bytes.data() + bytes.size() - sizeof checksum, checksum);
    impl_->snapshot_bytes = bytes.size();
    return bytes;
}

Status Application::restore(Bytes snapshot) {
    constexpr auto kChecksumBytes = sizeof(std::uint32_t);
    if (snapshot.size() < kChecksumBytes)
        return fail(Errc::Corrupt, "The snapshot of the SQL application is cut short.");
    const auto body = snapshot.first(snapshot.size() - kChecksumBytes);
    if (crc32c(body) != load_le<std::uint32_t>(snapshot.data() + body.size()))
        return fail(Errc::Corrupt, "The snapshot of the SQL application fails its checksum.");
    StateReader reader(body);
    if (const auto version = reader.take_count(); version != kSnapshotVersion)
        return fail(Errc::InvalidArgument,
                    fmt::format("The snapshot has version {}; this program reads version {}.",
                                version, kSnapshotVersion));
    if (static_cast<std::uint64_t>(reader.take_int()) != impl_->fingerprint)
        return fail(Errc::InvalidArgument,
                    "The snapshot was taken from another SQL text, input schema or option.");
    impl_->context.latest_rowtime = reader.take_int();
    impl_->last_error_time = reader.take_int();
    for (auto& relay : impl_->relays)
        relay->load(reader);
    for (auto& pump : impl_->pumps)
        for (auto& op : pump.operators)
            op->restore(reader);
    if (!reader.is_done()) reader.fail();
    return reader.status();
}

void Application::subscribe(StreamId stream, RowsCallback callback) {
    impl_->relays.at(stream.value)->subscribe(std::move(callback));
}

void Application::subscribe_bounds(StreamId stream, BoundCallback callback) {
    impl_->relays.at(stream.value)->subscribe_bounds(std::move(callback));
}

}  // namespace tidemill::sql
