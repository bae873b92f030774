// Valid requests, altered at random places: each is answered or refused, and what a refused one was
// to change is as before.
#include <doctest/doctest.h>

#include "engine/aws/shape.h"
#include "engine/base/random.h"
#include "engine/dynamodb/operations.h"
#include "expressions.h"

using namespace tidemill;
using namespace tidemill::dynamodb;

namespace {

struct Sample {
    const char* operation;
    const char* body;
};
const Sample kSamples[] =
    {
        {"PutItem",
         R"J({"TableName":"tbl","Item":{"k":{"S":"a"},"r":{"N":"1"},"x":{"L":[{"M":{"y":{"SS":["a","b"]}}}]}},"ReturnValues":"ALL_OLD","Expected":{"k":{"Exists":false}}})J"},
        {"PutItem",
         R"J({"TableName":"tbl","Item":{"k":{"S":"a"},"r":{"N":"2"}},"ConditionExpression":"attribute_not_exists(#k) OR x = :x","ExpressionAttributeNames":{"#k":"k"},"ExpressionAttributeValues":{":x":{"N":"1"}},"ReturnConsumedCapacity":"INDEXES"})J"},
        {"UpdateItem",
         R"J({"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"UpdateExpression":"SET a.b[1] = if_not_exists(z, :v), n = n + :n ADD s :s REMOVE q","ConditionExpression":"size(x) > :n","ExpressionAttributeValues":{":v":{"S":"v"},":n":{"N":"1"},":s":{"SS":["s"]}},"ReturnValues":"UPDATED_NEW","ReturnValuesOnConditionCheckFailure":"ALL_OLD"})J"},
        {"UpdateItem",
         R"J({"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"AttributeUpdates":{"n":{"Action":"ADD","Value":{"N":"1"}},"d":{"Action":"DELETE"}},"Expected":{"n":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"0"},{"N":"9"}]}},"ConditionalOperator":"OR"})J"},
        {"DeleteItem",
         R"J({"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"2"}},"ReturnValues":"ALL_OLD"})J"},
        {"GetItem",
         R"J({"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"ProjectionExpression":"x[0].y, #n","ExpressionAttributeNames":{"#n":"n"},"ConsistentRead":true})J"},
        {"GetItem",
         R"J({"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"AttributesToGet":["n","x"]})J"},
        {"Query",
         R"J({"TableName":"tbl","KeyConditionExpression":"k = :k AND r BETWEEN :a AND :b","FilterExpression":"attribute_exists(x)","ExpressionAttributeValues":{":k":{"S":"a"},":a":{"N":"0"},":b":{"N":"5"}},"Limit":2,"ScanIndexForward":false,"ExclusiveStartKey":{"k":{"S":"a"},"r":{"N":"3"}},"Select":"ALL_ATTRIBUTES"})J"},
        {"Query",
         R"J({"TableName":"tbl","IndexName":"by_n","KeyConditions":{"n":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"1"}]}},"QueryFilter":{"y":{"ComparisonOperator":"NOT_NULL"}}})J"},
        {"Scan",
         R"J({"TableName":"tbl","TotalSegments":4,"Segment":1,"Limit":3,"ScanFilter":{"x":{"ComparisonOperator":"IN","AttributeValueList":[{"S":"a"}]}},"Select":"COUNT"})J"},
        {"BatchGetItem",
         R"J({"RequestItems":{"tbl":{"Keys":[{"k":{"S":"a"},"r":{"N":"1"}},{"k":{"S":"b"},"r":{"N":"1"}}],"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"n"},"ConsistentRead":true}},"ReturnConsumedCapacity":"TOTAL"})J"},
        {"BatchWriteItem",
         R"J({"RequestItems":{"tbl":[{"PutRequest":{"Item":{"k":{"S":"b"},"r":{"N":"1"},"n":{"N":"1"}}}},{"DeleteRequest":{"Key":{"k":{"S":"c"},"r":{"N":"1"}}}}]}})J"},
        {"TransactWriteItems",
         R"J({"ClientRequestToken":"x","TransactItems":[{"Put":{"TableName":"tbl","Item":{"k":{"S":"d"},"r":{"N":"1"}},"ConditionExpression":"attribute_not_exists(k)"}},{"Update":{"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"1"}}}},{"ConditionCheck":{"TableName":"tbl","Key":{"k":{"S":"b"},"r":{"N":"1"}},"ConditionExpression":"attribute_exists(k)"}},{"Delete":{"TableName":"tbl","Key":{"k":{"S":"e"},"r":{"N":"1"}}}}]})J"},
        {"TransactGetItems",
         R"J({"TransactItems":[{"Get":{"TableName":"tbl","Key":{"k":{"S":"a"},"r":{"N":"1"}},"ProjectionExpression":"n"}}]})J"},
        {"CreateTable",
         R"J({"TableName":"new","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],"KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"n","KeyType":"HASH"}],"Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["a"]},"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1}}],"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},"Tags":[{"Key":"a","Value":"b"}],"SSESpecification":{"Enabled":true}})J"},
        {"UpdateTable",
         R"J({"TableName":"tbl","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"z","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by_z","KeySchema":[{"AttributeName":"z","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}},{"Delete":{"IndexName":"by_z"}}]})J"},
        {"ListTables", R"J({"Limit":5,"ExclusiveStartTableName":"aaa"})J"},
        {"UpdateTimeToLive",
         R"J({"TableName":"tbl","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"e"}})J"},
        {"UpdateContinuousBackups",
         R"J({"TableName":"tbl","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}})J"},
        {"TagResource",
         R"J({"ResourceArn":"arn:aws:dynamodb:r:000000000000:table/tbl","Tags":[{"Key":"a","Value":"b"}]})J"},
        {"UntagResource",
         R"J({"ResourceArn":"arn:aws:dynamodb:r:000000000000:table/tbl","TagKeys":["a"]})J"},
        {"DeleteTable", R"J({"TableName":"new"})J"}};

