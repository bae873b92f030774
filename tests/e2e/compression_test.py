"""Compressed batches from the program's producer to every reader: compression_test.py PROGRAM"""
import base64
import http.client
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
import native_wire  # noqa: E402
from broker import Broker  # noqa: E402

PROGRAM = sys.argv[1]
SECONDS = 60
CODECS = ["none", "lz4", "zstd", "zstd:9"]


def run(*arguments, expect=0, stdin=""):
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def address(broker):
    return broker.url.removeprefix("http://")


def call(broker, operation, **arguments):
    connection = http.client.HTTPConnection(address(broker), timeout=SECONDS)
    connection.request("POST", "/", json.dumps(arguments), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Kinesis_20131202.{operation}"})
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200, body
    return json.loads(body) if body else None


def metric(broker, name):
    connection = http.client.HTTPConnection(address(broker), timeout=SECONDS)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def iterator_of(broker, stream):
    return call(broker, "GetShardIterator", StreamName=stream, ShardId="shardId-000000000000",
                ShardIteratorType="TRIM_HORIZON")["ShardIterator"]


def get_records(broker, stream, **limits):
    """Every answer of GetRecords from the oldest record to the tip: lists of data."""
    answers, iterator = [], iterator_of(broker, stream)
    while True:
        answer = call(broker, "GetRecords", ShardIterator=iterator, **limits)
        answers.append([base64.b64decode(r["Data"]) for r in answer["Records"]])
        if answer["MillisBehindLatest"] == 0:
            return answers
        iterator = answer["NextShardIterator"]


def readings(count):
    return [json.dumps({"timestamp": f"2014-07-01 {i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}", "n": i,
                        "state": "ok" if i % 7 else "late"}) for i in range(count)]


def read_in_every_way(broker, stream, wanted):
    seen = run("tail", stream, "--from", "oldest", "-e", "--output", "raw", "--connect", address(broker)).stdout
    assert seen.splitlines() == wanted
    got = [data.decode() for answer in get_records(broker, stream, Limit=777) for data in answer]
    assert got == wanted
    query = [PROGRAM, "sql", "--connect", address(broker), "--bind", f"S={stream}", "--from", "oldest", "--format",
             "jsonl", "-c", 'SELECT STREAM "n" FROM "S" WHERE "state" = \'late\';']
    with subprocess.Popen(query, stdout=subprocess.PIPE, text=True) as process:
        late = [i for i in range(len(wanted)) if i % 7 == 0]
        assert [json.loads(process.stdout.readline())["n"] for _ in late] == late
        process.terminate()


def every_codec(broker):
    wanted, stored = readings(20_000), {}
    for codec in CODECS:
        stream = "by-" + codec.replace(":", "-")
        run("stream", "create", stream, "--connect", address(broker))
        before = metric(broker, "tidemill_log_batch_bytes_total")
        run("put", stream, "-k", "one", "--compression", codec, "--connect", address(broker),
            stdin="\n".join(wanted) + "\n")
        stored[codec] = metric(broker, "tidemill_log_batch_bytes_total") - before
        read_in_every_way(broker, stream, wanted)
    print({codec: round(stored["none"] / size, 1) for codec, size in stored.items()}, "times smaller in the log")
    assert stored["lz4"] < stored["none"] * 0.6 and stored["zstd"] < stored["lz4"], stored
    broker.restart()
    for codec in CODECS:
        read_in_every_way(broker, "by-" + codec.replace(":", "-"), wanted)
    refused = run("put", "by-lz4", "--compression", "gzip", "--connect", address(broker), expect=1).stderr
    assert "'gzip' is no compression" in refused, refused


def limits_count_what_was_written(broker):
    """10 MiB and 10,000 records an answer, however small they lie in the log."""
    run("stream", "create", "large", "--connect", address(broker))
    lines = [chr(97 + i % 26) * 1_000_000 for i in range(24)]
    run("put", "large", "-k", "one", "--compression", "zstd", "--connect", address(broker), stdin="\n".join(lines) + "\n")
    answers = get_records(broker, "large")
    assert [len(answer) for answer in answers] == [10, 10, 4], [len(answer) for answer in answers]
    assert [data.decode() for answer in answers for data in answer] == lines
    run("stream", "create", "many", "--connect", address(broker))
    run("put", "many", "-k", "one", "--compression", "lz4", "--connect", address(broker),
        stdin="".join(f"{i}\n" for i in range(25_000)))
    answers = get_records(broker, "many")
    assert [len(answer) for answer in answers] == [10_000, 10_000, 5_000]
    assert [int(data) for answer in answers for data in answer] == list(range(25_000))


def what_is_no_records(broker):
    """A batch that nobody can open is said to be so by every reader, and nobody stands still for it."""
    run("stream", "create", "damaged", "--connect", address(broker))
    connection = native_wire.Connection(address(broker))
    uid = connection.newest_shard()
    flags, message = connection.produce(10, uid, native_wire.batch(3, 1, b"12345678"))
    assert flags & native_wire.ERROR and b"unsupported" in message and b"codec 3" in message, message
    flags, message = connection.produce(11, uid, native_wire.batch(2, 1, (1 << 31).to_bytes(4, "little") + b"bomb"))
    assert flags & native_wire.ERROR and b"corrupt" in message, message
    put = ["put", "damaged", "-k", "one", "--compression", "zstd", "--connect", address(broker)]
    wanted = readings(1000)
    run(*put, stdin="\n".join(wanted[:500]) + "\n")
    flags, _ = connection.produce(12, uid, native_wire.batch(2, 7, (70).to_bytes(4, "little") + b"no frame at all"))
    assert not flags & native_wire.ERROR
    connection.close()
    run(*put, stdin="\n".join(wanted[500:]) + "\n")
    done = run("tail", "damaged", "--from", "oldest", "-e", "--output", "raw", "--connect", address(broker), expect=1)
    assert done.stdout.splitlines() == wanted
    assert "the records 500 to 506 cannot be read" in done.stderr, done.stderr
    assert [data.decode() for answer in get_records(broker, "damaged") for data in answer] == wanted
    deadline = time.monotonic() + SECONDS  # metrics are sampled
    while metric(broker, "tidemill_kinesis_unreadable_batches_total") < 1:
        assert time.monotonic() < deadline


def under_load(broker):
    for codec in ["lz4", "zstd:3"]:
        load = ["--connect", address(broker), "--stream", "load-" + codec[:3], "--records", "20000", "--record-bytes",
                "500", "--compression", codec, "--output", "json"]
        produced = json.loads(run("bench", "produce", *load).stdout)
        assert produced["records"] >= 20_000 and produced["compression"] == codec, produced
        assert json.loads(run("bench", "consume", *load).stdout)["records"] >= 20_000
        latency = run("bench", "latency", *load[:4], "--seconds", "0.5", *load[6:], "--rate", "5000").stdout
        assert json.loads(latency)["records"] > 0


def on_encrypted_streams(broker):
    """Compressed by the producer, sealed by the broker: opened in the other order."""
    wanted = readings(5000)
    for codec in ["lz4", "zstd"]:
        stream = "sealed-" + codec
        run("stream", "create", stream, "--connect", address(broker))
        run("put", stream, "-k", "one", "--compression", codec, "--connect", address(broker),
            stdin="\n".join(wanted) + "\n")
        read_in_every_way(broker, stream, wanted)
    broker.restart()
    for codec in ["lz4", "zstd"]:
        read_in_every_way(broker, "sealed-" + codec, wanted)


with Broker(PROGRAM) as running:
    every_codec(running)
    limits_count_what_was_written(running)
    what_is_no_records(running)
    under_load(running)
sealing = Broker(PROGRAM, '[encryption]\nmaster_key_file = "@/master.key"\ndefault = "on"\n')
with open(os.open(os.path.join(sealing.directory, "master.key"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as key:
    key.write(os.urandom(32))
with sealing:
    on_encrypted_streams(sealing)
print("compressed batches: read by every reader")
