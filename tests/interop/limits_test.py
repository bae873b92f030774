"""AWS's limits as a real client meets them: limits_test.py PROGRAM"""
import os
import sys
import time
import urllib.request

from broker import Broker, client_environment, skip

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed (Debian: python3-boto3)")

ACCOUNT = "000000000000"
MIB = 1024 * 1024


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


def iterator_of(kinesis, stream, kind="TRIM_HORIZON"):
    return kinesis.get_shard_iterator(StreamName=stream, ShardId="shardId-000000000000",
                                      ShardIteratorType=kind)["ShardIterator"]


def records_by_the_second(kinesis):
    """1000 at once and 1000 a second; what does not fit fails by itself, the rest of the call goes through."""
    kinesis.create_stream(StreamName="records", ShardCount=2)
    began = time.monotonic()
    accepted = 0
    for _ in range(200):
        entries = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}] * 499
        entries.append({"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": str(2**128 - 1)})
        answer = kinesis.put_records(StreamName="records", Records=entries)
        failed = [r for r in answer["Records"] if "ErrorCode" in r]
        assert answer["FailedRecordCount"] == len(failed)
        accepted += 499 - len(failed)
        assert answer["Records"][-1]["ShardId"] == "shardId-000000000001", "the other shard's record goes through"
        if failed:
            break
    allowed = 1000 + 1000 * (time.monotonic() - began)
    assert 998 <= accepted <= allowed, (accepted, allowed)
    words = f"Rate exceeded for shard shardId-000000000000 in stream records under account {ACCOUNT}."
    assert failed[0] == {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": words}, failed[0]
    # PutRecord says the same as an error of its own.
    for _ in range(2000):
        try:
            kinesis.put_record(StreamName="records", Data=b"x" * 900_000, PartitionKey="k", ExplicitHashKey="0")
        except ClientError as error:
            assert error.response["Error"] == {"Code": "ProvisionedThroughputExceededException", "Message": words}
            break
    else:
        raise AssertionError("no record was refused")


def bytes_in_bursts(kinesis):
    """10 MiB at once and 1 MiB a second; then 10 MiB out at once, which 5 seconds of reading pay for."""
    kinesis.create_stream(StreamName="bytes", ShardCount=1)
    record = {"Data": b"x" * (MIB - 2), "PartitionKey": "kk"}
    began = time.monotonic()
    answer = kinesis.put_records(StreamName="bytes", Records=[record] * 10)
    assert answer["FailedRecordCount"] == 0, answer
    answer = kinesis.put_records(StreamName="bytes", Records=[record] * 10)
    passed = time.monotonic() - began
    assert 10 - answer["FailedRecordCount"] <= passed, (answer["FailedRecordCount"], passed)

    iterator = iterator_of(kinesis, "bytes")
    read = kinesis.get_records(ShardIterator=iterator)
    paid_from = time.monotonic()
    size = sum(len(r["Data"]) + len(r["PartitionKey"]) for r in read["Records"])
    assert size == 10 * MIB, size
    words = f"Rate exceeded for shard shardId-000000000000 in stream bytes under account {ACCOUNT}."
    assert refused("ProvisionedThroughputExceededException", kinesis.get_records, ShardIterator=iterator) == words
    while True:
        try:
            kinesis.get_records(ShardIterator=read["NextShardIterator"], Limit=1)
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ProvisionedThroughputExceededException", error
            assert time.monotonic() - paid_from < 30, "reads are never let in again"
            time.sleep(0.05)
    waited = time.monotonic() - paid_from
    assert waited > 4.5, waited


def calls_by_the_second(kinesis):
    kinesis.create_stream(StreamName="calls", ShardCount=1)

    def until_refused(name, per_second, call, **arguments):
        began = time.monotonic()
        for count in range(100_000):
            try:
                call(**arguments)
            except ClientError as error:
                assert error.response["Error"]["Code"] == name, error
                allowed = per_second * (1 + time.monotonic() - began)
                assert count <= allowed, (count, allowed)
                return error.response["Error"]["Message"]
        raise AssertionError("never refused")

    throughput = "ProvisionedThroughputExceededException"
    iterator = iterator_of(kinesis, "calls")
    until_refused(throughput, 5, kinesis.get_records, ShardIterator=iterator)
    until_refused(throughput, 5, kinesis.get_shard_iterator, StreamName="calls", ShardId="shardId-000000000000",
                  ShardIteratorType="LATEST")
    words = until_refused("LimitExceededException", 10, kinesis.describe_stream, StreamName="calls")
    assert words == f"Rate exceeded for stream calls under account {ACCOUNT}.", words
    until_refused("LimitExceededException", 20, kinesis.describe_stream_summary, StreamName="calls")
    until_refused("LimitExceededException", 1, kinesis.describe_limits)


def changes(kinesis):
    words = refused("InvalidArgumentException", kinesis.update_shard_count, StreamName="calls", TargetShardCount=3,
                    ScalingType="UNIFORM_SCALING")
    assert words.startswith("UpdateShardCount cannot scale up over double"), words
    words = refused("LimitExceededException", kinesis.create_stream, StreamName="many", ShardCount=20_000)
    assert words.startswith(f"This request would exceed the shard limit for the account {ACCOUNT} in eu-west-1. "), words


def nothing_is_limited_by_default(kinesis):
    kinesis.create_stream(StreamName="s", ShardCount=1)
    record = {"Data": b"x", "PartitionKey": "k"}
    for _ in range(10):
        assert kinesis.put_records(StreamName="s", Records=[record] * 500)["FailedRecordCount"] == 0
    for _ in range(50):
        kinesis.describe_stream(StreamName="s")
    kinesis.update_shard_count(StreamName="s", TargetShardCount=7, ScalingType="UNIFORM_SCALING")
    assert len(kinesis.list_shards(StreamName="s", ShardFilter={"Type": "AT_LATEST"})["Shards"]) == 7


with Broker(sys.argv[1], '[limits]\nmode = "aws"\n') as broker:
    kinesis = client_of(broker)
    records_by_the_second(kinesis)
    bytes_in_bursts(kinesis)
    calls_by_the_second(kinesis)
    changes(kinesis)
    page = urllib.request.urlopen(broker.url + "/metrics").read().decode()
    for name in ("write_records", "read_calls", "iterator_calls", "operations"):
        values = [float(line.split()[-1]) for line in page.splitlines()
                  if line.startswith(f"tidemill_throttled_{name}_total")]
        assert sum(values) > 0, name
with Broker(sys.argv[1]) as broker:
    nothing_is_limited_by_default(client_of(broker))
print("ok")
