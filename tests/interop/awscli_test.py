"""The life of a stream through Debian's awscli: awscli_test.py PROGRAM"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time

import model
from broker import Broker, client_environment, skip
from facts import Facts


class Cli:
    def __init__(self, broker, program):
        self.broker = broker
        self.facts = Facts("awscli")
        # Version 2 takes blobs as base64 unless it is told otherwise; version 1 takes them raw and knows no such option.
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        self.aws = [program] + (["--cli-binary-format", "raw-in-base64-out"] if "aws-cli/2" in version else [])

    def run(self, operation, *arguments):
        done = subprocess.run(
            [*self.aws, "--endpoint-url", self.broker.url, "--output", "json", "kinesis", operation,
             *arguments], capture_output=True, text=True, env=client_environment(), timeout=60)
        if operation != "wait":
            self.note(operation, arguments, done.stderr if done.returncode else None)
        return done

    def note(self, operation, arguments, error):
        name = next(name for name in model.OPERATIONS if name.lower() == operation.replace("-", ""))
        options = {a[2:].replace("-", "") for a in arguments if a.startswith("--")}
        members = [member for member in model.OPERATIONS[name].members if member.lower() in options]
        named = re.search(r"\((\w+)\) when calling", error or "")
        if error is None or named:
            self.facts.add(name, members, named and named[1])

    def __call__(self, operation, *arguments):
        done = self.run(operation, *arguments)
        assert done.returncode == 0, f"{operation} {arguments}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def fails(self, name, operation, *arguments):
        done = self.run(operation, *arguments)
        assert done.returncode != 0, f"{operation} {arguments} should have failed"
        assert f"({name})" in done.stderr, f"{operation}: {name} expected, got {done.stderr}"
        return done.stderr


def read_all(cli, iterator):
    """Every record from an iterator to the tip."""
    records = []
    while True:
        answer = cli("get-records", "--shard-iterator", iterator)
        records += [base64.b64decode(r["Data"]).decode() for r in answer["Records"]]
        if answer["MillisBehindLatest"] == 0:
            return records
        iterator = answer["NextShardIterator"]


def main(program):
    aws = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else shutil.which("aws")
    if aws is None:
        skip("awscli is not installed (Debian: awscli)")
    with Broker(program) as broker:
        cli = Cli(broker, aws)
        cli("create-stream", "--stream-name", "orders", "--shard-count", "2")
        cli("wait", "stream-exists", "--stream-name", "orders")
        summary = cli("describe-stream-summary", "--stream-name", "orders")
        summary = summary["StreamDescriptionSummary"]
        assert summary["OpenShardCount"] == 2 and summary["StreamStatus"] == "ACTIVE", summary
        assert summary["StreamARN"] == "arn:aws:kinesis:eu-west-1:000000000000:stream/orders"
        assert "StreamId" not in summary, summary
        assert cli("list-streams")["StreamNames"] == ["orders"]
        shards = cli("list-shards", "--stream-name", "orders")["Shards"]
        assert shards[0]["HashKeyRange"]["StartingHashKey"] == "0"
        assert shards[1]["HashKeyRange"]["EndingHashKey"] == str(2**128 - 1)
        shard = shards[0]["ShardId"]

        def position(kind, *more):
            return cli("get-shard-iterator", "--stream-name", "orders", "--shard-id", shard,
                       "--shard-iterator-type", kind, *more)["ShardIterator"]

        before = time.time()
        latest = position("LATEST")
        first = cli("put-record", "--stream-name", "orders", "--partition-key", "a",
                    "--explicit-hash-key", "0", "--data", "one")
        assert first["ShardId"] == shard
        entries = [{"Data": t, "PartitionKey": t, "ExplicitHashKey": "7"}
                   for t in ("two", "three")]
        many = cli("put-records", "--stream-name", "orders", "--records", json.dumps(entries))
        assert many["FailedRecordCount"] == 0 and len(many["Records"]) == 2, many
        numbers = [int(first["SequenceNumber"])] + [int(r["SequenceNumber"]) for r in many["Records"]]
        assert numbers == sorted(set(numbers)), numbers

        everything = ["one", "two", "three"]
        number = first["SequenceNumber"]
        start = shards[0]["SequenceNumberRange"]["StartingSequenceNumber"]
        got = read_all(cli, position("TRIM_HORIZON"))
        assert got == everything, got
        assert read_all(cli, latest) == everything
        assert read_all(cli, position("LATEST")) == []
        at, after = "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
        assert read_all(cli, position(at, "--starting-sequence-number", number)) == everything
        assert read_all(cli, position(after, "--starting-sequence-number", number)) == everything[1:]
        assert read_all(cli, position(after, "--starting-sequence-number", start)) == everything
        assert read_all(cli, position("AT_TIMESTAMP", "--timestamp", f"{before - 5:.0f}")) == everything

        kept = position("TRIM_HORIZON")
        broker.restart()
        assert read_all(cli, kept) == everything, "an iterator outlives a restart"
        again = cli("put-record", "--stream-name", "orders", "--partition-key", "a",
                    "--explicit-hash-key", "0", "--data", "four")
        assert int(again["SequenceNumber"]) > max(numbers)
        assert read_all(cli, position("TRIM_HORIZON")) == everything + ["four"]

        text = cli.fails("ResourceNotFoundException", "describe-stream", "--stream-name", "none")
        assert "Stream none under account 000000000000 not found." in text, text
        cli.fails("ResourceInUseException", "create-stream", "--stream-name", "orders",
                  "--shard-count", "1")
        text = cli.fails("ValidationException", "create-stream", "--stream-name", "no spaces",
                         "--shard-count", "1")
        assert "Value 'no spaces' at 'streamName' failed to satisfy constraint" in text, text
        cli.fails("InvalidArgumentException", "get-records", "--shard-iterator", "AAAAAAAA")
        cli.fails("ResourceNotFoundException", "get-shard-iterator", "--stream-name", "orders",
                  "--shard-id", "shardId-000000000009", "--shard-iterator-type", "LATEST")

        cli("delete-stream", "--stream-name", "orders")
        cli.fails("ResourceNotFoundException", "describe-stream-summary", "--stream-name", "orders")
        cli.fails("ResourceNotFoundException", "get-records", "--shard-iterator", kept)
        assert cli("list-streams")["StreamNames"] == []
    cli.facts.settle()
    print("awscli: the life of a stream passed")


if __name__ == "__main__":
    main(sys.argv[1])
