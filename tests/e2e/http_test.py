#!/usr/bin/env python3
"""The HTTP port against what clients and the network really send: http_test.py PROGRAM."""
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile

program = sys.argv[1]
HEAD = (b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Kinesis_20131202.%s\r\n"
        b"Content-Type: application/x-amz-json-1.1\r\n")


def request(operation, body, extra=b""):
    body = json.dumps(body).encode() if not isinstance(body, bytes) else body
    return HEAD % operation.encode() + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Peer:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.bytes = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def _until(self, is_enough):
        while not is_enough(self.bytes):
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError(self.bytes[:200])
            self.bytes += more

    def answer(self):
        """(status, headers, body) of the next response."""
        self._until(lambda b: b"\r\n\r\n" in b)
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ")[1])
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(b":", 1) for line in head.split(b"\r\n")[1:])}
        if status == 100:
            return status, headers, b""
        length = int(headers.get(b"content-length", 0))
        self._until(lambda b: len(b) >= length)
        body, self.bytes = self.bytes[:length], self.bytes[length:]
        return status, headers, body

    def is_closed(self):
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except ConnectionError:
            return True


def main():
    with tempfile.TemporaryDirectory() as data:
        broker = subprocess.Popen([program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "error"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = int(broker.stdout.readline().rsplit(":", 1)[1])
            status, headers, body = Peer(port).send(request("CreateStream", {"StreamName": "s", "ShardCount": 1})).answer()
            assert (status, body) == (200, b""), (status, body)
            assert headers[b"x-amzn-requestid"] and headers[b"x-amz-id-2"] and headers[b"date"], headers

            # Pipelined requests are answered in order.
            peer = Peer(port).send(b"".join(request("PutRecord", {"StreamName": "s", "PartitionKey": "k", "Data": "aGk="})
                                            for _ in range(20)))
            numbers = [int(json.loads(peer.answer()[2])["SequenceNumber"]) for _ in range(20)]
            assert numbers == sorted(numbers) and len(set(numbers)) == 20

            # A byte at a time, and in chunks.
            text = request("ListStreams", {})
            peer = Peer(port)
            for i in range(len(text)):
                peer.send(text[i:i + 1])
            assert json.loads(peer.answer()[2])["StreamNames"] == ["s"]
            body = b'{"StreamName":"s"}'
            peer.send(HEAD % b"DescribeStreamSummary" + b"Transfer-Encoding: chunked\r\n\r\n"
                      + b"5\r\n" + body[:5] + b"\r\n%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n")
            assert b'"ACTIVE"' in peer.answer()[2]

            # Expect: 100-continue is answered before the body is sent.
            body = json.dumps({"StreamName": "s", "PartitionKey": "k", "Data": "aGk="}).encode()
            peer.send(HEAD % b"PutRecord" + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
            assert peer.answer()[0] == 100
            assert peer.send(body).answer()[0] == 200

            # Faults have AWS's names, and leave the connection in a known state.
            for text, wanted_status, name in (
                    (request("NoSuchThing", {}), 400, "UnknownOperationException"),
                    (request("ListStreams", b"{"), 400, "SerializationException"),
                    (request("ListStreams", b"[1]"), 400, "SerializationException"),
                    (request("ListStreams", b"\xff\xfe"), 400, "SerializationException"),
                    (request("ListStreams", {"Limit": "many"}), 400, "SerializationException"),
                    (request("ListStreams", {"Limit": 0}), 400, "ValidationException"),
                    (request("DescribeStream", {}), 400, "ValidationException|InvalidArgumentException"),
                    (request("DescribeStream", {"StreamName": "nope"}), 400, "ResourceNotFoundException"),
                    (request("CreateStream", {"StreamName": "s", "ShardCount": 1}), 400, "ResourceInUseException"),
                    (request("GetRecords", {"ShardIterator": "AAAA"}), 400, "InvalidArgumentException"),
                    (request("PutRecord", {"StreamName": "s", "PartitionKey": "k", "Data": "?"}), 400, "SerializationException"),
                    (request("PutRecords", {"StreamName": "s", "Records": []}), 400, "ValidationException")):
                status, headers, body = peer.send(text).answer()
                assert status == wanted_status and re.search(name, json.loads(body)["__type"]), (text[-80:], status, body)

            # A browser asks before it calls, and may read the answer.
            status, headers, body = Peer(port).send(
                b"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n"
                b"Access-Control-Request-Headers: x-amz-target,authorization\r\n\r\n").answer()
            assert (status, body) == (200, b"") and headers[b"access-control-allow-origin"] == b"*", (status, headers)
            assert headers[b"access-control-allow-headers"] == b"x-amz-target,authorization", headers
            status, headers, body = Peer(port).send(request("ListStreams", {}, b"Origin: https://app.example\r\n")).answer()
            assert status == 200 and headers[b"access-control-allow-origin"] == b"*", headers
            assert b"x-amzn-RequestId" in headers[b"access-control-expose-headers"], headers

            # Oversize: the header, the body.
            assert Peer(port).send(b"GET / HTTP/1.1\r\nX: " + b"a" * 100000 + b"\r\n\r\n").answer()[0] == 431
            assert Peer(port).send(HEAD % b"PutRecord" + b"Content-Length: 99999999\r\n\r\n").answer()[0] == 413
            assert Peer(port).send(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] in (403, 404, 405)
            assert Peer(port).send(b"\x00\x01\x02 nonsense\r\n\r\n").answer()[0] == 400

            # 3,000 damaged requests: an answer or a closed connection each, and the broker stands.
            seed = 20261122
            print("seed", seed)
            source = random.Random(seed)
            whole = [request("PutRecord", {"StreamName": "s", "PartitionKey": "k", "Data": "aGk="}),
                     request("PutRecords", {"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": "aGk="}] * 3}),
                     request("GetShardIterator", {"StreamName": "s", "ShardId": "shardId-000000000000",
                                                  "ShardIteratorType": "TRIM_HORIZON"}),
                     request("ListShards", {"StreamName": "s", "MaxResults": 5})]
            for _ in range(3000):
                text = bytearray(source.choice(whole))
                for _ in range(source.randint(1, 6)):
                    text[source.randrange(len(text))] = source.randrange(256)
                if source.random() < 0.3:
                    del text[source.randrange(len(text)):]
                peer = Peer(port).send(bytes(text))
                peer.socket.shutdown(socket.SHUT_WR)
                assert peer.is_closed()
            assert Peer(port).send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").answer()[0] == 200
            assert broker.poll() is None
        finally:
            broker.send_signal(signal.SIGTERM)
            assert broker.wait(timeout=60) == 0
    print("http: passed")


main()
