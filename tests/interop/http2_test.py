#!/usr/bin/env python3
"""HTTP/2 on the one port, by clients that know it and by peers that break it: http2_test.py PROGRAM."""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from broker import Broker

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
LIMITS = """
[http]
header_time = "1s"
body_time = "1s"
idle_time = "3s"
write_time = "2s"
"""


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header in HPACK without tables or Huffman's code; values up to 126 bytes."""
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


def post(operation):
    return (b"\x83\x84\x86" + literal(b":authority", b"here") + literal(b"content-type", b"application/x-amz-json-1.1")
            + literal(b"x-amz-target", b"Kinesis_20131202." + operation))


class Peer:
    """Frames by hand."""

    def __init__(self, broker, settings=b"", buffer=0):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", int(broker.url.rsplit(":", 1)[1])))
        self.bytes = b""
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data):
        self.socket.sendall(data)
        return self

    def call(self, stream, operation, body=b"{}"):
        return self.send(frame(HEADERS, 4, stream, post(operation)) + frame(DATA, 1, stream, body))

    def frame(self):
        """(kind, flags, stream, payload), or None at the end."""
        def more(count):
            while len(self.bytes) < count:
                piece = self.socket.recv(1 << 18)
                if not piece:
                    return False
                self.bytes += piece
            return True

        try:
            if not more(9):
                return None
            length = int.from_bytes(self.bytes[:3], "big")
            kind, flags, stream = self.bytes[3], self.bytes[4], int.from_bytes(self.bytes[5:9], "big")
            if not more(9 + length):
                return None
        except ConnectionError:
            return None
        payload, self.bytes = self.bytes[9:9 + length], self.bytes[9 + length:]
        return kind, flags, stream, payload

    def until(self, is_it):
        """The first frame of that kind; None when the connection ends before."""
        while (got := self.frame()) is not None:
            if is_it(got):
                return got
        return None

    def end(self, stream):
        return self.until(lambda f: f[2] == stream and f[0] in (DATA, HEADERS) and f[1] & 1)

    def goaway(self):
        """The error the peer is sent away with; None for a connection that just ends."""
        got = self.until(lambda f: f[0] == GOAWAY)
        return None if got is None else int.from_bytes(got[3][4:8], "big")


