"""The life of a stream through Debian's boto3, and the errors of each kind: boto3_test.py PROGRAM"""
import http.client
import json
import os
import subprocess
import sys
import threading

from broker import Broker, client_environment, skip
from lineage import read_lineage

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed (Debian: python3-boto3)")


def client_of(broker):
    os.environ.update(client_environment())
    return boto3.client("kinesis", endpoint_url=broker.url,
                        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))


def refused(name, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == name, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{name} expected")


def read_to_tip(kinesis, iterator, limit):
    records = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=limit)
        assert len(answer["Records"]) <= limit
        records += answer["Records"]
        if answer["MillisBehindLatest"] == 0:
            return records
        iterator = answer["NextShardIterator"]


def read_stream(kinesis, name, limit=1000):
    by_shard = {}
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"],
                                              ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        by_shard[shard["ShardId"]] = read_to_tip(kinesis, iterator, limit)
    return by_shard


def put_and_read_back(kinesis, broker):
    sent = {}
    for call in range(4):
        entries = [{"Data": os.urandom(100 + i), "PartitionKey": f"k\u00fc-{call}-{i}"} for i in range(500)]
        answer = kinesis.put_records(StreamName="s", Records=entries)
        assert answer["FailedRecordCount"] == 0 and len(answer["Records"]) == 500
        for entry, outcome in zip(entries, answer["Records"]):
            sent.setdefault(outcome["ShardId"], []).append(
                (outcome["SequenceNumber"], entry["PartitionKey"], entry["Data"]))
    largest = os.urandom(1 << 20)
    outcome = kinesis.put_record(StreamName="s", PartitionKey="large", Data=largest)
    sent.setdefault(outcome["ShardId"], []).append((outcome["SequenceNumber"], "large", largest))
    for _ in range(2):
        for shard, records in read_stream(kinesis, "s", 333).items():
            got = [(r["SequenceNumber"], r["PartitionKey"], r["Data"]) for r in records]
            assert got == sent.get(shard, []), f"{shard}: {len(got)} records of {len(sent[shard])}"
        broker.restart()
        kinesis = client_of(broker)
    return kinesis


def compressed_by_others(kinesis, broker, program):
    """What the native producer compressed reads like everything else."""
    for codec in ["lz4", "zstd"]:
        kinesis.create_stream(StreamName=codec, ShardCount=2)
        sent = [json.dumps({"n": n, "text": "again and again"}) for n in range(3000)]
        subprocess.run([program, "put", codec, "--compression", codec, "--connect", broker.url.removeprefix("http://")],
                       input="\n".join(sent) + "\n", text=True, check=True, capture_output=True, timeout=60)
        records = [r for shard in read_stream(kinesis, codec, 700).values() for r in shard]
        assert sorted(r["Data"].decode() for r in records) == sorted(sent)
        assert len({r["SequenceNumber"] for r in records}) == 3000


def refusals(kinesis):
    message = refused("ValidationException", kinesis.put_records, StreamName="s", Records=[])
    assert "at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1" in message
    message = refused("ValidationException", kinesis.put_record, StreamName="s", Data=b"x", PartitionKey="")
    assert message == ("1 validation error detected: Value '' at 'partitionKey' failed to satisfy constraint: "
                       "Member must have length greater than or equal to 1"), message
    message = refused("ValidationException", kinesis.put_record, StreamName="s", PartitionKey="k",
                      Data=bytes((1 << 20) + 1))
    assert "Member must have length less than or equal to 1048576" in message, message
    refused("InvalidArgumentException", kinesis.put_record, StreamName="s", Data=b"x",
            PartitionKey="k", ExplicitHashKey=str(2**128))
    refused("ValidationException", kinesis.get_shard_iterator, StreamName="s",
            ShardId="shardId-000000000000", ShardIteratorType="SOMEWHERE")
    refused("InvalidArgumentException", kinesis.get_shard_iterator, StreamName="s",
            ShardId="shardId-000000000000", ShardIteratorType="AT_SEQUENCE_NUMBER")
    refused("InvalidArgumentException", kinesis.get_shard_iterator, StreamName="s",
            ShardId="shardId-000000000000", ShardIteratorType="AT_TIMESTAMP", Timestamp=4102444800)
    refused("ResourceNotFoundException", kinesis.put_record, StreamName="none", Data=b"x", PartitionKey="k")


def raw_requests(broker):
    """What no SDK would send."""
    def post(body, **headers):
        connection = http.client.HTTPConnection(broker.url.removeprefix("http://"), timeout=30)
        connection.request("POST", "/", body, {"Content-Type": "application/x-amz-json-1.1", **headers})
        response = connection.getresponse()
        text = response.read()
        assert response.getheader("Date") and response.status != 500
        connection.close()
        return response.status, text

    target = {"X-Amz-Target": "Kinesis_20131202.ListStreams"}
    for body, headers, status, name in [
            (b"{}", {"X-Amz-Target": "Kinesis_20131202.Nonsense"}, 400, "UnknownOperationException"),
            (b"{", target, 400, "SerializationException"),
            (b"[]", target, 400, "SerializationException"),
            (b'{"Limit":"x"}', target, 400, "SerializationException")]:
        got, text = post(body, **headers)
        assert (got, json.loads(text)["__type"]) == (status, name), (body, got, text)
    # This boto3 is older than StreamARN.
    arn = b'{"StreamARN":"arn:aws:kinesis:eu-west-1:000000000000:stream/s"}'
    status, text = post(arn, **{"X-Amz-Target": "Kinesis_20131202.DescribeStreamSummary"})
    assert status == 200 and json.loads(text)["StreamDescriptionSummary"]["StreamName"] == "s", text
    text = json.loads(post(b'{"Limit":"x"}', **target)[1])
    assert text["Message"] == "class java.lang.String can not be converted to an Integer", text
    assert post(b"x" * (17 << 20), **target)[0] == 413


