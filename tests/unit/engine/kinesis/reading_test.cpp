#include <doctest/doctest.h>

#include "tests/unit/engine/kinesis/kinesis_fixture.h"

namespace tidemill::kinesis {
namespace {

TEST_CASE("an iterator is good for five minutes, and says when it was made") {
    KinesisFixture f;
    f.create("s");
    const Value begin = f.call(
        "GetShardIterator",
        R"({"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"LATEST"})");
    const std::string request =
        fmt::format(R"({{"ShardIterator":"{}"}})", begin.text_or("ShardIterator", ""));
    f.reactor.advance(std::chrono::seconds(299));
    CHECK(f.answer("GetRecords", request).status == 200);
    f.reactor.advance(std::chrono::seconds(2));
    const auto late = f.answer("GetRecords", request);
    CHECK(late.status == 400);
    CHECK(late.type() == "ExpiredIteratorException");
    CHECK(late.message().starts_with("Iterator expired. The iterator was created at time "));
    CHECK(late.message().contains(" UTC "));
    CHECK(
        late.message().ends_with("which is further in the future than the tolerated delay of "
                                 "300000 milliseconds."));
}

}  // namespace
}  // namespace tidemill::kinesis
