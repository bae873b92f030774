#!/usr/bin/env python3
"""A stream in ON_DEMAND mode under a load on a narrow range of keys: it splits within seconds, merges when it is cold, and
clients lose nothing: on_demand_test.py PROGRAM."""
import base64
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

program = os.path.abspath(sys.argv[1])
SETTINGS = """
[on_demand]
records_in_per_second = 300
split_after = "1s"
merge_after = "3s"
"""
WRITERS, KEYS_OF_WRITER = 3, 8
SEED = 20261123


class Broker:
    def __init__(self, folder):
        config = pathlib.Path(folder) / "tidemill.toml"
        config.write_text(SETTINGS)
        self.process = subprocess.Popen(
            [program, "serve", "--data", str(pathlib.Path(folder) / "data"), "--listen", "127.0.0.1:0", "--config",
             str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0


class Client:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def call(self, operation, body):
        self.connection.request("POST", "/", json.dumps(body), {
            "X-Amz-Target": "Kinesis_20131202." + operation, "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/kinesis/aws4_request, "
                             "SignedHeaders=host, Signature=00"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, (operation, answer.status, text[:300])
        return json.loads(text or "{}")


def open_shards(client):
    return len(client.call("ListShards", {"StreamName": "s", "ShardFilter": {"Type": "AT_LATEST"}})["Shards"])


def write(address, writer, pause, sent, stop, failures):
    """Each key's records are numbered; a call is made once the one before it is acknowledged."""
    try:
        client = Client(address)
        rng = random.Random(SEED + writer)
        first = 2**128 // 3
        keys = {f"{writer}-{i}": str(first + rng.randrange(2**118)) for i in range(KEYS_OF_WRITER)}
        while not stop.is_set():
            batch = []
            for key, hash_key in keys.items():
                for _ in range(3):
                    number = sent.setdefault(key, 0)
                    sent[key] = number + 1
                    batch.append({"PartitionKey": key, "ExplicitHashKey": hash_key,
                                  "Data": base64.b64encode(str(number).encode()).decode()})
            answer = client.call("PutRecords", {"StreamName": "s", "Records": batch})
            assert answer["FailedRecordCount"] == 0, answer
            pause.wait(0.01) if not pause.is_set() else time.sleep(0.5)
    except Exception as error:  # noqa: BLE001: told by the main thread
        failures.append(error)


def wait_for(what, seconds, test, failures):
    began = time.monotonic()
    while not test():
        assert not failures, failures
        assert time.monotonic() - began < seconds, f"{what} did not come within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began


with tempfile.TemporaryDirectory() as folder:
    broker = Broker(folder)
    try:
        client = Client(broker.address)
        client.call("CreateStream", {"StreamName": "s", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}})
        assert open_shards(client) == 4
        sent, failures, stop, is_slow = {}, [], threading.Event(), threading.Event()
        writers = [threading.Thread(target=write, args=(broker.address, w, is_slow, sent, stop, failures))
                   for w in range(WRITERS)]
        for thread in writers:
            thread.start()
        took = wait_for("a split", 60, lambda: open_shards(client) > 4, failures)
        wait_for("more splits", 60, lambda: open_shards(client) >= 6, failures)
        print(f"split after {took:.1f} s; {open_shards(client)} shards, seed {SEED}")
        is_slow.set()
        took = wait_for("the last merge", 120, lambda: open_shards(client) == 4, failures)
        print(f"merged to 4 after {took:.1f} s")
        stop.set()
        for thread in writers:
            thread.join()
        assert not failures, failures

        done = subprocess.run([program, "tail", "s", "--from", "oldest", "-e", "-o", "jsonl", "--connect",
                               broker.address], capture_output=True, text=True, timeout=120, check=True)
        seen = {}
        for line in done.stdout.splitlines():
            record = json.loads(line)
            seen.setdefault(record["partition_key"], []).append(int(record["data"]))
        assert {key: len(numbers) for key, numbers in seen.items()} == sent
        for key, numbers in seen.items():
            assert numbers == list(range(len(numbers))), f"{key}: out of order"

        connection = http.client.HTTPConnection(broker.address)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
        for name in ("tidemill_on_demand_splits_total", "tidemill_on_demand_merges_total"):
            assert any(line.startswith(name) and float(line.split()[-1]) > 0 for line in page.splitlines()), name
    finally:
        broker.stop()
print("on demand: passed")
