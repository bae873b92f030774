#include <map>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/service/service_limits.h"
#include "proto/batch_codec.h"
#include "tests/unit/engine/service/service_fixture.h"

using namespace tidemill;

namespace {

using Tags = std::map<std::string, std::string>;

Tags many_tags(std::size_t count) {
    Tags tags;
    for (std::size_t i = 0; i < count; ++i)
        tags[fmt::format("key {}", i)] = "value";
    return tags;
}

}  // namespace

TEST_CASE("consumers are registered once, found by name, and survive a restart with their tags") {
    ServiceFixture f;
    f.create("s");
    const auto made = f.reactor.run(f.service->register_consumer("s", "b", {{"k", "v"}}));
    REQUIRE(made);
    CHECK(to_millis(made->created) % 1000 == 0);
    REQUIRE(f.reactor.run(f.service->register_consumer("s", "a", {})));
    CHECK(f.reactor.run(f.service->register_consumer("s", "b", {})).error().code ==
          Errc::AlreadyExists);
    CHECK(f.reactor.run(f.service->register_consumer("none", "b", {})).error().code ==
          Errc::NotFound);
    CHECK(f.reactor.run(f.service->register_consumer("s", "not a name", {})).error().code ==
          Errc::InvalidArgument);
    f.restart();
    const auto stream = f.find("s");
    REQUIRE(stream->consumers.size() == 2);
    CHECK(stream->consumers[0].name == "a");
    CHECK(stream->find_consumer("b")->tags == Tags{{"k", "v"}});
    CHECK(stream->find_consumer("b")->created == made->created);
}

TEST_CASE("a consumer registered again is another one, and its old self is not found") {
    ServiceFixture f;
    f.create("s");
    const auto first = f.reactor.run(f.service->register_consumer("s", "c", {}));
    REQUIRE(first);
    REQUIRE(f.reactor.run(f.service->deregister_consumer({"s", "c", first->created})));
    CHECK(f.find("s")->consumers.empty());
    f.restart();
    const auto second = f.reactor.run(f.service->register_consumer("s", "c", {}));
    REQUIRE(second);
    CHECK(second->created > first->created);
    CHECK(f.reactor.run(f.service->deregister_consumer({"s", "c", first->created})).error().code ==
          Errc::NotFound);
    CHECK(f.reactor.run(f.service->deregister_consumer({"s", "d", {}})).error().code ==
          Errc::NotFound);
    REQUIRE(f.reactor.run(f.service->deregister_consumer({"s", "c", {}})));
}

TEST_CASE("a stream has so many consumers and no more") {
    ServiceFixture f;
    f.create("s");
    for (std::size_t i = 0; i < service_limits::kConsumersPerStreamMax; ++i)
        REQUIRE(f.reactor.run(f.service->register_consumer("s", fmt::format("c{}", i), {})));
    CHECK(f.reactor.run(f.service->register_consumer("s", "more", {})).error().code ==
          Errc::LimitExceeded);
}

TEST_CASE("a stream with consumers is deleted only when they may go too") {
    ServiceFixture f;
    f.create("s");
    REQUIRE(f.reactor.run(f.service->register_consumer("s", "c", {})));
    CHECK(f.reactor.run(f.service->delete_stream("s")).error().code == Errc::ResourceInUse);
    CHECK(f.find("s")->consumers.size() == 1);
    REQUIRE(f.reactor.run(f.service->delete_stream("s", true)));
}

TEST_CASE("tags are kept to AWS's rules, on streams and consumers alike") {
    ServiceFixture f;
    f.create("s");
    REQUIRE(f.reactor.run(f.service->register_consumer("s", "c", {})));
    const auto on_stream = [&](Tags set, std::vector<std::string> remove = {}) {
        return f.reactor.run(f.service->edit_tags("s", std::move(set), std::move(remove)));
    };
    const auto on_consumer = [&](Tags set, std::vector<std::string> remove = {}) {
        return f.reactor.run(
            f.service->edit_consumer_tags({"s", "c", {}}, std::move(set), std::move(remove)));
    };
    const std::string u = "\xc3\xbc";  // one character of two bytes
    std::string longest_key, longest_value;
    for (int i = 0; i < 128; ++i)
        longest_key += u;
    for (int i = 0; i < 256; ++i)
        longest_value += u;
    const std::vector<Tags> wrong = {{{"", "v"}},
                                     {{longest_key + u, "v"}},
                                     {{"k", longest_value + u}},
                                     {{"aws:k", "v"}},
                                     {{"k;", "v"}},
                                     {{"k", "<v>"}},
                                     many_tags(51)};
    for (const auto& tags : wrong) {
        CHECK(on_stream(tags).error().code == Errc::InvalidArgument);
        CHECK(on_consumer(tags).error().code == Errc::InvalidArgument);
    }
    CHECK(f.find("s")->tags.empty());
    REQUIRE(on_stream({{longest_key, longest_value}, {"a b:c", "x_.:/=+-%@"}}));
    REQUIRE(on_stream({}, {longest_key}));
    CHECK(f.find("s")->tags == Tags{{"a b:c", "x_.:/=+-%@"}});
    REQUIRE(on_consumer(many_tags(50)));
    CHECK(on_consumer({{"one more", ""}}).error().code == Errc::InvalidArgument);
    REQUIRE(on_consumer({{"key 0", "new"}}, {"key 1"}));
    const auto stream = f.find("s");
    const auto& tags = stream->find_consumer("c")->tags;
    CHECK(tags.size() == 49);
    CHECK(tags.at("key 0") == "new");
}

