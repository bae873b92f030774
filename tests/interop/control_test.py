"""Consumers, settings, policies and what they do, in JSON and in CBOR, over restarts: control_test.py PROGRAM"""
import base64
import re
import sys
import urllib.request

import cbor
from broker import Broker
from facts import Facts
from wire import CBOR, JSON, Wire

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"
MIB = 1 << 20


class Control:
    def __init__(self, broker):
        self.broker, self.facts = broker, Facts("raw-control")
        self.wire = Wire(broker, self.facts)

    def call(self, operation, content_type=JSON, **request):
        return self.wire.call(operation, request, content_type)

    def refused(self, kind, operation, **request):
        for content_type in (JSON, CBOR):
            answer = self.wire.post(operation, request, content_type)
            assert answer.status == 400 and answer.error()[0] == kind, (operation, request, answer.body)

    def restart(self):
        self.broker.restart()
        self.wire = Wire(self.broker, self.facts)

    def summary(self, name):
        return self.call("DescribeStreamSummary", StreamName=name)["StreamDescriptionSummary"]

    def read(self, name, shard="shardId-000000000000", content_type=JSON):
        iterator = self.call("GetShardIterator", StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        records = []
        while True:
            answer = self.call("GetRecords", content_type, ShardIterator=iterator)
            records += answer["Records"]
            iterator = answer.get("NextShardIterator")
            if iterator is None or answer["MillisBehindLatest"] == 0:
                return records

    def metrics(self):
        with urllib.request.urlopen(self.broker.url + "/metrics") as answer:
            text = answer.read().decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[:1] not in ("#", "")}

    def consumers(self):
        self.call("CreateStream", StreamName="fan", ShardCount=1)
        made = {}
        for name, content_type in (("b", JSON), ("a", CBOR), ("c", JSON)):
            made[name] = self.call("RegisterStreamConsumer", content_type, StreamARN=ARN + "fan", ConsumerName=name,
                                   Tags={"team": name})["Consumer"]
            assert re.fullmatch(re.escape(ARN) + rf"fan/consumer/{name}:\d{{10}}", made[name]["ConsumerARN"]), made
        assert isinstance(made["a"]["ConsumerCreationTimestamp"], cbor.Time)
        self.restart()
        first = self.call("ListStreamConsumers", StreamARN=ARN + "fan", MaxResults=2)
        second = self.call("ListStreamConsumers", CBOR, StreamARN=ARN + "fan", NextToken=first["NextToken"])
        assert [c["ConsumerName"] for c in first["Consumers"] + second["Consumers"]] == ["a", "b", "c"]
        assert "NextToken" not in second
        assert self.summary("fan")["ConsumerCount"] == 3
        arn = made["b"]["ConsumerARN"]
        assert self.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "b"}]
        self.call("TagResource", CBOR, ResourceARN=arn, Tags={"more": "x"})
        self.call("UntagResource", ResourceARN=arn, TagKeys=["team"])
        assert self.call("ListTagsForResource", CBOR, ResourceARN=arn)["Tags"] == [{"Key": "more", "Value": "x"}]
        self.refused("ResourceInUseException", "RegisterStreamConsumer", StreamARN=ARN + "fan", ConsumerName="b")
        self.refused("ResourceNotFoundException", "DescribeStreamConsumer", ConsumerARN=arn[:-10] + "1000000000")
        self.call("DeregisterStreamConsumer", ConsumerARN=arn)
        self.refused("ResourceNotFoundException", "DescribeStreamConsumer", StreamARN=ARN + "fan", ConsumerName="b")
        again = self.call("RegisterStreamConsumer", StreamARN=ARN + "fan", ConsumerName="b")["Consumer"]
        assert again["ConsumerARN"] != arn, "another consumer has another ARN"
        self.refused("ResourceInUseException", "DeleteStream", StreamName="fan")
        self.call("DeleteStream", StreamName="fan", EnforceConsumerDeletion=True)

    def policies(self):
        self.call("CreateStream", StreamName="shared", ShardCount=1)
        consumer = self.call("RegisterStreamConsumer", StreamARN=ARN + "shared", ConsumerName="c")["Consumer"]["ConsumerARN"]
        for arn, action in ((ARN + "shared", "kinesis:GetRecords"), (consumer, "kinesis:SubscribeToShard")):
            policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},'
                      f'"Action":"{action}","Resource":"{arn}"}}]}}')
            self.refused("ResourceNotFoundException", "GetResourcePolicy", ResourceARN=arn)
            self.refused("InvalidArgumentException", "PutResourcePolicy", ResourceARN=arn, Policy="{")
            self.call("PutResourcePolicy", ResourceARN=arn, Policy=policy)
            self.restart()
            for content_type in (JSON, CBOR):
                assert self.call("GetResourcePolicy", content_type, ResourceARN=arn)["Policy"] == policy
            self.call("DeleteResourcePolicy", ResourceARN=arn)
            self.refused("ResourceNotFoundException", "DeleteResourcePolicy", ResourceARN=arn)

    def record_sizes(self):
        """Up to 10 MiB through PutRecord and PutRecords, in both encodings, once the stream allows it."""
        self.call("CreateStream", StreamName="large", ShardCount=1)
        data = {JSON: lambda n: base64.b64encode(b"x" * n).decode(), CBOR: lambda n: b"x" * n}
        self.refused("ValidationException", "PutRecord", StreamName="large", PartitionKey="k", Data=data[JSON](MIB + 1))
        self.call("UpdateMaxRecordSize", StreamARN=ARN + "large", MaxRecordSizeInKiB=10240)
        self.restart()
        sizes = []
        for content_type in (JSON, CBOR):
            self.call("PutRecord", content_type, StreamName="large", PartitionKey="k", Data=data[content_type](10 * MIB))
            records = [{"Data": data[content_type](n * MIB), "PartitionKey": "k"} for n in (6, 3)]
            assert self.call("PutRecords", content_type, StreamName="large", Records=records)["FailedRecordCount"] == 0
            sizes += [10, 6, 3]
        assert [len(r["Data"]) // MIB for r in self.read("large", content_type=CBOR)] == sizes
        records = [{"Data": data[JSON](n * MIB), "PartitionKey": "k"} for n in (6, 5)]
        self.refused("InvalidArgumentException", "PutRecords", StreamName="large", Records=records)
        self.call("DeleteStream", StreamName="large")

    def modes(self):
        self.call("CreateStream", StreamName="modes", ShardCount=2)
        on_demand = {"StreamMode": "ON_DEMAND"}
        self.refused("ValidationException", "UpdateStreamWarmThroughput", StreamName="modes", WarmThroughputMiBps=5)
        self.call("UpdateStreamMode", StreamARN=ARN + "modes", StreamModeDetails=on_demand)
        assert self.summary("modes")["StreamModeDetails"] == on_demand
        self.refused("ValidationException", "UpdateShardCount", StreamName="modes", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
        self.call("UpdateStreamRecordDistributionStrategy", StreamARN=ARN + "modes", RecordDistributionStrategy="AUTO")
        self.restart()
        for content_type in (JSON, CBOR):
            empty = b"" if content_type == CBOR else ""
            self.call("PutRecord", content_type, StreamName="modes", Data=empty)
            answer = self.call("PutRecords", content_type, StreamName="modes", Records=[{"Data": empty}] * 4)
            assert len({r["ShardId"] for r in answer["Records"]}) == self.summary("modes")["OpenShardCount"], answer
        assert all("PartitionKey" not in r for r in self.read("modes"))
        status = {"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}}
        assert self.call("UpdateAccountSettings", **status)["MinimumThroughputBillingCommitment"]["Status"] == "ENABLED"
        answer = self.call("UpdateStreamWarmThroughput", StreamName="modes", WarmThroughputMiBps=6)
        assert answer["WarmThroughput"] == {"TargetMiBps": 6, "CurrentMiBps": 6}, answer
        self.restart()
        assert self.summary("modes")["WarmThroughput"]["TargetMiBps"] == 6 and self.summary("modes")["OpenShardCount"] >= 6
        assert self.call("DescribeAccountSettings")["MinimumThroughputBillingCommitment"]["Status"] == "ENABLED"
        self.call("UpdateStreamMode", StreamARN=ARN + "modes", StreamModeDetails={"StreamMode": "PROVISIONED"})
        self.refused("ValidationException", "PutRecord", StreamName="modes", Data="")

    def encryption(self):
        """With nothing configured: the directory's own key."""
        self.call("CreateStream", StreamName="sealed", ShardCount=1)

        def put():
            return self.call("PutRecord", StreamName="sealed", Data="aGk=", PartitionKey="k")["EncryptionType"]
        key = {"StreamName": "sealed", "EncryptionType": "KMS", "KeyId": "alias/mine"}
        assert put() == "NONE"
        self.call("StartStreamEncryption", **key)
        assert self.summary("sealed")["EncryptionType"] == "KMS" and self.summary("sealed")["KeyId"] == "alias/mine"
        assert put() == "KMS"
        self.restart()
        assert put() == "KMS"
        self.call("StopStreamEncryption", **key)
        assert put() == "NONE"
        assert self.call("DescribeStream", StreamName="sealed")["StreamDescription"]["EncryptionType"] == "NONE"
        for content_type in (JSON, CBOR):
            types = [r["EncryptionType"] for r in self.read("sealed", content_type=content_type)]
            assert types == ["NONE", "KMS", "KMS", "NONE"], types

    def monitoring(self):
        self.call("CreateStream", StreamName="watched", ShardCount=2)
        put = {"StreamName": "watched", "Data": "aGVsbG8=", "PartitionKey": "k", "ExplicitHashKey": "0"}
        self.call("PutRecord", **put)
        assert not [name for name in self.metrics() if "tidemill_shard_" in name]
        wanted = ["IncomingBytes", "IncomingRecords", "OutgoingRecords", "IteratorAgeMilliseconds"]
        self.call("EnableEnhancedMonitoring", StreamName="watched", ShardLevelMetrics=wanted)
        self.call("PutRecord", **put)
        self.read("watched")
        seen = {name: value for name, value in self.metrics().items() if "tidemill_shard_" in name}

        def of(name, shard):
            return seen[next(n for n in seen if n.startswith(name + "{") and f'shardId-00000000000{shard}"' in n and '"watched"' in n)]
        assert of("tidemill_shard_incoming_records_total", 0) == 1 and of("tidemill_shard_incoming_bytes_total", 0) == 6, seen
        assert of("tidemill_shard_incoming_records_total", 1) == 0 and of("tidemill_shard_outgoing_records_total", 0) == 2, seen
        assert of("tidemill_shard_iterator_age_milliseconds", 0) >= 0 and len(seen) == 8, seen
        self.restart()
        self.call("DisableEnhancedMonitoring", CBOR, StreamName="watched", ShardLevelMetrics=["ALL"])
        assert not [name for name in self.metrics() if "tidemill_shard_" in name]

    def shard_counts(self):
        """1, 10,000 and 1 shards again; all listed, all with their parents."""
        self.call("CreateStream", StreamName="many", ShardCount=1)
        for target in (10_000, 1):
            answer = self.call("UpdateShardCount", StreamName="many", TargetShardCount=target, ScalingType="UNIFORM_SCALING")
            assert answer["TargetShardCount"] == target, answer
        shards, token = [], None
        while True:
            page = self.call("ListShards", **({"NextToken": token} if token else {"StreamName": "many"}))
            shards += page["Shards"]
            token = page.get("NextToken")
            if token is None:
                break
        by_id = {s["ShardId"]: s for s in shards}
        opened = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
        assert len(opened) == 1 and int(opened[0]["HashKeyRange"]["EndingHashKey"]) == 2**128 - 1, opened
        assert len(by_id) == len(shards) > 10_001
        for shard in shards[1:]:
            parents = [by_id[shard[k]] for k in ("ParentShardId", "AdjacentParentShardId") if k in shard]
            assert parents, shard
            low = min(int(p["HashKeyRange"]["StartingHashKey"]) for p in parents)
            high = max(int(p["HashKeyRange"]["EndingHashKey"]) for p in parents)
            assert low <= int(shard["HashKeyRange"]["StartingHashKey"]) <= int(shard["HashKeyRange"]["EndingHashKey"]) <= high
        self.restart()
        assert self.summary("many")["OpenShardCount"] == 1
        self.call("DeleteStream", StreamName="many")


def main(program):
    with Broker(program) as broker:
        control = Control(broker)
        for part in (control.consumers, control.policies, control.record_sizes, control.modes, control.encryption,
                     control.monitoring, control.shard_counts):
            part()
    control.facts.settle()
    print("control: passed")


if __name__ == "__main__":
    main(sys.argv[1])