/// Every value within, the whole first.
void collect(aws::Value& value, std::vector<aws::Value*>& to) {
    to.push_back(&value);
    if (auto* map = std::get_if<aws::Value::Map>(&value.content))
        for (auto& member : *map)
            collect(member.value, to);
    if (auto* list = std::get_if<aws::Value::List>(&value.content))
        for (auto& element : *list)
            collect(element, to);
}

void alter(aws::Value& request, Random& random) {
    std::vector<aws::Value*> places;
    collect(request, places);
    aws::Value& place = *places[1 + random.below(places.size() - 1)];
    const aws::Value other = *places[random.below(places.size())];
    switch (random.below(12)) {
        case 0:
            place.content = std::monostate{};
            break;
        case 1:
            place.content = true;
            break;
        case 2:
            place.content = static_cast<std::int64_t>(random.below(5)) - 2;
            break;
        case 3:
            place.content = random.chance(0.5) ? 1.5 : 1e300;
            break;
        case 4:
            place.content = std::string();
            break;
        case 5:
            place.content = std::string("(a = :k) AND #k[0] , SET 1");
            break;
        case 6:
            place.content = aws::Value::List{};
            break;
        case 7:
            place.content = aws::Value::Map{};
            break;
        case 8:
            place.content = aws::Value::List{other, aws::Value{}, other};
            break;
        case 9:
            if (auto* text = std::get_if<std::string>(&place.content); text && !text->empty())
                text->erase(random.below(text->size()), 1 + random.below(3));
            break;
        case 10:
            if (auto* map = std::get_if<aws::Value::Map>(&place.content); map && !map->empty())
                map->erase(map->begin() + static_cast<std::ptrdiff_t>(random.below(map->size())));
            break;
        default:
            place.content = other.content;
            break;
    }
}

std::size_t rows_of(Tables& tables) { return tables.all().size() * 1000 + tables.item_count(); }

}  // namespace

TEST_CASE("requests altered at random are answered or refused") {
    constexpr std::uint64_t kSeed = 86;
    CAPTURE(kSeed);
    Random random(kSeed);
    const std::string region = "r", account = "000000000000";
    Tables tables;
    const auto call = [&](const char* operation, aws::Value& input) {
        const Operation* found = find_operation(operation);
        REQUIRE(found != nullptr);
        if (auto status = aws::check(input, *found->shape); !status) return status;
        Call made{tables, input, region, account, WallTime{}};
        auto status = found->run(made);
        if (status && !made.output.empty()) REQUIRE(aws::parse_json(made.output, 96).has_value());
        if (!made.error_extra.empty())
            REQUIRE(aws::parse_json("{" + made.error_extra + "}", 96).has_value());
        return status;
    };
    aws::Value create = json(
        R"J({"TableName":"tbl","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"r","AttributeType":"N"},{"AttributeName":"n","AttributeType":"N"}],"KeySchema":[{"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}],"GlobalSecondaryIndexes":[{"IndexName":"by_n","KeySchema":[{"AttributeName":"n","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]})J");
    REQUIRE(call("CreateTable", create).has_value());
    int taken = 0, refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        const Sample& sample = kSamples[random.below(std::size(kSamples))];
        CAPTURE(round);
        CAPTURE(sample.operation);
        aws::Value request = json(sample.body);
        const auto changes = random.below(4);
        for (std::uint64_t i = 0; i < changes; ++i)
            alter(request, random);
        const std::size_t before = rows_of(tables);
        (void)tables.take_changes();
        const auto status = call(sample.operation, request);
        ++(status ? taken : refused);
        if (status) continue;
        CHECK_FALSE(status.error().type.empty());
        REQUIRE(rows_of(tables) == before);
        REQUIRE(tables.take_changes().empty());
    }
    CHECK(taken > 2000);
    CHECK(refused > 2000);
}
