#!/usr/bin/env python3
"""What policies let callers do, with boto3's own requests. policy_test.py PROGRAM."""
import json
import os
import sys

from auth_test import Config, Key, boto3, client, metrics, post, refusal, with_credentials, write, wait_until
from broker import client_environment
from signer import signed_headers

OWNER, WRITER, JOB, OTHER, FREE = (Key("AKIAOWNER", "s1"), Key("AKIAWRITER", "s2"), Key("ASIAJOB", "s3", "t3"),
                                   Key("AKIAOTHER", "s4"), Key("AKIAFREE", "s5"))
HOME, ABROAD = "111122223333", "999988887777"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def arn(stream, account=HOME):
    return f"arn:aws:kinesis:eu-west-1:{account}:stream/{stream}"


def keys(writer):
    return f"""
[[user]]
name = "owner"
account = "{HOME}"
[[user.key]]
id = "AKIAOWNER"
secret = "s1"

[[user]]
name = "writer"
account = "{HOME}"
policy = '''{writer}'''
[[user.key]]
id = "AKIAWRITER"
secret = "s2"

[[role]]
name = "reader"
account = "{HOME}"
policies = ["reader.json"]
[[role.key]]
session = "job"
id = "ASIAJOB"
secret = "s3"
session_token = "t3"

[[user]]
name = "other"
account = "{ABROAD}"
policy = '''{document(allow("kinesis:Describe*"), allow(["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]))}'''
[[user.key]]
id = "AKIAOTHER"
secret = "s4"

[[user]]
name = "free"
account = "{ABROAD}"
[[user.key]]
id = "AKIAFREE"
secret = "s5"
"""


def denied(who, action, resource, why, got):
    status, code, message = got
    assert (status, code) == (400, "AccessDeniedException"), got
    assert message == f"User: {who} is not authorized to perform: kinesis:{action} on resource: {resource} {why}", message


