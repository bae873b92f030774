"""The tables that KCL keeps its leases in, through boto3: dynamodb_test.py PROGRAM"""
import decimal
import http.client
import json
import subprocess
import sys
import threading
import zlib

from broker import Broker, client_environment, skip

try:
    import boto3
    import botocore
    from boto3.dynamodb.conditions import Attr, Key
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed")

INDEX = "LeaseOwnerToLeaseKeyIndex"


def client(broker, service="dynamodb", resource=False):
    environment = client_environment()
    make = boto3.resource if resource else boto3.client
    return make(service, endpoint_url=broker.url, region_name="eu-west-1",
                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"max_attempts": 1}, max_pool_connections=16))


def knows(db, operation, member):
    """Elder clients send less."""
    return member in db.meta.service_model.operation_model(operation).input_shape.members


def refused(code, call, message=None, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        if message is not None:
            assert error.response["Error"]["Message"] == message, error.response
        return error.response
    raise AssertionError(f"{code} was expected of {arguments}")


def make_lease_table(db, name="app"):
    made = db.create_table(TableName=name, BillingMode="PAY_PER_REQUEST",
                           AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
                           KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}],
                           Tags=[{"Key": "team", "Value": "tide"}])["TableDescription"]
    assert made["TableArn"] == f"arn:aws:dynamodb:eu-west-1:000000000000:table/{name}", made
    db.get_waiter("table_exists").wait(TableName=name)
    db.update_table(TableName=name, AttributeDefinitions=[
        {"AttributeName": "leaseKey", "AttributeType": "S"}, {"AttributeName": "leaseOwner", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": INDEX, "Projection": {"ProjectionType": "KEYS_ONLY"}, "KeySchema": [
                {"AttributeName": "leaseOwner", "KeyType": "HASH"},
                {"AttributeName": "leaseKey", "KeyType": "RANGE"}]}}])
    table = db.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "ACTIVE" and table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE", table
    refused("ResourceInUseException", db.create_table, f"Table already exists: {name}", TableName=name,
            BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}])


def leases_as_kcl(db):
    """Expected and AttributeUpdates, as KCL's lease refresher sends them."""
    def lease(key, owner="w1", counter=0):
        return {"leaseKey": {"S": key}, "leaseOwner": {"S": owner}, "leaseCounter": {"N": str(counter)},
                "checkpoint": {"S": "TRIM_HORIZON"}, "parentShardId": {"SS": ["p1", "p0"]}}
    for i in range(20):
        db.put_item(TableName="app", Item=lease(f"shard-{i:02}", f"w{i % 2}"), Expected={"leaseKey": {"Exists": False}})
    refused("ConditionalCheckFailedException", db.put_item, "The conditional request failed", TableName="app",
            Item=lease("shard-00"), Expected={"leaseKey": {"Exists": False}})

    new = db.update_item(TableName="app", Key={"leaseKey": {"S": "shard-00"}},
                         Expected={"leaseCounter": {"Value": {"N": "0"}}, "leaseOwner": {"Value": {"S": "w0"}}},
                         AttributeUpdates={"leaseCounter": {"Action": "ADD", "Value": {"N": "1"}},
                                           "checkpoint": {"Action": "PUT", "Value": {"S": "495"}},
                                           "parentShardId": {"Action": "DELETE"}},
                         ReturnValues="ALL_NEW")["Attributes"]
    assert new == {"leaseKey": {"S": "shard-00"}, "leaseOwner": {"S": "w0"}, "leaseCounter": {"N": "1"},
                   "checkpoint": {"S": "495"}}, new
    shows = knows(db, "UpdateItem", "ReturnValuesOnConditionCheckFailure")
    answer = refused("ConditionalCheckFailedException", db.update_item, TableName="app",
                     Key={"leaseKey": {"S": "shard-00"}}, Expected={"leaseCounter": {"Value": {"N": "0"}}},
                     AttributeUpdates={"leaseCounter": {"Action": "PUT", "Value": {"N": "9"}}},
                     **({"ReturnValuesOnConditionCheckFailure": "ALL_OLD"} if shows else {}))
    assert not shows or answer["Item"] == new, answer

    found = db.query(TableName="app", IndexName=INDEX, KeyConditionExpression="leaseOwner = :leaseOwner",
                     ExpressionAttributeValues={":leaseOwner": {"S": "w1"}})
    assert [i["leaseKey"]["S"] for i in found["Items"]] == [f"shard-{i:02}" for i in range(1, 20, 2)], found
    assert all(set(i) == {"leaseKey", "leaseOwner"} for i in found["Items"])
    keys = []
    for segment in range(5):
        for page in db.get_paginator("scan").paginate(TableName="app", ConsistentRead=True, Segment=segment, TotalSegments=5,
                                                      Limit=3):
            keys += [i["leaseKey"]["S"] for i in page["Items"]]
    assert sorted(keys) == [f"shard-{i:02}" for i in range(20)], keys
    db.delete_item(TableName="app", Key={"leaseKey": {"S": "shard-19"}}, Expected={"leaseOwner": {"Value": {"S": "w1"}}})
    assert "Item" not in db.get_item(TableName="app", Key={"leaseKey": {"S": "shard-19"}}, ConsistentRead=True)
    assert db.describe_table(TableName="app")["Table"]["ItemCount"] == 19


