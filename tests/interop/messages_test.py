"""AWS's documented messages, word for word: messages_test.py PROGRAM

Source: the messages that kinesalite's authors collected from the live service, and the developer guide."""
import re
import sys
import time

from broker import Broker
from facts import Facts
from wire import CBOR, JSON, Wire

UNDER = "under account 000000000000"
MAX_HASH = 2**128 - 1


class Messages:
    def __init__(self, wire):
        self.wire = wire
        shards = wire.call("ListShards", {"StreamName": "s"})["Shards"]
        self.first = shards[0]["SequenceNumberRange"]["StartingSequenceNumber"]
        put = {"StreamName": "s", "Data": "aGk=", "PartitionKey": "k", "ExplicitHashKey": "0"}
        self.number = wire.call("PutRecord", put)["SequenceNumber"]

    def __call__(self, kind, message, operation, **request):
        """The same in both encodings. In `message` <n> stands for a number."""
        pattern = re.escape(message).replace("<n>", r"-?\d+")
        for content_type in (JSON, CBOR):
            answer = self.wire.post(operation, request, content_type)
            assert answer.status == 400, (operation, request, answer.body)
            got = answer.error()
            assert got[0] == kind and re.fullmatch(pattern, got[1] or ""), f"{operation} {request}:\n{got}\nnot {kind}: {message}"


