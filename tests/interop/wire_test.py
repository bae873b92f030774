"""What no SDK would send, byte by byte, and AWS's words for it: wire_test.py PROGRAM"""
import base64
import json
import re
import sys

import cbor
from broker import Broker
from wire import CBOR, JSON, Wire

NO_OPERATION = (b"<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized"
                b"</Message>\n</AccessDeniedException>\n")
UNKNOWN = {"__type": "UnknownOperationException"}
SERIALIZATION = {"__type": "SerializationException"}


def expect(answer, status, document, content_type=JSON):
    assert (answer.status, answer.content_type) == (status, content_type), (
        answer.status, answer.content_type, answer.body)
    assert answer.document() == document, answer.document()


def methods(wire):
    for method in ("PUT", "DELETE", "PATCH"):
        for path in ("/", "/any/path"):
            answer = wire.send(method, b"{}", {"Content-Type": JSON, "X-Amz-Target": "Kinesis_20131202.ListStreams"},
                               path)
            assert (answer.status, answer.body) == (403, NO_OPERATION), (method, answer.status, answer.body)
            assert answer.headers["x-amzn-RequestId"]
    assert wire.send("GET", None, {}, "/healthz").status == 200
    # The path of a POST means nothing.
    answer = wire.send("POST", b"{}", {"Content-Type": JSON, "X-Amz-Target": "Kinesis_20131202.ListStreams"}, "/a/b?c=d")
    assert answer.status == 200, answer.body


def headers(wire):
    for operation, body, status in (("ListStreams", {}, 200), ("ListStreams", b"{", 400), ("Nonsense", {}, 400)):
        answer = wire.post(operation, body)
        assert answer.status == status
        assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-RequestId"])
        assert len(base64.b64decode(answer.headers["x-amz-id-2"], validate=True)) == 72
        assert answer.headers["Date"].endswith("GMT") and int(answer.headers["Content-Length"]) == len(answer.body)
        assert answer.headers["x-amz-crc32"] is None and answer.headers["ETag"] is None


def media_types(wire):
    for content_type, expected in (("application/json", "application/json"), (JSON + "; charset=utf-8", JSON),
                                   (CBOR, CBOR)):
        answer = wire.post("ListStreams", cbor.encode({}) if content_type == CBOR else b"{}", content_type)
        assert (answer.status, answer.content_type) == (200, expected), (content_type, answer.body)
        assert answer.document()["StreamNames"] == []
    for content_type in (None, "", "text/plain", "application/x-amz-json-1.0", "application/x-www-form-urlencoded",
                         "application/cbor"):
        answer = wire.post("ListStreams", b"{}", content_type)
        assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>\n"), (content_type, answer.body)
        for target in (None, "", "Kinesis_20131202", "Kinesis_20131202."):
            answer = wire.post("ListStreams", b"{}", content_type, **{"X-Amz-Target": target})
            assert (answer.status, answer.body) == (403, NO_OPERATION), (content_type, target, answer.body)


def empty_bodies(wire):
    expect(wire.post("ListStreams", b""), 400, SERIALIZATION)
    expect(wire.post("Nonsense", b""), 400, UNKNOWN)
    for content_type in (CBOR, None, "text/plain"):  # without a word of JSON it is CBOR that answers
        expect(wire.post("ListStreams", b"", content_type), 400, SERIALIZATION, CBOR)
        expect(wire.post("Nonsense", b"", content_type), 400, UNKNOWN, CBOR)


def targets(wire):
    for target in (None, "", "Kinesis_20131202", "Kinesis_20131202.", "Kinesis_20131202.liststreams", "ListStreams",
                   "Kinesis_20131202.ListStreams.More", "Other_20131202.ListStreams"):
        expect(wire.post("", b"{}", **{"X-Amz-Target": target}), 400, UNKNOWN)
        expect(wire.post("", b"\xbf\xff", CBOR, **{"X-Amz-Target": target}), 400, UNKNOWN, CBOR)
    # What does not parse is said first.
    expect(wire.post("Nonsense", b"{"), 400, SERIALIZATION)