def lock_client(db):
    """The expressions of dynamodb-lock-client and of KCL's worker metrics."""
    def acquire(version):
        return db.put_item(TableName="app", Item={"leaseKey": {"S": "Leader"}, "rvn": {"S": version}},
                           ConditionExpression="attribute_not_exists(#pk)", ExpressionAttributeNames={"#pk": "leaseKey"})
    acquire("1")
    refused("ConditionalCheckFailedException", acquire, version="2")
    db.update_item(TableName="app", Key={"leaseKey": {"S": "Leader"}},
                   UpdateExpression="SET #ld = :ld, #rvn = :new REMOVE #ir",
                   ConditionExpression="attribute_exists(#pk) AND #rvn = :old",
                   ExpressionAttributeNames={"#pk": "leaseKey", "#rvn": "rvn", "#ld": "leaseDuration", "#ir": "isReleased"},
                   ExpressionAttributeValues={":ld": {"S": "120000"}, ":new": {"S": "2"}, ":old": {"S": "1"}})
    answer = refused("TransactionCanceledException", db.transact_write_items, TransactItems=[
        {"ConditionCheck": {"TableName": "app", "Key": {"leaseKey": {"S": "Leader"}}, "ConditionExpression": "rvn = :v",
                            "ExpressionAttributeValues": {":v": {"S": "1"}},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}},
        {"Put": {"TableName": "app", "Item": {"leaseKey": {"S": "other"}}}}])
    assert [r["Code"] for r in answer["CancellationReasons"]] == ["ConditionalCheckFailed", "None"], answer
    assert answer["CancellationReasons"][0]["Item"]["rvn"] == {"S": "2"}, answer
    db.transact_write_items(TransactItems=[
        {"Delete": {"TableName": "app", "Key": {"leaseKey": {"S": "Leader"}}}},
        {"Put": {"TableName": "app", "Item": {"leaseKey": {"S": "other"}}}}])
    got = db.transact_get_items(TransactItems=[{"Get": {"TableName": "app", "Key": {"leaseKey": {"S": k}}}}
                                               for k in ("Leader", "other")])
    assert got["Responses"] == [{}, {"Item": {"leaseKey": {"S": "other"}}}], got