TEST_CASE("a record may be as large as its stream allows, by every door") {
    ServiceFixture f;
    const auto put = [&](std::size_t bytes) {
        const std::string data(bytes, 'x');
        const auto stream = f.find("s");
        return f.reactor.run(f.service->put_records(*stream, {{"k", as_bytes(data), {}}}))[0]
            .append;
    };
    const auto check_batch = [&](std::size_t bytes, Codec codec) {
        RecordBatchBuilder builder;
        builder.add("k", as_bytes(std::string(bytes, 'x')));
        builder.add("k", as_bytes("small"));
        std::vector<std::byte> space;
        BatchCompressor compressor({codec, 0});
        const auto batch =
            codec == Codec::None ? builder.finish() : compressor.compress(builder.finish(), space);
        Status status;
        f.reactor.run_in_turn(
            [&] { status = f.service->check_record_sizes(f.find("s")->shards[0].uid, batch); });
        return status;
    };
    f.create("s");
    CHECK(put(1_MiB).outcome == Outcome::Committed);
    CHECK(put(1_MiB + 1).error.code == Errc::TooLarge);
    for (const Codec codec : {Codec::None, Codec::Lz4}) {
        CHECK(check_batch(1_MiB, codec));
        CHECK(check_batch(1_MiB + 1, codec).error().code == Errc::TooLarge);
    }
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.max_record_bytes = 10_MiB})));
    f.restart();
    CHECK(put(10_MiB).outcome == Outcome::Committed);
    CHECK(put(10_MiB + 1).error.code == Errc::TooLarge);
    CHECK(check_batch(5_MiB, Codec::Lz4));
    for (const std::uint32_t bytes : {std::uint32_t{1_MiB} - 1, std::uint32_t{10_MiB} + 1})
        CHECK(f.reactor.run(f.service->change_settings("s", {.max_record_bytes = bytes}))
                  .error()
                  .code == Errc::Validation);
}

TEST_CASE("an Auto stream spreads records evenly, whatever their keys") {
    ServiceFixture f;
    f.create("s", 4, StreamMode::OnDemand);
    REQUIRE(
        f.reactor.run(f.service->change_settings("s", {.distribution = RecordDistribution::Auto})));
    const auto stream = f.find("s");
    std::map<std::uint32_t, int> of_shard;
    for (int call = 0; call < 10; ++call) {
        std::vector<PutRecord> records(7, PutRecord{"one key", as_bytes("x"), uint128{0}});
        records.push_back({"", as_bytes("no key"), {}});
        for (const auto& outcome : f.reactor.run(f.service->put_records(*stream, records))) {
            REQUIRE(outcome.append.outcome == Outcome::Committed);
            ++of_shard[outcome.shard->index];
        }
    }
    CHECK(of_shard == std::map<std::uint32_t, int>{{0, 20}, {1, 20}, {2, 20}, {3, 20}});
}

TEST_CASE("records of an Auto stream whose shards are split meanwhile are stored all the same") {
    ServiceFixture f;
    f.create("s", 2, StreamMode::OnDemand);
    REQUIRE(
        f.reactor.run(f.service->change_settings("s", {.distribution = RecordDistribution::Auto})));
    const auto before = f.find("s");
    REQUIRE(f.reactor.run(f.service->scale_stream("s", 4)));
    std::vector<PutRecord> records(8, PutRecord{"", as_bytes("x"), {}});
    for (const auto& outcome : f.reactor.run(f.service->put_records(*before, records))) {
        CHECK(outcome.append.outcome == Outcome::Committed);
        CHECK(outcome.shard->is_open());
    }
}

