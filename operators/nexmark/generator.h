#pragma once

#include <cstdint>

#include "operators/nexmark/event_texts.h"
#include "operators/vector/batch.h"
#include "operators/vector/schema.h"

namespace tidemill::nexmark {

/// Columns of the three streams: the names of the benchmark, folded as unquoted SQL names are.
sql::Schema person_schema();
sql::Schema auction_schema();
sql::Schema bid_schema();

struct GeneratorOptions {
    std::uint64_t seed = 42;
    std::int64_t first_time = 1'436'918'400'000;  ///< 2015-07-15, dateTime of event 0
    std::uint64_t events_per_second = 100'000;    ///< of event time, not of the clock
};

/// Rows of one stretch of events; ROWTIME is the event's dateTime.
struct Events {
    Events() : person(person_schema()), auction(auction_schema()), bid(bid_schema()) {}
    sql::RowBatch person, auction, bid;

    std::size_t size() const { return person.size() + auction.size() + bid.size(); }
};

/// The events of the Nexmark benchmark by number: of every 50 one is a person, three are auctions,
/// 46 are bids. Event N is a function of seed and N alone. Distributions: half of all bids are for
/// the hot auction (the last multiple of 100), 3/4 of bidders and sellers are hot ones; prices are
/// log-uniform from 100 to 10^8; half of all bids come through four channels. Bidders' ids are
/// 1000 above those of persons, as in the original. Threads: one caller.
/// Source: Apache Beam's Nexmark suite and the later Flink port (channel, url, extra).
class Generator {
 public:
    static constexpr std::uint64_t kCycle = 50, kPersons = 1, kAuctions = 3;
    static constexpr std::int64_t kFirstId = 1000, kFirstCategory = 10;
    static constexpr std::uint64_t kInFlightAuctions = 100, kActivePersons = 1000, kLead = 10;
    static constexpr std::uint64_t kHotStride = 100;
    /// Events whose bids fill a batch.
    static constexpr std::uint64_t kStretch = sql::kBatchRows / 46 * kCycle;

    explicit Generator(const GeneratorOptions& options) : options_(options), texts_(options.seed) {}

    /// Replaces `events` by the events `first` .. `first + count - 1`.
    void make(std::uint64_t first, std::uint64_t count, Events& events);

    /// dateTime of an event.
    std::int64_t time_of(std::uint64_t number) const {
        return options_.first_time +
               static_cast<std::int64_t>(number * 1000 / options_.events_per_second);
    }

 private:
    void add_person(std::uint64_t number, std::int64_t time, sql::RowBatch& to);
    void add_auction(std::uint64_t number, std::int64_t time, sql::RowBatch& to);
    void add_bid(std::uint64_t number, std::int64_t time, sql::RowBatch& to);
    void append_extra(sql::Column& to, std::uint64_t bits, std::size_t size, std::size_t wanted);
    Draw draw_for(std::uint64_t number) const {
        return Draw(options_.seed * 0x2545f4914f6cdd1d + number * 0xda942042e4dd58b5);
    }

    GeneratorOptions options_;
    EventTexts texts_;
};

}  // namespace tidemill::nexmark
