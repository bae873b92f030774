#!/usr/bin/env python3
"""SubscribeToShard over HTTP/1.1 by boto3, and by hand where boto3 hides too much: fan_out_test.py PROGRAM."""
import http.client
import json
import os
import sys
import threading
import time

from broker import Broker, client_environment, skip

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError, EventStreamError
except ImportError as error:
    skip(str(error))

import cbor
from event_stream import events

PATIENCE = 30  # seconds for what happens at once


def client(broker):
    return boto3.client("kinesis", endpoint_url=broker.url, config=Config(retries={"max_attempts": 0}, read_timeout=PATIENCE))


def make(kinesis, name, shards=1):
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def register(kinesis, arn, name="c"):
    return kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=name)["Consumer"]["ConsumerARN"]


def subscribe(kinesis, consumer, shard="shardId-000000000000", **position):
    return kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard,
                                      StartingPosition=position or {"Type": "TRIM_HORIZON"})["EventStream"]


def put(kinesis, name, first, count):
    kinesis.put_records(StreamName=name, Records=[{"Data": str(i).encode(), "PartitionKey": "k"}
                                                  for i in range(first, first + count)])


def numbers(stream, count):
    """The records' numbers and the last event, when `count` records have come."""
    got, last = [], None
    for event in stream:
        last = event["SubscribeToShardEvent"]
        got += [int(record["Data"]) for record in last["Records"]]
        if len(got) >= count:
            return got, last
    raise AssertionError(f"the stream ended after {got}")


def refused(code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} did not come")


def records_are_pushed_in_order(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "pushed"))
    put(kinesis, "pushed", 0, 300)
    stream = subscribe(kinesis, consumer)
    got, event = numbers(stream, 300)
    assert got == list(range(300)), got
    writer = threading.Thread(target=lambda: [put(client(broker), "pushed", 300 + 50 * i, 50) for i in range(20)])
    writer.start()
    more, event = numbers(stream, 1000)
    writer.join()
    assert more == list(range(300, 1300)), more
    assert event["MillisBehindLatest"] == 0 and "ChildShards" not in event, event
    assert event["ContinuationSequenceNumber"] == event["Records"][-1]["SequenceNumber"]
    assert event["Records"][0]["ApproximateArrivalTimestamp"].year >= 2025
    stream.close()


def a_second_subscription_waits_five_seconds_and_takes_over(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "taken"))
    first = subscribe(kinesis, consumer, Type="LATEST")
    message = refused("ResourceInUseException", subscribe, kinesis, consumer)
    assert "Another active subscription exists for this consumer" in message, message
    other = register(kinesis, kinesis.describe_stream_summary(StreamName="taken")["StreamDescriptionSummary"]["StreamARN"], "other")
    subscribe(kinesis, other).close()  # another consumer is not in the way
    began = time.monotonic()
    while True:
        try:
            second = subscribe(kinesis, consumer, Type="LATEST")
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceInUseException", error
            assert time.monotonic() < began + PATIENCE
            time.sleep(0.2)
    try:
        for event in first:
            assert event["SubscribeToShardEvent"]["Records"] == []
        raise AssertionError("the first one ended without a word")
    except EventStreamError as error:
        assert "ResourceInUseException" in str(error), error
    put(kinesis, "taken", 0, 3)
    assert numbers(second, 3)[0] == [0, 1, 2]
    second.close()


def an_idle_one_has_a_heartbeat_to_go_on_from(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "idle"))
    put(kinesis, "idle", 0, 5)
    stream = subscribe(kinesis, consumer, Type="LATEST")
    event = next(iter(stream))["SubscribeToShardEvent"]
    assert event["Records"] == [] and event["MillisBehindLatest"] == 0, event
    stream.close()
    put(kinesis, "idle", 5, 5)
    again = register(kinesis, kinesis.describe_stream_summary(StreamName="idle")["StreamDescriptionSummary"]["StreamARN"], "again")
    stream = subscribe(kinesis, again, Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=event["ContinuationSequenceNumber"])
    assert numbers(stream, 5)[0] == [5, 6, 7, 8, 9]
    stream.close()


def a_shard_ends_with_its_children(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "split"))
    put(kinesis, "split", 0, 10)
    stream = iter(subscribe(kinesis, consumer))
    got = next(stream)["SubscribeToShardEvent"]
    assert len(got["Records"]) == 10
    kinesis.split_shard(StreamName="split", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127))
    for event in stream:
        last = event["SubscribeToShardEvent"]
    assert "ContinuationSequenceNumber" not in last, last
    assert [child["ShardId"] for child in last["ChildShards"]] == ["shardId-000000000001", "shardId-000000000002"], last
    assert all(child["ParentShards"] == ["shardId-000000000000"] for child in last["ChildShards"])
    # Nothing more to be had: it ends at once, again with the children.
    last = [event["SubscribeToShardEvent"] for event in subscribe(kinesis, consumer)]
    assert len(last[0]["Records"]) == 10 and last[-1]["ChildShards"], last
    for child in ("shardId-000000000001", "shardId-000000000002"):
        subscribe(kinesis, consumer, child).close()


