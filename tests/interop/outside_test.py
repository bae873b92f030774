"""Rows that leave the broker and records that go through a command: outside_test.py PROGRAM"""
import http.server
import json
import os
import subprocess
import sys
import threading
import time

from broker import Broker, client_environment, skip

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed")

REGION = "eu-west-1"
SETTINGS = '[sql]\nallow_commands = true\nfiles_directory = "@/files"\nfunctions_directory = "@/functions"\n'
# Numbers in text to JSON; drops 3, fails at 4, forgets 5 once, dies at 6 once.
COMMAND = r'''#!/usr/bin/python3
import base64, json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
def first(what):
    path = os.path.join(here, what)
    new = not os.path.exists(path)
    open(path, "w").close()
    return new
for line in sys.stdin:
    request = json.loads(line)
    assert set(request) == {"invocationId", "applicationArn", "streamArn", "records"}, request
    answers = []
    for record in request["records"]:
        meta = record["kinesisStreamRecordMetadata"]
        assert set(meta) == {"sequenceNumber", "partitionKey", "shardId", "approximateArrivalTimestamp"}, meta
        number = int(base64.b64decode(record["data"]))
        answer = {"recordId": record["recordId"], "result": {3: "Dropped", 4: "ProcessingFailed"}.get(number, "Ok")}
        if number == 5 and first("forgotten"):
            continue
        if number == 6 and first("died"):
            sys.exit(1)
        if answer["result"] == "Ok":
            rows = "".join(json.dumps({"n": n, "key": meta["partitionKey"]}) for n in (number, number * 100))
            answer["data"] = base64.b64encode(rows.encode()).decode()
        answers.append(answer)
    print(json.dumps({"records": answers[::-1]}), flush=True)
'''


