#include "operators/exec/change_top_n.h"

#include <algorithm>

#include <fmt/format.h>

namespace tidemill::sql {

namespace {

std::vector<Type> types_of(const Schema& schema, std::span<const std::size_t> columns) {
    std::vector<Type> types;
    for (const auto column : columns)
        types.push_back(schema[column].type);
    return types;
}

std::vector<std::size_t> kept_columns(std::size_t visible, const TopNNode& node) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < visible; ++i)
        if (i != node.rank) columns.push_back(i);
    return columns;
}

// By what is asked for, then by what identifies a row.
std::vector<std::size_t> order_columns(const TopNNode& node) {
    auto columns = node.order;
    columns.insert(columns.end(), node.row_key.begin(), node.row_key.end());
    return columns;
}
std::vector<bool> order_directions(const TopNNode& node) {
    auto directions = node.is_descending;
    directions.resize(node.order.size() + node.row_key.size(), false);
    return directions;
}

void gather(std::vector<const Column*>& to, const Batch& batch,
            std::span<const std::size_t> columns) {
    to.clear();
    for (const auto column : columns)
        to.push_back(batch.columns[column]);
}

}  // namespace

ChangeTopN::ChangeTopN(ExecContext& context, std::string pump, Schema input, TopNNode node,
                       const Schema& output)
    : Operator(context, std::move(pump), "ChangeTopN", std::move(input)),
      node_(std::move(node)),
      visible_(output.size() - 1),
      shows_ranks_(node_.has_rank || node_.limit == 1),
      sort_key_(types_of(this->input(), order_columns(node_)), order_directions(node_)),
      codec_(types_of(this->input(), kept_columns(visible_, node_))),
      row_keys_(types_of(this->input(), node_.row_key)),
      partition_keys_(types_of(this->input(), node_.partition)),
      window_(node_.monotonic ? this->input()[*node_.monotonic].type : Type()),
      out_(output) {
    for (const auto column : kept_columns(visible_, node_))
        out_columns_.push_back(&out_.columns[column]);
}

void ChangeTopN::on_batch(const Batch& batch) {
    batch_ = &batch;
    gather(row_key_columns_, batch, node_.row_key);
    gather(partition_columns_, batch, node_.partition);
    gather(order_, batch, order_columns(node_));
    gather(row_columns_, batch, kept_columns(visible_, node_));
    const auto& rows = batch.selection;
    std::size_t run_start = 0;
    for (std::size_t i = 0; node_.monotonic && i < rows.count; ++i) {
        if (!starts_window(batch, rows[i])) continue;
        add(rows.sub(run_start, i - run_start, run_));
        run_start = i;
        forget_window(batch, rows[i]);
    }
    add(rows.sub(run_start, rows.count - run_start, run_));
    emit_changes();
    batch_ = nullptr;
}

void ChangeTopN::add(const Selection& rows) {
    if (rows.count == 0) return;
    row_keys_.find_or_add(row_key_columns_, rows, row_of_);
    partition_keys_.find_or_add(partition_columns_, rows, partition_of_);
    rows_.resize(row_keys_.size());
    rows.for_each([&](std::size_t row) { change(row); });
}

void ChangeTopN::touch(std::uint32_t number, std::int64_t time) {
    auto& partition = partitions_.try_emplace(number, heap_).first->second;
    partition.last_change = changes_++;
    partition.time = time;
    if (partition.is_changed) return;
    partition.is_changed = true;
    changed_.push_back(number);
}

void ChangeTopN::change(std::size_t row) {
    const auto number = row_of_[row];
    auto& kept = rows_[number];
    const auto time = batch_->rowtime->int_at(row);
    const bool is_deletion = batch_->columns[node_.input_op]->text_at(row) == "-D";
    if (kept.bytes == kNone && !is_deletion && present_ >= node_.limits.rows)
        return reject(*batch_, row, "STATE_LIMIT",
                      fmt::format("ChangeTopN keeps {} rows, and state_limit is {}.", present_,
                                  node_.limits.rows));
    if (kept.bytes != kNone) {
        touch(kept.partition, time);
        take_out(kept);
    }
    if (is_deletion) return;
    sort_key_.encode(order_, row, key_bytes_);
    codec_.encode(row_columns_, row, row_bytes_);
    touch(partition_of_[row], time);
    put_in(number, partition_of_[row], key_bytes_, row_bytes_);
}

