#include "operators/nexmark/generator.h"

#include <algorithm>

namespace tidemill::nexmark {

using sql::Schema;
using sql::Type;
using sql::TypeKind;

namespace {

sql::Field field(std::string name, Type type) { return {std::move(name), type, true, false}; }
Type text() { return Type::varchar(1024); }

// Persons and auctions that have come by the time of an event, its own included; at least one.
std::uint64_t last_person(std::uint64_t number) { return number / Generator::kCycle; }
std::uint64_t last_auction(std::uint64_t number) {
    const auto epoch = number / Generator::kCycle, offset = number % Generator::kCycle;
    if (offset >= Generator::kPersons + Generator::kAuctions)
        return epoch * Generator::kAuctions + Generator::kAuctions - 1;
    if (offset < Generator::kPersons) return epoch == 0 ? 0 : epoch * Generator::kAuctions - 1;
    return epoch * Generator::kAuctions + offset - Generator::kPersons;
}

// Somebody active, now and then somebody who is still to come.
std::uint64_t some_person(std::uint64_t number, std::uint64_t bits) {
    const auto persons = last_person(number) + 1;
    const auto active = std::min(persons, Generator::kActivePersons);
    return persons - active + Draw::scale(bits, active + Generator::kLead);
}
std::uint64_t some_auction(std::uint64_t number, std::uint64_t bits) {
    const auto last = last_auction(number);
    const auto first = last - std::min(last, Generator::kInFlightAuctions);
    return first + Draw::scale(bits, last - first + 1 + Generator::kLead);
}

std::int64_t id(std::uint64_t zero_based) {
    return static_cast<std::int64_t>(zero_based) + Generator::kFirstId;
}

}  // namespace

Schema person_schema() {
    return {{field("ID", TypeKind::BigInt), field("NAME", text()), field("EMAILADDRESS", text()),
             field("CREDITCARD", text()), field("CITY", text()), field("STATE", text()),
             field("DATETIME", TypeKind::Timestamp), field("EXTRA", text())}};
}

Schema auction_schema() {
    return {{field("ID", TypeKind::BigInt), field("ITEMNAME", text()), field("DESCRIPTION", text()),
             field("INITIALBID", TypeKind::BigInt), field("RESERVE", TypeKind::BigInt),
             field("DATETIME", TypeKind::Timestamp), field("EXPIRES", TypeKind::Timestamp),
             field("SELLER", TypeKind::BigInt), field("CATEGORY", TypeKind::BigInt),
             field("EXTRA", text())}};
}

Schema bid_schema() {
    return {{field("AUCTION", TypeKind::BigInt), field("BIDDER", TypeKind::BigInt),
             field("PRICE", TypeKind::BigInt), field("CHANNEL", text()), field("URL", text()),
             field("DATETIME", TypeKind::Timestamp), field("EXTRA", text())}};
}

void Generator::make(std::uint64_t first, std::uint64_t count, Events& events) {
    events.person.clear();
    events.auction.clear();
    events.bid.clear();
    for (auto number = first; number < first + count; ++number) {
        const auto time = time_of(number);
        const auto offset = number % kCycle;
        if (offset >= kPersons + kAuctions)
            add_bid(number, time, events.bid);
        else if (offset >= kPersons)
            add_auction(number, time, events.auction);
        else
            add_person(number, time, events.person);
    }
}

// Fills the row up to about `wanted` bytes, give or take a fifth of what is missing.
void Generator::append_extra(sql::Column& to, std::uint64_t bits, std::size_t size,
                             std::size_t wanted) {
    if (size >= wanted) return to.append_text({});
    const auto missing = wanted - size;
    const auto spread = (missing + 2) / 5;
    const auto length = missing - spread + Draw::scale(bits, 2 * spread);
    to.append_text(texts_.letters(bits, length));
}

void Generator::add_person(std::uint64_t number, std::int64_t time, sql::RowBatch& to) {
    auto draw = draw_for(number);
    const auto bits = draw.next();
    const auto first_name = EventTexts::kFirstNames[Draw::scale(bits, 11)];
    const auto last_name = EventTexts::kLastNames[draw.below(9)];
    const auto place = draw.next();
    const auto city = EventTexts::kCities[Draw::scale(place, 10)];
    const auto state = EventTexts::kStates[place % 6];
    std::string made(first_name);
    made += ' ';
    made += last_name;
    std::size_t size = 8 + made.size() + city.size() + state.size() + 8;
    auto& columns = to.columns;
    columns[0].append_int(id(last_person(number)));
    columns[1].append_text(made);
    const auto address = draw.next();
    made.assign(texts_.letters(address >> 40, 3 + Draw::scale(address, 4)));
    made += '@';
    made += texts_.letters(address >> 20, 3 + Draw::scale(address << 16, 2));
    made += ".com";
    size += made.size();
    columns[2].append_text(made);
    made = "0000 0000 0000 0000";
    auto digits = draw.next();
    for (auto& c : made)
        if (c == '0') c = static_cast<char>('0' + digits % 10), digits /= 10;
    size += made.size();
    columns[3].append_text(made);
    columns[4].append_text(city);
    columns[5].append_text(state);
    columns[6].append_int(time);
    append_extra(columns[7], draw.next(), size, 200);
    to.rowtime.append_int(time);
}

void Generator::add_auction(std::uint64_t number, std::int64_t time, sql::RowBatch& to) {
    auto draw = draw_for(number);
    const auto bits = draw.next();
    // 3/4 of the auctions are by the hot seller.
    const auto seller = Draw::scale(bits, 4) > 0 ? last_person(number) / kHotStride * kHotStride
                                                 : some_person(number, draw.next());
    const auto price = texts_.price(draw.next());
    const auto reserve = price + texts_.price(draw.next());
    const auto ahead = kInFlightAuctions * kCycle / kAuctions;
    const auto horizon = static_cast<std::uint64_t>(time_of(number + ahead) - time);
    const auto lasts = 1 + draw.below(std::max<std::uint64_t>(2 * horizon, 1));
    const auto item = draw.next(), about = draw.next();
    const auto name = texts_.words(item, 3 + Draw::scale(item, 17));
    const auto description = texts_.words(about, 3 + Draw::scale(about, 97));
    auto& columns = to.columns;
    columns[0].append_int(id(last_auction(number)));
    columns[1].append_text(name);
    columns[2].append_text(description);
    columns[3].append_int(price);
    columns[4].append_int(reserve);
    columns[5].append_int(time);
    columns[6].append_int(time + static_cast<std::int64_t>(lasts));
    columns[7].append_int(id(seller));
    columns[8].append_int(kFirstCategory + static_cast<std::int64_t>(bits % 5));
    append_extra(columns[9], draw.next(), 56 + name.size() + description.size(), 500);
    to.rowtime.append_int(time);
}

void Generator::add_bid(std::uint64_t number, std::int64_t time, sql::RowBatch& to) {
    auto draw = draw_for(number);
    const auto bits = draw.next(), places = draw.next();
    const auto auction = (bits & 1) != 0 ? last_auction(number) / kHotStride * kHotStride
                                         : some_auction(number, places);
    const auto bidder = (bits & 6) != 0 ? last_person(number) / kHotStride * kHotStride + 1
                                        : some_person(number, places << 32);
    const auto& channel = texts_.channel(
        (bits & 8) != 0 ? bits >> 4 & 3
                        : EventTexts::kHotChannels + Draw::scale(bits, EventTexts::kChannels));
    auto& columns = to.columns;
    columns[0].append_int(id(auction));
    // The original adds the first id twice; kept, so that results can be compared.
    columns[1].append_int(id(bidder) + kFirstId);
    columns[2].append_int(texts_.price(draw.next()));
    columns[3].append_text(channel.name);
    columns[4].append_text(channel.url);
    columns[5].append_int(time);
    append_extra(columns[6], draw.next(), 32, 100);
    to.rowtime.append_int(time);
}

}  // namespace tidemill::nexmark