def resource_style(broker):
    """Python's own types, conditions built by boto3, batches, every attribute type."""
    db = client(broker, resource=True)
    table = db.create_table(TableName="orders", KeySchema=[
        {"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": "customer", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
    table.wait_until_exists()
    with table.batch_writer() as batch:
        for i in range(60):
            batch.put_item(Item={"customer": "c" + str(i % 3), "at": i - 30, "price": decimal.Decimal("1.10") * i, "tags": {"x", str(i)},
                                 "raw": b"\x00\xff", "deep": {"list": [1, None, True, {"a": "b"}]}, "even": i % 2 == 0})
    page = table.query(KeyConditionExpression=Key("customer").eq("c0") & Key("at").between(-12, 12),
                       FilterExpression=Attr("even").eq(True), ProjectionExpression="#at, deep.#l[3].a",
                       ExpressionAttributeNames={"#at": "at", "#l": "list"})
    assert [i["at"] for i in page["Items"]] == [-12, -6, 0, 6, 12], page
    assert page["Items"][0]["deep"] == {"list": [{"a": "b"}]} and page["ScannedCount"] == 9, page
    down = table.query(KeyConditionExpression=Key("customer").eq("c1"), ScanIndexForward=False, Limit=4)
    assert [i["at"] for i in down["Items"]] == [28, 25, 22, 19], down
    more = table.query(KeyConditionExpression=Key("customer").eq("c1"), ScanIndexForward=False, Limit=4,
                       ExclusiveStartKey=down["LastEvaluatedKey"])
    assert [i["at"] for i in more["Items"]] == [16, 13, 10, 7], more
    one = table.get_item(Key={"customer": "c2", "at": 20}, ReturnConsumedCapacity="TOTAL")
    assert one["Item"]["raw"].value == b"\x00\xff" and one["Item"]["price"] == decimal.Decimal("55"), one
    assert one["ConsumedCapacity"] == {"TableName": "orders", "CapacityUnits": 0.5}, one
    got = db.batch_get_item(RequestItems={"orders": {"Keys": [{"customer": "c0", "at": -30}, {"customer": "c0", "at": 99}]}})
    assert len(got["Responses"]["orders"]) == 1 and got["UnprocessedKeys"] == {}, got
    table.update_item(Key={"customer": "c0", "at": 0}, UpdateExpression="ADD #n :d SET deep.#l[0] = :z",
                      ExpressionAttributeNames={"#n": "price", "#l": "list"},
                      ExpressionAttributeValues={":d": decimal.Decimal("0.0000000000000000000000000000000001"), ":z": 0})
    price = table.get_item(Key={"customer": "c0", "at": 0})["Item"]["price"]
    assert str(price) == "33.0000000000000000000000000000000001", price
    assert table.scan(Select="COUNT")["Count"] == 60
    return table


def messages(db):
    def key(**parts):
        return {"TableName": "orders", "Key": parts}
    text, number = {"S": "c0"}, {"N": "0"}
    missing = "Requested resource not found"
    refused("ResourceNotFoundException", db.get_item, missing, TableName="gone", Key={"a": text})
    refused("ResourceNotFoundException", db.describe_table, missing + ": Table: gone not found", TableName="gone")
    schema = "The provided key element does not match the schema"
    refused("ValidationException", db.get_item, schema, **key(customer=text))
    refused("ValidationException", db.get_item, schema, **key(customer=text, at=text))
    refused("ValidationException", db.put_item, "One or more parameter values were invalid: Missing the key at in the item",
            TableName="orders", Item={"customer": text})
    refused("ValidationException", db.put_item,
            "One or more parameter values were invalid: Type mismatch for key at expected: N actual: S",
            TableName="orders", Item={"customer": text, "at": text})
    refused("ValidationException", db.put_item, "Item size has exceeded the maximum allowed size", TableName="orders",
            Item={"customer": text, "at": number, "x": {"S": "x" * 409600}})
    refused("ValidationException", db.put_item, "Return values set to invalid value", TableName="orders",
            Item={"customer": text, "at": number}, ReturnValues="ALL_NEW")
    refused("ValidationException", db.update_item, "One or more parameter values were invalid: Cannot update attribute at. "
            "This attribute is part of the key", UpdateExpression="SET #a = :n", ExpressionAttributeNames={"#a": "at"},
            ExpressionAttributeValues={":n": number}, **key(customer=text, at=number))
    refused("ValidationException", db.query, "Query condition missed key schema element: customer", TableName="orders",
            KeyConditionExpression="#a = :n", ExpressionAttributeNames={"#a": "at"}, ExpressionAttributeValues={":n": number})
    refused("ValidationException", db.query, "Query key condition not supported", TableName="orders",
            KeyConditionExpression="customer > :n", ExpressionAttributeValues={":n": text})
    refused("ValidationException", db.query, "The table does not have the specified index: none", TableName="orders",
            IndexName="none", KeyConditionExpression="customer = :n", ExpressionAttributeValues={":n": text})
    refused("ValidationException", db.delete_item, "Can not use both expression and non-expression parameters in the same "
            "request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
            ConditionExpression="attribute_exists(x)", Expected={"a": {"Exists": False}}, **key(customer=text, at=number))
    refused("ValidationException", db.put_item, "1 validation error detected: Value 'SOME' at 'returnValues' failed to satisfy "
            "constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
            TableName="orders", Item={"customer": text, "at": number}, ReturnValues="SOME")
    refused("UnknownOperationException", db.execute_statement, Statement="SELECT * FROM orders")


def on_the_wire(broker):
    """The checksum of every answer, good or bad, and the form of errors."""
    connection = http.client.HTTPConnection(broker.url.removeprefix("http://"))
    for target, body, kind in (("ListTables", "{}", None), ("ListTables", "[]", "com.amazon.coral.service#SerializationException"),
                               ("Nothing", "{}", "com.amazon.coral.service#UnknownOperationException"),
                               ("DescribeTable", "{}", "com.amazon.coral.validate#ValidationException"),
                               ("DescribeTable", '{"TableName":"gone"}',
                                "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException")):
        connection.request("POST", "/", body, {"X-Amz-Target": "DynamoDB_20120810." + target,
                                               "Content-Type": "application/x-amz-json-1.0"})
        answer = connection.getresponse()
        content = answer.read()
        assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(content), content
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
        assert json.loads(content).get("__type") == kind, content
        assert answer.status == (200 if kind is None else 400)


def many_workers(db):
    """One counter, many threads: each conditional update that succeeds counts once."""
    won = []

    def work():
        for _ in range(40):
            try:
                seen = db.get_item(TableName="app", Key={"leaseKey": {"S": "race"}}, ConsistentRead=True)["Item"]["n"]["N"]
                db.update_item(TableName="app", Key={"leaseKey": {"S": "race"}}, UpdateExpression="ADD n :one",
                               ConditionExpression="n = :seen",
                               ExpressionAttributeValues={":one": {"N": "1"}, ":seen": {"N": seen}})
                won.append(1)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ConditionalCheckFailedException", error
    db.put_item(TableName="app", Item={"leaseKey": {"S": "race"}, "n": {"N": "0"}})
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.get_item(TableName="app", Key={"leaseKey": {"S": "race"}})["Item"]["n"]["N"] == str(len(won))
    assert won


def settings(db):
    arn = db.describe_table(TableName="app")["Table"]["TableArn"]
    db.update_continuous_backups(TableName="app", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    recovery = db.describe_continuous_backups(TableName="app")["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED", recovery
    db.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert {t["Key"]: t["Value"] for t in db.list_tags_of_resource(ResourceArn=arn)["Tags"]} == {"team": "tide", "a": "b"}
    db.update_time_to_live(TableName="app", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"})
    assert db.describe_time_to_live(TableName="app")["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED",
                                                                                 "AttributeName": "ttl"}
    if knows(db, "UpdateTable", "DeletionProtectionEnabled"):
        db.update_table(TableName="app", DeletionProtectionEnabled=True)
        refused("ValidationException", db.delete_table, TableName="app")
        db.update_table(TableName="app", DeletionProtectionEnabled=False)


def from_the_command_line(program, broker):
    def tidemill(*words, code=0):
        done = subprocess.run([program, "tables", *words, "--connect", broker.url.removeprefix("http://"), "-o", "jsonl"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()] if code == 0 else done.stderr
    assert [(t["name"], t["items"]) for t in tidemill("list")] == [("app", 21), ("orders", 60)], tidemill("list")
    app, = tidemill("describe", "app")
    assert app["keys"] == [{"name": "leaseKey", "type": "S"}] and app["indexes"][0]["name"] == INDEX, app
    assert "there is no table gone" in tidemill("describe", "gone", code=1)
    db = client(broker)
    db.create_table(TableName="short", BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "N"}],
                    KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}])
    assert tidemill("delete", "short")[0]["name"] == "short"
    assert "there is no table short" in tidemill("delete", "short", code=1)
    refused("ResourceNotFoundException", db.describe_table, TableName="short")


def main(program):
    with Broker(program) as broker:
        db = client(broker)
        make_lease_table(db)
        leases_as_kcl(db)
        lock_client(db)
        orders = resource_style(broker)
        messages(db)
        on_the_wire(broker)
        many_workers(db)
        settings(db)
        from_the_command_line(program, broker)
        before = orders.scan()["Items"]
        broker.restart()
        db = client(broker)
        assert db.list_tables()["TableNames"] == ["app", "orders"]
        orders = client(broker, resource=True).Table("orders")
        assert orders.scan()["Items"] == before and len(before) == 60
        assert len(db.query(TableName="app", IndexName=INDEX, KeyConditionExpression="leaseOwner = :o",
                            ExpressionAttributeValues={":o": {"S": "w0"}})["Items"]) == 10
        db.delete_table(TableName="app")
        db.get_waiter("table_not_exists").wait(TableName="app")
        assert db.list_tables()["TableNames"] == ["orders"]
    print("dynamodb: done with botocore", botocore.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