def broken_documents(wire):
    deep = b'{"x":' + b"[" * 40 + b"]" * 40 + b"}"
    for body in (b"{", b"[]", b"null", b"5", b'"text"', b"{}x", b"{}{}", b'{"Limit":1,}', b"{'Limit':1}", b'{"Limit":01}',
                 b'{"Limit":+1}', b'{"Limit":.5}', b'{"Limit":NaN}', b'{"Limit":Infinity}', b'{"Limit":0x1}',
                 b'{"Limit":1 "x":2}', b'{"Limit" 1}', b"{Limit:1}", b'{"a":"\x01"}', b'{"a":"\xff"}', b'{"a":"\xc0\x80"}',
                 b'{"a":"\xed\xa0\x80"}', b'{"a":"\\ud800"}', b'{"a":"\\x"}', b'{"a":"\\u12"}', b"\x00", deep,
                 b'{"x":[' + b"0," * 200_000 + b"0]}", b"{/**/}", b"\xff\xfe{\x00}\x00"):
        for operation in ("ListStreams", "PutRecord", "PutRecords"):
            answer = wire.post(operation, body)
            assert answer.status == 400 and answer.document() == SERIALIZATION, (operation, body[:60], answer.body)
    valid = cbor.encode({"StreamName": "s", "Data": b"x", "PartitionKey": "k"})
    for body in (b"\xbf", b"\x80", b"\xf6", b"\x05", b"\xff", valid + b"\x00", valid[:-1], b"\xbf\x41a\x01\xff",
                 b"\xbf\x61\xff\x01\xff", b"\xbb" + b"\xff" * 8, b"\xbf\x61a\x5b" + b"\xff" * 8, b"\x9f" * 1_000_000,
                 b"\xbf\x61a" + b"\x9f" * 40 + b"\xff" * 41, b"\xbf\x61a\x9f" + b"\xf6" * 200_000 + b"\xff\xff",
                 b"\xbf\x61a\xc1\x61x\xff", b"{}"):
        for operation in ("ListStreams", "PutRecord", "PutRecords"):
            answer = wire.post(operation, body, CBOR)
            assert answer.status == 400 and answer.document() == SERIALIZATION, (operation, body[:60], answer.body)


def error(wire, operation, document, content_type=JSON):
    answer = wire.post(operation, document, content_type)
    assert answer.status == 400, (operation, document, answer.body)
    return answer.error()


def numbers(wire):
    assert wire.call("ListStreams", b'{"Limit":1e3}')["StreamNames"] == ["s"]
    assert wire.call("ListStreams", b'{"Limit":5.0}')["StreamNames"] == ["s"]
    assert wire.call("ListStreams", {"Limit": 5.5}, CBOR)["StreamNames"] == ["s"]
    for limit, shown, constraint in (
            (b"-1", "-1", "greater than or equal to 1"), (b"0", "0", "greater than or equal to 1"),
            (b"10001", "10001", "less than or equal to 10000"), (b"1e300", "1e+300", "less than or equal to 10000"),
            (b"9223372036854775808", None, "less than or equal to 10000"),
            (b"-1e300", "-1e+300", "greater than or equal to 1")):
        kind, message = error(wire, "ListStreams", b'{"Limit":' + limit + b"}")
        assert kind == "ValidationException" and message.endswith(f"Member must have value {constraint}"), message
        assert shown is None or f"Value '{shown}' at 'limit'" in message, message
    for limit in (b"1e400", b"-9223372036854775809", b"18446744073709551616"):  # what 64 bits do not hold
        assert error(wire, "ListStreams", b'{"Limit":' + limit + b"}") == ("SerializationException", None)
    assert error(wire, "ListStreams", {"Limit": 1 << 63}, CBOR)[0] == "ValidationException"
    assert error(wire, "ListStreams", {"Limit": float("nan")}, CBOR)[0] == "SerializationException"
    # Times: any number is one, in seconds; near and far.
    shard = {"StreamName": "s", "ShardId": "shardId-000000000000", "ShardIteratorType": "AT_TIMESTAMP"}
    body = json.dumps(shard).encode()[:-1]
    for stamp in (b"1.7E9", b"1700000000", b"0", b"-5", b"1.7e9", b"1700000000.123456789", b"-1e300"):
        assert wire.call("GetShardIterator", body + b',"Timestamp":' + stamp + b"}")["ShardIterator"]
    for stamp in (b"1e300", b"9999999999999999999"):
        kind, message = error(wire, "GetShardIterator", body + b',"Timestamp":' + stamp + b"}")
        assert kind == "InvalidArgumentException" and "timestampInMillis" in message, message