def clients(broker, scratch):
    """Real ones: curl and Node."""
    body = json.dumps({"StreamName": "s", "ShardCount": 1})

    def curl(operation, text, *more):
        file = os.path.join(scratch, "body")
        with open(file, "w") as to:
            to.write(text)
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code} %{http_version}", "-H", f"X-Amz-Target: Kinesis_20131202.{operation}",
             "-H", "Content-Type: application/x-amz-json-1.1", "--data-binary", "@" + file, *more, broker.url],
            stdout=subprocess.PIPE, text=True, check=True)
        text, codes = done.stdout.rsplit("\n", 1)
        return text, codes

    assert curl("CreateStream", body, "--http2-prior-knowledge") == ("", "200 2")
    big = json.dumps({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": "QUJD" * 300000}] * 4})
    assert '"FailedRecordCount":0' in curl("PutRecords", big, "--http2-prior-knowledge")[0]
    assert '"FailedRecordCount":0' in curl("PutRecords", big, "--http1.1")[0]  # with Expect: 100-continue
    # An offer to change to HTTP/2 is left alone: the answer is HTTP/1.1's.
    assert curl("ListStreams", "{}", "--http2")[1] == "200 1.1"
    print("curl: passed")
    if shutil.which("node") is None:
        print("node: skipped, there is none")
        return
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http2_client.mjs")
    done = subprocess.run(["node", script, broker.url], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    got = json.loads(done.stdout)
    assert got | {"protocol": ""} == {"made": 200, "put": True, "numbers": 100, "large": 0, "got": 105, "last": 900000,
                                      "protocol": ""}, got
    print("node: passed, 100 streams at once")


def rules(broker):
    """What frames may and may not do."""
    peer = Peer(broker).call(1, b"ListStreams").call(3, b"NoSuchThing")
    assert peer.end(1) and peer.end(3)
    assert peer.send(frame(PING, 0, 0, b"12345678")).until(lambda f: f[0] == PING)[1:] == (1, 0, b"12345678")
    # A preface a byte at a time.
    slow = socket.create_connection(("127.0.0.1", int(broker.url.rsplit(":", 1)[1])))
    for byte in PREFACE + frame(SETTINGS, 0, 0):
        slow.sendall(bytes((byte,)))
    assert slow.recv(9)[3] == SETTINGS
    # Each breach ends the connection with a reason: frames on stream 0, an even stream, a frame too large, a broken header
    # block, a continuation of nothing, a window of nothing.
    for wrong in (frame(HEADERS, 5, 0, post(b"ListStreams")), frame(HEADERS, 5, 2, post(b"ListStreams")),
                  frame(DATA, 1, 1, b"x" * 20000), frame(HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
                  frame(CONTINUATION, 4, 1), frame(WINDOW, 0, 0, bytes(4)), frame(SETTINGS, 0, 0, b"odd")):
        error = Peer(broker).send(wrong).goaway()
        assert error not in (None, 0), (wrong[:20], error)
    # Too much of a body: 413, and the connection serves on. A body that never comes: 408.
    peer = Peer(broker).send(frame(HEADERS, 4, 1, post(b"PutRecord") + literal(b"content-length", b"99999999")))
    assert peer.end(1) and peer.call(3, b"ListStreams").end(3)
    peer.send(frame(HEADERS, 4, 5, post(b"PutRecord")) + frame(DATA, 0, 5, b"{"))
    assert peer.end(5) and peer.call(7, b"ListStreams").end(7)
    # Half a header block for longer than headers may take; nothing at all for longer than a connection may idle.
    assert Peer(broker).send(frame(HEADERS, 1, 1, post(b"ListStreams"))).until(lambda f: f[0] == HEADERS) is None
    assert Peer(broker).goaway() == 0
    print("rules: passed")


def abuse(broker):
    """Floods are answered by ENHANCE_YOUR_CALM (11) or the end, and others do not feel them."""
    def flood(make, expected=(11, None)):
        peer = Peer(broker)
        reader = []
        thread = threading.Thread(target=lambda: reader.append(peer.goaway()))
        thread.start()
        try:
            for i in range(4000):
                peer.send(make(i))
        except OSError:
            pass
        thread.join(60)
        assert not thread.is_alive() and reader[0] in expected, reader

    flood(lambda i: b"".join(frame(HEADERS, 5, n, post(b"ListStreams")) + frame(RESET, 0, n, bytes((0, 0, 0, 8)))
                             for n in range(20 * i + 1, 20 * i + 21, 2)), (11, 2, None))  # nghttp2's own guard says 2
    flood(lambda i: frame(PING, 0, 0, b"12345678") * 100)
    flood(lambda i: frame(SETTINGS, 0, 0) * 100)
    flood(lambda i: (frame(HEADERS, 1, 1, post(b"ListStreams")) if i == 0 else b"") + frame(CONTINUATION, 0, 1) * 10)
    flood(lambda i: (frame(HEADERS, 4, 1, post(b"ListStreams")) if i == 0 else b"") + frame(DATA, 0, 1) * 100)
    assert Peer(broker).call(1, b"ListStreams").end(1)

    # A reader that does not read: its answers are cut off after `write_time`, by its window or by its socket; it can
    # ask for no more than its share meanwhile.
    body = json.dumps({"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}).encode()
    asking = Peer(broker).call(1, b"GetShardIterator", body)
    token = asking.until(lambda f: f[0] == DATA)[3]
    token = json.dumps({"ShardIterator": json.loads(token)["ShardIterator"]}).encode()
    closed_window = Peer(broker, struct.pack(">HI", 4, 0)).call(1, b"GetRecords", token)
    got = closed_window.until(lambda f: f[0] in (RESET, GOAWAY))
    assert got is not None and got[0] == RESET, got
    assert closed_window.call(3, b"ListStreams").until(lambda f: f[0] == HEADERS and f[2] == 3)
    deaf = Peer(broker, struct.pack(">HI", 4, 0x7fffffff), buffer=4096)
    deaf.send(frame(WINDOW, 0, 0, struct.pack(">I", 0x7fff0000 - 1)))
    for stream in range(1, 201, 2):
        deaf.call(stream, b"GetRecords", token)
    before = time.monotonic()
    while time.monotonic() < before + 30 and connections(broker) > 3:
        time.sleep(0.2)  # for the broker's own deadline
    assert connections(broker) <= 3
    print("abuse: passed")


def connections(broker):
    peer = socket.create_connection(("127.0.0.1", int(broker.url.rsplit(":", 1)[1])))
    peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    text = b"".join(iter(lambda: peer.recv(1 << 16), b"")).decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("tidemill_http_connections{")
               or line.startswith("tidemill_http_connections "))


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch, Broker(program) as broker:
        clients(broker, scratch)
    with Broker(program, LIMITS) as broker:
        peer = Peer(broker).call(1, b"CreateStream", json.dumps({"StreamName": "s", "ShardCount": 1}).encode())
        assert peer.end(1)
        big = json.dumps({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": "QUJD" * 10000}] * 2}).encode()
        for stream in range(3, 203, 2):
            peer.send(frame(HEADERS, 4, stream, post(b"PutRecords")))
            for at in range(0, len(big), 16384):
                peer.send(frame(DATA, 1 if at + 16384 >= len(big) else 0, stream, big[at:at + 16384]))
            assert peer.end(stream)
        rules(broker)
        abuse(broker)
        idle = Peer(broker).call(1, b"ListStreams")
        assert idle.end(1)
        broker.stop()
        assert idle.goaway() == 0  # told so, not cut off
    print("http2: passed")


if __name__ == "__main__":
    main()
