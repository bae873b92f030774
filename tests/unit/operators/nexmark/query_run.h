#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "operators/connect/row_encoder.h"
#include "operators/exec/application.h"
#include "operators/nexmark/generator.h"
#include "operators/nexmark/queries.h"
#include "operators/nexmark/side_input.h"
#include "operators/plan/bare_select.h"

namespace tidemill::nexmark {

/// What a query of the examples says of the first `count` events: rows as CSV lines, in their
/// order. Pushes them in stretches of `stretch` events.
inline std::vector<std::string> rows_of_query(std::string_view name, std::uint64_t count,
                                              const GeneratorOptions& options,
                                              std::uint64_t stretch = Generator::kStretch) {
    const auto* query = find_query(name);
    REQUIRE(query != nullptr);
    const std::vector<sql::InputStream> inputs = {
        {"PERSON", person_schema()}, {"AUCTION", auction_schema()}, {"BID", bid_schema()}};
    std::vector<sql::CatalogStream> catalog;
    for (const auto& input : inputs) {
        catalog.emplace_back();
        catalog.back().name = input.name;
        catalog.back().schema = input.schema;
        catalog.back().is_input = true;
    }
    sql::ApplicationOptions application_options;
    application_options.tables = {side_input_table()};
    const sql::CatalogTable table{application_options.tables[0].name,
                                  application_options.tables[0].schema};
    const auto text = sql::expand_bare_select(query->sql, catalog, {&table, 1});
    if (!text) FAIL(text.error().to_string());
    auto application = sql::Application::compile(*text, inputs, application_options);
    if (!application) FAIL(application.error().to_string());
    REQUIRE((*application)->set_table(table.name, side_input_rows()));
    std::vector<std::string> rows;
    const auto stream = (*application)->find_stream("QUERY");
    REQUIRE(stream);
    const auto schema = (*application)->schema(*stream);
    (*application)->subscribe(*stream, [&](const sql::Batch& batch) {
        batch.selection.for_each([&](std::size_t row) {
            rows.emplace_back();
            sql::append_csv_row(rows.back(), schema, batch, row);
        });
    });
    const auto errors = (*application)->find_stream("error_stream");
    (*application)->subscribe(*errors, [&](const sql::Batch& batch) {
        FAIL(std::string(batch.columns[3]->text_at(batch.selection[0])));
    });
    Generator generator(options);
    Events events;
    const sql::StreamId streams[] = {sql::StreamId(0), sql::StreamId(1), sql::StreamId(2)};
    for (std::uint64_t done = 0; done < count; done += stretch) {
        generator.make(done, std::min(stretch, count - done), events);
        (*application)->push(streams[0], events.person.view());
        (*application)->push(streams[1], events.auction.view());
        (*application)->push(streams[2], events.bid.view());
    }
    (*application)->finish();
    return rows;
}

struct Bid {
    std::int64_t auction, bidder, price;
    std::string channel, url;
    std::int64_t time;
    std::string extra;
};

/// The bids among the first `count` events.
inline std::vector<Bid> bids_of(std::uint64_t count, const GeneratorOptions& options) {
    std::vector<Bid> bids;
    Generator generator(options);
    Events events;
    generator.make(0, count, events);
    const auto& c = events.bid.columns;
    for (std::size_t row = 0; row < events.bid.size(); ++row)
        bids.push_back({c[0].int_at(row), c[1].int_at(row), c[2].int_at(row),
                        std::string(c[3].text_at(row)), std::string(c[4].text_at(row)),
                        c[5].int_at(row), std::string(c[6].text_at(row))});
    return bids;
}

}  // namespace tidemill::nexmark