void ChangeTopN::take_out(Row& row) {
    auto& rows = partitions_.at(row.partition).rows;
    rows.erase(rows.find({SortKey::prefix_of(heap_.get(row.key)), row.key, 0}));
    heap_.drop(row.key);
    heap_.drop(row.bytes);
    row.key = row.bytes = kNone;
    --present_;
}

void ChangeTopN::put_in(std::uint32_t number, std::uint32_t partition, std::string_view key,
                        std::string_view bytes) {
    rows_[number] = {partition, heap_.put(key), heap_.put(bytes)};
    partitions_.try_emplace(partition, heap_)
        .first->second.rows.insert({SortKey::prefix_of(key), rows_[number].key, number});
    ++present_;
}

bool ChangeTopN::starts_window(const Batch& batch, std::size_t row) const {
    if (window_.size() == 0) return true;
    const auto& now = *batch.columns[*node_.monotonic];
    if (now.is_null(row) || window_.is_null(0)) return now.is_null(row) != window_.is_null(0);
    return window_.type().storage() == Storage::Text ? now.text_at(row) != window_.text_at(0)
                                                     : now.int_at(row) != window_.int_at(0);
}

// Partitions that are over say nothing more, and take no memory.
void ChangeTopN::forget_window(const Batch& batch, std::size_t row) {
    emit_changes();
    row_keys_.clear();
    partition_keys_.clear();
    rows_.clear();
    partitions_.clear();
    heap_.clear();
    present_ = 0;
    window_.clear();
    window_.append_from(*batch.columns[*node_.monotonic], row);
}

void ChangeTopN::emit_changes() {
    // ROWTIME ascends: partitions in the order of their latest changes.
    std::ranges::sort(changed_, {},
                      [&](std::uint32_t number) { return partitions_.at(number).last_change; });
    for (const auto number : changed_) {
        auto& partition = partitions_.at(number);
        partition.is_changed = false;
        shows_ranks_ ? emit_ranks(partition) : emit_rows(partition);
        if (partition.rows.empty()) partitions_.erase(number);
    }
    changed_.clear();
    changes_ = 0;
    if (out_.size() > 0) emit(out_.view());
    out_.clear();
}

// Every rank that holds another row than the one that went out last.
void ChangeTopN::emit_ranks(Partition& partition) {
    auto& shown = partition.shown;
    std::size_t rank = 0;
    for (auto place = partition.rows.begin(); place != partition.rows.end() && rank < node_.limit;
         ++place, ++rank) {
        const auto bytes = rows_[place->row].bytes;
        if (rank < shown.size() && heap_.get(shown[rank].bytes) == heap_.get(bytes)) continue;
        const std::string copy(heap_.get(bytes));
        if (rank == shown.size()) {
            shown.push_back({place->row, heap_.put(copy)});
            append(shown[rank].bytes, static_cast<std::int64_t>(rank) + 1, "+I", partition.time);
        } else {
            heap_.drop(shown[rank].bytes);
            shown[rank] = {place->row, heap_.put(copy)};
            append(shown[rank].bytes, static_cast<std::int64_t>(rank) + 1, "+U", partition.time);
        }
    }
    while (shown.size() > rank) {
        if (node_.has_op)
            append(shown.back().bytes, static_cast<std::int64_t>(shown.size()), "-D",
                   partition.time);
        heap_.drop(shown.back().bytes);
        shown.pop_back();
    }
}