def names(say):
    for operation, more in (("DescribeStream", {}), ("DescribeStreamSummary", {}), ("DeleteStream", {}), ("ListShards", {}),
                            ("ListTagsForStream", {}), ("PutRecord", {"Data": "", "PartitionKey": "k"}),
                            ("PutRecords", {"Records": [{"Data": "", "PartitionKey": "k"}]}),
                            ("GetShardIterator", {"ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}),
                            ("AddTagsToStream", {"Tags": {"a": "b"}}), ("RemoveTagsFromStream", {"TagKeys": ["a"]}),
                            ("IncreaseStreamRetentionPeriod", {"RetentionPeriodHours": 48}),
                            ("SplitShard", {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "5"}),
                            ("MergeShards", {"ShardToMerge": "shardId-000000000000",
                                             "AdjacentShardToMerge": "shardId-000000000001"}),
                            ("UpdateShardCount", {"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"})):
        say("ResourceNotFoundException", f"Stream none {UNDER} not found.", operation, StreamName="none", **more)
    say("ResourceInUseException", f"Stream s {UNDER} already exists.", "CreateStream", StreamName="s", ShardCount=1)


def shards(say):
    position = {"StreamName": "s", "ShardIteratorType": "LATEST"}
    say("ResourceNotFoundException", f"Could not find shard nonsense in stream s {UNDER}.", "GetShardIterator",
        ShardId="nonsense", **position)
    say("ResourceNotFoundException", f"Shard shardId-000000000009 in stream s {UNDER} does not exist", "GetShardIterator",
        ShardId="shardId-000000000009", **position)
    say("InvalidArgumentException", f"NewStartingHashKey 0 used in SplitShard() on shard shardId-000000000000 in stream s {UNDER} "
        f"is not both greater than one plus the shard's StartingHashKey 0 and less than the shard's EndingHashKey "
        f"{(MAX_HASH + 1) // 2 - 1}.", "SplitShard", StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey="0")
    say("InvalidArgumentException", f"Shards shardId-000000000001 and shardId-000000000000 in stream s {UNDER} are not an "
        "adjacent pair of shards eligible for merging", "MergeShards", StreamName="s", ShardToMerge="shardId-000000000001",
        AdjacentShardToMerge="shardId-000000000000")


def iterators(say):
    at = {"StreamName": "s", "ShardId": "shardId-000000000000"}
    for iterator in ("x", "AAAA", "A" * 512, "\u00fc"):
        say("InvalidArgumentException", "Invalid ShardIterator.", "GetRecords", ShardIterator=iterator)
    must = ("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON "
            "or LATEST and no StartingSequenceNumber. Request specified ")
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        say("InvalidArgumentException", f"{must}{kind} and no StartingSequenceNumber.", "GetShardIterator",
            ShardIteratorType=kind, **at)
    for kind in ("TRIM_HORIZON", "LATEST"):
        say("InvalidArgumentException", f"{must}{kind} and also a StartingSequenceNumber.", "GetShardIterator",
            ShardIteratorType=kind, StartingSequenceNumber=say.number, **at)
    for number in ("0", "5", "9" * 56, "9" * 100):
        say("InvalidArgumentException", f"StartingSequenceNumber {number} used in GetShardIterator on shard "
            f"shardId-000000000000 in stream s {UNDER} is invalid.", "GetShardIterator",
            ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number, **at)
    say("InvalidArgumentException", "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call "
        "to a shard with shardId-000000000001", "GetShardIterator", StreamName="s", ShardId="shardId-000000000001",
        ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=say.number)
    say("InvalidArgumentException", "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request "
        "has no timestamp parameter.", "GetShardIterator", ShardIteratorType="AT_TIMESTAMP", **at)
    later = int(time.time()) + 3600
    answer = say.wire.post("GetShardIterator", {**at, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": later})
    assert re.fullmatch(r"The timestampInMillis parameter cannot be greater than the currentTimestampInMillis\. "
                        rf"timestampInMillis: {later}000, currentTimestampInMillis: \d{{13}}", answer.error()[1]), answer.body


def puts(say):
    record = {"StreamName": "s", "Data": "", "PartitionKey": "k"}
    outside = str(2**128)
    words = f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {outside}"
    say("InvalidArgumentException", words, "PutRecord", ExplicitHashKey=outside, **record)
    say("InvalidArgumentException", words, "PutRecords", StreamName="s",
        Records=[{"Data": "", "PartitionKey": "k", "ExplicitHashKey": outside}])
    for number in ("5", "0", "9" * 56):
        say("InvalidArgumentException", f"ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream s {UNDER} is "
            "invalid.", "PutRecord", SequenceNumberForOrdering=number, **record)


def lists(say):
    token = say.wire.call("ListShards", {"StreamName": "s", "MaxResults": 1})["NextToken"]
    say("InvalidArgumentException", "Either NextToken or StreamName should be provided.", "ListShards")
    say("InvalidArgumentException", "NextToken and StreamName cannot be provided together.", "ListShards", StreamName="s",
        NextToken=token)
    assert len(say.wire.call("ListShards", {"NextToken": token})["Shards"]) == 1
    for hours in (23, 1, 0, -5):
        say("InvalidArgumentException", f"Minimum allowed retention period is 24 hours. Requested retention period ({hours} hours)"
            " is too short.", "DecreaseStreamRetentionPeriod", StreamName="s", RetentionPeriodHours=hours)


def constraints(say):
    one = "1 validation error detected: Value "
    say("ValidationException", one + "null at 'streamName' failed to satisfy constraint: Member must not be null",
        "CreateStream", ShardCount=1)
    say("ValidationException", one + "'x' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: "
        "[AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]", "GetShardIterator", StreamName="s",
        ShardId="shardId-000000000000", ShardIteratorType="x")
    say("ValidationException", one + "'0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        "DescribeStream", StreamName="s", Limit=0)
    say("ValidationException", one + "'10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to "
        "10000", "DescribeStream", StreamName="s", Limit=10001)
    say("ValidationException", "2 validation errors detected: Value 'a b' at 'streamName' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '0' at 'limit' failed to satisfy constraint: Member must "
        "have value greater than or equal to 1", "DescribeStream", StreamName="a b", Limit=0)
    say("ValidationException", one + "'' at 'records.2.member.partitionKey' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1", "PutRecords", StreamName="s",
        Records=[{"Data": "", "PartitionKey": "k"}, {"Data": "", "PartitionKey": ""}])
    say("SerializationException", "class java.lang.String can not be converted to an Integer", "DescribeStream", StreamName="s",
        Limit="x")
    say("SerializationException", "Start of list found where not expected", "DescribeStream", StreamName=[])
    say("SerializationException", "Start of structure or map found where not expected.", "DescribeStream", StreamName={})


def main(program):
    with Broker(program) as broker:
        facts = Facts("raw-messages")
        wire = Wire(broker, facts)
        wire.call("CreateStream", {"StreamName": "s", "ShardCount": 2})
        say = Messages(wire)
        failures = 0
        for check in (names, shards, iterators, puts, lists, constraints):
            try:
                check(say)
            except AssertionError as error:
                print(f"{check.__name__}: {error}")
                failures += 1
    if failures:
        sys.exit(1)
    facts.settle()
    print("messages: passed")


if __name__ == "__main__":
    main(sys.argv[1])
