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
        std::uint64_t hash = 0;  // of all that its state depends on
        std::vector<std::unique_ptr<Operator>> operators;
    };

    ExecContext context;
    std::vector<std::unique_ptr<Relay>> relays;  // as StreamId counts; the error stream is the last
    std::vector<char> is_input;                  // by relay
    std::vector<std::uint64_t> relay_hashes;
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

constexpr std::uint64_t kSnapshotVersion = 6;

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
    const auto options_hash = impl->fingerprint;
    for (const auto& stream : plan.catalog.streams) {
        impl->is_input.push_back(stream.is_input ? 1 : 0);
        impl->relays.push_back(std::make_unique<Relay>(impl->context, stream.name, stream.schema));
        auto hash = fnv1a(stream.name, options_hash);
        for (const auto& field : stream.schema.fields)
            hash = fnv1a(field.name + " " + field.type.to_string(), hash);
        if (const auto& watermark = stream.watermark)
            hash = fnv1a(fmt::format("{} {} {}", watermark->column, watermark->delay,
                                     watermark->idle_timeout),
                         hash);
        impl->relay_hashes.push_back(hash);
        impl->fingerprint = fnv1a(std::to_string(hash), impl->fingerprint);
    }
    impl->is_input.push_back(0);
    impl->relay_hashes.push_back(0);
    impl->relays.push_back(
        std::make_unique<Relay>(impl->context, std::string(kErrorStream), error_stream_schema()));
    for (std::size_t i = 0; i < plan.catalog.streams.size(); ++i)
        if (const auto& watermark = plan.catalog.streams[i].watermark)
            impl->relays[i]->follow_event_time(*watermark, *impl->relays[watermark->late]);
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
        made.hash = fnv1a(pump.name + made.info.target + made.info.plan, options_hash);
        for (const auto source : pump.sources)
            made.hash = fnv1a(std::to_string(impl->relay_hashes[source]), made.hash);
        made.hash = fnv1a(
            std::to_string(impl->relay_hashes[pump.target]) + (pump.is_started ? "" : " stopped"),
            made.hash);
        impl->fingerprint = fnv1a(std::to_string(made.hash), impl->fingerprint);
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
    writer.put_count(impl_->relays.size());
    for (std::size_t i = 0; i < impl_->relays.size(); ++i) {
        writer.put_text(impl_->relays[i]->name());
        writer.put_int(static_cast<std::int64_t>(impl_->relay_hashes[i]));
        const auto part = writer.begin_part();
        impl_->relays[i]->save(writer);
        writer.end_part(part);
    }
    writer.put_count(impl_->pumps.size());
    for (const auto& pump : impl_->pumps) {
        writer.put_text(pump.info.name);
        writer.put_text(pump.info.target);
        writer.put_int(static_cast<std::int64_t>(pump.hash));
        const auto part = writer.begin_part();
        for (const auto& op : pump.operators)
            op->snapshot(writer);
        writer.end_part(part);
    }
    auto bytes = writer.take();
    const auto checksum = crc32c(bytes);
    bytes.resize(bytes.size() + sizeof checksum);
    store_le(bytes.data() + bytes.size() - sizeof checksum, checksum);
    impl_->snapshot_bytes = bytes.size();
    return bytes;
}

namespace {

/// The parts of a snapshot, not yet understood.
struct SnapshotParts {
    struct Part {
        std::string_view name, target;  ///< a pump's target
        std::uint64_t hash = 0;
        Bytes state;
    };
    std::uint64_t fingerprint = 0;
    std::int64_t latest_rowtime = 0, last_error_time = 0;
    std::vector<Part> relays, pumps;
};

/// Ownership: points into the snapshot. Errors: Corrupt, InvalidArgument (version).
Result<SnapshotParts> take_apart(Bytes snapshot) {
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
    SnapshotParts parts;
    parts.fingerprint = static_cast<std::uint64_t>(reader.take_int());
    parts.latest_rowtime = reader.take_int();
    parts.last_error_time = reader.take_int();
    for (auto* list : {&parts.relays, &parts.pumps})
        for (auto count = reader.take_size(10); count > 0 && !reader.has_failed(); --count) {
            SnapshotParts::Part part;
            part.name = reader.take_text();
            if (list == &parts.pumps) part.target = reader.take_text();
            part.hash = static_cast<std::uint64_t>(reader.take_int());
            part.state = reader.take_part();
            list->push_back(part);
        }
    if (!reader.is_done()) reader.fail();
    TRY(reader.status());
    return parts;
}

template <class Load>
Status load_part(Bytes state, Load&& load) {
    StateReader reader(state);
    load(reader);
    if (!reader.is_done()) reader.fail();
    return reader.status();
}

}  // namespace