def what_disappears_ends_it_with_an_exception(broker, kinesis):
    arn = make(kinesis, "gone")
    consumer = register(kinesis, arn)
    stream = subscribe(kinesis, consumer, Type="LATEST")
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)
    try:
        list(stream)
        raise AssertionError("it ended without a word")
    except EventStreamError as error:
        assert "ResourceNotFoundException" in str(error), error
    refused("ResourceNotFoundException", subscribe, kinesis, consumer)
    consumer = register(kinesis, arn, "c2")
    stream = subscribe(kinesis, consumer, Type="LATEST")
    kinesis.delete_stream(StreamName="gone", EnforceConsumerDeletion=True)
    try:
        list(stream)
        raise AssertionError("it ended without a word")
    except EventStreamError as error:
        assert "ResourceNotFoundException" in str(error), error


def what_cannot_begin_is_an_ordinary_error(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "errors"))
    refused("ResourceNotFoundException", subscribe, kinesis, consumer, "shardId-000000000009")
    refused("ResourceNotFoundException", subscribe, kinesis, consumer.replace(":stream/errors", ":stream/nothing"))
    refused("InvalidArgumentException", subscribe, kinesis, consumer, Type="AT_SEQUENCE_NUMBER")
    refused("InvalidArgumentException", subscribe, kinesis, consumer, Type="AT_SEQUENCE_NUMBER", SequenceNumber="1")
    refused("InvalidArgumentException", subscribe, kinesis, consumer, Type="AT_TIMESTAMP")
    subscribe(kinesis, consumer, Type="AT_TIMESTAMP", Timestamp=time.time() - 60).close()


def cbor_in_cbor_out(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "cbor"))
    put(kinesis, "cbor", 0, 2)
    connection = http.client.HTTPConnection(broker.url.removeprefix("http://"), timeout=PATIENCE)
    body = cbor.encode({"ConsumerARN": consumer, "ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}})
    connection.request("POST", "/", body, {"Content-Type": "application/x-amz-cbor-1.1",
                                           "X-Amz-Target": "Kinesis_20131202.SubscribeToShard"})
    response = connection.getresponse()
    assert response.status == 200 and response.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    came = events(response)
    assert next(came) == ("initial-response", {})
    kind, event = next(came)
    assert kind == "SubscribeToShardEvent" and [record["Data"] for record in event["Records"]] == [b"0", b"1"], event
    connection.close()


def a_stopping_broker_ends_streams_and_nothing_is_lost(broker, kinesis):
    consumer = register(kinesis, make(kinesis, "restart"))
    put(kinesis, "restart", 0, 10)
    stream = subscribe(kinesis, consumer)
    got, event = numbers(stream, 10)
    began = time.monotonic()
    broker.restart()
    assert list(stream) == []
    assert time.monotonic() - began < PATIENCE
    kinesis = client(broker)
    put(kinesis, "restart", 10, 10)
    stream = subscribe(kinesis, consumer, Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=event["ContinuationSequenceNumber"])
    got += numbers(stream, 10)[0]
    assert got == list(range(20)), got
    stream.close()


def a_slow_reader_costs_an_event(broker, kinesis):
    """A client that does not read while 64 MB are written: the broker's memory does not grow with them."""
    consumer = register(kinesis, make(kinesis, "slow"))
    stream = subscribe(kinesis, consumer)
    pid = broker.process.pid

    def resident():
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    for _ in range(4):  # the log's own caches fill first
        kinesis.put_records(StreamName="slow", Records=[{"Data": b"x" * 500_000, "PartitionKey": "k"}] * 16)
    before = resident()
    for _ in range(8):
        kinesis.put_records(StreamName="slow", Records=[{"Data": b"x" * 500_000, "PartitionKey": "k"}] * 16)
    grown = resident() - before
    assert grown < 128 << 20, f"{grown >> 20} MiB"
    count = 0
    for event in stream:
        count += len(event["SubscribeToShardEvent"]["Records"])
        if count == 12 * 16:
            break
    stream.close()


def main():
    os.environ.update(client_environment())
    tests = [records_are_pushed_in_order, a_second_subscription_waits_five_seconds_and_takes_over,
             an_idle_one_has_a_heartbeat_to_go_on_from, a_shard_ends_with_its_children,
             what_disappears_ends_it_with_an_exception, what_cannot_begin_is_an_ordinary_error, cbor_in_cbor_out,
             a_slow_reader_costs_an_event, a_stopping_broker_ends_streams_and_nothing_is_lost]
    with Broker(sys.argv[1]) as broker:
        for test in tests:
            began = time.monotonic()
            test(broker, client(broker))
            print(f"{test.__name__}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
