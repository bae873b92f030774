"""A test for each trap that compatible servers have fallen into: traps_test.py PROGRAM

The clients' own tests walk into most of them, too; here each stands alone, under its number in the list."""
import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import time
import urllib.parse

import cbor
import event_stream
import signer
from broker import Broker
from facts import Facts
from transports import PREFACE, connected, speaks_http2
from wire import CBOR, JSON, Wire

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/"


def http2_request(broker, headers, body):
    """The header block that answers one POST over HTTP/2, every header written as a literal."""
    def text(value):
        value = value.encode()
        size = bytes([len(value)]) if len(value) < 127 else b"\x7f" + _varint(len(value) - 127)
        return size + value

    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    block = b"".join(b"\x00" + text(name) + text(value) for name, value in sorted(
        ({":method": "POST", ":scheme": "http", ":path": "/"} | headers).items()))
    with connected(broker) as peer:
        peer.sendall(PREFACE + frame(1, 4, 1, block) + frame(0, 1, 1, body))
        stream = peer.makefile("rb")
        while True:
            head = stream.read(9)
            assert len(head) == 9, "closed without an answer"
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if head[3] == 1:
                return payload


def _varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


class Traps:
    def __init__(self, broker):
        self.broker, self.facts = broker, Facts("raw-traps")
        self.wire = Wire(broker, self.facts)
        self.address = urllib.parse.urlsplit(broker.url).netloc.split(":")

    def call(self, operation, content_type=JSON, **request):
        return self.wire.call(operation, request, content_type)

    def error(self, operation, **request):
        answer = self.wire.post(operation, request)
        assert answer.status == 400, (operation, answer.body)
        return answer.error()

    def stream(self, name, shards=1):
        self.call("CreateStream", StreamName=name, ShardCount=shards)
        return [shard["ShardId"] for shard in self.call("ListShards", StreamName=name)["Shards"]]

    def put(self, name, **more):
        return self.call("PutRecord", StreamName=name, Data="aGk=", **({"PartitionKey": "k"} | more))

    def iterator(self, name, shard, kind, **more):
        return self.call("GetShardIterator", StreamName=name, ShardId=shard, ShardIteratorType=kind, **more)["ShardIterator"]

    def consumer(self, stream):
        made = self.call("RegisterStreamConsumer", StreamARN=ARN + stream, ConsumerName="c")["Consumer"]["ConsumerARN"]
        while self.call("DescribeStreamConsumer", ConsumerARN=made)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
            time.sleep(0.1)
        return made

    def subscribe(self, consumer, shard, content_type=JSON, **position):
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        request = {"ConsumerARN": consumer, "ShardId": shard, "StartingPosition": position}
        body = cbor.encode(request) if content_type == CBOR else json.dumps(request)
        connection.request("POST", "/", body, {"X-Amz-Target": "Kinesis_20131202.SubscribeToShard",
                                               "Content-Type": content_type})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.getheader("Content-Type") == "application/vnd.amazon.eventstream"
        return event_stream.events(response)

    def t01_a_stream_id_is_never_given(self):
        """Clients would rewrite their endpoint by it. (Wire looks at every answer; here at those that could have one.)"""
        self.stream("t01")
        for operation in ("DescribeStream", "DescribeStreamSummary", "ListStreams"):
            text = self.wire.post(operation, {"StreamName": "t01"}).body
            assert b"StreamId" not in text, text
        # One that a client sends is taken and means nothing.
        assert self.call("DescribeStream", StreamName="t01", StreamId="a" * 20 + "-abc")

    def t02_authority_is_signed_under_its_own_name(self):
        """As the JavaScript SDK does over HTTP/2, where there is no Host."""
        key = signer.Key("tidemill", "tidemill")
        body = b"{}"
        for authority, status in ((":".join(self.address), b"\x88"), ("elsewhere.example:1", None)):
            headers = {":authority": ":".join(self.address), "content-type": JSON,
                       "x-amz-target": "Kinesis_20131202.ListStreams"}
            signed = signer.signed_headers(key, headers, body) | {":authority": authority}
            assert ";:authority" in signed["authorization"] or "=:authority;" in signed["authorization"]
            answer = http2_request(self.broker, signed, body)
            assert answer.startswith(b"\x88") == (status is not None), (authority, answer)

    def t03_one_port_speaks_every_http(self):
        """HTTP/1.1, HTTP/2 by prior knowledge, both over TLS with ALPN, and HTTP/2 over TLS without any."""
        for alpn, is_tls in ((None, False), (["h2"], True), (["h2", "http/1.1"], True), (None, True)):
            assert speaks_http2(self.broker, is_tls, alpn), f"HTTP/2, ALPN {alpn}, TLS {is_tls}"
        with connected(self.broker, ["h2", "http/1.1"], True) as peer:
            assert peer.selected_alpn_protocol() == "h2"
        for alpn in (None, ["http/1.1"]):
            peer = connected(self.broker, alpn, True)
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert peer.recv(15).startswith(b"HTTP/1.1 200")
            peer.close()

    def t04_t07_t09_first_response_encoding_and_pace(self):
        """botocore fails without the first; Java ends a connection that is silent for ten seconds."""
        shard, = self.stream("t04")
        consumer = self.consumer("t04")
        self.put("t04")
        for content_type in (JSON, CBOR):
            events = self.subscribe(consumer, shard, content_type, Type="TRIM_HORIZON")
            assert next(events) == ("initial-response", {}), "the first frame"
            kind, event = next(events)
            assert kind == "SubscribeToShardEvent" and set(event) >= {"Records", "ContinuationSequenceNumber",
                                                                     "MillisBehindLatest"}, event
            data = event["Records"][0]["Data"]
            assert data == (b"hi" if content_type == CBOR else "aGk="), "payloads in the request's encoding"
            assert isinstance(event["Records"][0]["ApproximateArrivalTimestamp"], cbor.Time if content_type == CBOR else float)
            before = time.monotonic()
            while event["Records"]:
                _, event = next(events)
            assert time.monotonic() - before < 8, "an empty event says that the connection lives"
            assert event["MillisBehindLatest"] == 0 and event["ContinuationSequenceNumber"]
            time.sleep(5.1)  # a subscription may be taken over after five seconds

    def t05_times_in_cbor_are_in_milliseconds(self):
        """Against the RFC. cbor_test.py has the same for every operation that takes or gives one."""
        self.stream("t05")
        created = self.call("DescribeStreamSummary", CBOR, StreamName="t05")["StreamDescriptionSummary"]
        stamp = created["StreamCreationTimestamp"]
        assert isinstance(stamp, cbor.Time) and abs(stamp / 1000 - time.time()) < 60, stamp

    def t06_blobs_are_bytes_and_lengths_may_be_indefinite(self):
        self.stream("t06")
        for body in (b"\xbf\x6aStreamName\x63t06\x64Data\x42hi\x6cPartitionKey\x61k\xff",
                     b"\xa3\x6aStreamName\x63t06\x64Data\x42hi\x6cPartitionKey\x61k",
                     b"\xbf\x6aStreamName\x7f\x61t\x6206\xff\x64Data\x5f\x41h\x41i\xff\x6cPartitionKey\x61k\xff"):
            assert self.wire.post("PutRecord", body, CBOR).document()["SequenceNumber"]
        iterator = self.iterator("t06", "shardId-000000000000", "TRIM_HORIZON")
        assert [r["Data"] for r in self.call("GetRecords", CBOR, ShardIterator=iterator)["Records"]] == [b"hi"] * 3

    def t08_no_next_iterator_means_children(self):
        """And the other way about: KCL reads a closed shard for ever otherwise."""
        shard, = self.stream("t08")
        self.put("t08")
        iterators = {kind: self.iterator("t08", shard, kind) for kind in ("TRIM_HORIZON", "LATEST")}
        self.call("SplitShard", StreamName="t08", ShardToSplit=shard, NewStartingHashKey=str(2**127))
        iterators["after"] = self.iterator("t08", shard, "LATEST")
        for iterator in iterators.values():
            while iterator:
                answer = self.call("GetRecords", ShardIterator=iterator)
                iterator = answer.get("NextShardIterator")
                assert (iterator is None) == bool(answer.get("ChildShards")), answer
            children = answer["ChildShards"]
            assert [c["ShardId"] for c in children] == ["shardId-000000000001", "shardId-000000000002"], children
            assert all(c["ParentShards"] == [shard] and c["HashKeyRange"] for c in children), children

    def t10_a_token_stands_alone(self):
        """NextToken of ListShards carries the stream, the filter and where it began."""
        self.stream("t10", 5)
        ids, token = [], None
        while True:
            request = {"NextToken": token} if token else {"StreamName": "t10", "ShardFilter": {
                "Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000000"}}
            answer = self.call("ListShards", MaxResults=2, **request)
            ids += [s["ShardId"] for s in answer["Shards"]]
            token = answer.get("NextToken")
            if token is None:
                break
        assert ids == [f"shardId-00000000000{i}" for i in (1, 2, 3, 4)], ids
        token = self.call("ListShards", StreamName="t10", MaxResults=1)["NextToken"]
        for more in ({"StreamName": "t10"}, {"StreamARN": ARN + "t10"}, {"StreamCreationTimestamp": 1700000000},
                     {"ExclusiveStartShardId": "shardId-000000000000"}):
            assert self.error("ListShards", NextToken=token, **more)[0] == "InvalidArgumentException", more

    def t11_as_many_answers_as_records(self):
        self.stream("t11", 3)
        for count in (1, 2, 499, 500):
            records = [{"Data": "", "PartitionKey": f"{i}"} for i in range(count)]
            assert len(self.call("PutRecords", StreamName="t11", Records=records)["Records"]) == count
        # One malformed entry fails the call, and nothing of it is written.
        before = self.iterator("t11", "shardId-000000000000", "LATEST")
        bad = [{"Data": "aGk=", "PartitionKey": "k", "ExplicitHashKey": "0"}, {"Data": "aGk=", "PartitionKey": ""}]
        assert self.error("PutRecords", StreamName="t11", Records=bad)[0] == "ValidationException"
        assert self.call("GetRecords", ShardIterator=before)["Records"] == []

    def t12_keys_go_where_their_hash_says(self):
        """All 128 bits of it; the KPL predicts the shard and asks for proof."""
        self.stream("t12", 7)
        shards = self.call("ListShards", StreamName="t12")["Shards"]
        ranges = [(int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"]), s["ShardId"])
                  for s in shards]
        assert ranges[0][0] == 0 and ranges[-1][1] == 2**128 - 1
        assert [start for start, _, _ in ranges] == [2**128 // 7 * i for i in range(7)]

        def expected(value):
            return next(shard for start, end, shard in ranges if start <= value <= end)
        keys = [f"k\u00fc{i}" for i in range(400)]
        answer = self.call("PutRecords", StreamName="t12", Records=[{"Data": "", "PartitionKey": k} for k in keys])
        for key, outcome in zip(keys, answer["Records"]):
            assert outcome["ShardId"] == expected(int(hashlib.md5(key.encode()).hexdigest(), 16)), key
        edges = [v for start, end, _ in ranges for v in (start, end)]
        answer = self.call("PutRecords", StreamName="t12", Records=[
            {"Data": "", "PartitionKey": "k", "ExplicitHashKey": str(v)} for v in edges])
        for value, outcome in zip(edges, answer["Records"]):
            assert outcome["ShardId"] == expected(value), value

    def t13_sequence_numbers_are_what_kcl_takes_apart(self):
        """186 bits, a 2 in front, the shard's number 4 bits from the end; growing."""
        self.stream("t13", 3)
        last = {}
        for i in range(30):
            outcome = self.put("t13", PartitionKey=str(i))
            number = int(outcome["SequenceNumber"])
            assert number.bit_length() == 186 and number >> 184 == 2, number
            assert outcome["ShardId"] == f"shardId-{number >> 4 & 0xffffffff:012d}", outcome
            assert number > last.get(outcome["ShardId"], 0)
            last[outcome["ShardId"]] = number
        self.call("MergeShards", StreamName="t13", ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001")
        for shard in self.call("ListShards", StreamName="t13")["Shards"]:
            span = shard["SequenceNumberRange"]
            for number in span.values():
                assert int(number) >> 4 & 0xffffffff == int(shard["ShardId"][-12:]), shard
            if "EndingSequenceNumber" in span:
                assert int(span["EndingSequenceNumber"]) > last[shard["ShardId"]]

    def t14_expect_100_continue(self):
        body = json.dumps({"StreamName": "none"}).encode()
        peer = connected(self.broker)
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Kinesis_20131202.DescribeStream\r\nContent-Type: "
                     b"application/x-amz-json-1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        assert peer.recv(4096).startswith(b"HTTP/1.1 400 ")

    def t15_ten_mebibytes_fit_into_a_body(self):
        self.stream("t15")
        records = [{"Data": base64.b64encode(bytes(1 << 20)).decode()[:-8], "PartitionKey": "k"} for _ in range(10)]
        answer = self.call("PutRecords", StreamName="t15", Records=records)
        assert answer["FailedRecordCount"] == 0, answer
        records = [{"Data": base64.b64encode(bytes(1 << 20)).decode(), "PartitionKey": "k"} for _ in range(11)]
        assert self.error("PutRecords", StreamName="t15", Records=records)[0] == "InvalidArgumentException"

    def t16_message_is_lower_case_but_for_one(self):
        assert "message" in self.wire.post("DescribeStream", {"StreamName": "none"}).document()
        assert "message" in self.wire.post("DescribeStream", {"StreamName": ""}).document()
        assert "Message" in self.wire.post("DescribeStream", {"StreamName": 5}).document()

    def t17_times_may_be_any_json_number(self):
        shard, = self.stream("t17")
        self.put("t17")
        for text in ("1.7E9", "1.7e+9", "1700000000", "1700000000.0", "17000000000e-1"):
            body = (f'{{"StreamName":"t17","ShardId":"{shard}","ShardIteratorType":"AT_TIMESTAMP","Timestamp":{text}}}')
            iterator = self.wire.call("GetShardIterator", body.encode())["ShardIterator"]
            assert len(self.call("GetRecords", ShardIterator=iterator)["Records"]) == 1, text

    def t18_operations_without_an_answer_have_an_empty_body(self):
        for content_type in (JSON, CBOR):
            for operation, more in (("CreateStream", {"ShardCount": 2}), ("AddTagsToStream", {"Tags": {"a": "b"}}),
                                    ("RemoveTagsFromStream", {"TagKeys": ["a"]}),
                                    ("IncreaseStreamRetentionPeriod", {"RetentionPeriodHours": 48}),
                                    ("DecreaseStreamRetentionPeriod", {"RetentionPeriodHours": 24}),
                                    ("SplitShard", {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "77"}),
                                    ("MergeShards", {"ShardToMerge": "shardId-000000000002",
                                                     "AdjacentShardToMerge": "shardId-000000000003"}), ("DeleteStream", {})):
                answer = self.wire.post(operation, {"StreamName": "t18", **more}, content_type)
                assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0"), (
                    operation, answer.body)

    def t19_latest_is_fixed_when_it_is_asked_for(self):
        shard, = self.stream("t19")
        self.put("t19")
        latest = self.iterator("t19", shard, "LATEST")
        number = self.put("t19")["SequenceNumber"]
        assert [r["SequenceNumber"] for r in self.call("GetRecords", ShardIterator=latest)["Records"]] == [number]

    def t20_a_certificate_that_names_its_host(self):
        """The KPL checks the host's name, and takes a host and a port without a path."""
        certificate = os.path.join(self.broker.directory, "data", "tls", "certificate.pem")
        context = ssl.create_default_context(cafile=certificate)
        for host in ("localhost", "127.0.0.1"):
            connection = http.client.HTTPSConnection(host, int(self.address[1]), timeout=30, context=context)
            connection.request("POST", "/", b"{}", {"X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": JSON})
            assert connection.getresponse().status == 200, host
            connection.close()
        try:
            context.wrap_socket(socket.create_connection((self.address[0], int(self.address[1]))), server_hostname="other.example")
        except ssl.SSLCertVerificationError:
            return
        raise AssertionError("the certificate is good for any name")

    def t21_conditions_and_updates_in_the_old_form(self):
        """KCL says Expected and AttributeUpdates where others write expressions."""
        def table(operation, **request):
            answer = self.wire.send("POST", json.dumps(request).encode(), {
                "X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"})
            return answer.status, json.loads(answer.body)
        key = {"leaseKey": {"S": "shardId-0"}}
        assert table("CreateTable", TableName="t21", BillingMode="PAY_PER_REQUEST",
                     AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
                     KeySchema=[{"AttributeName": "leaseKey", "KeyType": "HASH"}])[0] == 200
        new = {"TableName": "t21", "Item": key | {"leaseCounter": {"N": "0"}}, "Expected": {"leaseKey": {"Exists": False}}}
        assert table("PutItem", **new)[0] == 200
        status, error = table("PutItem", **new)
        assert status == 400 and error["__type"].endswith("#ConditionalCheckFailedException"), error
        for counter, status in (("0", 200), ("0", 400), ("1", 200)):
            got = table("UpdateItem", TableName="t21", Key=key,
                        Expected={"leaseCounter": {"Value": {"N": counter}}, "leaseOwner": {"Exists": False}}
                        if counter == "0" and status == 200 else {"leaseCounter": {"Value": {"N": counter}}},
                        AttributeUpdates={"leaseCounter": {"Value": {"N": "1"}, "Action": "ADD"},
                                          "leaseOwner": {"Value": {"S": "one"}, "Action": "PUT"}})
            assert got[0] == status, got
        item = table("GetItem", TableName="t21", Key=key, ConsistentRead=True)[1]["Item"]
        assert item == key | {"leaseCounter": {"N": "2"}, "leaseOwner": {"S": "one"}}, item

    def t22_an_arn_may_stand_for_the_name(self):
        self.stream("t22")
        assert self.call("DescribeStreamSummary", StreamARN=ARN + "t22")
        assert self.call("DescribeStreamSummary", StreamARN=ARN + "t22", StreamName="t22")
        other = ARN.replace("000000000000", "123456789012") + "t22"
        kind, message = self.error("DescribeStreamSummary", StreamARN=other)
        assert kind in ("ResourceNotFoundException", "AccessDeniedException"), (kind, message)
        assert self.error("DescribeStreamSummary", StreamARN=ARN + "t22", StreamName="t19")[0] == "InvalidArgumentException"

    def t23_a_new_stream_is_usable_at_once_or_says_that_it_is_not(self):
        self.call("CreateStream", StreamName="t23", ShardCount=3)
        status = self.call("DescribeStreamSummary", StreamName="t23")["StreamDescriptionSummary"]["StreamStatus"]
        assert status in ("CREATING", "ACTIVE")
        deadline = time.monotonic() + 10
        while status != "ACTIVE":
            assert time.monotonic() < deadline
            time.sleep(0.1)
            status = self.call("DescribeStreamSummary", StreamName="t23")["StreamDescriptionSummary"]["StreamStatus"]
        assert self.put("t23")["SequenceNumber"]

    def t24_permanent_faults_are_not_for_trying_again(self):
        """SDKs try LimitExceeded again, so it is only for what may pass."""
        self.stream("t24")
        for operation, request in (("UpdateShardCount", {"TargetShardCount": 20_000, "ScalingType": "UNIFORM_SCALING"}),
                                   ("DecreaseStreamRetentionPeriod", {"RetentionPeriodHours": 1}),
                                   ("IncreaseStreamRetentionPeriod", {"RetentionPeriodHours": 10**9})):
            kind, _ = self.error(operation, StreamName="t24", **request)
            assert kind in ("InvalidArgumentException", "ValidationException"), (operation, kind)

    def t25_every_answer_has_a_date(self):
        for answer in (self.wire.post("ListStreams", {}), self.wire.post("ListStreams", b"{"), self.wire.send("GET", None, {}, "/x"),
                       self.wire.send("PUT", b"", {})):
            assert answer.headers["Date"].endswith(" GMT"), answer.headers


def main(program):
    failed = []
    with Broker(program) as broker:
        traps = Traps(broker)
        for name in sorted(name for name in dir(traps) if name[0] == "t" and name[1:3].isdigit()):
            try:
                getattr(traps, name)()
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {error}")
                failed.append(name)
                traps.wire = Wire(broker, traps.facts)
    if failed:
        sys.exit(f"{len(failed)} traps")
    traps.facts.settle()
    print("traps: passed")


if __name__ == "__main__":
    main(sys.argv[1])
