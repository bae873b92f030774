"""The life of a stream in CBOR, as the Java SDKs speak it, compared with the same in JSON: cbor_test.py PROGRAM"""
import base64
import sys
import time

import cbor
from broker import Broker
from facts import Facts
from wire import CBOR, JSON, Wire


def read(wire, content_type, **position):
    iterator = wire.call("GetShardIterator", {"StreamName": "s", "ShardId": "shardId-000000000000", **position},
                         content_type)["ShardIterator"]
    answer = wire.call("GetRecords", {"ShardIterator": iterator}, content_type)
    assert answer["MillisBehindLatest"] == 0, answer
    return answer["Records"]


def main(program):
    with Broker(program) as broker:
        facts = Facts("raw-cbor")
        wire = Wire(broker, facts)
        answer = wire.post("CreateStream", {"StreamName": "s", "ShardCount": 1}, CBOR)
        assert (answer.status, answer.body) == (200, b""), "an operation without an answer has an empty body"
        data = bytes(range(256))
        before = time.time() * 1000
        first = wire.call("PutRecord", {"StreamName": "s", "Data": data, "PartitionKey": "k\u00fc"}, CBOR)
        many = [{"Data": bytes([i]) * i, "PartitionKey": f"p{i}", "ExplicitHashKey": str(i)} for i in range(100)]
        for indefinite in (True, False):
            answer = wire.post("PutRecords", cbor.encode({"Records": many, "StreamName": "s"}, indefinite), CBOR)
            result = answer.document()
            assert result["FailedRecordCount"] == 0 and len(result["Records"]) == 100, result
        # With a member that no fast way knows.
        result = wire.call("PutRecords", {"New": [cbor.Time(5)], "Records": many[:1], "StreamName": "s"}, CBOR)
        assert result["FailedRecordCount"] == 0

        in_cbor = read(wire, CBOR, ShardIteratorType="TRIM_HORIZON")
        in_json = read(wire, JSON, ShardIteratorType="TRIM_HORIZON")
        assert len(in_cbor) == len(in_json) == 202
        assert (in_cbor[0]["Data"], in_cbor[0]["PartitionKey"]) == (data, "k\u00fc")
        for a, b in zip(in_cbor, in_json):
            assert a["Data"] == base64.b64decode(b["Data"])
            arrival = a["ApproximateArrivalTimestamp"]
            assert isinstance(arrival, cbor.Time) and abs(arrival - b["ApproximateArrivalTimestamp"] * 1000) < 1
            assert before - 1000 <= arrival <= time.time() * 1000 + 1000, "CBOR's times are in milliseconds"
            assert (a["SequenceNumber"], a["PartitionKey"]) == (b["SequenceNumber"], b["PartitionKey"])
        assert in_cbor[0]["SequenceNumber"] == first["SequenceNumber"]
        later = in_cbor[101]["ApproximateArrivalTimestamp"]
        for stamp in (cbor.Time(int(later)), cbor.Time(later + 0.25), int(later)):
            got = read(wire, CBOR, ShardIteratorType="AT_TIMESTAMP", Timestamp=stamp)
            assert got == [r for r in in_cbor if r["ApproximateArrivalTimestamp"] >= later], len(got)
        assert read(wire, JSON, ShardIteratorType="AT_TIMESTAMP", Timestamp=later / 1000) == [
            r for r in in_json if r["ApproximateArrivalTimestamp"] * 1000 > later - 0.5]

        answer = wire.post("DescribeStream", {"StreamName": "none"}, CBOR)
        assert (answer.status, answer.content_type) == (400, CBOR)
        assert answer.error() == ("ResourceNotFoundException", "Stream none under account 000000000000 not found.")
        assert "message" in answer.document()
        answer = wire.post("DescribeStream", b"\xbf\xff\xff", CBOR)
        assert (answer.status, answer.content_type, answer.document()) == (
            400, CBOR, {"__type": "SerializationException"})
    facts.settle()
    print("cbor: the life of a stream passed")


if __name__ == "__main__":
    main(sys.argv[1])
