#!/usr/bin/env python3
"""The command line against a real broker: cli_test.py PROGRAM."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

program = os.path.abspath(sys.argv[1])


class Broker:
    def __init__(self, data, *more):
        self.process = subprocess.Popen([program, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *more],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0


def run(*words, code=0, text=None, env=None):
    done = subprocess.run([program, *words], input=text, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def dynamodb(operation, **request):
    """An unsigned call of the broker's DynamoDB API."""
    connection = http.client.HTTPConnection(broker.address, timeout=60)
    connection.request("POST", "/", json.dumps(request), {"X-Amz-Target": "DynamoDB_20120810." + operation,
                                                          "Content-Type": "application/x-amz-json-1.0"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, (operation, answer.status, text)
    return json.loads(text)


with tempfile.TemporaryDirectory() as folder:
    data = pathlib.Path(folder) / "data"
    broker = Broker(data)
    here = ["--connect", broker.address]
    try:
        assert lines(run("stream", "create", "clicks", "--shards", "4", *here))[0]["name"] == "clicks"
        assert "already" in run("stream", "create", "clicks", *here, code=1)
        assert [s["open_shards"] for s in lines(run("stream", "list", *here))] == [4]
        assert "nope" in run("stream", "describe", "nope", *here, code=1)
        run("stream", "create", "bad name!", *here, code=1)
        run("stream", "create", code=2)
        run("frobnicate", code=2)

        wanted = [f"line {i}" for i in range(5000)]
        assert lines(run("put", "clicks", *here, text="\n".join(wanted) + "\n")) == [
            {"stream": "clicks", "stored": 5000, "failed": 0}]
        assert run("put", "nope", *here, text="x\n", code=1)
        assert "cannot open" in run("put", "clicks", "/does/not/exist", *here, code=1)
        seen = lines(run("tail", "clicks", "--from", "oldest", "-e", *here))
        assert sorted(r["data"] for r in seen) == sorted(wanted)
        assert len({r["sequence_number"] for r in seen}) == 5000
        assert all(len(r["sequence_number"]) == 56 for r in seen)
        # One key keeps its order.
        run("stream", "create", "ordered", "--shards", "3", *here)
        run("put", "ordered", "-k", "same", *here, text="\n".join(wanted) + "\n")
        assert run("tail", "ordered", "--from", "oldest", "-e", "-o", "raw", *here).splitlines() == wanted
        # The same over a split, a merge and a scaling.
        text = "\n".join(wanted[:1000]) + "\n"
        made = lines(run("stream", "split", "ordered", "1", *here))[0]["shards"]
        assert [(s["open"], s.get("parent")) for s in made] == [
            (True, None), (False, None), (True, None), (True, 1), (True, 1)], made
        run("put", "ordered", "-k", "same", *here, text=text)
        made = lines(run("stream", "merge", "ordered", "shardId-000000000000", "3", *here))[0]["shards"]
        assert (made[5]["parent"], made[5]["adjacent_parent"]) == (0, 3), made
        run("put", "ordered", "-k", "same", *here, text=text)
        made = lines(run("stream", "scale", "ordered", "5", *here))[0]["shards"]
        assert sum(s["open"] for s in made) == 5, made
        run("put", "ordered", "-k", "same", *here, text=text)
        assert (run("tail", "ordered", "--from", "oldest", "-e", "-o", "raw", *here).splitlines()
                == wanted + 3 * wanted[:1000])
        assert "0 + 3" in run("stream", "describe", "ordered", "-o", "human", *here)
        assert "is closed" in run("stream", "split", "ordered", "1", *here, code=1)
        assert "not an adjacent pair" in run("stream", "merge", "ordered", "6", "10", *here, code=1)
        assert "greater than one plus" in run("stream", "split", "ordered", "7", "--at", "1", *here, code=1)
        assert "no hash key" in run("stream", "split", "ordered", "7", "--at", "x", *here, code=1)
        assert "Could not find shard" in run("stream", "split", "ordered", "77", *here, code=1)
        assert "is no shard" in run("stream", "split", "ordered", "first", *here, code=1)
        run("stream", "scale", "ordered", "0", *here, code=2)
        assert len(run("tail", "clicks", "--from", "2001-01-01", "-n", "10", "-o", "raw", *here).splitlines()) == 10
        run("tail", "clicks", "--from", "yesterday", *here, code=1)

        # The shard map: bars over the key space, lineage, states; the same as JSON.
        drawn = run("shards", "ordered", "-o", "human", *here)
        assert "5 open shards of 11" in drawn and "2^128" in drawn and "0 + 3" in drawn, drawn
        rows = [row.split()[:2] for row in drawn.splitlines()[3:]]
        assert [state for _, state in rows] == ["open"] * 5 + ["closed"] * 6, drawn
        map_ = lines(run("shards", "ordered", "--once", *here))
        assert len(map_) == 11 and map_ == json.loads(run("shards", "ordered", "-o", "json", *here))
        assert abs(sum(s["share"] for s in map_ if s["state"] == "open") - 1) < 1e-4
        assert sum(s["records"] for s in map_) == len(wanted) + 3000
        assert map_[5]["parents"] == [0, 3] and map_[5]["state"] == "closed", map_[5]
        assert "did you mean 'ordered'" in run("shards", "orderd", *here, code=1)
        assert "did you mean 'clicks'" in run("stream", "describe", "klicks", *here, code=1)

        # Tags.
        assert lines(run("stream", "tags", "set", "clicks", "team=web", "cost=", "a=b=c", *here)) == [
            {"stream": "clicks", "tags": {"team": "web", "cost": "", "a": "b=c"}}]
        assert "is no tag" in run("stream", "tags", "add", "clicks", "team", *here, code=1)
        run("stream", "tags", "remove", "clicks", "cost", "a", "never", *here)
        assert lines(run("stream", "tags", "list", "clicks", *here))[0]["tags"] == {"team": "web"}
        assert run("stream", "tags", "list", "clicks", "-o", "human", *here).split() == ["key", "value", "team", "web"]
        assert "did you mean 'clicks'" in run("stream", "tags", "list", "click", *here, code=1)
        run("stream", "tags", code=2)

        # Consumers.
        assert lines(run("stream", "consumers", "list", "clicks", *here)) == []
        assert "no registered consumers" in run("stream", "consumers", "list", "clicks", "-o", "human", *here)
        made = lines(run("stream", "consumers", "register", "clicks", "billing", "--tag", "team=a", *here))[0]
        assert (made["stream"], made["consumer"], made["tags"]) == ("clicks", "billing", {"team": "a"}), made
        run("stream", "consumers", "register", "clicks", "audit", *here)
        assert "already exists" in run("stream", "consumers", "register", "clicks", "audit", *here, code=1)
        assert "is no tag" in run("stream", "consumers", "register", "clicks", "x", "--tag", "x", *here, code=1)
        assert "did you mean 'clicks'" in run("stream", "consumers", "register", "clics", "audit", *here, code=1)
        listed = json.loads(run("stream", "consumers", "list", "clicks", "-o", "json", *here))
        assert [c["consumer"] for c in listed] == ["audit", "billing"] and listed[1] == made, listed
        assert "team=a" in run("stream", "consumers", "list", "clicks", "-o", "human", *here)
        assert "2 registered consumers" in run("stream", "delete", "clicks", *here, code=1)
        assert lines(run("stream", "consumers", "deregister", "clicks", "audit", *here)) == [
            {"stream": "clicks", "deregistered": "audit"}]
        assert "not found" in run("stream", "consumers", "deregister", "clicks", "audit", *here, code=1)
        run("stream", "consumers", code=2)

        # Tables, as an application makes them.
        assert lines(run("tables", "list", *here)) == []
        assert "no tables" in run("tables", "list", "-o", "human", *here)
        for name in ("app-b", "app-a"):
            dynamodb("CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}])
        for i in range(3):
            dynamodb("PutItem", TableName="app-a", Item={"leaseKey": {"S": f"shard-{i}"}})
        listed = json.loads(run("tables", "list", "-o", "json", *here))
        assert [(t["name"], t["account"], t["items"]) for t in listed] == [
            ("app-a", "000000000000", 3), ("app-b", "000000000000", 0)], listed
        assert listed[0]["bytes"] == 3 * 15 and listed[0]["indexes"] == [], listed
        assert lines(run("tables", "describe", "app-a", *here)) == listed[:1]
        assert "app-b" in run("tables", "list", "-o", "human", *here)
        assert "there is no table" in run("tables", "delete", "app-b", "--account", "123456789012", *here, code=1)
        assert lines(run("tables", "delete", "app-b", *here))[0]["name"] == "app-b"
        assert "there is no table" in run("tables", "delete", "app-b", *here, code=1)
        assert dynamodb("ListTables")["TableNames"] == ["app-a"]
        dynamodb("UpdateTable", TableName="app-a", DeletionProtectionEnabled=True)
        assert "protected" in run("tables", "delete", "app-a", *here, code=1)
        run("tables", code=2)

        # Modes.
        assert lines(run("stream", "mode", "clicks", "on-demand", *here))[0]["mode"] == "on_demand"
        assert lines(run("stream", "mode", "clicks", "provisioned", *here))[0]["mode"] == "provisioned"
        run("stream", "mode", "clicks", "sometimes", *here, code=2)

        # Encryption with the data directory's own master key.
        assert "not encrypted" in run("stream", "encrypt", "status", "clicks", "-o", "human", *here)
        assert lines(run("stream", "encrypt", "start", "clicks", *here))[0]["encryption"]["on"] is True
        assert "not encrypted" not in run("stream", "encrypt", "status", "clicks", "-o", "human", *here)
        assert lines(run("stream", "encrypt", "stop", "clicks", *here))[0]["encryption"]["on"] is False
        run("stream", "encrypt", *here, code=2)
        run("stream", "encrypt", "clicks", "--off", "--rotate", *here, code=2)

        # Limits.
        limits = json.loads(run("stream", "limits", "-o", "json", *here))
        assert limits["mode"] == "none", limits
        assert {u["what"]: u["used"] for u in limits["usage"]}["streams"] == 2, limits
        of_clicks = json.loads(run("stream", "limits", "clicks", "-o", "json", *here))["usage"]
        assert {u["what"]: u["used"] for u in of_clicks}["tags"] == 1, of_clicks
        assert "as fast as the machine goes" in run("stream", "limits", "-o", "human", *here)
        assert "not encrypted" in run("stream", "decrypt", "clicks", "-o", "human", *here)
        assert len(lines(run("stream", "create", "wide", "--on-demand", *here))[0]["shards"]) == 4
        run("stream", "consumers", "register", "wide", "app", *here)
        run("stream", "delete", "wide", "--with-consumers", *here)

        for kind in ("produce", "consume", "latency"):
            result = json.loads(run("bench", kind, *here, "--stream", "bench", "--shards", "8", "--records", "20000",
                                    "--batch", "100", "--connections", "2", "-o", "json"))
            assert result["records_per_second"] > 0 and result["bytes_per_second"] > 0, result
            assert set(result["latency_us"]) == {"p50", "p99", "p999", "max"}, result
            assert (result["durability"], result["record_bytes"], result["shards"]) == ("disk", 100, 8), result
        assert run("bench", "produce", "--connect", "127.0.0.1:1", "--seconds", "1", code=1)
        forest = json.loads(run("bench", "rcf", "--trees", "50", "--points", "2000", "--dims", "2", "-o", "json"))
        assert forest["points_per_second"] > 0
        run("bench", "rcf", "--sample", "5", code=1)

        run("stream", "delete", "ordered", *here)
        assert len(lines(run("stream", "list", *here))) == 2
        env = dict(os.environ, TIDEMILL_CONNECT=broker.address)
        assert len(lines(run("stream", "list", env=env))) == 2
        # A second broker may not have the same directory.
        assert run("serve", "--data", str(data), "--listen", "127.0.0.1:0", code=1)
    finally:
        broker.stop()

    assert json.loads(run("log", "verify", "--data", str(data), "-o", "json"))["sound"] is True
    # One flipped bit in the records is found.
    segment = max((p for p in data.rglob("file-*") if p.is_file()), key=lambda p: p.stat().st_size)
    bytes_ = bytearray(segment.read_bytes())
    at = bytes_.index(b"line 4321") if b"line 4321" in bytes_ else None
    if at is None:
        for segment in (p for p in data.rglob("file-*") if p.is_file()):
            bytes_ = bytearray(segment.read_bytes())
            if b"line 4321" in bytes_:
                at = bytes_.index(b"line 4321")
                break
    bytes_[at] ^= 1
    segment.write_bytes(bytes_)
    done = subprocess.run([program, "log", "verify", "--data", str(data), "-o", "json"], capture_output=True, text=True)
    assert done.returncode == 1 and json.loads(done.stdout)["sound"] is False, done.stdout

    # Settings that do not exist are refused with the nearest that does.
    config = pathlib.Path(folder) / "bad.toml"
    config.write_text('[log]\nsegment_byte = "64MiB"\n')
    words = run("serve", "--config", str(config), code=2)
    assert "segment_bytes" in words and ":2:" in words, words
    broker = Broker(pathlib.Path(folder) / "sample", "--config", "deploy/config/tidemill.toml")
    broker.stop()
print("command line: passed")