def identities(broker, text):
    owner, writer, job = client(broker, OWNER), client(broker, WRITER), client(broker, JOB)
    owner.create_stream(StreamName="in", ShardCount=1)
    owner.create_stream(StreamName="out", ShardCount=1, **({"Tags": {"team": "red"}} if has_tags(owner) else {}))
    owner.add_tags_to_stream(StreamName="out", Tags={"team": "red"})
    record = {"Data": b"x", "PartitionKey": "k"}
    writer_arn = f"arn:aws:iam::{HOME}:user/writer"

    assert refusal(writer.put_record, StreamName="in", **record)[0] == 200
    assert refusal(writer.put_records, StreamName="in", Records=[record])[0] == 200
    nobody_allows = "because no identity-based policy allows the kinesis:{} action"
    denied(writer_arn, "PutRecord", arn("out"), nobody_allows.format("PutRecord"), refusal(writer.put_record, StreamName="out", **record))
    # A stream that is not there is not told apart from one that is.
    denied(writer_arn, "PutRecord", arn("none"), nobody_allows.format("PutRecord"), refusal(writer.put_record, StreamName="none", **record))
    denied(writer_arn, "CreateStream", arn("new"), nobody_allows.format("CreateStream"), refusal(writer.create_stream, StreamName="new", ShardCount=1))
    denied(writer_arn, "ListStreams", "*", nobody_allows.format("ListStreams"), refusal(writer.list_streams))
    denied(writer_arn, "DeleteStream", arn("in"), "with an explicit deny in an identity-based policy", refusal(writer.delete_stream, StreamName="in"))
    assert refusal(owner.put_record, StreamName="none", **record)[1] == "ResourceNotFoundException"
    assert "tidemill_kinesis_access_denied_total" in metrics(broker)

    # An iterator is no way around: reading it asks again.
    shard = owner.list_shards(StreamName="in")["Shards"][0]["ShardId"]
    iterator = owner.get_shard_iterator(StreamName="in", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    assert refusal(job.get_records, ShardIterator=iterator)[0] == 200
    denied(writer_arn, "GetRecords", arn("in"), nobody_allows.format("GetRecords"), refusal(writer.get_records, ShardIterator=iterator))
    # The reader may read what is tagged red, and list everything.
    assert refusal(job.describe_stream_summary, StreamName="out")[0] == 200
    assert refusal(job.describe_stream_summary, StreamName="in")[1] == "AccessDeniedException"
    assert job.list_streams()["StreamNames"] == ["in", "out"]

    write(broker, text.replace('"kinesis:Put*"', '"kinesis:List*"'))
    wait_until(lambda: refusal(writer.put_record, StreamName="in", **record)[1] == "AccessDeniedException")
    write(broker, text.replace('"Allow"', '"Perhaps"'))
    wait_until(lambda: 'tidemill_credentials_reloads_total{outcome="failed"} 1' in metrics(broker))
    assert refusal(writer.put_record, StreamName="in", **record)[1] == "AccessDeniedException"
    write(broker, text)
    wait_until(lambda: refusal(writer.put_record, StreamName="in", **record)[0] == 200)
    # So does a file of policies by itself.
    reader_file(broker, document(allow("kinesis:ListStreams")))
    wait_until(lambda: refusal(job.get_records, ShardIterator=iterator)[1] == "AccessDeniedException")
    reader_file(broker, READER)


def has_tags(kinesis):
    return "Tags" in kinesis.meta.service_model.operation_model("CreateStream").input_shape.members


def raw(broker, key, operation, **members):
    """An operation or member that an old boto3 does not know."""
    body = json.dumps(members).encode()
    headers = {"Host": broker.url.removeprefix("http://"), "X-Amz-Target": f"Kinesis_20131202.{operation}",
               "Content-Type": "application/x-amz-json-1.1"}
    return post(broker, signed_headers(key, headers, body), body, operation=operation)


def accounts(broker):
    """Each account has its own streams, and others' only by their ARN, where both sides let it."""
    other, free = client(broker, OTHER), client(broker, FREE)
    assert free.list_streams()["StreamNames"] == []
    assert refusal(free.describe_stream_summary, StreamName="in")[1] == "ResourceNotFoundException"
    nobody = "because no resource-based policy allows the kinesis:DescribeStreamSummary action"
    free_arn, other_arn = f"arn:aws:iam::{ABROAD}:user/free", f"arn:aws:iam::{ABROAD}:user/other"
    for stream in ["in", "none"]:
        denied(free_arn, "DescribeStreamSummary", arn(stream), nobody, raw(broker, FREE, "DescribeStreamSummary", StreamARN=arn(stream)))

    def put(*statements):
        got = raw(broker, OWNER, "PutResourcePolicy", ResourceARN=arn("in"), Policy=document(*statements))
        assert got == (200, None, None), got

    put(allow("kinesis:DescribeStreamSummary", arn("in"), Principal={"AWS": ABROAD}))
    for key in [FREE, OTHER]:
        assert raw(broker, key, "DescribeStreamSummary", StreamARN=arn("in"))[0] == 200
    put(allow("kinesis:*", arn("in"), Principal={"AWS": f"arn:aws:iam::{ABROAD}:user/other"}))
    denied(free_arn, "DescribeStreamSummary", arn("in"), nobody, raw(broker, FREE, "DescribeStreamSummary", StreamARN=arn("in")))
    assert raw(broker, OTHER, "DescribeStreamSummary", StreamARN=arn("in"))[0] == 200
    denied(other_arn, "PutRecord", arn("in"), "because no identity-based policy allows the kinesis:PutRecord action",
           raw(broker, OTHER, "PutRecord", StreamARN=arn("in"), Data="eA==", PartitionKey="k"))
    # Explicit denial, of everybody but one, at home too.
    put(allow("kinesis:*", arn("in"), Principal="*"),
        deny("kinesis:PutRecord", arn("in"), Principal="*", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    denied(f"arn:aws:iam::{HOME}:user/owner", "PutRecord", arn("in"), "with an explicit deny in a resource-based policy",
           raw(broker, OWNER, "PutRecord", StreamName="in", Data="eA==", PartitionKey="k"))
    # Within the account the stream's own permission is enough.
    assert raw(broker, WRITER, "DescribeStreamSummary", StreamName="in")[0] == 200
    assert raw(broker, OWNER, "DeleteResourcePolicy", ResourceARN=arn("in"))[0] == 200
    assert raw(broker, WRITER, "DescribeStreamSummary", StreamName="in")[1] == "AccessDeniedException"
    for text, words in [("{", "Syntax errors in policy."),
                        (document({"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}), "Missing required field Principal"),
                        (document(allow("kinesis:*", Principal={"AWS": "bob"})), 'Invalid principal in policy: "AWS":"bob"')]:
        status, code, message = raw(broker, OWNER, "PutResourcePolicy", ResourceARN=arn("in"), Policy=text)
        assert (status, code) == (400, "InvalidArgumentException") and words in message, (code, message)


def consumers(broker):
    """A consumer has a policy of its own, which is asked instead of its stream's."""
    owner, free = client(broker, OWNER), client(broker, FREE)
    consumer = owner.register_stream_consumer(StreamARN=arn("in"), ConsumerName="c")["Consumer"]["ConsumerARN"]
    assert refusal(owner.describe_stream_consumer, ConsumerARN=consumer)[0] == 200
    denied(f"arn:aws:iam::{ABROAD}:user/free", "DescribeStreamConsumer", consumer,
           "because no resource-based policy allows the kinesis:DescribeStreamConsumer action",
           refusal(free.describe_stream_consumer, ConsumerARN=consumer))
    policy = document(allow("kinesis:DescribeStreamConsumer", consumer, Principal={"AWS": ABROAD}))
    assert raw(broker, OWNER, "PutResourcePolicy", ResourceARN=consumer, Policy=policy)[0] == 200
    described = free.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]
    assert (described["ConsumerARN"], described["StreamARN"]) == (consumer, arn("in")), described
    assert refusal(free.deregister_stream_consumer, ConsumerARN=consumer)[1] == "AccessDeniedException"
    assert refusal(client(broker, WRITER).describe_stream_consumer, ConsumerARN=consumer)[1] == "AccessDeniedException"


def companions(broker):
    """KCL's tables and metrics are asked for, too."""
    def of(service, key):
        return boto3.client(service, endpoint_url=broker.url, region_name="eu-west-1", aws_access_key_id=key.key_id,
                            aws_secret_access_key=key.secret, aws_session_token=key.token,
                            config=Config(retries={"total_max_attempts": 1}))
    table = {"TableName": "leases", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
             "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}]}
    writer = of("dynamodb", WRITER)
    of("dynamodb", OWNER).create_table(**table)
    item = {"k": {"S": "a"}}
    assert refusal(writer.put_item, TableName="leases", Item=item)[0] == 200
    assert refusal(writer.transact_write_items, TransactItems=[{"Put": {"TableName": "leases", "Item": item}}])[0] == 200
    for call, arguments, action, resource in [
            (writer.get_item, {"TableName": "leases", "Key": item}, "GetItem", f"arn:aws:dynamodb:eu-west-1:{HOME}:table/leases"),
            (writer.put_item, {"TableName": "other", "Item": item}, "PutItem", f"arn:aws:dynamodb:eu-west-1:{HOME}:table/other"),
            (writer.list_tables, {}, "ListTables", "*"),
            (writer.batch_get_item, {"RequestItems": {"leases": {"Keys": [item]}}}, "BatchGetItem",
             f"arn:aws:dynamodb:eu-west-1:{HOME}:table/leases"),
            (writer.transact_write_items, {"TransactItems": [{"Delete": {"TableName": "leases", "Key": item}}]}, "DeleteItem",
             f"arn:aws:dynamodb:eu-west-1:{HOME}:table/leases")]:
        status, code, message = refusal(call, **arguments)
        assert (status, code) == (400, "AccessDeniedException"), (action, code, message)
        assert f"is not authorized to perform: dynamodb:{action} on resource: {resource} because" in message, message
    data = [{"MetricName": "m", "Value": 1.0}]
    assert refusal(of("cloudwatch", OWNER).put_metric_data, Namespace="n", MetricData=data)[0] == 200
    got = refusal(of("cloudwatch", WRITER).put_metric_data, Namespace="n", MetricData=data)
    assert "AccessDenied" in got[1] and "cloudwatch:PutMetricData" in got[2], got


READER = document(allow("kinesis:ListStreams"),
                  allow(["kinesis:Get*", "kinesis:ListShards"], arn("*")),
                  allow("kinesis:Describe*", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))


def reader_file(broker, text):
    path = os.path.join(broker.directory, "reader.json")
    with open(path + ".new", "w") as file:
        file.write(text)
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def main(program):
    os.environ.update(client_environment())
    text = keys(document(allow("kinesis:Put*", arn("in")), deny("kinesis:Delete*"),
                         allow("dynamodb:PutItem", f"arn:aws:dynamodb:*:{HOME}:table/leases")))
    broker = with_credentials(program, "required", text)
    reader_file(broker, READER)
    with broker:
        identities(broker, text)
        accounts(broker)
        consumers(broker)
        companions(broker)
    print("policies: passed")


if __name__ == "__main__":
    main(sys.argv[1])
