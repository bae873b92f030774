"""A real KCL application in Java against the broker: leases taken, records processed and checkpointed, a second worker, the
end of the first without a word, a reshard followed, metrics shown: kcl_test.py PROGRAM FOLDER KCL-VERSION [polling|fanout]"""
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request

import install
from broker import Broker, client_environment, skip

try:
    import boto3
except ImportError:
    skip("boto3 is not installed")

SECONDS = 150  # for each thing that is waited for
STREAM, APPLICATION = "clicks", "counter"


class Worker:
    def __init__(self, path, url, name, mode, log):
        self.name, self.log = name, log
        self.process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", path, "Worker", url,
             STREAM, APPLICATION, name, mode],
            env=client_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if line.startswith("kcl: "):
                self.log.put([self.name] + line.split()[1:])
            else:
                print(self.name, line.rstrip())
        self.log.put([self.name, "gone", "", ""])

    def end(self):
        """In good order."""
        self.process.stdin.close()
        assert self.process.wait(SECONDS) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()


class Observer:
    """What the workers said, in the order in which they said it."""

    def __init__(self):
        self.log = queue.Queue()
        self.events = []
        self.allowed_to_go = set()

    def until(self, what, is_there):
        deadline = time.monotonic() + SECONDS
        while not is_there():
            try:
                event = self.log.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                print(*self.events[-30:], sep="\n")
                raise AssertionError(f"waited {SECONDS} s for: {what}")
            self.events.append(event)
            assert event[1] != "failed", event
            assert event[1] != "gone" or event[0] in self.allowed_to_go, f"{event[0]} ended by itself"
        print("seen:", what, flush=True)

    def of(self, kind, worker=None):
        return [e for e in self.events if e[1] == kind and worker in (None, e[0])]

    def data(self, worker=None):
        return {e[4] for e in self.of("record", worker)}


def main(program, directory, version, mode="polling"):
    path = install.kcl(directory, version)
    environment = client_environment()
    seen = Observer()
    workers = []
    with Broker(program) as broker:
        def client(service):
            return boto3.client(service, endpoint_url=broker.url, region_name="eu-west-1",
                                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"])

        kinesis, tables = client("kinesis"), client("dynamodb")
        kinesis.create_stream(StreamName=STREAM, ShardCount=4)
        put = 0

        def write(count):
            nonlocal put
            answer = kinesis.put_records(StreamName=STREAM, Records=[
                {"Data": f"r{put + i}".encode(), "PartitionKey": str(put + i)} for i in range(count)])
            assert answer["FailedRecordCount"] == 0, answer
            put += count

        def all_written():
            return {f"r{i}" for i in range(put)}

        def leases():
            items = tables.scan(TableName=APPLICATION, ConsistentRead=True)["Items"]
            return {i["leaseKey"]["S"]: i for i in items if i["leaseKey"]["S"].startswith("shardId-")}

        def start(name):
            workers.append(Worker(path, broker.url, name, mode, seen.log))
            return workers[-1]

        try:
            write(400)
            one = start("one")
            seen.until("one worker reads all of four shards", lambda: seen.data() >= all_written())
            assert len({e[2] for e in seen.of("begin")}) == 4
            owned = leases()
            assert len(owned) == 4 and {i["leaseOwner"]["S"] for i in owned.values()} == {"one"}, owned

            two = start("two")
            seen.until("a second worker takes a share", lambda: len({e[2] for e in seen.of("begin", "two")}) >= 2)
            write(400)
            seen.until("both read", lambda: seen.data() >= all_written())
            assert seen.data("two") & {f"r{i}" for i in range(400, 800)}

            seen.allowed_to_go.add("one")
            one.kill()
            write(400)
            seen.until("the second takes what the first left", lambda: seen.data("two") >= {f"r{i}" for i in range(800, 1200)})

            shard = sorted(leases())[0]
            found = next(s for s in kinesis.list_shards(StreamName=STREAM)["Shards"] if s["ShardId"] == shard)
            low, high = (int(found["HashKeyRange"][k]) for k in ("StartingHashKey", "EndingHashKey"))
            kinesis.split_shard(StreamName=STREAM, ShardToSplit=shard, NewStartingHashKey=str((low + high) // 2 + 1))
            write(400)
            seen.until("the children after the parent",
                       lambda: seen.data() >= all_written() and shard in {e[2] for e in seen.of("ended")})
            children = {s["ShardId"] for s in kinesis.list_shards(StreamName=STREAM)["Shards"] if s.get("ParentShardId") == shard}
            assert len(children) == 2
            ended = next(i for i, e in enumerate(seen.events) if e[1] == "ended" and e[2] == shard)
            begun = [i for i, e in enumerate(seen.events) if e[1] == "begin" and e[2] in children]
            assert begun and min(begun) > ended, (ended, begun)
            parent = leases().get(shard)  # goes when its children have been read
            assert parent is None or parent["checkpoint"]["S"] == "SHARD_END", parent

            # Each shard's records in order, but for those that were read again after a worker had gone.
            for worker in ("one", "two"):
                by_shard = {}
                for _, _, of_shard, sequence, _ in seen.of("record", worker):
                    by_shard.setdefault(of_shard, []).append(int(sequence))
                assert all(s == sorted(s) and len(s) == len(set(s)) for s in by_shard.values())

            def shown():
                text = urllib.request.urlopen(broker.url + "/metrics").read().decode()
                return [line for line in text.splitlines()
                        if line.startswith("tidemill_cloudwatch_sum{") and 'metric="RecordsProcessed"' in line]

            deadline = time.monotonic() + SECONDS
            while not shown() and time.monotonic() < deadline:
                threading.Event().wait(0.2)
            assert any(f'namespace="{APPLICATION}"' in line for line in shown()), "no metrics were put"

            seen.allowed_to_go.add("two")
            two.end()
            final = leases()
            assert all(not i["checkpoint"]["S"].startswith("TRIM") for i in final.values()), final
            print(f"KCL {version} ({mode}): {put} records, tables {tables.list_tables()['TableNames']}")
        finally:
            for worker in workers:
                if worker.process.poll() is None:
                    worker.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