Status Application::restore(Bytes snapshot) {
    ASSIGN(const auto parts, take_apart(snapshot));
    if (parts.fingerprint != impl_->fingerprint || parts.relays.size() != impl_->relays.size() ||
        parts.pumps.size() != impl_->pumps.size())
        return fail(Errc::InvalidArgument,
                    "The snapshot was taken from another SQL text, input schema or option.");
    impl_->context.latest_rowtime = parts.latest_rowtime;
    impl_->last_error_time = parts.last_error_time;
    for (std::size_t i = 0; i < parts.relays.size(); ++i)
        TRY(load_part(parts.relays[i].state,
                      [&](StateReader& reader) { impl_->relays[i]->load(reader); }));
    for (std::size_t i = 0; i < parts.pumps.size(); ++i)
        TRY(load_part(parts.pumps[i].state, [&](StateReader& reader) {
            for (auto& op : impl_->pumps[i].operators)
                op->restore(reader);
        }));
    return {};
}

std::string PumpCarried::describe() const {
    switch (fate) {
        case Fate::Kept:
            return name + ": state kept";
        case Fate::New:
            return name + ": new";
        case Fate::Reset:
            return name + ": begins anew, " + why;
        case Fate::Dropped:
            return name + ": gone, and its state";
    }
    return name;
}

Result<std::vector<PumpCarried>> Application::carry(Bytes snapshot) {
    ASSIGN(const auto parts, take_apart(snapshot));
    const auto part_of = [](const std::vector<SnapshotParts::Part>& list, std::string_view name) {
        const auto found = std::ranges::find(list, name, &SnapshotParts::Part::name);
        return found == list.end() ? nullptr : &*found;
    };
    const auto& pumps = impl_->pumps;
    std::vector<PumpCarried> fates;
    for (const auto& pump : pumps) {
        const auto* old = part_of(parts.pumps, pump.info.name);
        auto fate = PumpCarried::Fate::Kept;
        if (old == nullptr)
            fate = PumpCarried::Fate::New;
        else if (old->hash != pump.hash)
            fate = PumpCarried::Fate::Reset;
        fates.push_back(
            {pump.info.name, fate,
             fate == PumpCarried::Fate::Reset ? "its query or a stream of it is another" : ""});
    }
    const auto is_kept = [&](std::string_view pump) {
        const auto found = std::ranges::find(fates, pump, &PumpCarried::name);
        return found != fates.end() && found->fate == PumpCarried::Fate::Kept;
    };
    // Whether all that fill a stream, then and now, are the same.
    const auto stranger_of = [&](std::string_view stream) -> std::string {
        for (const auto& pump : pumps)
            if (pump.info.target == stream && !is_kept(pump.info.name)) return pump.info.name;
        for (const auto& old : parts.pumps)
            if (old.target == stream && !is_kept(old.name)) return std::string(old.name);
        return {};
    };
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (std::size_t i = 0; i < pumps.size(); ++i)
            for (const auto& source : pumps[i].info.sources) {
                if (fates[i].fate != PumpCarried::Fate::Kept) continue;
                if (const auto stranger = stranger_of(source); !stranger.empty()) {
                    fates[i].fate = PumpCarried::Fate::Reset;
                    fates[i].why = stranger + ", which fills " + source + ", is another";
                    has_changed = true;
                }
            }
    }
    impl_->context.latest_rowtime = parts.latest_rowtime;
    impl_->last_error_time = parts.last_error_time;
    for (std::size_t i = 0; i < impl_->relays.size(); ++i) {
        auto& relay = *impl_->relays[i];
        const auto* old = part_of(parts.relays, relay.name());
        if (old == nullptr || old->hash != impl_->relay_hashes[i] ||
            !stranger_of(relay.name()).empty())
            continue;
        TRY(load_part(old->state, [&](StateReader& reader) { relay.load(reader); }));
    }
    for (std::size_t i = 0; i < pumps.size(); ++i) {
        if (fates[i].fate != PumpCarried::Fate::Kept) continue;
        TRY(load_part(part_of(parts.pumps, pumps[i].info.name)->state, [&](StateReader& reader) {
            for (const auto& op : pumps[i].operators)
                op->restore(reader);
        }));
    }
    for (const auto& old : parts.pumps)
        if (std::ranges::find(fates, old.name, &PumpCarried::name) == fates.end())
            fates.push_back({std::string(old.name), PumpCarried::Fate::Dropped, ""});
    return fates;
}

void Application::subscribe(StreamId stream, RowsCallback callback) {
    impl_->relays.at(stream.value)->subscribe(std::move(callback));
}

void Application::subscribe_bounds(StreamId stream, BoundCallback callback) {
    impl_->relays.at(stream.value)->subscribe_bounds(std::move(callback));
}

}  // namespace tidemill::sql
