#include "engine/dynamodb/table_store.h"

#include <doctest/doctest.h>

#include "engine/catalog/memory_catalog_store.h"
#include "engine/dynamodb/operations.h"
#include "engine/reactor/test_reactor_group.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

/// A store that refuses commits on demand, once what is on its way may go on.
class FailingStore final : public CatalogStore {
 public:
    explicit FailingStore(Reactor& home) : inner_(home) {}
    Task<Result<std::optional<CatalogRow>>> read(std::string space, std::string key) override {
        return inner_.read(std::move(space), std::move(key));
    }
    Task<Result<std::vector<CatalogRow>>> scan(std::string space, std::string prefix) override {
        return inner_.scan(std::move(space), std::move(prefix));
    }
    Task<Result<std::uint64_t>> commit(std::vector<CatalogWrite> writes) override {
        ++commits;
        // A commit takes a while: what comes meanwhile goes into the next.
        co_await Reactor::current().sleep_until(Reactor::current().clock().mono_now() + 1ms);
        if (fails) co_return fail(Errc::NoSpace, "the disk is full");
        co_return co_await inner_.commit(std::move(writes));
    }
    Task<Result<std::uint64_t>> watch(std::uint64_t beyond, MonoTime deadline) override {
        return inner_.watch(beyond, deadline);
    }
    bool fails = false;
    int commits = 0;

 private:
    MemoryCatalogStore inner_;
};

struct World {
    TestReactorGroup cores{std::make_shared<SimStorage>(7), 3, 7};
    FailingStore store{cores.at(0)};
    std::unique_ptr<TableStore> tables;

    World() { open(); }
    ~World() { cores.run(0, tables->stop()); }
    void open() {
        auto opened = cores.run(1, TableStore::open(cores.at(0), store));
        REQUIRE(opened.has_value());
        tables = std::move(*opened);
    }
    void reopen() {
        cores.run(0, tables->stop());
        open();
    }
    static Task<Result<std::string>> call_of(TableStore& tables, std::string operation,
                                             std::string body) {
        auto work = [operation, body](Tables& all) {
            const std::string region = "eu-west-1", account = "000000000000";
            const aws::Value input = json(body);
            Call call{all, input, region, account, WallTime{}};
            const auto status = find_operation(operation)->run(call);
            return status ? call.output
                          : std::string(status.error().type) + ": " + status.error().message;
        };
        co_return co_await tables.run(std::move(work));
    }
    /// The answer, an error of the API, or "lost" when the store failed.
    std::string call(std::string operation, std::string body, std::size_t core = 2) {
        const auto made = cores.run(core, call_of(*tables, std::move(operation), std::move(body)));
        return made ? *made : "lost";
    }
};

constexpr const char* kCreate =
    R"({"TableName":"leases","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"leaseKey","AttributeType":"S"},{"AttributeName":"leaseOwner","AttributeType":"S"}],"KeySchema":[{"AttributeName":"leaseKey","KeyType":"HASH"}],"GlobalSecondaryIndexes":[{"IndexName":"LeaseOwnerToLeaseKeyIndex","KeySchema":[{"AttributeName":"leaseOwner","KeyType":"HASH"},{"AttributeName":"leaseKey","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]})";

std::string put_of(std::string_view key, std::string_view owner, int counter) {
    return R"({"TableName":"leases","Item":{"leaseKey":{"S":")" + std::string(key) +
           R"("},"leaseOwner":{"S":")" + std::string(owner) + R"("},"leaseCounter":{"N":")" +
           std::to_string(counter) + R"("}}})";
}
std::string get_of(std::string_view key) {
    return R"({"TableName":"leases","Key":{"leaseKey":{"S":")" + std::string(key) + R"("}}})";
}
std::string query_of(std::string_view owner) {
    return R"({"TableName":"leases","IndexName":"LeaseOwnerToLeaseKeyIndex","KeyConditionExpression":"leaseOwner = :o","ExpressionAttributeValues":{":o":{"S":")" +
           std::string(owner) + R"("}}})";
}

}  // namespace

TEST_CASE("tables, items and indexes are there again after a restart") {
    World world;
    CHECK(world.call("CreateTable", kCreate).find("\"TableStatus\":\"CREATING\"") !=
          std::string::npos);
    CHECK(world.call("CreateTable", kCreate) ==
          "ResourceInUseException: Table already exists: leases");
    CHECK(world.call("PutItem", put_of("shard-1", "w1", 1)) == "{}");
    CHECK(world.call("PutItem", put_of("shard-2", "w2", 1)) == "{}");
    CHECK(world.call("PutItem", put_of("shard-1", "w2", 2)) == "{}");
    CHECK(world.call("DeleteItem", get_of("shard-2")) == "{}");
    for (int i = 0; i < 2; ++i) {
        CHECK(
            world.call("GetItem", get_of("shard-1")) ==
            R"({"Item":{"leaseCounter":{"N":"2"},"leaseKey":{"S":"shard-1"},"leaseOwner":{"S":"w2"}}})");
        CHECK(world.call("GetItem", get_of("shard-2")) == "{}");
        CHECK(world.call("Query", query_of("w1")) == R"({"Items":[],"Count":0,"ScannedCount":0})");
        CHECK(
            world.call("Query", query_of("w2")) ==
            R"({"Items":[{"leaseKey":{"S":"shard-1"},"leaseOwner":{"S":"w2"}}],"Count":1,"ScannedCount":1})");
        world.reopen();
    }
    CHECK(world.call("DeleteTable", R"({"TableName":"leases"})").find("DELETING") !=
          std::string::npos);
    world.reopen();
    CHECK(world.call("GetItem", get_of("shard-1")) ==
          "ResourceNotFoundException: Requested resource not found");
    CHECK(world.tables->stats().items == 0);
}

