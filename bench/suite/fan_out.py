"""How soon a record that PutRecord acknowledges is pushed to a subscriber of SubscribeToShard: a closed loop over HTTP/1.1."""
import base64
import http.client
import json
import struct
import time

from .bench import Cell

PUT_SECONDS = 10  # nothing takes so long


class Caller:
    """One connection to the Kinesis API."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=PUT_SECONDS)

    def answer(self, operation, body):
        self.connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/x-amz-json-1.1",
                                                                "X-Amz-Target": f"Kinesis_20131202.{operation}"})
        response = self.connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{operation}: {response.status} {response.read(300)}")
        return response

    def call(self, operation, **body):
        return json.loads(self.answer(operation, body).read() or b"{}")


def records(response):
    """The data of every record that the events of an answer bring, as they come."""
    while prelude := response.read(12):
        total, headers, _ = struct.unpack(">III", prelude)
        rest = response.read(total - 12)
        event = json.loads(rest[headers:-4])
        yield from (base64.b64decode(record["Data"]) for record in event.get("Records", []))


def quantiles(name, seconds):
    ordered = sorted(seconds)
    return {f"{name}_p{label}": ordered[min(len(ordered) - 1, int(len(ordered) * share))]
            for label, share in (("50", 0.5), ("99", 0.99))}


def measure(address, seconds):
    writer, reader = Caller(address), Caller(address)
    writer.call("CreateStream", StreamName="fan-out", ShardCount=1)
    end = time.monotonic() + PUT_SECONDS
    while (stream := writer.call("DescribeStreamSummary", StreamName="fan-out")["StreamDescriptionSummary"])["StreamStatus"] != "ACTIVE":
        if time.monotonic() > end:
            raise RuntimeError("the stream does not become active")
    consumer = writer.call("RegisterStreamConsumer", StreamARN=stream["StreamARN"], ConsumerName="bench")["Consumer"]
    came = records(reader.answer("SubscribeToShard", {"ConsumerARN": consumer["ConsumerARN"], "ShardId": "shardId-000000000000",
                                                      "StartingPosition": {"Type": "TRIM_HORIZON"}}))
    delivered, pushed, number = [], [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = b"%0100d" % number
        encoded = base64.b64encode(data).decode()
        sent = time.monotonic()
        writer.call("PutRecord", StreamName="fan-out", PartitionKey="k", Data=encoded)
        acknowledged = time.monotonic()
        if next(came, None) != data:
            raise RuntimeError(f"record {number} is not what came")
        seen = time.monotonic()
        delivered.append(seen - sent)
        pushed.append(seen - acknowledged)
        number += 1
    return {"records": number, **quantiles("delivered", delivered), **quantiles("pushed", pushed)}


def own_cells():
    def run(bench):
        with bench.broker() as broker:
            return measure(broker.address, bench.seconds), "suite/fan_out.py"
    return [Cell("kinesis_fan_out", "tidemill", run)]
