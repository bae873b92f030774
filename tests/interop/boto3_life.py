"""The whole life of a stream through boto3, as far as the boto3 at hand knows the API. Runs under the Python that has it:
boto3_life.py URL CLIENT; prints the facts that it has seen."""
import json
import os
import sys
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from facts import Facts, members_of
from lineage import read_lineage

ACCOUNT = "000000000000"


class Life:
    def __init__(self, url, facts):
        self.url, self.facts = url, facts
        self.kinesis = self.client()
        self.known = set(self.kinesis.meta.service_model.operation_names)
        shape = self.kinesis.meta.service_model.operation_model("DeleteStream").input_shape
        self.has_arn = "StreamARN" in shape.members
        self.arn = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/life"

    def client(self):
        client = boto3.client("kinesis", endpoint_url=self.url, config=Config(
            retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=30))
        sent = threading.local()

        def before(params, model, **_):
            sent.members = members_of(params)

        def after(parsed, model, **_):
            code = parsed.get("Error", {}).get("Code")
            if code != "UnknownOperationException":
                self.facts.add(model.name, sent.members, code)
        client.meta.events.register("provide-client-params.kinesis", before)
        client.meta.events.register("after-call.kinesis", after)
        return client

    def refused(self, name, call, words="", **arguments):
        try:
            call(**arguments)
        except ClientError as error:
            assert error.response["Error"]["Code"] == name, error
            assert isinstance(error, getattr(self.kinesis.exceptions, name, ClientError)), error
            assert words in error.response["Error"]["Message"], error
            assert error.response["ResponseMetadata"]["RequestId"]
            return
        raise AssertionError(f"{name} expected of {arguments}")

    def summary(self):
        return self.kinesis.describe_stream_summary(StreamName="life")["StreamDescriptionSummary"]

    def wait(self):
        self.kinesis.get_waiter("stream_exists").wait(StreamName="life", WaiterConfig={"Delay": 1})

    def create(self):
        more = {"Tags": {"made": "by life"}} if "TagResource" in self.known else {}
        self.kinesis.create_stream(StreamName="life", ShardCount=2, **more)
        self.wait()
        description = self.kinesis.describe_stream(StreamName="life", Limit=1)["StreamDescription"]
        assert description["HasMoreShards"] and len(description["Shards"]) == 1, description
        rest = self.kinesis.describe_stream(StreamName="life", ExclusiveStartShardId=description["Shards"][0]["ShardId"])
        assert [s["ShardId"] for s in rest["StreamDescription"]["Shards"]] == ["shardId-000000000001"]
        summary = self.summary()
        assert (summary["StreamARN"], summary["OpenShardCount"]) == (self.arn, 2), summary
        assert summary["StreamModeDetails"] == {"StreamMode": "PROVISIONED"} and "StreamId" not in summary
        assert self.kinesis.list_streams(Limit=5, ExclusiveStartStreamName="a")["StreamNames"] == ["life"]
        limits = self.kinesis.describe_limits()
        assert limits["OpenShardCount"] == 2, limits
        self.refused("ResourceInUseException", self.kinesis.create_stream, StreamName="life", ShardCount=1,
                     words=f"Stream life under account {ACCOUNT} already exists.")
        if self.has_arn:
            by_arn = self.kinesis.describe_stream_summary(StreamARN=self.arn)["StreamDescriptionSummary"]
            assert by_arn["StreamName"] == "life"

    def tags(self):
        kinesis = self.kinesis
        kinesis.add_tags_to_stream(StreamName="life", Tags={"env": "test", "team": "a"})
        kinesis.remove_tags_from_stream(StreamName="life", TagKeys=["made"])
        page = kinesis.list_tags_for_stream(StreamName="life", Limit=1)
        assert page["HasMoreTags"] and page["Tags"] == [{"Key": "env", "Value": "test"}], page
        page = kinesis.list_tags_for_stream(StreamName="life", ExclusiveStartTagKey="env")
        assert page["Tags"] == [{"Key": "team", "Value": "a"}] and not page["HasMoreTags"], page

    def resource_tags(self):
        if "TagResource" not in self.known:
            return
        kinesis = self.kinesis
        kinesis.tag_resource(ResourceARN=self.arn, Tags={"more": "b"})
        kinesis.untag_resource(ResourceARN=self.arn, TagKeys=["team"])
        tags = {t["Key"]: t["Value"] for t in kinesis.list_tags_for_resource(ResourceARN=self.arn)["Tags"]}
        assert tags == {"env": "test", "more": "b"}, tags
        kinesis.untag_resource(ResourceARN=self.arn, TagKeys=["env", "more"])

    def put_and_read(self):
        kinesis = self.kinesis

        def position(kind, **more):
            return kinesis.get_shard_iterator(StreamName="life", ShardId="shardId-000000000000", ShardIteratorType=kind,
                                              **more)["ShardIterator"]
        latest = position("LATEST")
        first = kinesis.put_record(StreamName="life", Data=b"\x00\xff", PartitionKey="k\u00fc", ExplicitHashKey="0")
        second = kinesis.put_record(StreamName="life", Data=b"2", PartitionKey="k", ExplicitHashKey="0",
                                    SequenceNumberForOrdering=first["SequenceNumber"])
        assert first["ShardId"] == "shardId-000000000000" and first.get("EncryptionType", "NONE") == "NONE"
        many = kinesis.put_records(StreamName="life", Records=[
            {"Data": str(i).encode(), "PartitionKey": f"p{i}", "ExplicitHashKey": "1"} for i in range(500)])
        assert many["FailedRecordCount"] == 0 and len(many["Records"]) == 500
        numbers = [first["SequenceNumber"], second["SequenceNumber"]] + [r["SequenceNumber"] for r in many["Records"]]
        assert [int(n) for n in numbers] == sorted({int(n) for n in numbers}), "they grow"

        def read(iterator, count):
            records = []
            while len(records) < count:
                answer = kinesis.get_records(ShardIterator=iterator, Limit=300)
                assert len(answer["Records"]) <= 300
                records += answer["Records"]
                iterator = answer["NextShardIterator"]
            return records
        everything = read(position("TRIM_HORIZON"), 502)
        assert [r["SequenceNumber"] for r in everything] == numbers
        assert (everything[0]["Data"], everything[0]["PartitionKey"]) == (b"\x00\xff", "k\u00fc")
        assert read(latest, 502) == everything, "LATEST means the tip of when it was asked for"
        assert read(position("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]), 501) == everything[1:]
        assert read(position("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]), 500) == everything[2:]
        assert read(position("AT_TIMESTAMP", Timestamp=time.time() - 60), 502) == everything
        tip = kinesis.get_records(ShardIterator=position("LATEST"))
        assert tip["Records"] == [] and tip["MillisBehindLatest"] == 0 and tip["NextShardIterator"]
        self.refused("InvalidArgumentException", kinesis.get_records, ShardIterator="AAAA", words="Invalid ShardIterator.")
        self.refused("InvalidArgumentException", position, kind="AT_SEQUENCE_NUMBER")
        self.refused("InvalidArgumentException", position, kind="AT_TIMESTAMP", Timestamp=time.time() + 3600)
        self.refused("ResourceNotFoundException", kinesis.put_record, StreamName="none", Data=b"", PartitionKey="k")
        self.refused("ValidationException", kinesis.put_records, StreamName="life", Records=[])
        if self.has_arn:
            kinesis.put_record(StreamARN=self.arn, Data=b"arn", PartitionKey="k", ExplicitHashKey="0")
            kinesis.get_records(ShardIterator=latest, StreamARN=self.arn)

    def dry_runs(self):
        if "DryRun" not in self.kinesis.meta.service_model.operation_model("PutRecord").input_shape.members:
            return
        refused, name = self.refused, "DryRunOperationException"
        refused(name, self.kinesis.put_record, StreamName="life", Data=b"x", PartitionKey="k", DryRun=True)
        refused(name, self.kinesis.put_records, StreamName="life", Records=[{"Data": b"x", "PartitionKey": "k"}], DryRun=True)
        refused(name, self.kinesis.get_shard_iterator, StreamName="life", ShardId="shardId-000000000000",
                ShardIteratorType="LATEST", DryRun=True)
        iterator = self.kinesis.get_shard_iterator(StreamName="life", ShardId="shardId-000000000000",
                                                   ShardIteratorType="LATEST")["ShardIterator"]
        refused(name, self.kinesis.get_records, ShardIterator=iterator, DryRun=True)

    def consumer(self):
        kinesis = self.kinesis
        made = kinesis.register_stream_consumer(StreamARN=self.arn, ConsumerName="fan")["Consumer"]
        deadline = time.monotonic() + 30
        while True:
            consumer = kinesis.describe_stream_consumer(ConsumerARN=made["ConsumerARN"])["ConsumerDescription"]
            if consumer["ConsumerStatus"] == "ACTIVE":
                break
            assert time.monotonic() < deadline, consumer
            time.sleep(0.2)
        assert consumer["StreamARN"] == self.arn
        by_name = kinesis.describe_stream_consumer(StreamARN=self.arn, ConsumerName="fan")["ConsumerDescription"]
        assert by_name["ConsumerARN"] == made["ConsumerARN"]
        listed = kinesis.list_stream_consumers(StreamARN=self.arn, MaxResults=10)["Consumers"]
        assert [c["ConsumerName"] for c in listed] == ["fan"], listed
        self.refused("ResourceInUseException", kinesis.register_stream_consumer, StreamARN=self.arn, ConsumerName="fan")
        self.refused("ResourceInUseException", kinesis.delete_stream, StreamName="life")
        return made["ConsumerARN"]

    def subscribe(self, consumer, shard, **position):
        """Events of one subscription until the shard ends or the stream of events does."""
        answer = self.kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=position)
        for event in answer["EventStream"]:
            yield event["SubscribeToShardEvent"]

    def fan_out(self, consumer):
        kinesis, got, ended = self.kinesis, [], []
        shard = kinesis.list_shards(StreamName="life", ShardFilter={"Type": "AT_LATEST"})["Shards"][0]
        is_reading = threading.Event()

        def read():
            for event in self.subscribe(consumer, shard["ShardId"], Type="TRIM_HORIZON"):
                got.extend(event["Records"])
                is_reading.set()
                if event.get("ChildShards"):
                    assert "ContinuationSequenceNumber" not in event, event
                    ended.append([c["ShardId"] for c in event["ChildShards"]])
        thread = threading.Thread(target=read)
        thread.start()
        assert is_reading.wait(20), "no event"
        kinesis.put_record(StreamName="life", Data=b"pushed", PartitionKey="k", ExplicitHashKey="0")
        low, high = (int(shard["HashKeyRange"][k]) for k in ("StartingHashKey", "EndingHashKey"))
        kinesis.split_shard(StreamName="life", ShardToSplit=shard["ShardId"], NewStartingHashKey=str((low + high) // 2))
        thread.join(30)
        assert not thread.is_alive() and len(ended) == 1 and len(ended[0]) == 2, ended
        assert got[-1]["Data"] == b"pushed", got[-1]
        self.wait()
        a, b = [s["ShardId"] for s in kinesis.list_shards(StreamName="life")["Shards"] if s["ShardId"] in ended[0]]
        kinesis.merge_shards(StreamName="life", ShardToMerge=a, AdjacentShardToMerge=b)
        self.wait()
        self.refused("ResourceNotFoundException", lambda **k: list(self.subscribe(**k)), consumer=consumer,
                     shard="shardId-000000009999", Type="LATEST")

    def consumers(self):
        consumer = self.consumer()
        self.fan_out(consumer)
        self.kinesis.deregister_stream_consumer(ConsumerARN=consumer)

    def reshard_under_load(self):
        is_done, sent, failures = threading.Event(), {}, []

        def put():
            mine, count = self.client(), 0
            while not is_done.is_set():
                entries = [{"Data": str(count + i).encode(), "PartitionKey": f"load-{i % 50}"} for i in range(100)]
                answer = mine.put_records(StreamName="load", Records=entries)
                failures.extend(r for r in answer["Records"] if "ErrorCode" in r)
                for entry, outcome in zip(entries, answer["Records"]):
                    sent.setdefault(entry["PartitionKey"], []).append((outcome["SequenceNumber"], entry["Data"]))
                count += len(entries)
        self.kinesis.create_stream(StreamName="load", ShardCount=2)
        thread = threading.Thread(target=put)
        thread.start()
        try:
            for target in (4, 2, 3, 2, 1):
                answer = self.kinesis.update_shard_count(StreamName="load", TargetShardCount=target,
                                                         ScalingType="UNIFORM_SCALING")
                assert answer["TargetShardCount"] == target, answer
                self.kinesis.get_waiter("stream_exists").wait(StreamName="load", WaiterConfig={"Delay": 1})
        finally:
            is_done.set()
            thread.join()
        assert not failures and sent, failures[:1]
        read = {}
        for record in read_lineage(self.kinesis, "load"):
            read.setdefault(record["PartitionKey"], []).append((record["SequenceNumber"], record["Data"]))
        assert read == sent, "each record once, in its key's order"
        self.kinesis.delete_stream(StreamName="load")

    def retention(self):
        kinesis = self.kinesis
        kinesis.increase_stream_retention_period(StreamName="life", RetentionPeriodHours=48)
        assert self.summary()["RetentionPeriodHours"] == 48
        kinesis.decrease_stream_retention_period(StreamName="life", RetentionPeriodHours=24)
        self.refused("InvalidArgumentException", kinesis.decrease_stream_retention_period, StreamName="life",
                     RetentionPeriodHours=23, words="Minimum allowed retention period is 24 hours.")

    def monitoring(self):
        kinesis = self.kinesis
        everything = sorted(["IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords",
                             "WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded",
                             "IteratorAgeMilliseconds"])
        answer = kinesis.enable_enhanced_monitoring(StreamName="life", ShardLevelMetrics=["ALL"])
        assert sorted(answer["DesiredShardLevelMetrics"]) == everything, answer
        answer = kinesis.disable_enhanced_monitoring(StreamName="life", ShardLevelMetrics=["IncomingBytes"])
        assert sorted(answer["CurrentShardLevelMetrics"]) == everything, answer
        assert self.summary()["EnhancedMonitoring"][0]["ShardLevelMetrics"].count("IncomingBytes") == 0

    def large_records(self):
        kinesis = self.kinesis
        if "UpdateMaxRecordSize" in self.known:
            kinesis.update_max_record_size(StreamARN=self.arn, MaxRecordSizeInKiB=4096)
            self.wait()
            assert self.summary()["MaxRecordSizeInKiB"] == 4096
            kinesis.put_record(StreamName="life", Data=bytes(3 << 20), PartitionKey="large")
            self.refused("ValidationException", kinesis.update_max_record_size, StreamARN=self.arn, MaxRecordSizeInKiB=1)

    def policies(self):
        kinesis = self.kinesis
        if "PutResourcePolicy" in self.known:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [{
                "Sid": "other", "Effect": "Allow", "Principal": {"AWS": "123456789012"},
                "Action": "kinesis:DescribeStreamSummary", "Resource": self.arn}]})
            kinesis.put_resource_policy(ResourceARN=self.arn, Policy=policy)
            assert json.loads(kinesis.get_resource_policy(ResourceARN=self.arn)["Policy"]) == json.loads(policy)
            kinesis.delete_resource_policy(ResourceARN=self.arn)

    def account(self):
        if "DescribeAccountSettings" in self.known:
            self.kinesis.describe_account_settings()

    def modes(self):
        kinesis = self.kinesis
        kinesis.update_stream_mode(StreamARN=self.arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
        self.wait()
        assert self.summary()["StreamModeDetails"]["StreamMode"] == "ON_DEMAND"
        self.refused("ValidationException", kinesis.update_shard_count, StreamName="life", TargetShardCount=4,
                     ScalingType="UNIFORM_SCALING")

    def distribution(self):
        kinesis = self.kinesis
        if "UpdateStreamRecordDistributionStrategy" in self.known:
            kinesis.update_stream_record_distribution_strategy(StreamARN=self.arn, RecordDistributionStrategy="AUTO")
            self.wait()
            kinesis.put_record(StreamName="life", Data=b"no key")
            kinesis.update_stream_record_distribution_strategy(StreamARN=self.arn,
                                                               RecordDistributionStrategy="USER_PARTITION_KEY")
            self.wait()
            self.refused("ValidationException", kinesis.put_record, StreamName="life", Data=b"no key")

    def channels(self):
        if "ListChannels" in self.known:
            self.refused("ValidationException", self.kinesis.create_channel, ChannelName="c", ServiceExecutionRoleARN=
                         "arn:aws:iam::000000000000:role/r", StreamConfigurationList=[
                             {"StreamARN": self.arn, "RecordConfiguration": {"RecordFormatType": "JSON"}}])

    def encryption(self):
        kinesis = self.kinesis
        kinesis.start_stream_encryption(StreamName="life", EncryptionType="KMS", KeyId="alias/aws/kinesis")
        self.wait()
        assert self.summary()["EncryptionType"] == "KMS"
        assert kinesis.put_record(StreamName="life", Data=b"sealed", PartitionKey="k")["EncryptionType"] == "KMS"
        many = kinesis.put_records(StreamName="life", Records=[{"Data": b"sealed", "PartitionKey": "k"}])
        assert many["EncryptionType"] == "KMS", many
        sealed = [r for r in read_lineage(kinesis, "life") if r["Data"] == b"sealed"]
        assert len(sealed) == 2 and all(r["EncryptionType"] == "KMS" for r in sealed), sealed
        kinesis.stop_stream_encryption(StreamName="life", EncryptionType="KMS", KeyId="alias/aws/kinesis")
        self.wait()
        assert self.summary()["EncryptionType"] == "NONE"

    def delete(self):
        self.kinesis.delete_stream(StreamName="life", EnforceConsumerDeletion=True)
        self.kinesis.get_waiter("stream_not_exists").wait(StreamName="life", WaiterConfig={"Delay": 1})
        self.refused("ResourceNotFoundException", self.kinesis.describe_stream, StreamName="life",
                     words=f"Stream life under account {ACCOUNT} not found.")

    def run(self):
        for part in (self.create, self.tags, self.resource_tags, self.put_and_read, self.dry_runs, self.consumers,
                     self.reshard_under_load, self.encryption, self.retention, self.monitoring, self.large_records,
                     self.policies, self.account, self.modes, self.distribution, self.channels, self.delete):
            try:
                part()
            except ClientError as error:
                if not error.response["Error"].get("Message", "").endswith("is not served yet."):
                    raise
                print(f"skipped: {part.__name__}: {error.response['Error']['Message']}")


def main(url, client):
    facts = Facts(client)
    Life(url, facts).run()
    facts.settle()
    print(f"boto3 {boto3.__version__}: the life of a stream passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
