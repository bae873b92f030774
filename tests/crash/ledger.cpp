#include "tests/crash/ledger.h"

#include <fmt/format.h>

#include "engine/base/random.h"

namespace tidemill::test {

std::uint64_t ShardLedger::sent(std::uint32_t records) {
    batches_.push_back({records, false, 0});
    return batches_.size() - 1;
}

void ShardLedger::acknowledged(std::uint64_t batch, Ordinal first) {
    auto& entry = batches_[batch];
    entry.is_acknowledged = true;
    entry.first = first;
    acknowledged_records_ += entry.records;
}

std::string ShardLedger::key_of(std::uint64_t number, std::uint32_t index) {
    return fmt::format("{}/{}", number, index);
}

std::string ShardLedger::data_of(std::uint64_t number, std::uint32_t index) {
    Random random(number * 1000003 + index);
    std::string data(random.chance(0.02) ? random.below(20000) : random.below(200), ' ');
    for (auto& c : data)
        c = static_cast<char>(random.next());
    return data;
}

bool ShardLedger::read(Ordinal ordinal, std::string_view key, Bytes data, std::string& why) {
    if (ordinal != next_) {
        why = fmt::format("record {} where {} was due", ordinal, next_);
        return false;
    }
    std::uint64_t number = 0;
    unsigned index = 0;
    if (std::sscanf(std::string(key).c_str(), "%lu/%u", &number, &index) != 2 ||
        number >= batches_.size() || index >= batches_[number].records) {
        why = fmt::format("record {} has the key '{}', which was never sent", ordinal, key);
        return false;
    }
    const auto& batch = batches_[number];
    if (as_text(data) != data_of(number, index)) {
        why = fmt::format("record {} ({}) does not have the bytes that were sent", ordinal, key);
        return false;
    }
    if (current_index_ != 0 ? number != current_ || index != current_index_ : index != 0) {
        why = fmt::format("record {} is {}: a batch came in pieces", ordinal, key);
        return false;
    }
    if (index == 0) {
        if (const auto [before, is_new] = seen_.try_emplace(number, ordinal); !is_new) {
            why = fmt::format("batch {} stands at {} and again at {}", number, before->second,
                              ordinal);
            return false;
        }
        if (batch.is_acknowledged && batch.first != ordinal) {
            why = fmt::format("batch {} was acknowledged at {} and stands at {}", number,
                              batch.first, ordinal);
            return false;
        }
    }
    current_ = number;
    current_index_ = index + 1 == batch.records ? 0 : index + 1;
    ++next_;
    return true;
}

bool ShardLedger::finish(std::string& why) {
    if (current_index_ != 0) {
        why = fmt::format("the last batch, {}, is cut after {} records", current_, current_index_);
        return false;
    }
    for (std::uint64_t number = 0; number < batches_.size(); ++number)
        if (batches_[number].is_acknowledged && !seen_.contains(number)) {
            why = fmt::format("batch {} was acknowledged at {} and is gone", number,
                              batches_[number].first);
            return false;
        }
    return true;
}

void ShardLedger::restart_reading() {
    next_ = 0;
    current_index_ = 0;
    seen_.clear();
}

}  // namespace tidemill::test