TEST_CASE("Auto and warmth are for on-demand streams, and end with that mode") {
    ServiceFixture f;
    f.create("p");
    const auto change = [&](const char* name, SettingsChange wish) {
        return f.reactor.run(f.service->change_settings(name, wish));
    };
    CHECK(change("p", {.distribution = RecordDistribution::Auto}).error().code ==
          Errc::InvalidArgument);
    CHECK(change("p", {.warm_mib_per_second = 5}).error().code == Errc::Validation);
    // The account must be committed.
    REQUIRE(change("p", {.mode = StreamMode::OnDemand}));
    CHECK(change("p", {.warm_mib_per_second = 5}).error().code == Errc::Validation);
    REQUIRE(f.reactor.run(f.service->commit_throughput("", true)));
    const auto warm = change("p", {.warm_mib_per_second = 5});
    REQUIRE(warm);
    CHECK((*warm)->open.size() == 5);
    CHECK(change("p", {.warm_mib_per_second = 10'241}).error().code == Errc::Validation);
    REQUIRE(change("p", {.distribution = RecordDistribution::Auto}));
    f.restart();
    CHECK(f.find("p")->warm_mib_per_second == 5);
    CHECK(f.find("p")->distribution == RecordDistribution::Auto);
    const auto back = change("p", {.mode = StreamMode::Provisioned});
    REQUIRE(back);
    CHECK((*back)->warm_mib_per_second == 0);
    CHECK((*back)->distribution == RecordDistribution::ByKey);
    CHECK((*back)->open.size() == 5);

    CreateStream request;
    request.name = "w";
    request.warm_mib_per_second = 9;
    CHECK(f.create(request).error().code == Errc::Validation);
    request.mode = StreamMode::OnDemand;
    request.shard_count = 4;
    const auto made = f.create(request);
    REQUIRE(made);
    CHECK((*made)->open.size() == 9);
}

TEST_CASE("metrics of shards are watched and no longer watched one by one") {
    ServiceFixture f;
    f.create("s");
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.watch = 0b101})));
    REQUIRE(f.reactor.run(f.service->change_settings("s", {.watch = 0b010, .unwatch = 0b100})));
    f.restart();
    CHECK(f.find("s")->shard_metrics == 0b011);
}

TEST_CASE(
    "policies belong to streams and consumers, survive a restart and go with what they are of") {
    ServiceFixture f;
    f.create("s");
    REQUIRE(f.reactor.run(f.service->register_consumer("s", "c", {})));
    REQUIRE(f.reactor.run(f.service->set_policy("s", "{\"of\":\"stream\"}")));
    REQUIRE(f.reactor.run(f.service->set_consumer_policy({"s", "c", {}}, "{}")));
    CHECK(f.reactor.run(f.service->set_policy("s", std::string(20 * 1024 + 1, ' '))).error().code ==
          Errc::InvalidArgument);
    CHECK(f.reactor.run(f.service->set_policy("none", "{}")).error().code == Errc::NotFound);
    f.restart();
    CHECK(f.find("s")->policy == "{\"of\":\"stream\"}");
    CHECK(f.find("s")->find_consumer("c")->policy == "{}");
    REQUIRE(f.reactor.run(f.service->set_policy("s", "")));
    CHECK(f.find("s")->policy.empty());
    REQUIRE(f.reactor.run(f.service->delete_stream("s", true)));
    f.create("s");
    CHECK(f.find("s")->policy.empty());
}

TEST_CASE("a commitment of an account lasts a day at least") {
    const WallTime start = from_millis(1'700'000'000'000);
    AccountSettings settings;
    CHECK_FALSE(settings.is_committed());
    settings = settings.after_wish(true, start);
    CHECK(settings.commitment == Commitment::Enabled);
    CHECK(settings.earliest_end == start + kLeastCommitment);
    const auto ending = settings.after_wish(false, start + std::chrono::hours(1));
    CHECK(ending.commitment == Commitment::EnabledUntilEarliestEnd);
    CHECK(ending.is_committed());
    CHECK(ending.after_wish(true, start + std::chrono::hours(2)).commitment == Commitment::Enabled);
    const auto ended = ending.as_of(start + kLeastCommitment);
    CHECK(ended.commitment == Commitment::Disabled);
    CHECK(ended.ended == start + kLeastCommitment);
    CHECK(settings.after_wish(false, start + std::chrono::hours(30)).commitment ==
          Commitment::Disabled);
    CHECK(*decode_account_settings(encode_account_settings(ending)) == ending);
    auto broken = encode_account_settings(ending);
    broken[1] = std::byte{9};
    CHECK(decode_account_settings(broken).error().code == Errc::Corrupt);
    CHECK(decode_account_settings(Bytes(broken).first(3)).error().code == Errc::Corrupt);
}

TEST_CASE("settings of an account survive a restart and are another account's not") {
    ServiceFixture f;
    const auto made = f.reactor.run(f.service->commit_throughput("111111111111", true));
    REQUIRE(made);
    f.restart();
    CHECK(*f.reactor.run(f.service->account_settings("111111111111")) == *made);
    CHECK_FALSE(f.reactor.run(f.service->account_settings(""))->is_committed());
}