def eventually(what, look, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come: {look()!r}")


class Receiver(http.server.ThreadingHTTPServer):
    """Refuses bodies with "bad", is out of order for its first two requests."""

    def __init__(self):
        self.bodies, self.requests = [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.requests += 1
                status = 503 if outer.requests <= 2 else 400 if "bad" in body else 200
                if status == 200:
                    outer.bodies.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Clients:
    def __init__(self, broker):
        environment = client_environment(REGION)
        keys = {"aws_access_key_id": environment["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"]}
        self.kinesis, self.v1 = (boto3.client(s, endpoint_url=broker.url, region_name=REGION, config=Config(
            retries={"max_attempts": 1}), **keys) for s in ("kinesis", "kinesisanalytics"))

    def make_stream(self, name):
        self.kinesis.create_stream(StreamName=name, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})

    def put(self, stream, *texts):
        for text in texts:
            self.kinesis.put_record(StreamName=stream, PartitionKey="k", Data=text)

    def texts(self, stream):
        at = self.kinesis.get_shard_iterator(StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        texts = []
        while True:
            page = self.kinesis.get_records(ShardIterator=at)
            texts += [r["Data"].decode() for r in page["Records"]]
            if not page["Records"]:
                return texts
            at = page["NextShardIterator"]

    def run(self, name, code, **more):
        self.v1.create_application(ApplicationName=name, ApplicationCode=code, **more)
        self.v1.start_application(ApplicationName=name, InputConfigurations=[])
        eventually("the start", lambda: self.v1.describe_application(ApplicationName=name)["ApplicationDetail"]["ApplicationStatus"] == "RUNNING")


def reference_tables(broker, clients):
    """A table from a file, by SQL and by the API; exchanged while the application runs; a bad file changes nothing."""
    clients.make_stream("orders")
    clients.make_stream("named")
    path = os.path.join(broker.directory, "files", "companies", "list.csv")
    os.makedirs(os.path.dirname(path), exist_ok=True)

    def write(text):
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
    write("Ticker,Company\nAMZN,Amazon\n")
    code = """
        CREATE STREAM S ("ticker" VARCHAR(8), "n" INTEGER) WITH (source = 'orders', start = 'earliest');
        CREATE STREAM D ("n" INTEGER, "company" VARCHAR(20)) WITH (sink = 'named');
        CREATE PUMP P AS INSERT INTO D SELECT STREAM S."n", c."Company" FROM S LEFT JOIN "Companies" AS c ON S."ticker" = c."Ticker";
        %s"""
    clients.run("named", code % """CREATE TABLE "Companies" ("Ticker" VARCHAR(8), "Company" VARCHAR(20)) WITH (file = 'companies/list.csv');""")

    def expect(n, ticker, company):
        def come():
            clients.put("orders", json.dumps({"ticker": ticker, "n": n}))
            rows = [json.loads(text) for text in clients.texts("named")]
            return [row for row in rows if row["n"] == n and row.get("company") == company]
        eventually(f"{ticker} as {company}", come)
    expect(1, "AMZN", "Amazon")
    expect(2, "TBV", None)
    write("Ticker,Company\nAMZN,Amazon\nTBV,Thing\n")
    expect(3, "TBV", "Thing")
    os.remove(path)

    def errors():
        state = subprocess.run([sys.argv[1], "app", "status", "named", "-o", "json", "--connect", broker.url.removeprefix("http://")],
                               capture_output=True, check=True, text=True)
        return json.loads(state.stdout)[0]["errors"]
    eventually("a word of the missing file", errors)
    expect(4, "TBV", "Thing")
    write("Ticker,Company\nTBV,Other\n")
    expect(5, "TBV", "Other")

    # The same as the API says it: an object of S3 is a file below the directory.
    clients.v1.stop_application(ApplicationName="named")
    clients.v1.create_application(ApplicationName="by-api", ApplicationCode=code % "")
    clients.v1.add_application_reference_data_source(ApplicationName="by-api", CurrentApplicationVersionId=1, ReferenceDataSource={
        "TableName": "Companies",
        "S3ReferenceDataSource": {"BucketARN": "arn:aws:s3:::companies", "FileKey": "list.csv", "ReferenceRoleARN": "arn:aws:iam::123456789012:role/r"},
        "ReferenceSchema": {
            "RecordFormat": {"RecordFormatType": "CSV", "MappingParameters": {
                "CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}}},
            "RecordColumns": [{"Name": "Ticker", "SqlType": "VARCHAR(8)"}, {"Name": "Company", "SqlType": "VARCHAR(20)"}]}})
    clients.v1.start_application(ApplicationName="by-api", InputConfigurations=[])
    expect(6, "TBV", "Other")
    clients.v1.stop_application(ApplicationName="by-api")
    for name, file in (("outside", "../secret.csv"), ("absent", "absent.csv")):
        try:
            clients.run(name, code % f"""CREATE TABLE "Companies" ("Ticker" VARCHAR(8), "Company" VARCHAR(20)) WITH (file = '{file}');""")
            raise AssertionError(f"{file} was taken")
        except ClientError as error:
            assert "secret.csv" in str(error) or "absent.csv" in str(error), error


def files(broker, clients):
    clients.make_stream("lines")
    clients.run("to-files", """
        CREATE STREAM S (A INTEGER PATH '$.a', B VARCHAR(10) PATH '$.b') WITH (source = 'lines', start = 'earliest');
        CREATE STREAM F (A INTEGER, B VARCHAR(10)) WITH (sink = 'file:rows.csv', format = 'csv', header = true);
        CREATE STREAM J (A INTEGER) WITH (sink = 'file:rows.json');
        CREATE PUMP P AS INSERT INTO F SELECT STREAM A, B FROM S;
        CREATE PUMP Q AS INSERT INTO J SELECT STREAM A FROM S;""")
    clients.put("lines", *(json.dumps({"a": i, "b": f"b,{i}"}) for i in range(5)))
    path = os.path.join(broker.directory, "files", "rows.csv")
    expected = "A,B\n" + "".join(f'{i},"b,{i}"\n' for i in range(5))
    eventually("the file", lambda: os.path.exists(path) and open(path).read() == expected)
    broker.restart()
    clients = Clients(broker)
    clients.put("lines", '{"a":9,"b":"end"}')
    eventually("the file after a restart", lambda: open(path).read() == expected + "9,end\n")
    assert open(path.replace("csv", "json")).read().splitlines()[0] == '{"A":0}'
    for sink in ("file:../escaped", "file:/etc/escaped"):
        try:
            clients.run("escape", f"CREATE STREAM S (A INTEGER) WITH (source = 'lines'); CREATE STREAM D (A INTEGER) WITH (sink = '{sink}');")
            raise AssertionError("a file outside was allowed")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidApplicationConfigurationException", error.response
            assert "is not within" in error.response["Error"]["Message"], error.response
            detail = clients.v1.describe_application(ApplicationName="escape")["ApplicationDetail"]
            clients.v1.delete_application(ApplicationName="escape", CreateTimestamp=detail["CreateTimestamp"])


def over_http(clients):
    receiver = Receiver()
    clients.make_stream("posts")
    clients.make_stream("post-errors")
    clients.run("to-http", f"""
        CREATE STREAM S (A VARCHAR(10) PATH '$.a') WITH (source = 'posts', start = 'earliest');
        CREATE STREAM H (A VARCHAR(10)) WITH (sink = 'http://127.0.0.1:{receiver.server_port}/rows', batch = 1, tries = 5);
        CREATE PUMP P AS INSERT INTO H SELECT STREAM A FROM S;""", Outputs=[{
            "Name": "error_stream", "DestinationSchema": {"RecordFormatType": "JSON"}, "KinesisStreamsOutput": {
                "ResourceARN": f"arn:aws:kinesis:{REGION}:000000000000:stream/post-errors", "RoleARN": "arn:aws:iam::000000000000:role/r"}}])
    clients.put("posts", *(json.dumps({"a": a}) for a in ("one", "bad", "two")))
    eventually("POSTs", lambda: receiver.bodies == ['[{"A":"one"}]', '[{"A":"two"}]'])
    row, = map(json.loads, eventually("the refusal", lambda: clients.texts("post-errors")))
    assert row["ERROR_NAME"] == "OUTPUT_REFUSED" and "status 400" in row["MESSAGE"], row
    assert bytes.fromhex(row["DATA_ROW"]) == b'{"A":"bad"}', row
    receiver.shutdown()


def commands(broker, clients):
    directory = os.path.join(broker.directory, "functions")
    with open(os.open(os.path.join(directory, "clean"), os.O_CREAT | os.O_WRONLY, 0o755), "w") as file:
        file.write(COMMAND)
    for name in ("raw", "clean", "clean-errors"):
        clients.make_stream(name)
    errors = {"Name": "error_stream", "DestinationSchema": {"RecordFormatType": "JSON"}, "KinesisStreamsOutput": {
        "ResourceARN": f"arn:aws:kinesis:{REGION}:000000000000:stream/clean-errors", "RoleARN": "arn:aws:iam::000000000000:role/r"}}
    clients.put("raw", *map(str, range(1, 9)))
    clients.run("cleaned", f"""
        CREATE STREAM S (N INTEGER PATH '$.n', K VARCHAR(5) PATH '$.key')
          WITH (source = 'raw', start = 'earliest', preprocess = 'exec {directory}/clean', preprocess_timeout = 20000);
        CREATE STREAM D (N INTEGER, K VARCHAR(5)) WITH (sink = 'clean', format = 'csv');
        CREATE PUMP P AS INSERT INTO D SELECT STREAM N, K FROM S;""", Outputs=[errors])
    expected = [f"{m},k" for n in (1, 2, 5, 6, 7, 8) for m in (n, n * 100)]
    eventually("processed rows", lambda: clients.texts("clean") == expected)
    row, = map(json.loads, eventually("the failure", lambda: clients.texts("clean-errors")))
    assert row["ERROR_NAME"] == "PROCESSING_FAILED" and bytes.fromhex(row["DATA_ROW"]) == b"4", row

    # The same as the API says it: the function's name is the executable's.
    arn = f"arn:aws:kinesis:{REGION}:000000000000:stream/"
    role = "arn:aws:iam::000000000000:role/r"
    clients.make_stream("lambda-out")
    clients.v1.create_application(
        ApplicationName="by-function", ApplicationCode='CREATE STREAM D (N INTEGER); CREATE PUMP P AS INSERT INTO D SELECT STREAM "n" FROM "IN_001";',
        Inputs=[{"NamePrefix": "IN", "KinesisStreamsInput": {"ResourceARN": arn + "raw", "RoleARN": role},
                 "InputProcessingConfiguration": {"InputLambdaProcessor": {
                     "ResourceARN": f"arn:aws:lambda:{REGION}:000000000000:function:clean:1", "RoleARN": role}},
                 "InputSchema": {"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
                     {"Name": "n", "Mapping": "$.n", "SqlType": "INTEGER"}]}}],
        Outputs=[{"Name": "D", "KinesisStreamsOutput": {"ResourceARN": arn + "lambda-out", "RoleARN": role},
                  "DestinationSchema": {"RecordFormatType": "CSV"}}])
    described, = clients.v1.describe_application(ApplicationName="by-function")["ApplicationDetail"]["InputDescriptions"]
    clients.v1.start_application(ApplicationName="by-function", InputConfigurations=[
        {"Id": described["InputId"], "InputStartingPositionConfiguration": {"InputStartingPosition": "TRIM_HORIZON"}}])
    eventually("processed rows", lambda: clients.texts("lambda-out") == [line.split(",")[0] for line in expected])


def not_allowed(program):
    with Broker(program) as broker:
        clients = Clients(broker)
        clients.make_stream("in")
        for name, code in (("c", "CREATE STREAM S (A INTEGER) WITH (source = 'in', preprocess = 'cat');"),
                           ("f", "CREATE STREAM S (A INTEGER) WITH (source = 'in'); CREATE STREAM D (A INTEGER) WITH (sink = 'file:x');")):
            try:
                clients.run(name, code)
                raise AssertionError("not allowed, and yet done")
            except ClientError as error:
                assert error.response["Error"]["Code"] == "InvalidApplicationConfigurationException", error.response
                assert "of this broker may" in error.response["Error"]["Message"], error.response


def main():
    with Broker(sys.argv[1], SETTINGS) as broker:
        for name in ("files", "functions"):
            os.mkdir(os.path.join(broker.directory, name))
        files(broker, Clients(broker))
        clients = Clients(broker)
        reference_tables(broker, clients)
        over_http(clients)
        commands(broker, clients)
    not_allowed(sys.argv[1])
    print("ok")


main()
