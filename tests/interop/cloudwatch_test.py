"""PutMetricData in its three wire forms, seen again in /metrics: cloudwatch_test.py PROGRAM"""
import gzip
import http.client
import json
import re
import struct
import sys
import time
import urllib.parse
import urllib.request

from broker import Broker, client_environment, skip

try:
    import boto3
    import botocore
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed")


def shown(broker, family, **labels):
    """The values of the series that have these labels."""
    text = urllib.request.urlopen(broker.url + "/metrics").read().decode()
    values = []
    for line in text.splitlines():
        found = re.fullmatch(r"tidemill_cloudwatch_" + family + r"\{(.*)\} (\S+)", line)
        if found and all(f'{k}="{v}"' in found[1] for k, v in labels.items()):
            values.append(float(found[2]))
    return values


def through_boto3(broker):
    environment = client_environment()
    watch = boto3.client("cloudwatch", endpoint_url=broker.url, region_name="eu-west-1",
                         aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                         aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"], config=Config(retries={"max_attempts": 1}))
    watch.put_metric_data(Namespace="boto", MetricData=[
        {"MetricName": "Latency", "Unit": "Milliseconds", "Value": 2.5, "Timestamp": time.time(),
         "Dimensions": [{"Name": "Operation", "Value": "Put & get"}]},
        {"MetricName": "Latency", "Unit": "Milliseconds", "Values": [1, 4.5], "Counts": [2, 1],
         "Dimensions": [{"Name": "Operation", "Value": "Put & get"}]},
        {"MetricName": "Size", "Unit": "Bytes", "StatisticValues": {"SampleCount": 3, "Sum": 30, "Minimum": 5, "Maximum": 15}}])
    assert shown(broker, "sum", namespace="boto", metric="Latency", dim_Operation="Put & get") == [9.0]
    assert shown(broker, "samples_total", namespace="boto", metric="Latency") == [4.0]
    assert shown(broker, "average", namespace="boto", metric="Size", unit="Bytes") == [10.0]
    # Larger than what newer clients send uncompressed.
    watch.put_metric_data(Namespace="large", MetricData=[
        {"MetricName": f"m{i}", "Value": i, "Dimensions": [{"Name": "d" * 30, "Value": "v" * 60}]} for i in range(500)])
    assert sum(shown(broker, "sum", namespace="large")) == sum(range(500))
    for code, arguments in (("InvalidParameterValue", {"Namespace": "AWS/x", "MetricData": [{"MetricName": "m", "Value": 1}]}),
                            ("InvalidParameterCombination", {"Namespace": "x", "MetricData": [{"MetricName": "m"}]})):
        try:
            watch.put_metric_data(**arguments)
            raise AssertionError("refusal expected")
        except ClientError as error:
            # Clients that know the service by its JSON and CBOR model name the exceptions whole.
            assert error.response["Error"]["Code"] in (code, code + "Exception"), error.response
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def text(value):
    raw = value.encode()
    return (bytes([0x60 + len(raw)]) if len(raw) < 24 else bytes([0x78, len(raw)])) + raw


def forms(namespace, value):
    """The same request thrice: name, headers, path, body."""
    at = time.time()
    query = urllib.parse.urlencode({
        "Action": "PutMetricData", "Version": "2010-08-01", "Namespace": namespace, "MetricData.member.1.MetricName": "m",
        "MetricData.member.1.Value": value, "MetricData.member.1.Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))})
    yield "query", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "/", query.encode()
    yield "json", {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData"}, \
        "/", json.dumps({"Namespace": namespace, "MetricData": [{"MetricName": "m", "Value": value, "Timestamp": at}]}).encode()
    cbor = b"\xbf" + text("Namespace") + text(namespace) + text("MetricData") + b"\x81\xa3" + text("MetricName") + text("m") + \
        text("Value") + b"\xfb" + struct.pack(">d", value) + text("Timestamp") + b"\xc1\xfb" + struct.pack(">d", at) + b"\xff"
    yield "cbor", {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "Accept": "application/cbor"}, \
        "/service/GraniteServiceVersion20100801/operation/PutMetricData", cbor


def on_the_wire(broker):
    connection = http.client.HTTPConnection(broker.url.removeprefix("http://"))

    def post(path, body, headers):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()

    for name, headers, path, body in forms("wire", 2):
        answer, content = post(path, body, headers)
        assert answer.status == 200, (name, answer.status, content)
        answer, content = post(path, gzip.compress(body), headers | {"Content-Encoding": "gzip"})
        # A compressed form says nothing of its service; a signature does.
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260711/eu-west-1/monitoring/aws4_request, "
                  "SignedHeaders=host, Signature=00"}
        if name == "query":
            answer, content = post(path, gzip.compress(body), headers | signed | {"Content-Encoding": "gzip"})
            assert b"<PutMetricDataResponse" in content, content
        assert answer.status == 200, (name, answer.status, content)
        if name == "cbor":
            assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        answer, content = post(path, gzip.compress(body)[:-9], headers | signed | {"Content-Encoding": "gzip"})
        assert answer.status == 400, (name, content)
    assert shown(broker, "sum", namespace="wire") == [12.0]
    for name, headers, path, body in forms("AWS/wire", 1):
        answer, content = post(path, body, headers)
        assert answer.status == 400 and b"AWS/wire for parameter Namespace is invalid" in content, (name, content)
        assert name == "query" or answer.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    answer, content = post("/", b"Action=ListMetrics&Version=2010-08-01", {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 400 and b"<Code>InvalidAction</Code>" in content, content


def main(program):
    with Broker(program) as broker:
        through_boto3(broker)
        on_the_wire(broker)
    print("cloudwatch: done with botocore", botocore.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