// Rows that have left the first n, then those that have come or changed.
void ChangeTopN::emit_rows(Partition& partition) {
    std::map<std::uint32_t, std::uint32_t> before;  // row to bytes
    for (const auto& shown : partition.shown)
        before.emplace(shown.row, shown.bytes);
    std::vector<Shown> now;
    for (auto place = partition.rows.begin();
         place != partition.rows.end() && now.size() < node_.limit; ++place)
        now.push_back({place->row, kNone});
    for (const auto& shown : partition.shown) {
        if (std::ranges::find(now, shown.row, &Shown::row) != now.end()) continue;
        if (node_.has_op) append(shown.bytes, 0, "-D", partition.time);
        heap_.drop(shown.bytes);
    }
    for (auto& row : now) {
        const auto old = before.find(row.row);
        const std::string bytes(heap_.get(rows_[row.row].bytes));
        if (old != before.end() && heap_.get(old->second) == bytes) {
            row.bytes = old->second;
            continue;
        }
        if (old != before.end()) heap_.drop(old->second);
        row.bytes = heap_.put(bytes);
        append(row.bytes, 0, old == before.end() ? "+I" : "+U", partition.time);
    }
    partition.shown = std::move(now);
}

void ChangeTopN::append(std::uint32_t bytes, std::int64_t rank, std::string_view op,
                        std::int64_t time) {
    codec_.decode(heap_.get(bytes), out_columns_);
    out_.columns[node_.rank].append_int(rank);
    out_.columns[visible_].append_text(op);
    out_.rowtime.append_int(time);
    if (!out_.is_full()) return;
    emit(out_.view());
    out_.clear();
}

void ChangeTopN::save(StateWriter& to) const {
    to.put_column(window_);
    row_keys_.snapshot(to);
    partition_keys_.snapshot(to);
    for (const auto& row : rows_) {
        to.put_bool(row.bytes != kNone);
        if (row.bytes == kNone) continue;
        to.put_count(row.partition);
        to.put_text(heap_.get(row.key));
        to.put_text(heap_.get(row.bytes));
    }
    to.put_count(partitions_.size());
    for (const auto& [number, partition] : partitions_) {
        to.put_count(number);
        to.put_count(partition.shown.size());
        for (const auto& shown : partition.shown) {
            to.put_count(shown.row);
            to.put_text(heap_.get(shown.bytes));
        }
    }
}

void ChangeTopN::load(StateReader& from) {
    from.take_column(window_);
    if (window_.size() > 1) return from.fail();
    row_keys_.restore(from);
    partition_keys_.restore(from);
    partitions_.clear();
    heap_.clear();
    present_ = 0;
    rows_.assign(row_keys_.size(), Row{});
    for (std::uint32_t number = 0; number < rows_.size() && !from.has_failed(); ++number) {
        if (!from.take_bool()) continue;
        const auto partition = from.take_count();
        const auto key = from.take_text(), bytes = from.take_text();
        if (from.has_failed() || partition >= partition_keys_.size() || !codec_.is_valid(bytes))
            return from.fail();
        put_in(number, static_cast<std::uint32_t>(partition), key, bytes);
        // Two rows of one key were no places apart, and could not be taken out again.
        if (partitions_.at(static_cast<std::uint32_t>(partition))
                .rows.find({SortKey::prefix_of(key), rows_[number].key, 0})
                ->row != number)
            return from.fail();
    }
    for (auto count = from.take_size(); count > 0 && !from.has_failed(); --count) {
        const auto found = partitions_.find(static_cast<std::uint32_t>(from.take_count()));
        auto shown = from.take_size();
        if (found == partitions_.end() || shown > node_.limit || !found->second.shown.empty())
            return from.fail();
        for (; shown > 0 && !from.has_failed(); --shown) {
            const auto row = from.take_count();
            const auto bytes = from.take_text();
            if (row >= rows_.size() || !codec_.is_valid(bytes)) return from.fail();
            found->second.shown.push_back({static_cast<std::uint32_t>(row), heap_.put(bytes)});
        }
    }
}

}  // namespace tidemill::sql