TEST_CASE("what many write at once is committed together") {
    World world;
    world.call("CreateTable", kCreate);
    const int before = world.store.commits;
    int done = 0;
    for (int i = 0; i < 200; ++i) {
        const auto core = static_cast<std::size_t>(i % 3);
        auto put = [](World& all, int number, int& count) -> Task<void> {
            const auto made = co_await World::call_of(
                *all.tables, "PutItem", put_of("k" + std::to_string(number), "w", number));
            if (made && *made == "{}") ++count;
        };
        world.cores.run_in_turn(core, [&] {
            boost::asio::co_spawn(world.cores.at(core).context().get_executor(),
                                  put(world, i, done), boost::asio::detached);
        });
    }
    world.cores.advance(1s);
    CHECK(done == 200);
    CHECK(world.store.commits - before < 20);
    CHECK(world.tables->stats().items == 200);
}

TEST_CASE("a write that was not stored is not there, and is not acknowledged") {
    World world;
    world.call("CreateTable", kCreate);
    CHECK(world.call("PutItem", put_of("k", "w", 1)) == "{}");
    world.store.fails = true;
    CHECK(world.call("PutItem", put_of("k", "w", 2)) == "lost");
    world.store.fails = false;
    CHECK(world.call("GetItem", get_of("k")).find(R"("leaseCounter":{"N":"1"})") !=
          std::string::npos);
    CHECK(world.call("Query", query_of("w")).find("\"Count\":1") != std::string::npos);
    CHECK(world.tables->stats().failed_commits == 1);
}

TEST_CASE("who reads what is not yet durable waits with its writer, and fails with him") {
    World world;
    world.call("CreateTable", kCreate);
    world.store.fails = true;
    std::string read = "nothing", written = "nothing";
    auto run = [](World& all, std::string operation, std::string body,
                  std::string& into) -> Task<void> {
        const auto made =
            co_await World::call_of(*all.tables, std::move(operation), std::move(body));
        into = made ? *made : "lost";
    };
    world.cores.run_in_turn(0, [&] {
        auto& context = world.cores.at(0).context();
        boost::asio::co_spawn(context.get_executor(),
                              run(world, "PutItem", put_of("k", "w", 1), written),
                              boost::asio::detached);
        boost::asio::co_spawn(context.get_executor(), run(world, "GetItem", get_of("k"), read),
                              boost::asio::detached);
    });
    CHECK(read == "nothing");
    world.cores.advance(10ms);
    CHECK(written == "lost");
    CHECK(read == "lost");
    world.store.fails = false;
    CHECK(world.call("GetItem", get_of("k")) == "{}");
}

TEST_CASE("a transaction changes all its items or none, and a repeated one nothing more") {
    World world;
    world.call("CreateTable", kCreate);
    world.call("PutItem", put_of("a", "w", 1));
    const std::string part_a =
        R"J({"Update":{"TableName":"leases","Key":{"leaseKey":{"S":"a"}},"UpdateExpression":"ADD leaseCounter :n","ConditionExpression":"leaseCounter = :n","ExpressionAttributeValues":{":n":{"N":"1"}}}})J";
    const std::string part_b =
        R"J({"Put":{"TableName":"leases","Item":{"leaseKey":{"S":"b"}},"ConditionExpression":"attribute_not_exists(leaseKey)"}})J";
    const std::string both =
        R"({"ClientRequestToken":"t1","TransactItems":[)" + part_a + "," + part_b + "]}";
    CHECK(world.call("TransactWriteItems", both) == "{}");
    CHECK(world.call("TransactWriteItems", both) == "{}");
    CHECK(world.call("GetItem", get_of("a")).find(R"("N":"2")") != std::string::npos);
    CHECK(
        world.call("TransactWriteItems", R"({"TransactItems":[)" + part_b + "," + part_a + "]}") ==
        "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons "
        "for specific reasons [ConditionalCheckFailed, ConditionalCheckFailed]");
    CHECK(world
              .call("TransactWriteItems",
                    R"({"ClientRequestToken":"t1","TransactItems":[)" + part_b + "]}")
              .starts_with("IdempotentParameterMismatchException"));
    CHECK(
        world.call("TransactWriteItems", R"({"TransactItems":[)" + part_a + "," + part_a + "]}") ==
        "ValidationException: Transaction request cannot include multiple operations on one item");
}

TEST_CASE("segments of a scan hold every item once, page by page") {
    World world;
    world.call("CreateTable", kCreate);
    for (int i = 0; i < 97; ++i)
        world.call("PutItem", put_of("shard-" + std::to_string(i), "w", i));
    std::size_t seen = 0;
    for (int segment = 0; segment < 4; ++segment) {
        std::string start;
        for (int page = 0; page < 100; ++page) {
            const std::string answer = world.call(
                "Scan", R"({"TableName":"leases","Limit":10,"TotalSegments":4,"Segment":)" +
                            std::to_string(segment) + start + "}");
            const aws::Value value = json(answer);
            seen += static_cast<std::size_t>(value.integer_or("Count", 0));
            const auto* last = value.find("LastEvaluatedKey");
            if (last == nullptr) break;
            start = R"(,"ExclusiveStartKey":)" + text_of_item(*item_of(*last));
        }
    }
    CHECK(seen == 97);
}
