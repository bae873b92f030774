"""Random mutations of valid requests to Kinesis and DynamoDB, in JSON and CBOR, over HTTP/1.1 and HTTP/2, slow peers and
oversized ones: mutations_test.py PROGRAM [COUNT [SEED]]

Each mutation is answered well-formed, in a form that its request allows, and never with 5xx; afterwards the broker still
serves, and ends without a leak when it is built with a sanitizer."""
import copy
import json
import random
import re
import socket
import sys
import time

import cbor
import model
from broker import Broker
from wire import CBOR, JSON, Wire

STATUSES = {200, 400, 403, 404, 405, 408, 411, 413, 414, 417, 431, 501, 505}
SETTINGS = """
[http]
header_time = "2s"
body_time = "3s"
"""
ODD_VALUES = [None, True, 0, -1, 1, 2**31, 2**63 - 1, -2**63, 1.5, 1e300, -0.0, "", "x", "\x00", "\u20ac" * 300, "a" * 5000,
              [], {}, [[]], [None], {"": None}, "shardId-000000000000", "7", "0" * 200, b"", b"\xff" * 100]


KEY = {"id": {"S": "a"}}
DYNAMODB = [
    ("ListTables", {"Limit": 3}), ("DescribeTable", {"TableName": "mutated"}),
    ("PutItem", {"TableName": "mutated", "Item": {"id": {"S": "a"}, "n": {"N": "1"}, "set": {"SS": ["x", "y"]}, "l": {"L": [{"BOOL": True}]}},
                 "ConditionExpression": "attribute_not_exists(#n) OR n < :v", "ExpressionAttributeNames": {"#n": "n"},
                 "ExpressionAttributeValues": {":v": {"N": "5"}}}),
    ("GetItem", {"TableName": "mutated", "Key": KEY, "ProjectionExpression": "id, l[0]"}),
    ("UpdateItem", {"TableName": "mutated", "Key": KEY, "UpdateExpression": "SET n = if_not_exists(n, :z) + :v REMOVE x ADD c :v",
                    "ExpressionAttributeValues": {":v": {"N": "5"}, ":z": {"N": "0"}}, "ReturnValues": "ALL_NEW"}),
    ("UpdateItem", {"TableName": "mutated", "Key": KEY, "AttributeUpdates": {"n": {"Action": "PUT", "Value": {"N": "2"}}},
                    "Expected": {"n": {"Value": {"N": "1"}}}}),
    ("Query", {"TableName": "mutated", "KeyConditionExpression": "id = :v", "ExpressionAttributeValues": {":v": {"S": "a"}}}),
    ("Scan", {"TableName": "mutated", "FilterExpression": "contains(id, :v)", "ExpressionAttributeValues": {":v": {"S": "a"}}}),
    ("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "mutated", "Key": KEY}}]}),
    ("BatchWriteItem", {"RequestItems": {"mutated": [{"PutRequest": {"Item": KEY}}]}})]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS_FRAME, HEADERS_FRAME, DATA_FRAME, GOAWAY_FRAME, LAST_FRAME_KIND = 4, 1, 0, 7, 9


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(text):
    assert len(text) < 127
    return bytes([len(text)]) + text.encode("latin-1")


class Peer:
    """A connection on which answers are read strictly; reconnects when the broker has closed it."""

    def __init__(self, broker):
        host, port = broker.url.removeprefix("http://").split(":")
        self.address = host, int(port)
        self.socket = None

    def connect(self):
        self.close()
        self.socket = socket.create_connection(self.address, timeout=30)
        self.rest = b""

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def more(self):
        data = self.socket.recv(1 << 16)
        self.rest += data
        return data != b""

    def ask(self, request, is_last):
        """(status, headers, body), or None when the connection ended without an answer. `is_last`: nothing follows, so
        that the broker need not wait for the rest of a request that has lost its end."""
        if self.socket is None:
            self.connect()
        try:
            self.socket.sendall(request)
            if is_last:
                self.socket.shutdown(socket.SHUT_WR)
            answer = self.read_answer()
        except (ConnectionResetError, BrokenPipeError):
            answer = None
        if is_last or answer is None or answer[1].get("connection", "").lower() == "close":
            self.close()
        return answer

    def read_answer(self):
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                assert self.rest == b"", f"half an answer: {self.rest[:200]}"
                return None
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z' -]+", lines[0])
        assert match, lines[0]
        status = int(match[1])
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(": ")
            assert colon and name.lower() not in headers, line
            headers[name.lower()] = value
        if status == 100:
            return self.read_answer()
        if headers.get("content-type") == "application/vnd.amazon.eventstream":
            self.close()  # it would go on for minutes
            return status, headers | {"connection": "close"}, b""
        length = int(headers["content-length"])
        while len(self.rest) < length:
            assert self.more(), "half a body"
        body, self.rest = self.rest[:length], self.rest[length:]
        return status, headers, body


def check(answer, request):
    status, headers, body = answer
    assert status in STATUSES, (status, body[:500])
    content_type = headers.get("content-type", "")
    if body == b"" or content_type.startswith("application/vnd.amazon"):
        return
    if content_type == CBOR:
        document = cbor.decode(body)
    elif content_type in (JSON, JSON.replace("1.1", "1.0"), "application/json"):
        document = json.loads(body)
    else:
        assert body.startswith(b"<") or content_type.startswith("text/"), (content_type, body[:100])
        return
    assert isinstance(document, dict)
    if status != 200:
        assert re.fullmatch(r"([a-z0-9.]+#)?[A-Za-z]+", document["__type"]), document


class Mutator:
    def __init__(self, seed, iterators):
        self.random = random.Random(seed)
        self.seeds = []
        for name, operation in model.OPERATIONS.items():
            request = model.request(operation.members)
            for member, (kind, _) in operation.members.items():  # and all that may be left out
                if self.random.random() < 0.5 and member != "StreamId":
                    request.setdefault(member, model.example(kind))
            # Nothing but a mutation deletes the stream that all others need.
            self.seeds.append((name, request if name == "DeleteStream" else self.with_stream(request)))
        records = [{"Data": "aGk=", "PartitionKey": f"p{i}", "ExplicitHashKey": str(i)} for i in range(20)]
        for _ in range(6):  # the doors that everything goes through
            self.seeds.append(("PutRecords", {"StreamName": "m", "Records": records}))
            self.seeds.append(("GetRecords", {"ShardIterator": self.random.choice(iterators), "Limit": 5}))
            self.seeds.append(("PutRecord", {"StreamName": "m", "Data": "aGk=", "PartitionKey": "k"}))

    def with_stream(self, value):
        """What names a stream, a shard or a consumer names one that is there."""
        text = json.dumps(value).replace("stream/none", "stream/m").replace('"StreamName": "none"', '"StreamName": "m"')
        return json.loads(re.sub('"(\\w*Shard\\w*)": "none"', '"\\1": "shardId-000000000000"', text))

    def places(self, value, found=None):
        found = [] if found is None else found
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in list(items):
            found.append((value, key))
            self.places(inner, found)
        return found

    def document(self, document):
        draw = self.random
        document = copy.deepcopy(document)
        for _ in range(draw.choice([0, 1, 1, 2, 3])):
            places = self.places(document)
            if not places:
                break
            container, key = draw.choice(places)
            kind = draw.randrange(4)
            if kind == 0:
                container[key] = copy.deepcopy(draw.choice(ODD_VALUES))
            elif kind == 1:
                del container[key]
            elif kind == 2 and isinstance(container, dict):
                container[draw.choice([str(key) + "x", "Unknown", "StreamName", "Limit", "Data"])] = copy.deepcopy(
                    draw.choice(ODD_VALUES))
            elif isinstance(container, list):
                container.extend(copy.deepcopy(container)[:50])
            else:
                container[key] = [container[key]] * draw.choice([1, 2, 600])
        return document

    def encoded(self, document, content_type):
        if content_type == CBOR:
            return cbor.encode(document, self.random.random() < 0.5)
        return json.dumps(document, default=lambda data: data.hex()).encode()

    def bytes(self, data):
        draw = self.random
        data = bytearray(data)
        for _ in range(draw.choice([1, 1, 2, 4])):
            at = draw.randrange(len(data) + 1)
            kind = draw.randrange(5)
            if kind == 0 and data:
                data[at % len(data)] ^= 1 << draw.randrange(8)
            elif kind == 1:
                data[at:at] = draw.randbytes(draw.choice([1, 1, 8, 100]))
            elif kind == 2:
                del data[at:at + draw.choice([1, 1, 4, 50])]
            elif kind == 3:
                data[at:at] = data[:at][-draw.choice([1, 10, 100]):]
            else:
                data[at:at + 1] = draw.choice([b"\xff", b"\x00", b"\x9f", b"\xbf", b"[", b"{", b'"', b"\\u", b"-", b"\r\n",
                                               b"\xfb\x7f\xf0", b"e999"])
        return bytes(data)

    def request(self):
        """(bytes, is_last)"""
        draw = self.random
        name, document = draw.choice(self.seeds)
        is_dynamodb = name.startswith("DynamoDB")
        content_type = JSON.replace("1.1", "1.0") if is_dynamodb else draw.choice([JSON, JSON, CBOR])
        body = self.encoded(self.document(document), content_type)
        if draw.random() < 0.5:
            body = self.bytes(body)
        if draw.random() < 0.03:
            name = self.bytes(name.encode()).decode("latin-1").replace("\r", "").replace("\n", "").replace("\0", "")
        if draw.random() < 0.03:
            content_type = draw.choice(["", "text/plain", "application/json", "application/x-amz-json-1.0", JSON + ";x=y"])
        is_chunked = draw.random() < 0.05
        head = (f"{draw.choice(['POST'] * 60 + ['GET', 'PUT', 'DELETE', 'HEADS', 'OPTIONS'])} / HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Type: {content_type}\r\nX-Amz-Target: {'' if is_dynamodb else 'Kinesis_20131202.'}{name}\r\n").encode("latin-1")
        if is_chunked:
            middle = draw.randrange(len(body) + 1)
            pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
            head += b"Transfer-Encoding: chunked\r\n\r\n"
        else:
            head += b"Content-Length: %d\r\n\r\n" % len(body)
        if draw.random() < 0.05:  # of HTTP itself
            return self.bytes(head + (body if draw.random() < 0.5 else b"")), True
        return head + body, False

    def http2_request(self):
        """A connection's bytes with one to three requests, and how many they are; no number when anything is damaged."""
        draw = self.random
        count = draw.choice([1, 1, 2, 3])
        frames = [PREFACE, frame(SETTINGS_FRAME, 0, 0, b"")]
        for stream in range(1, 2 * count, 2):
            target, document = draw.choice(self.targets)
            content_type = draw.choice([JSON, CBOR]) if target.startswith("Kinesis") else JSON.replace("1.1", "1.0")
            body = self.encoded(document, content_type)
            fields = {":method": "POST", ":scheme": "http", ":path": "/", ":authority": "localhost",
                      "content-type": content_type, "x-amz-target": target}
            block = b"".join(b"\x00" + literal(name) + literal(value) for name, value in fields.items())
            frames.append(frame(HEADERS_FRAME, 4, stream, block))
            frames += [frame(DATA_FRAME, 0, stream, body[at:at + 16384]) for at in range(0, len(body), 16384)]
            frames.append(frame(DATA_FRAME, 1, stream, b""))
        kind = draw.randrange(4)
        if kind == 0:
            return b"".join(frames), count
        if kind == 1:  # of what the frames hold and say of themselves
            return PREFACE + self.bytes(b"".join(frames[1:])), None
        rest = frames[1:]
        if kind == 2:  # their order, their number, and kinds that nobody asked for
            for _ in range(draw.choice([1, 2, 5])):
                rest.insert(draw.randrange(len(rest) + 1), draw.choice([
                    draw.choice(rest), frame(draw.randrange(12), draw.randrange(256), draw.choice([0, 1, 2, 3, 2**31 - 1]),
                                             draw.randbytes(draw.choice([0, 4, 5, 6, 8, 40])))]))
        else:
            at = draw.randrange(len(rest))
            rest[at] = rest[at][:9] + self.bytes(rest[at][9:])
            rest[at] = (len(rest[at]) - 9).to_bytes(3, "big") + rest[at][3:]
        return PREFACE + b"".join(rest), None


def read_frames(peer, wanted):
    """Checks that all that comes is frames; ends with the connection or the end of `wanted` streams, whose number it gives."""
    data, ended, is_refused = b"", set(), False
    while True:
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            length, kind, flags = int.from_bytes(data[:3], "big"), data[3], data[4]
            assert length <= 16384 and kind <= LAST_FRAME_KIND, data[:40]
            if kind in (HEADERS_FRAME, DATA_FRAME) and flags & 1:
                ended.add(int.from_bytes(data[5:9], "big"))
            is_refused = is_refused or kind == GOAWAY_FRAME
            data = data[9 + length:]
        if wanted is not None and len(ended) >= wanted:
            return ended, is_refused
        try:
            more = peer.recv(1 << 16)
        except ConnectionResetError:
            return ended, is_refused
        if more == b"":
            assert data == b"", f"half a frame: {data[:100]}"
            return ended, is_refused
        data += more


def mutate_http2(broker, mutator, count, seed):
    address, whole, answered, refused = Peer(broker).address, 0, 0, 0
    mutator.targets = [("Kinesis_20131202." + name, document) for name, document in mutator.seeds
                       if name not in ("SubscribeToShard", "DeleteStream")]
    mutator.targets += [("DynamoDB_20120810." + name, document) for name, document in DYNAMODB]
    mutator.seeds = mutator.targets
    for number in range(count):
        request, wanted = mutator.http2_request()
        try:
            with socket.create_connection(address, timeout=30) as peer:
                try:
                    peer.sendall(request)
                    if wanted is None:
                        peer.shutdown(socket.SHUT_WR)
                except (ConnectionResetError, BrokenPipeError):
                    pass
                ended, is_refused = read_frames(peer, wanted)
            assert wanted is None or len(ended) == wanted, f"{len(ended)} of {wanted} are answered"
        except Exception:
            print(f"seed {seed}, HTTP/2 mutation {number}: {request[:2000]!r}")
            raise
        whole, answered, refused = whole + (wanted is not None), answered + len(ended), refused + is_refused
    print(f"{count} HTTP/2 connections, seed {seed}: {whole} whole, {answered} answers, {refused} ended with GOAWAY")
    assert answered > count // 10 and refused > 0, "mutations that change nothing"


def make_table(broker):
    body = json.dumps({"TableName": "mutated", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                       "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}).encode()
    answer = Peer(broker).ask(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: "
                              b"DynamoDB_20120810.CreateTable\r\nContent-Length: %d\r\n\r\n" % len(body) + body, True)
    assert answer[0] == 200, answer


def mutate(broker, count, seed):
    wire = Wire(broker)
    make_table(broker)
    wire.call("CreateStream", {"StreamName": "m", "ShardCount": 2})
    iterators = [wire.call("GetShardIterator", {"StreamName": "m", "ShardId": f"shardId-00000000000{i}",
                                                "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"] for i in (0, 1)]
    consumer = wire.call("RegisterStreamConsumer", {"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/m",
                                                    "ConsumerName": "c"})["Consumer"]["ConsumerARN"]
    mutator, peer, seen, silent = Mutator(seed, iterators), Peer(broker), {}, 0
    for shard in ("shardId-000000000000", "shardId-000000000001"):
        for kind in ("TRIM_HORIZON", "LATEST"):
            mutator.seeds.append(("SubscribeToShard", {"ConsumerARN": consumer, "ShardId": shard,
                                                       "StartingPosition": {"Type": kind}}))
    mutator.seeds += [("DynamoDB_20120810." + name, document) for name, document in DYNAMODB]
    for number in range(count):
        request, is_last = mutator.request()
        try:
            answer = peer.ask(request, is_last)
            if answer is None:
                # Only where HTTP itself was damaged: a request that never ends has no answer.
                assert is_last, "no answer"
                silent += 1
                continue
            check(answer, request)
            assert is_last or peer.socket is None or peer.rest == b"", "more than one answer"
        except Exception:
            print(f"seed {seed}, mutation {number}: {request[:2000]!r}")
            raise
        seen[answer[0]] = seen.get(answer[0], 0) + 1
    peer.close()
    mutator.seeds = [seed_ for seed_ in mutator.seeds if not seed_[0].startswith("DynamoDB")]
    print(f"{count} mutations, seed {seed}: {dict(sorted(seen.items()))}, {silent} without an answer")
    assert seen.get(200, 0) > count // 20 and seen.get(400, 0) > count // 20, seen
    mutate_http2(broker, mutator, count // 5, seed)


def slow_peers(broker):
    """Many peers that never finish their headers or bodies hold up nobody, and are sent away."""
    address = Peer(broker).address
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: " + JSON.encode() + b"\r\nX-Amz-Target: Kinesis_20131202.ListStreams\r\n"
    slow = []
    for i in range(100):
        peer = socket.create_connection(address, timeout=30)
        peer.sendall(head[:20 + i % 40] if i % 2 == 0 else head + b"Content-Length: 1000\r\n\r\n{")
        slow.append(peer)
    wire, slowest = Wire(broker), 0
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        for peer in slow:
            try:
                peer.sendall(b"x")
            except OSError:
                pass
        before = time.monotonic()
        wire.call("ListStreams", {})
        slowest = max(slowest, time.monotonic() - before)
    assert slowest < 1, f"a call took {slowest:.2f} s beside slow peers"
    for peer in slow:
        while True:  # 408 or nothing, then the end
            try:
                data = peer.recv(4096)
            except ConnectionResetError:
                break
            if data == b"":
                break
            assert data.startswith(b"HTTP/1.1 4"), data[:100]
        peer.close()


def oversized(broker):
    """Whatever is too large is refused with its own status, or the connection ends; nothing is kept."""
    target = b"X-Amz-Target: Kinesis_20131202.ListStreams\r\nContent-Type: application/x-amz-json-1.1\r\n"
    for request, statuses in (
            (b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", {414, 431, 400}),
            (b"POST / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {431}),
            (b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", {431}),
            (b"POST / HTTP/1.1\r\n" + target + b"Content-Length: 99999999999\r\n\r\n", {413}),
            (b"POST / HTTP/1.1\r\n" + target + b"Content-Length: 99999999999999999999999\r\n\r\n", {400, 413}),
            (b"POST / HTTP/1.1\r\n" + target + b"Content-Length: -1\r\n\r\n", {400}),
            (b"POST / HTTP/1.1\r\n" + target + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", {400, 413}),
            (b"POST / HTTP/1.1\r\n" + target + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100_000 + b"\r\n", {400, 413}),
            (b"POST / HTTP/1.1\r\n" + target + b"Transfer-Encoding: chunked\r\n\r\n" +
             b"100000\r\n%s\r\n" % (b"x" * (1 << 20)) * 17 + b"0\r\n\r\n", {413})):
        answer = Peer(broker).ask(request, True)
        assert answer is None or answer[0] in statuses, (request[:100], answer)
    assert Wire(broker).call("ListStreams", {}) is not None


def main(program, count="5000", seed="20261123"):
    with Broker(program, SETTINGS) as broker:
        mutate(broker, int(count), int(seed))
        slow_peers(broker)
        oversized(broker)
    print("mutations: passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
