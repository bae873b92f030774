"""The Kinesis Analytics control API through boto3 and awscli: applications made, changed, run: analytics_test.py PROGRAM"""
import json
import shutil
import subprocess
import sys
import time

from broker import Broker, client_environment, skip

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed")

REGION = "eu-west-1"
ROLE = "arn:aws:iam::000000000000:role/analytics"
CODE = """CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (ticker VARCHAR(4), price DOUBLE);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM "ticker_symbol", "price" FROM "SOURCE_SQL_STREAM_001" WHERE "price" > {least};
"""
SCHEMA = {
    "RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}},
    "RecordEncoding": "UTF-8",
    "RecordColumns": [{"Name": "ticker_symbol", "Mapping": "$.ticker", "SqlType": "VARCHAR(4)"},
                      {"Name": "price", "Mapping": "$.deal.price", "SqlType": "DOUBLE"}]}
CSV_SCHEMA = {
    "RecordFormat": {"RecordFormatType": "CSV", "MappingParameters": {"CSVMappingParameters": {
        "RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}}},
    "RecordColumns": SCHEMA["RecordColumns"]}


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["Error"]["Message"], error.response
        return error.response
    raise AssertionError(f"{code} expected of {arguments}")


def eventually(what, look, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come: {look()!r}")


class Clients:
    def __init__(self, broker):
        environment = client_environment(REGION)
        self.broker = broker

        def client(service):
            return boto3.client(service, endpoint_url=broker.url, region_name=REGION,
                                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                                config=Config(retries={"max_attempts": 1}))
        self.kinesis, self.v1, self.v2 = (client(s) for s in ("kinesis", "kinesisanalytics", "kinesisanalyticsv2"))

    def make_stream(self, name):
        self.kinesis.create_stream(StreamName=name, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        return self.kinesis.describe_stream(StreamName=name)["StreamDescription"]["StreamARN"]

    def put(self, stream, *documents):
        for document in documents:
            data = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.kinesis.put_record(StreamName=stream, PartitionKey="k", Data=data)

    def texts(self, stream):
        iterator = self.kinesis.get_shard_iterator(StreamName=stream, ShardId="shardId-000000000000",
                                                   ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        texts = []
        while True:
            page = self.kinesis.get_records(ShardIterator=iterator)
            texts += [r["Data"].decode() for r in page["Records"]]
            if not page["Records"]:
                return texts
            iterator = page["NextShardIterator"]

    def status(self, name, status):
        return lambda: self.v1.describe_application(ApplicationName=name)["ApplicationDetail"]["ApplicationStatus"] == status


def deal(ticker, price):
    return {"ticker": ticker, "deal": {"price": price}}


def first_version(broker, clients):
    v1 = clients.v1
    source, target = clients.make_stream("deals"), clients.make_stream("large-deals")
    made = v1.create_application(
        ApplicationName="alerts", ApplicationDescription="deals above a price", ApplicationCode=CODE.format(least=100),
        Inputs=[{"NamePrefix": "SOURCE_SQL_STREAM", "KinesisStreamsInput": {"ResourceARN": source, "RoleARN": ROLE},
                 "InputSchema": SCHEMA}],
        Tags=[{"Key": "team", "Value": "risk"}])["ApplicationSummary"]
    arn = made["ApplicationARN"]
    assert made == {"ApplicationName": "alerts", "ApplicationStatus": "READY", "ApplicationARN": arn}, made
    assert arn == f"arn:aws:kinesisanalytics:{REGION}:000000000000:application/alerts"
    refused("ResourceInUseException", v1.create_application, ApplicationName="alerts")

    # What is wrong is said at once.
    refused("CodeValidationException", v1.create_application, ApplicationName="bad", ApplicationCode="CREATE STREEM x;")
    broken = refused("CodeValidationException", v1.update_application, ApplicationName="alerts", CurrentApplicationVersionId=1,
                     ApplicationUpdate={"ApplicationCodeUpdate": CODE.format(least=1).replace("price\" FROM", "prize\" FROM")})
    assert "line 3" in broken["Error"]["Message"] and "price" in broken["Error"]["Message"], broken
    refused("InvalidArgumentException", v1.create_application, ApplicationName="bad", Inputs=[{
        "NamePrefix": "S", "KinesisStreamsInput": {"ResourceARN": source, "RoleARN": ROLE}, "InputSchema": SCHEMA | {
            "RecordColumns": [{"Name": "a", "SqlType": "VARCAR(3)", "Mapping": "$.a"}]}}])
    refused("InvalidArgumentException", v1.add_application_output, ApplicationName="alerts", CurrentApplicationVersionId=1,
            Output={"Name": "DESTINATION_SQL_STREAM", "DestinationSchema": {"RecordFormatType": "JSON"}, "KinesisFirehoseOutput": {
                "ResourceARN": "arn:aws:firehose:eu-west-1:000000000000:deliverystream/x", "RoleARN": ROLE}})
    refused("ResourceNotFoundException", v1.describe_application, ApplicationName="nobody")

    output = {"Name": "DESTINATION_SQL_STREAM", "KinesisStreamsOutput": {"ResourceARN": target, "RoleARN": ROLE},
              "DestinationSchema": {"RecordFormatType": "JSON"}}
    v1.add_application_output(ApplicationName="alerts", CurrentApplicationVersionId=1, Output=output)
    refused("ConcurrentModificationException", v1.add_application_output, ApplicationName="alerts",
            CurrentApplicationVersionId=1, Output=output)
    v1.add_application_cloud_watch_logging_option(
        ApplicationName="alerts", CurrentApplicationVersionId=2, CloudWatchLoggingOption={
            "LogStreamARN": "arn:aws:logs:eu-west-1:000000000000:log-group:g:log-stream:s", "RoleARN": ROLE})
    detail = v1.describe_application(ApplicationName="alerts")["ApplicationDetail"]
    assert detail["ApplicationVersionId"] == 3 and detail["ApplicationCode"] == CODE.format(least=100)
    described, = detail["InputDescriptions"]
    assert described["InAppStreamNames"] == ["SOURCE_SQL_STREAM_001"] and described["InputParallelism"] == {"Count": 1}
    assert described["KinesisStreamsInputDescription"] == {"ResourceARN": source, "RoleARN": ROLE}
    assert described["InputSchema"] == SCHEMA, described
    sent, = detail["OutputDescriptions"]
    assert sent["Name"] == "DESTINATION_SQL_STREAM" and sent["DestinationSchema"] == {"RecordFormatType": "JSON"}, sent
    assert len(detail["CloudWatchLoggingOptionDescriptions"]) == 1

    # It runs, and its rows arrive.
    clients.put("deals", deal("OLD", 500))
    start = {"Id": described["InputId"], "InputStartingPositionConfiguration": {"InputStartingPosition": "TRIM_HORIZON"}}
    refused("InvalidArgumentException", v1.start_application, ApplicationName="alerts", InputConfigurations=[start | {"Id": "9.9"}])
    v1.start_application(ApplicationName="alerts", InputConfigurations=[start])
    eventually("the start", clients.status("alerts", "RUNNING"))
    refused("ResourceInUseException", v1.start_application, ApplicationName="alerts", InputConfigurations=[start])
    clients.put("deals", deal("IBM", 150.5), deal("AMZN", 50), deal("TOOLONG", 101))
    expected = ['{"TICKER":"OLD","PRICE":500}', '{"TICKER":"IBM","PRICE":150.5}', '{"TICKER":"TOOL","PRICE":101}']
    eventually("rows", lambda: clients.texts("large-deals") == expected)

    # The broker's end and beginning change nothing of it.
    broker.restart()
    clients = Clients(broker)
    v1 = clients.v1
    eventually("the restart", clients.status("alerts", "RUNNING"))
    clients.put("deals", deal("MSFT", 200))
    expected.append('{"TICKER":"MSFT","PRICE":200}')
    eventually("rows after a restart", lambda: clients.texts("large-deals")[-1:] == expected[-1:])

    # Changed while it runs.
    v1.update_application(ApplicationName="alerts", CurrentApplicationVersionId=3, ApplicationUpdate={
        "ApplicationCodeUpdate": CODE.format(least=1000),
        "OutputUpdates": [{"OutputId": sent["OutputId"], "DestinationSchemaUpdate": {"RecordFormatType": "CSV"}}]})
    detail = v1.describe_application(ApplicationName="alerts")["ApplicationDetail"]
    assert detail["ApplicationVersionId"] == 4 and detail["OutputDescriptions"][0]["DestinationSchema"] == {"RecordFormatType": "CSV"}
    assert detail["OutputDescriptions"][0]["KinesisStreamsOutputDescription"]["ResourceARN"] == target
    eventually("the changed application", clients.status("alerts", "RUNNING"))
    time.sleep(0.2)
    clients.put("deals", deal("LOW", 999), deal("HIGH", 1001))
    eventually("a row of the changed application", lambda: clients.texts("large-deals") == expected + ["HIGH,1001"])

    # Stopped, it goes on where it was.
    v1.stop_application(ApplicationName="alerts")
    eventually("the stop", clients.status("alerts", "READY"))
    refused("ResourceInUseException", v1.stop_application, ApplicationName="alerts")
    clients.put("deals", deal("WAIT", 2000))
    start["InputStartingPositionConfiguration"]["InputStartingPosition"] = "LAST_STOPPED_POINT"
    v1.start_application(ApplicationName="alerts", InputConfigurations=[start])
    eventually("the row that came meanwhile", lambda: clients.texts("large-deals")[-1:] == ["WAIT,2000"])
    assert clients.texts("large-deals").count("HIGH,1001") == 1

    assert v1.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
    v1.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    v1.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert v1.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    for name in ("b", "c"):
        v1.create_application(ApplicationName=name)
    page = v1.list_applications(Limit=2)
    assert [a["ApplicationName"] for a in page["ApplicationSummaries"]] == ["alerts", "b"] and page["HasMoreApplications"]
    page = v1.list_applications(ExclusiveStartApplicationName="b")
    assert [a["ApplicationName"] for a in page["ApplicationSummaries"]] == ["c"] and not page["HasMoreApplications"]

    v1.delete_application_output(ApplicationName="alerts", CurrentApplicationVersionId=4, OutputId=sent["OutputId"])
    refused("ResourceNotFoundException", v1.delete_application_output, ApplicationName="alerts",
            CurrentApplicationVersionId=5, OutputId=sent["OutputId"])
    created = v1.describe_application(ApplicationName="alerts")["ApplicationDetail"]["CreateTimestamp"]
    refused("InvalidArgumentException", v1.delete_application, ApplicationName="alerts", CreateTimestamp=0)
    v1.delete_application(ApplicationName="alerts", CreateTimestamp=created)
    refused("ResourceNotFoundException", v1.describe_application, ApplicationName="alerts")
    refused("InvalidApplicationConfigurationException", v1.start_application, ApplicationName="b", InputConfigurations=[])


def second_version(clients):
    v2 = clients.v2
    source, target = clients.make_stream("csv-deals"), clients.make_stream("counts")
    code = """CREATE STREAM "D" ("n" BIGINT, "shard" VARCHAR(64));
              CREATE PUMP "P1" AS INSERT INTO "D" SELECT STREAM "price", SHARD_ID FROM "IN_001";
              CREATE PUMP "P2" AS INSERT INTO "D" SELECT STREAM "price", SHARD_ID FROM "IN_002";"""
    schema = CSV_SCHEMA | {"RecordColumns": [{"Name": "name", "SqlType": "VARCHAR(8)"}, {"Name": "price", "SqlType": "INTEGER"}]}
    configuration = {
        "SqlApplicationConfiguration": {
            "Inputs": [{"NamePrefix": "IN", "KinesisStreamsInput": {"ResourceARN": source}, "InputSchema": schema,
                        "InputParallelism": {"Count": 2}}],
            "Outputs": [{"Name": "D", "KinesisStreamsOutput": {"ResourceARN": target}, "DestinationSchema": {"RecordFormatType": "CSV"}}]},
        "ApplicationCodeConfiguration": {"CodeContent": {"TextContent": code}, "CodeContentType": "PLAINTEXT"}}
    refused("UnsupportedOperationException", v2.create_application, ApplicationName="f", RuntimeEnvironment="FLINK-1_15",
            ServiceExecutionRole=ROLE)
    detail = v2.create_application(ApplicationName="two", RuntimeEnvironment="SQL-1_0", ServiceExecutionRole=ROLE,
                                   ApplicationConfiguration=configuration)["ApplicationDetail"]
    assert detail["ApplicationVersionId"] == 1 and detail["RuntimeEnvironment"] == "SQL-1_0", detail
    assert detail["ServiceExecutionRole"] == ROLE
    parts = detail["ApplicationConfigurationDescription"]
    described, = parts["SqlApplicationConfigurationDescription"]["InputDescriptions"]
    assert described["InAppStreamNames"] == ["IN_001", "IN_002"], described
    assert parts["ApplicationCodeConfigurationDescription"]["CodeContentDescription"]["TextContent"] == code
    v2.start_application(ApplicationName="two", RunConfiguration={"SqlRunConfigurations": [
        {"InputId": described["InputId"], "InputStartingPositionConfiguration": {"InputStartingPosition": "TRIM_HORIZON"}}]})
    eventually("the start", clients.status("two", "RUNNING"))
    clients.put("csv-deals", b"a,1\nb,2\n", b"c,nothing\nd,4,more")
    eventually("rows", lambda: clients.texts("counts") == [f"{n},shardId-000000000000" for n in (1, 2, 4)])

    added = v2.add_application_output(ApplicationName="two", CurrentApplicationVersionId=1, Output={
        "Name": "error_stream", "KinesisStreamsOutput": {"ResourceARN": clients.make_stream("errors")},
        "DestinationSchema": {"RecordFormatType": "JSON"}})
    assert added["ApplicationVersionId"] == 2 and len(added["OutputDescriptions"]) == 2, added
    eventually("the changed application", clients.status("two", "RUNNING"))
    time.sleep(0.2)
    clients.put("csv-deals", b"x,y")
    row, = map(json.loads, eventually("an error", lambda: clients.texts("errors")))
    assert row["ERROR_NAME"] == "TYPE_MISMATCH" and bytes.fromhex(row["DATA_ROW"]) == b"x,y", row
    token = v2.describe_application(ApplicationName="two")["ApplicationDetail"]["ConditionalToken"]
    updated = v2.update_application(ApplicationName="two", ConditionalToken=token, ApplicationConfigurationUpdate={
        "SqlApplicationConfigurationUpdate": {"InputUpdates": [
            {"InputId": described["InputId"], "InputSchemaUpdate": {"RecordColumnUpdates": schema["RecordColumns"] + [
                {"Name": "third", "SqlType": "VARCHAR(4)"}]}}]}})["ApplicationDetail"]
    assert updated["ApplicationVersionId"] == 3
    found, = updated["ApplicationConfigurationDescription"]["SqlApplicationConfigurationDescription"]["InputDescriptions"]
    assert len(found["InputSchema"]["RecordColumns"]) == 3 and found["InputParallelism"] == {"Count": 2}, found
    refused("ConcurrentModificationException", v2.update_application, ApplicationName="two", ConditionalToken=token)
    v2.stop_application(ApplicationName="two", Force=True)
    refused("UnsupportedOperationException", v2.create_application_snapshot, ApplicationName="two", SnapshotName="s")
    v2.delete_application(ApplicationName="two", CreateTimestamp=detail["CreateTimestamp"])
    assert "two" not in [a["ApplicationName"] for a in v2.list_applications()["ApplicationSummaries"]]


def discovery(clients):
    arn = clients.make_stream("samples")
    position = {"InputStartingPositionConfiguration": {"InputStartingPosition": "TRIM_HORIZON"}}
    refused("UnableToDetectSchemaException", clients.v1.discover_input_schema, ResourceARN=arn, RoleARN=ROLE, **position)
    clients.put("samples", {"heart-rate": 72, "at": "2026-01-31 10:00:00", "user": {"id": "u1"}, "beats": [{"ms": 1}, {"ms": 2.5}]})
    for client, role in ((clients.v1, {"RoleARN": ROLE}), (clients.v2, {"ServiceExecutionRole": ROLE})):
        found = client.discover_input_schema(ResourceARN=arn, **role, **position)
        assert found["InputSchema"]["RecordColumns"] == [
            {"Name": "COL_heartrate", "Mapping": "$.heart-rate", "SqlType": "BIGINT"},
            {"Name": "at", "Mapping": "$.at", "SqlType": "TIMESTAMP"},
            {"Name": "id", "Mapping": "$.user.id", "SqlType": "VARCHAR(32)"},
            {"Name": "ms", "Mapping": "$.beats[0:].ms", "SqlType": "DOUBLE"}], found
        assert found["ParsedInputRecords"] == [["72", "2026-01-31 10:00:00", "u1", "1"], ["72", "2026-01-31 10:00:00", "u1", "2.5"]], found
        assert len(found["RawInputRecords"]) == 1
    shown = subprocess.run([sys.argv[1], "sql", "--connect", clients.broker.url.removeprefix("http://"), "-c",
                            "DISCOVER SCHEMA FROM STREAM 'samples'"], capture_output=True, text=True, timeout=60)
    assert 'CREATE STREAM SAMPLES (' in shown.stdout and "PATH '$.beats[0:].ms'" in shown.stdout, shown
    # What was found is taken as it is.
    clients.v1.create_application(ApplicationName="found", Inputs=[{
        "NamePrefix": "S", "KinesisStreamsInput": {"ResourceARN": arn, "RoleARN": ROLE}, "InputSchema": found["InputSchema"]}])
    refused("InvalidArgumentException", clients.v1.discover_input_schema, ResourceARN=arn + "x", RoleARN=ROLE, **position)


def command_line(broker):
    program = shutil.which("aws")
    if program is None:
        print("awscli is not installed: its part is left out")
        return

    def aws(*arguments):
        done = subprocess.run([program, "--endpoint-url", broker.url, "--output", "json", *arguments], capture_output=True,
                              text=True, env=client_environment(REGION), timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    arn = f"arn:aws:kinesis:{REGION}:000000000000:stream/deals"
    aws("kinesisanalytics", "create-application", "--application-name", "cli", "--application-code", CODE.format(least=5), "--inputs",
        json.dumps([{"NamePrefix": "SOURCE_SQL_STREAM", "KinesisStreamsInput": {"ResourceARN": arn, "RoleARN": ROLE}, "InputSchema": SCHEMA}]))
    detail = aws("kinesisanalytics", "describe-application", "--application-name", "cli")["ApplicationDetail"]
    aws("kinesisanalytics", "start-application", "--application-name", "cli", "--input-configurations",
        "Id={},InputStartingPositionConfiguration={{InputStartingPosition=NOW}}".format(detail["InputDescriptions"][0]["InputId"]))
    eventually("the start", lambda: aws("kinesisanalyticsv2", "describe-application", "--application-name", "cli")[
        "ApplicationDetail"]["ApplicationStatus"] == "RUNNING")
    aws("kinesisanalyticsv2", "stop-application", "--application-name", "cli")
    # v1 gives the time of creation with a zone of one's own; the clients turn it back.
    aws("kinesisanalytics", "delete-application", "--application-name", "cli", "--create-timestamp", str(detail["CreateTimestamp"]))


def main():
    with Broker(sys.argv[1]) as broker:
        clients = Clients(broker)
        first_version(broker, clients)
        clients = Clients(broker)
        second_version(clients)
        discovery(clients)
        command_line(broker)
    print("ok")


main()
