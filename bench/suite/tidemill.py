"""The broker under measurement, and its own load generator as the client."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

from .process import Server, run

HOST = "127.0.0.1"


class Broker(Server):
    """`tidemill serve` on one core and a free port. `start_seconds` is from exec to "listening on"."""

    def __init__(self, program, data, durability="disk"):
        self.program, self.data = str(program), data
        data.mkdir(parents=True, exist_ok=True)
        super().__init__([program, "serve", "--data", data, "--listen", f"{HOST}:0", "--cores", "1",
                          "--durability", durability, "--log-level", "warning"],
                         data.parent / "tidemill.log", pipe_output=True)
        line = self.process.stdout.readline()
        self.start_seconds = time.monotonic() - self.started
        if not line.startswith("listening on "):
            raise RuntimeError(f"the broker did not start: {self.last_words()}")
        self.address = line.split()[-1]

    def words(self, kind, flags, stream):
        return load_words(self.program, kind, self.address, flags, stream)

    def load(self, kind, flags, stream="load"):
        """Runs `tidemill bench KIND` to its end; its JSON with the broker's processor time a record added."""
        before = self.cpu_seconds()
        result = json.loads(run(self.words(kind, flags, stream)))
        result["cpu"] = (self.cpu_seconds() - before) / max(1, result["records"])
        return result

    def start_load(self, kind, flags, stream="load"):
        """The same beside other things: a Popen whose output is its JSON."""
        return subprocess.Popen(self.words(kind, flags, stream), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def create(self, stream, shards, *more):
        start = time.monotonic()
        run([self.program, "stream", "create", stream, "--shards", shards, *more, "--connect", self.address])
        return time.monotonic() - start

    def fill_to_bound(self, stream="load", shards=8, bound_bytes=1 << 30):
        """Makes a stream that keeps so much and writes it over: from here on its files are used again."""
        self.create(stream, shards, "--max-bytes", bound_bytes)
        self.load("produce", flags(100, 500, 4, 10000, shards, records=round(3 * bound_bytes / 110)), stream)

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name) and line[len(name)] in " {":
                    return float(line.split()[-1])
        raise RuntimeError(f"the broker has no metric {name}")

    def wait_until_packed(self, timeout=120):
        """Until no sealed segment waits for packing or for the first look at it."""
        end = time.monotonic() + timeout
        while self.metric("tidemill_log_segments_to_pack") > 0:
            if time.monotonic() > end:
                raise RuntimeError("packing does not come to its end")
            time.sleep(0.2)

    def remove(self):
        """Stops and gives the space back."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)

    def __exit__(self, *_):
        self.remove()


def finish(client, timeout=300):
    """The JSON of a load that was started with start_load."""
    try:
        output, words = client.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        client.kill()
        client.communicate()
        raise
    if client.returncode != 0:
        raise RuntimeError(f"tidemill bench ended with {client.returncode}: {words.strip()[-400:]}")
    return json.loads(output)


def kill(broker):
    """As a crash would: no chance to tidy up."""
    broker.stop(signal.SIGKILL)


def log_bytes(program, data):
    """What commits take in the log of a stopped broker, and the records there."""
    report = json.loads(run([program, "log", "verify", data, "-o", "json"]))
    return report["commit_bytes"], report["records"]


def load_words(program, kind, address, flags, stream):
    return [program, "bench", kind, "--connect", address, "--stream", stream, "-o", "json", *map(str, flags)]


def bench_load(program, kind, address, flags):
    """One load at whatever serves Kinesis over HTTP there: its JSON."""
    return json.loads(run(load_words(program, kind, address, flags, "load"), timeout=120))


def version(program):
    return re.sub(r"^tidemill\s+", "", run([program, "--version"]).strip())


def flags(size=100, batch=500, connections=4, window=None, shards=8, **more):
    """Flags of a load; `more` by the long name with underscores."""
    words = ["--record-bytes", size, "--batch", batch, "--connections", connections, "--shards", shards]
    if window:
        words += ["--window", window]
    for name, value in more.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    return words


def shown(kind, words):
    """The command as the report gives it."""
    return " ".join(["tidemill bench", kind, *map(str, words)])


def exists(path):
    return os.access(path, os.X_OK)