def encrypted(program):
    settings = '[encryption]\nmaster_key_file = "@/master.key"\ndefault = "on"\n'
    broker = Broker(program, settings)
    with open(os.open(os.path.join(broker.directory, "master.key"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
        file.write(os.urandom(32))
    with broker:
        kinesis = client_of(broker)
        kinesis.create_stream(StreamName="s", ShardCount=3)
        summary = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
        assert (summary["EncryptionType"], summary["KeyId"]) == ("KMS", "alias/aws/kinesis"), summary
        put_and_read_back(kinesis, broker)


def reshard_under_load(kinesis, broker):
    kinesis.create_stream(StreamName="r", ShardCount=2)
    is_done, failures, sent = threading.Event(), [], {}

    def put(thread):
        mine = client_of(broker)
        count = 0
        while not is_done.is_set():
            keys = [f"{thread}-{i % 50}" for i in range(200)]
            answer = mine.put_records(StreamName="r", Records=[
                {"Data": str(count + i).encode(), "PartitionKey": key} for i, key in enumerate(keys)])
            if answer["FailedRecordCount"]:
                failures.append([r for r in answer["Records"] if "ErrorCode" in r][0])
            for i, (key, outcome) in enumerate(zip(keys, answer["Records"])):
                sent.setdefault(key, []).append((outcome["SequenceNumber"], str(count + i).encode()))
            count += len(keys)

    threads = [threading.Thread(target=put, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    try:
        def open_shards():
            return [s for s in kinesis.list_shards(StreamName="r")["Shards"]
                    if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
        for _ in range(4):
            first = open_shards()[0]
            middle = (int(first["HashKeyRange"]["StartingHashKey"]) + int(first["HashKeyRange"]["EndingHashKey"])) // 2
            kinesis.split_shard(StreamName="r", ShardToSplit=first["ShardId"], NewStartingHashKey=str(middle))
            kinesis.get_waiter("stream_exists").wait(StreamName="r")
            a, b = sorted(open_shards(), key=lambda s: int(s["HashKeyRange"]["StartingHashKey"]))[1:3]
            kinesis.merge_shards(StreamName="r", ShardToMerge=a["ShardId"], AdjacentShardToMerge=b["ShardId"])
            count = len(open_shards())
            answer = kinesis.update_shard_count(StreamName="r", TargetShardCount=count * 2,
                                                ScalingType="UNIFORM_SCALING")
            assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (count, count * 2), answer
            assert len(open_shards()) == count * 2
            kinesis.update_shard_count(StreamName="r", TargetShardCount=count, ScalingType="UNIFORM_SCALING")
    finally:
        is_done.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
    read = {}
    for record in read_lineage(kinesis, "r"):
        read.setdefault(record["PartitionKey"], []).append((record["SequenceNumber"], record["Data"]))
    assert read == sent
    for numbers in read.values():  # they grow across reshards
        assert all(int(a) < int(b) for (a, _), (b, _) in zip(numbers, numbers[1:]))
    last = open_shards()[0]
    message = refused("InvalidArgumentException", kinesis.split_shard, StreamName="r", ShardToSplit=last["ShardId"],
                      NewStartingHashKey=last["HashKeyRange"]["StartingHashKey"])
    assert "is not both greater than one plus the shard's StartingHashKey" in message, message
    message = refused("InvalidArgumentException", kinesis.merge_shards, StreamName="r",
                      ShardToMerge=last["ShardId"], AdjacentShardToMerge=last["ShardId"])
    assert "are not an adjacent pair of shards eligible for merging" in message, message
    refused("ResourceNotFoundException", kinesis.split_shard, StreamName="r", NewStartingHashKey="5",
            ShardToSplit="shardId-000000009999")
    refused("InvalidArgumentException", kinesis.update_shard_count, StreamName="r", TargetShardCount=10_001,
            ScalingType="UNIFORM_SCALING")
    refused("ValidationException", kinesis.update_shard_count, StreamName="r", TargetShardCount=2, ScalingType="ODD")
    kinesis.delete_stream(StreamName="r")


def main(program):
    with Broker(program) as broker:
        kinesis = client_of(broker)
        kinesis.create_stream(StreamName="s", ShardCount=3)
        kinesis.get_waiter("stream_exists").wait(StreamName="s")
        kinesis = put_and_read_back(kinesis, broker)
        compressed_by_others(kinesis, broker, program)
        refusals(kinesis)
        raw_requests(broker)
        reshard_under_load(kinesis, broker)
        kinesis.add_tags_to_stream(StreamName="s", Tags={"env": "test", "team": "a"})
        kinesis.remove_tags_from_stream(StreamName="s", TagKeys=["team"])
        assert kinesis.list_tags_for_stream(StreamName="s")["Tags"] == [{"Key": "env", "Value": "test"}]
        kinesis.increase_stream_retention_period(StreamName="s", RetentionPeriodHours=48)
        assert kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"][
            "RetentionPeriodHours"] == 48
        kinesis.delete_stream(StreamName="s")
        kinesis.get_waiter("stream_not_exists").wait(StreamName="s")
    encrypted(program)
    print("boto3: the life of a stream passed")


if __name__ == "__main__":
    main(sys.argv[1])
