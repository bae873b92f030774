#pragma once

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "operators/vector/batch.h"

namespace tidemill::sql {

/// Takes a snapshot apart. Trusts nothing: after the first thing that does not fit every take gives
/// zeros and `status` says Corrupt, so an operator restores straight through and asks once at the
/// end.
class StateReader {
 public:
    explicit StateReader(Bytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    std::uint64_t take_count();
    /// A count of things of at least `each` bytes that follow; fails if they cannot be there.
    std::size_t take_size(std::size_t each = 1);
    std::int64_t take_int();
    double take_double();
    bool take_bool() { return take_count() != 0; }
    /// Ownership: points into the snapshot.
    Bytes take_bytes();
    Bytes take_part();
    std::string_view take_text() { return as_text(take_bytes()); }
    /// Into a column that has its type already.
    void take_column(Column& column);
    void take_rows(RowBatch& rows);

    bool is_done() const { return at_ == end_; }
    void fail() { failed_ = true; }
    bool has_failed() const { return failed_; }
    Status status() const;

 private:
    const std::byte* at_;
    const std::byte* end_;
    bool failed_ = false;
};

}  // namespace tidemill::sql
