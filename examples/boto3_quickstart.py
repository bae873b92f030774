#!/usr/bin/env python3
"""Writes to and reads from a Tidemill stream with the unmodified AWS SDK.

    tidemill serve --data /tmp/tidemill &
    python3 examples/boto3_quickstart.py http://127.0.0.1:4567
"""
import sys

import boto3

endpoint = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:4567"
kinesis = boto3.client(
    "kinesis",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)

kinesis.create_stream(StreamName="quickstart", ShardCount=2)
kinesis.get_waiter("stream_exists").wait(StreamName="quickstart", WaiterConfig={"Delay": 1, "MaxAttempts": 10})

answer = kinesis.put_records(
    StreamName="quickstart",
    Records=[{"PartitionKey": f"key-{i}", "Data": f"hello {i}".encode()} for i in range(10)],
)
print("failed:", answer["FailedRecordCount"])

for shard in kinesis.list_shards(StreamName="quickstart")["Shards"]:
    iterator = kinesis.get_shard_iterator(
        StreamName="quickstart", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
        print(shard["ShardId"], record["PartitionKey"], record["Data"].decode())

kinesis.delete_stream(StreamName="quickstart")