def members(wire):
    # The last of equal members wins, null counts as absent, what is unknown means nothing.
    assert error(wire, "DescribeStream", b'{"StreamName":"s","StreamName":"none"}')[0] == "ResourceNotFoundException"
    assert wire.call("DescribeStream", b'{"StreamName":"none","StreamName":"s"}')
    assert wire.call("DescribeStream", {"StreamName": "s", "Limit": None, "Unknown": [{"a": 1}]})
    assert wire.call("DescribeStream", {"StreamName": "s", "Limit": None, "Unknown": [{"a": b"x"}]}, CBOR)
    assert wire.call("DescribeStream", b'{"Stream\\u004eame":"\\u0073"}')
    nothing = ("ValidationException", "1 validation error detected: Value null at 'streamName' failed to satisfy "
                                      "constraint: Member must not be null")
    assert error(wire, "DescribeStream", {}) == nothing
    assert error(wire, "DescribeStream", {"StreamName": None}, CBOR) == nothing
    # Types are looked at first, constraints all at once, ten at most.
    assert error(wire, "DescribeStream", {"StreamName": "", "Limit": "x"})[0] == "SerializationException"
    kind, message = error(wire, "PutRecords", {"StreamName": "a b", "Records": [{}] * 20})
    assert kind == "ValidationException" and message.startswith("10 validation errors detected: "), message
    assert message.count(" failed to satisfy constraint: ") == 10 and message.count("; ") == 9, message


def blobs(wire):
    record = {"StreamName": "s", "PartitionKey": "k"}
    for text, words in (
            ("x", "Base64 encoded length is expected a multiple of 4 bytes but found: 1"),
            ("=aGk", None), ("aGk-", "Invalid Base64 character: '-'"), ("aGl=", None),
            ("a\u00fck", "Invalid Base64 character: '\u00fc'")):
        kind, message = error(wire, "PutRecord", {**record, "Data": text})
        assert kind == "SerializationException" and f"'{text}' can not be converted to a Blob: " in message, message
        assert words is None or message.endswith(words), message
    assert wire.call("PutRecord", {**record, "Data": ""})["SequenceNumber"]
    assert wire.call("PutRecord", {**record, "Data": b""}, CBOR)["SequenceNumber"]


def sizes(wire):
    largest = {"StreamName": "s", "Data": "x" * (15 << 20), "PartitionKey": "k"}
    assert wire.post("PutRecord", largest).status == 400  # read as a whole, and found not to be base64
    answer = Wire(wire.broker).post("PutRecord", b"x" * (17 << 20))
    assert answer.status == 413, answer.status


def main(program):
    with Broker(program) as broker:
        wire = Wire(broker)
        for check in (methods, headers, media_types, empty_bodies, targets, broken_documents):
            check(wire)
        wire.call("CreateStream", {"StreamName": "s", "ShardCount": 1})
        for check in (numbers, members, blobs, sizes):
            check(wire)
        assert Wire(broker).call("ListStreams", {})["StreamNames"] == ["s"]
    print("wire: passed")


if __name__ == "__main__":
    main(sys.argv[1])
