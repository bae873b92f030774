#!/usr/bin/env python3
"""`tidemill log` against the directories of real brokers: log_test.py PROGRAM."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

program = os.path.abspath(sys.argv[1])


def start(data, *more):
    process = subprocess.Popen([program, "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--cores", "1", *more],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line = process.stdout.readline()
    assert line.startswith("listening on "), line
    return process, line.split()[-1]


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def run(*words, code=0, text=None):
    done = subprocess.run([program, *words], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


with tempfile.TemporaryDirectory() as folder:
    data = pathlib.Path(folder) / "data"
    process, address = start(data)
    try:
        run("stream", "create", "clicks", "--shards", "2", "--connect", address)
        run("put", "clicks", "--connect", address, text="".join(f"line {i} \u00e9\n" for i in range(3000)))
        # One broker a directory, and nobody looks while it serves.
        second = subprocess.run([program, "serve", "--data", str(data), "--listen", "127.0.0.1:0"],
                                capture_output=True, text=True, timeout=60)
        assert second.returncode == 1 and "in use" in second.stderr and str(process.pid) in second.stderr, second.stderr
        for what in ("verify", "dump", "stats"):
            assert "stop the broker first" in run("log", what, str(data), code=1)
        live = json.loads(run("log", "stats", "--connect", address))
        assert live["records_total"] == 3000 and live["shards"] == 2, live
    finally:
        stop(process)

    dumped = lines(run("log", "dump", str(data), "--records", "-o", "jsonl"))
    kinds = {kind: [d for d in dumped if d["type"] == kind] for kind in ("segment", "commit", "batch", "record")}
    assert len(kinds["record"]) == 3000 == sum(b["records"] for b in kinds["batch"])
    assert all(b["intact"] and b["codec"] == "none" for b in kinds["batch"])
    assert {r["data"] for r in kinds["record"]} == {f"line {i} \\xc3\\xa9" for i in range(3000)}
    commits = [c["commit"] for c in kinds["commit"]]
    assert commits == sorted(commits) and len(kinds["segment"]) >= 1
    shard = kinds["batch"][0]["shard"]
    ordinals = [r["ordinal"] for r in kinds["record"] if r["shard"] == shard]
    some = lines(run("log", "dump", str(data), "--records", "--shard", str(shard), "--from", "700", "-o", "jsonl"))
    assert [r["ordinal"] for r in some if r["type"] == "record"] == [o for o in ordinals if o >= 700]
    assert {b["shard"] for b in some if b["type"] == "batch"} == {shard}
    assert "records 0 to" in run("log", "dump", str(data), "-o", "text")
    assert lines(run("log", "dump", str(data), "--lane", "0", "--records", "-o", "jsonl")) == dumped
    assert "no lane 7" in run("log", "dump", str(data), "--lane", "7", code=1)
    run("log", "dump", str(data), "--from", "7", code=2)

    stats = json.loads(run("log", "stats", str(data), "-o", "json"))
    verified = json.loads(run("log", "verify", str(data), "-o", "json"))
    assert verified["sound"] and stats["records"] == verified["records"] == 3000 and stats["shards"] == 2
    assert stats["batches"] == len(kinds["batch"]) and stats["commits"] == verified["commits"]
    assert sum(s["records"] for s in stats["top"]) == 3000
    assert 1 <= stats["log_bytes_per_batch_byte"] < 20 and stats["live_bytes"] >= stats["used_bytes"] > 0
    assert len(json.loads(run("log", "stats", str(data), "--top", "1", "-o", "json"))["top"]) == 1
    assert "records   3000" in run("log", "stats", str(data), "-o", "human")

    # A reader that has seen enough ends the dump, without a complaint.
    closed = subprocess.Popen([program, "log", "dump", str(data), "--records"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    closed.stdout.readline()
    closed.stdout.close()
    assert closed.wait(timeout=60) in (0, -signal.SIGPIPE) and closed.stderr.read() == b""

    # One flipped bit: dump shows which batch, verify and dump end with 1.
    at = next(c["position"] for c in kinds["commit"]) + 80 + 64 + 20
    with open(data / kinds["segment"][0]["file"], "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 4]))
    run("log", "verify", str(data), code=1)
    damaged = subprocess.run([program, "log", "dump", str(data), "-o", "jsonl"], capture_output=True, text=True)
    assert damaged.returncode == 1 and "do not match their checksum" in damaged.stderr
    assert sum(not b["intact"] for b in lines(damaged.stdout) if b["type"] == "batch") == 1

    # No log, and no superblock.
    empty = pathlib.Path(folder) / "empty"
    empty.mkdir()
    for what in ("verify", "dump", "stats"):
        assert "holds no log" in run("log", what, str(empty), code=1)
    superblock = data / "log" / "superblock"
    superblock.write_bytes(b"\0" * 4096)
    for what in ("verify", "dump", "stats"):
        assert "superblock is damaged" in run("log", what, str(data), code=1)
    assert subprocess.run([program, "serve", "--data", str(data), "--listen", "127.0.0.1:0"], capture_output=True,
                          timeout=60).returncode == 1
print("log: verify, dump and stats")
