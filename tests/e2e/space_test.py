#!/usr/bin/env python3
"""Space comes back: deletion, mixed retention, max_bytes and a full budget, on a real broker: space_test.py PROGRAM."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

program = os.path.abspath(sys.argv[1])
LINE = "x" * 1000
PATIENCE = 90  # seconds: far more than it takes


class Broker:
    def __init__(self, data, *more):
        self.process = subprocess.Popen(
            [program, "serve", "--data", str(data), "--listen", "127.0.0.1:0", "--cores", "2", *more],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]

    def run(self, *words, code=0, text=None):
        done = subprocess.run([program, *words, "--connect", self.address], input=text, capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def put(self, stream, megabytes):
        """Returns how many of the records were stored."""
        done = subprocess.run([program, "put", stream, "--connect", self.address, "-o", "json"],
                              input=f"{LINE}\n" * (megabytes * 1000), capture_output=True, text=True, timeout=240)
        found = re.search(r'"stored":(\d+)', done.stdout)
        return int(found.group(1)) if found else 0

    def metric(self, name, label=None):
        text = urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10).read().decode()
        labels = f"{{{label}}}" if label else ""
        return float(re.search(rf"^{re.escape(name + labels)} (\S+)$", text, re.M).group(1))

    def count(self, stream):
        described = json.loads(self.run("stream", "describe", stream, "-o", "json"))
        return sum(shard["records"] for shard in described["shards"])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0


def used(folder):
    """Bytes that the file system has given to the folder's files."""
    return sum(p.stat().st_blocks * 512 for p in pathlib.Path(folder).rglob("*") if p.is_file())


def wait_until(what, reached):
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"after {PATIENCE} s still not: {what}"
        time.sleep(0.5)


def check_sound(data):
    done = subprocess.run([program, "log", "verify", "--data", str(data), "-o", "json"], capture_output=True, text=True)
    assert json.loads(done.stdout)["sound"] is True, done.stdout


with tempfile.TemporaryDirectory(prefix="tidemill-space-") as folder:
    # A deleted stream's space comes back, beside one that stays and on a broker that is idle otherwise.
    data = pathlib.Path(folder) / "deleting"
    broker = Broker(data)
    broker.run("stream", "create", "stays", "--shards", "2")
    broker.run("stream", "create", "goes", "--shards", "2")
    for _ in range(5):
        assert broker.put("goes", 60) == 60_000
        assert broker.put("stays", 4) == 4_000
    full = used(data)
    assert full > 300e6, full
    broker.run("stream", "delete", "goes")
    began = time.monotonic()
    wait_until("the deleted stream's space is back", lambda: used(data) < full - 250e6)
    print(f"space: {full / 1e6:.0f} MB on disk, {used(data) / 1e6:.0f} MB "
          f"{time.monotonic() - began:.1f} s after a stream of 300 MB was deleted")
    wait_until("idle lanes keep little", lambda: used(data) < 100e6)
    assert broker.metric("tidemill_log_freed_bytes_total") > 250e6
    assert broker.count("stays") == 20_000
    assert len(broker.run("tail", "stays", "--from", "oldest", "-e", "-o", "raw").splitlines()) == 20_000

    # max_bytes, given later, cuts what is there; a retention out of range is refused.
    kept = json.loads(broker.run("stream", "retention", "stays", "--hours", "87600", "--max-bytes", "8MiB", "-o", "json"))
    assert (kept["retention_hours"], kept["max_bytes"]) == (87_600, 8 << 20), kept
    wait_until("the bound is kept", lambda: broker.count("stays") * 1000 <= 8 << 20)
    assert broker.count("stays") * 1000 > 6 << 20
    assert broker.put("stays", 4) == 4_000
    wait_until("the bound is kept under load", lambda: broker.count("stays") * 1000 <= 8 << 20)
    broker.run("stream", "retention", "stays", "--hours", "90000", code=2)
    assert "max_bytes" in broker.run("stream", "retention", "stays", "--max-bytes", "5", code=1)
    assert "87600" in broker.run("stream", "describe", "stays", "-o", "json")
    left = broker.count("stays")
    broker.stop()
    check_sound(data)
    broker = Broker(data)
    assert broker.count("stays") <= left
    assert json.loads(broker.run("stream", "describe", "stays", "-o", "json"))["max_bytes"] == 8 << 20
    # Deleted now, its space comes back although the broker does not see the day: it is stopped at once.
    broker.run("stream", "delete", "stays")
    broker.stop()
    broker = Broker(data)
    wait_until("what was deleted before the start is gone", lambda: used(data) < 40e6)
    broker.stop()
    check_sound(data)

    # A full budget refuses producers, keeps everything else going, and recovers.
    data = pathlib.Path(folder) / "full"
    broker = Broker(data, "--disk-budget", "128MiB")
    broker.run("stream", "create", "a")
    broker.run("stream", "create", "b")
    assert broker.put("b", 5) == 5_000
    producer = subprocess.Popen([program, "put", "a", "--connect", broker.address], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def feed():
        try:
            for _ in range(200):
                producer.stdin.write(f"{LINE}\n" * 1000)
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    wait_until("producers are refused",
               lambda: broker.metric("tidemill_log_rejected_total", 'reason="no_space"') > 0)
    assert used(data) < (128 << 20) + 16e6, used(data)
    assert broker.metric("tidemill_log_disk_used_bytes") <= 128 << 20
    assert broker.metric("tidemill_log_disk_budget_bytes") == 128 << 20
    assert len(broker.run("tail", "b", "--from", "oldest", "-e", "-o", "raw").splitlines()) == 5_000
    producer.kill()
    feeder.join()
    producer.wait()
    broker.run("stream", "delete", "a")
    wait_until("there is room again", lambda: broker.put("b", 5) == 5_000)
    assert broker.count("b") >= 10_000
    broker.stop()
    check_sound(data)

    # drop_oldest never refuses and keeps the newest.
    config = pathlib.Path(folder) / "drop.toml"
    config.write_text('[log]\ndisk_budget_bytes = "128MiB"\nwhen_full = "drop_oldest"\n')
    data = pathlib.Path(folder) / "dropping"
    broker = Broker(data, "--config", str(config))
    broker.run("stream", "create", "a")
    for _ in range(4):
        assert broker.put("a", 60) == 60_000
    assert broker.metric("tidemill_log_dropped_early_bytes_total") > 50e6
    assert used(data) < (128 << 20) + 16e6, used(data)
    assert 20_000 < broker.count("a") < 128_000, broker.count("a")
    broker.stop()
    check_sound(data)
print("space: passed")
