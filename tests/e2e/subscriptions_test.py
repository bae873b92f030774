"""Thousands of subscriptions, most of them of peers that never read: subscriptions_test.py PROGRAM"""
import json
import os
import re
import selectors
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
import native_wire  # noqa: E402
from broker import Broker  # noqa: E402

PROGRAM = sys.argv[1]
SHARDS = 40
STALLED, READING = 40, 10  # connections; each subscribes to every shard
CREDIT = 64 << 20
SECONDS = 120
# What one peer that does not read may cost: what is unsent, the frame behind it, its 40 tasks.
STALLED_BYTES = 3 << 20
SLACK = 64 << 20


def resident(broker):
    status = open(f"/proc/{broker.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) << 10


def bench(broker, kind, records, rate):
    done = subprocess.run(
        [PROGRAM, "bench", kind, "--connect", broker.url.removeprefix("http://"), "--stream", "s", "--shards",
         str(SHARDS), "--record-bytes", "1000", "--batch", "10", "--records", str(records), "--rate", str(rate),
         "--output", "json"], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tails(connection, shards):
    ends = {}
    for uid in shards:
        connection.send(native_wire.frame(native_wire.TAIL, 1, struct.pack("<II", uid, 0)))
        _, flags, _, envelope, _ = connection.receive()
        assert not flags & native_wire.ERROR
        ends[uid] = struct.unpack_from("<QQ", envelope)[1]
    return ends


def subscribe(connection, shards, start):
    connection.send(*(native_wire.frame(native_wire.SUBSCRIBE, 100 + uid,
                                        struct.pack("<QQII", start[uid], CREDIT, uid, 0)) for uid in shards))


class Reader:
    """Takes everything that comes, and counts the records of each shard: they come without a gap."""

    def __init__(self, connection, start):
        self.socket, self.next, self.buffer = connection.socket, dict(start), bytearray()
        self.socket.setblocking(False)

    def read(self):
        try:
            while more := self.socket.recv(1 << 20):
                self.buffer += more
        except BlockingIOError:
            pass
        at = 0
        while len(self.buffer) - at >= 16:
            size, _, flags, words, request_id, _ = struct.unpack_from("<IBBHII", self.buffer, at)
            if len(self.buffer) - at < size:
                break
            assert not flags & native_wire.ERROR
            batch = at + 16 + 8 * words if flags & native_wire.ATTACHMENT else at + size
            while batch < at + size:
                batch_bytes, records = struct.unpack_from("<II", self.buffer, batch + 4)
                first, = struct.unpack_from("<Q", self.buffer, batch + 32)
                assert first == self.next[request_id - 100], (first, self.next[request_id - 100])
                self.next[request_id - 100] += records
                batch += batch_bytes
            at += size
        del self.buffer[:at]


def read_until(readers, ends):
    selector = selectors.DefaultSelector()
    for reader in readers:
        selector.register(reader.socket, selectors.EVENT_READ, reader)
    deadline = time.monotonic() + SECONDS
    while any(reader.next != ends for reader in readers):
        assert time.monotonic() < deadline, "readers were held up"
        for key, _ in selector.select(1):
            key.data.read()


def main():
    with Broker(PROGRAM, '[log]\ntail_cache_bytes = "32MiB"\nread_cache_bytes = "16MiB"\n') as broker:
        bench(broker, "produce", 200_000, 0)
        control = native_wire.Connection(broker.url.removeprefix("http://"))
        last = control.newest_shard()
        shards = range(last - SHARDS + 1, last + 1)
        ends, oldest = tails(control, shards), {uid: 0 for uid in shards}
        connections = []

        def connect(start):
            connections.append(native_wire.Connection(broker.url.removeprefix("http://"), 64 << 10))
            subscribe(connections[-1], shards, start)
            return connections[-1]

        # One reader from the oldest record on: the caches are full after it, whatever comes then is the peers'.
        read_until([Reader(connect(oldest), oldest)], ends)
        connections.pop().close()
        before = resident(broker)
        for _ in range(STALLED):
            connect(oldest)
        readers = [Reader(connect(ends), ends) for _ in range(READING)]
        peak = resident(broker)
        for _ in range(3):
            latency = bench(broker, "latency", 5_000, 5_000)
            ends = tails(control, shards)
            read_until(readers, ends)
            peak = max(peak, resident(broker))
        print(f"{(STALLED + READING) * SHARDS} subscriptions, {STALLED} of {STALLED + READING} connections never "
              f"read: resident {before >> 20} MiB before, {peak >> 20} MiB at most; delivery meanwhile p50 "
              f"{latency['latency_us']['p50']} us")
        assert peak - before < STALLED * STALLED_BYTES + SLACK, (before, peak)
        # Who did not read gets everything all the same, once it does.
        late = Reader(connections[0], oldest)
        read_until([late], ends)
        began = time.monotonic()
        broker.stop()
        print(f"stopped in {time.monotonic() - began:.2f} s")


main()
