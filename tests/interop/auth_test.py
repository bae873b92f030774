#!/usr/bin/env python3
"""Who is let in: real signatures of boto3, botocore's own of odd requests, and wrong ones of every kind. auth_test.py PROGRAM."""
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import cbor
import signer
from broker import Broker, client_environment, skip
from signer import Key

try:
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.exceptions import ClientError
except ImportError:
    skip("boto3 is not installed (Debian: python3-boto3)")

JSON, CBOR = "application/x-amz-json-1.1", "application/x-amz-cbor-1.1"
KEYS = """[[user]]
name = "alice"
account = "111122223333"
[[user.key]]
id = "AKIAALICE"
secret = "alice/secret+1"

[[user]]
name = "zero"
[[user.key]]
id = "AKIAZERO"
secret = "zero-secret"

[[role]]
name = "reader"
account = "111122223333"
[[role.key]]
session = "job"
id = "ASIAJOB"
secret = "job-secret"
session_token = "a/token+with=marks"
[[role.key]]
session = "old"
id = "ASIAOLD"
secret = "old-secret"
session_token = "old-token"
expires = 2020-01-01T00:00:00Z
"""
ALICE, ZERO = Key("AKIAALICE", "alice/secret+1"), Key("AKIAZERO", "zero-secret")
JOB, OLD = Key("ASIAJOB", "job-secret", "a/token+with=marks"), Key("ASIAOLD", "old-secret", "old-token")
DEVELOPMENT = Key("tidemill", "tidemill")
INVALID_TOKEN = "The security token included in the request is invalid."


def client(broker, key):
    return boto3.client("kinesis", endpoint_url=broker.url, region_name="eu-west-1", aws_access_key_id=key.key_id,
                        aws_secret_access_key=key.secret, aws_session_token=key.token,
                        config=Config(retries={"total_max_attempts": 1}))


def refusal(call, **arguments):
    """What a call is refused with: (status, code, message)."""
    try:
        call(**arguments)
    except ClientError as error:
        response = error.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]
    return 200, None, None


def post(broker, headers, body=b"{}", path="/", operation="ListStreams"):
    """A request as it is: (status, type, message)."""
    connection = http.client.HTTPConnection(broker.url.removeprefix("http://"), timeout=30)
    all_headers = {"x-amz-target": f"Kinesis_20131202.{operation}", "content-type": JSON}
    connection.request("POST", path, body, all_headers | {name.lower(): value for name, value in headers.items()})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status == 200:
        return 200, None, None
    document = cbor.decode(text) if response.getheader("Content-Type") == CBOR else json.loads(text)
    return response.status, document["__type"], document.get("message")


def host_of(broker):
    return broker.url.removeprefix("http://")


def with_credentials(program, mode="", text=KEYS, more=""):
    broker = Broker(program, '[auth]\ncredentials_file = "@/credentials.toml"\n' + (f'mode = "{mode}"\n' if mode else "") + more)
    write(broker, text)
    return broker


def write(broker, text):
    path = os.path.join(broker.directory, "credentials.toml")
    with open(os.open(path + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def wait_until(what, seconds=20):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came to pass"
        time.sleep(0.05)


def without_a_file(program):
    """Strangers are let in; who uses the development key must use it rightly."""
    with Broker(program) as broker:
        assert refusal(client(broker, Key("unknown", "x")).list_streams)[0] == 200
        assert post(broker, {}) == (200, None, None)
        assert refusal(client(broker, DEVELOPMENT).list_streams)[0] == 200
        status, code, message = refusal(client(broker, Key("tidemill", "wrong")).list_streams)
        assert (status, code) == (400, "InvalidSignatureException"), (status, code)
        assert "The Canonical String for this request should have been\n'POST\n/\n\n" in message, message
        assert 'outcome="wrong_signature"} 1' in metrics(broker)


def metrics(broker):
    connection = http.client.HTTPConnection(host_of(broker), timeout=30)
    connection.request("GET", "/metrics")
    return connection.getresponse().read().decode()


def required(program):
    with with_credentials(program, "required") as broker:
        host = host_of(broker)
        base = {"Host": host, "X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": JSON}

        def signed(key, body=b"{}", sent=None, **more):
            return post(broker, signer.signed_headers(key, base, body, **more), sent if sent is not None else body)

        assert post(broker, {}) == (400, "MissingAuthenticationTokenException", "Missing Authentication Token")
        assert post(broker, {"Content-Type": CBOR}, b"\xa0")[:2] == (400, "MissingAuthenticationTokenException")
        assert refusal(client(broker, Key("AKIANOBODY", "x")).list_streams) == (400, "UnrecognizedClientException", INVALID_TOKEN)
        assert refusal(client(broker, DEVELOPMENT).list_streams)[1] == "UnrecognizedClientException"
        assert refusal(client(broker, Key(ALICE.key_id, "wrong")).list_streams)[:2] == (400, "InvalidSignatureException")
        assert post(broker, {"Authorization": "hello"})[1] == "IncompleteSignatureException"

        alice = client(broker, ALICE)
        alice.create_stream(StreamName="s", ShardCount=1)
        arn = alice.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
        assert arn == "arn:aws:kinesis:eu-west-1:111122223333:stream/s", arn
        alice.put_records(StreamName="s", Records=[{"Data": os.urandom(200), "PartitionKey": str(i)} for i in range(500)])

        assert signed(ALICE) == (200, None, None)
        status, code, message = signed(ALICE, sent=b'{"Limit":1}')
        assert (status, code) == (400, "InvalidSignatureException"), (code, message)
        for offset, words in [(-301, "Signature expired: "), (301, "Signature not yet current: ")]:
            status, code, message = signed(ALICE, offset=offset)
            assert (status, code) == (400, "InvalidSignatureException") and message.startswith(words), message
            assert " 5 min.)" in message, message
        assert signed(ALICE, offset=-290)[0] == 200 and signed(ALICE, offset=290)[0] == 200
        status, code, message = signed(ALICE, service="dynamodb")
        assert message == "Credential should be scoped to correct service: 'kinesis'. ", message
        assert signed(ALICE, terminator="aws5_request")[1] == "InvalidSignatureException"
        assert "does not match YYYYMMDD" in signed(ALICE, date="20200101")[2]

        assert refusal(client(broker, JOB).list_streams)[0] == 200
        assert refusal(client(broker, Key(JOB.key_id, JOB.secret, "another")).list_streams)[1:] == ("UnrecognizedClientException", INVALID_TOKEN)
        assert refusal(client(broker, Key(JOB.key_id, JOB.secret)).list_streams)[1] == "UnrecognizedClientException"
        assert refusal(client(broker, OLD).list_streams)[1:] == ("ExpiredTokenException",
                                                                "The security token included in the request is expired")
        presigned(broker, host)
        both = signer.signed_headers(ALICE, base, b"{}")
        status, code, message = post(broker, both, b"{}", "/?" + signer.presigned_query(ALICE, host, b"{}"))
        assert code == "InvalidSignatureException" and message.startswith("Found both 'X-Amz-Algorithm'"), message
        text = metrics(broker)
        for outcome in ["verified", "missing", "incomplete", "unknown_key", "expired_token", "out_of_time", "wrong_signature"]:
            line = [x for x in text.splitlines() if x.startswith("tidemill_auth_requests_total") and f'"{outcome}"' in x]
            assert sum(float(x.rsplit(" ", 1)[1]) for x in line) > 0, outcome
        signed_by_botocore(broker, host)


def presigned(broker, host):
    for key in [ALICE, JOB]:
        query = signer.presigned_query(key, host, b"{}")
        assert post(broker, {"Host": host}, b"{}", "/?" + query) == (200, None, None)
        assert post(broker, {"Host": host}, b'{"Limit":1}', "/?" + query)[1] == "InvalidSignatureException"
        assert post(broker, {"Host": host}, b"{}", "/?" + query + "0")[1] == "InvalidSignatureException"
    old = signer.presigned_query(ALICE, host, b"{}", offset=-100, expires=60)
    assert post(broker, {"Host": host}, b"{}", "/?" + old)[2].startswith("Signature expired: ")
    assert post(broker, {"Host": host}, b"{}", "/?" + signer.presigned_query(ALICE, host, b"{}", offset=-3000, expires=3600))[0] == 200
    status, code, message = post(broker, {"Host": host}, b"{}", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x")
    assert code == "IncompleteSignatureException" and "must include 'X-Amz-Credential'" in message, message


def signed_by_botocore(broker, host, seed=4):
    """Paths, queries, headers and bodies at random: what botocore signs, the broker finds right."""
    print(f"seed {seed}")
    chosen = random.Random(seed)
    letters = "aZ09-_.~ %/+=&?:,;@!$'()*[]\u00fc\u1234"

    def text(most):
        return "".join(chosen.choice(letters) for _ in range(chosen.randrange(most)))

    for number in range(150):
        path = chosen.choice(["/", "/", "//a//b/", "/a/../b/./", "/" + signer.quote(text(12), safe="/~")])
        pairs = [(signer.quote(text(6), safe="-_.~"), signer.quote(text(6), safe="-_.~")) for _ in range(chosen.randrange(4))]
        query = "&".join(f"{name}={value}" for name, value in pairs if name)
        body = json.dumps({"Limit": chosen.randrange(1, 100)}).encode()
        headers = {"Host": host, "X-Amz-Target": "Kinesis_20131202.ListStreams", "Content-Type": JSON,
                   "X-Odd": chosen.choice(["a", " a  b ", "a\tb", '"a   b"', "x,  y"])}
        key = chosen.choice([ALICE, ZERO, JOB])
        request = AWSRequest("POST", f"{broker.url}{path}" + (f"?{query}" if query else ""), dict(headers), body)
        SigV4Auth(Credentials(key.key_id, key.secret, key.token), "kinesis", chosen.choice(["eu-west-1", "xx-any-9"])).add_auth(request)
        sent = dict(request.headers.items())
        got = post(broker, sent, body, path + (f"?{query}" if query else ""))
        assert got == (200, None, None), (number, path, query, headers, got)
        sent["X-Odd"] = headers["X-Odd"] + "!"
        got = post(broker, sent, body, path + (f"?{query}" if query else ""))
        assert got[1] == "InvalidSignatureException", (number, got)


def optional(program):
    with with_credentials(program) as broker:
        assert post(broker, {}) == (200, None, None)
        assert refusal(client(broker, Key("AKIANOBODY", "x")).list_streams)[0] == 200
        assert refusal(client(broker, ALICE).list_streams)[0] == 200
        assert refusal(client(broker, Key(ALICE.key_id, "wrong")).list_streams)[1] == "InvalidSignatureException"
    with with_credentials(program, "off") as broker:
        assert refusal(client(broker, Key(ALICE.key_id, "wrong")).list_streams)[0] == 200


def reload(program):
    """New keys work, old ones no longer; a file that cannot be used changes nothing."""
    with with_credentials(program, "required") as broker:
        alice, zero = client(broker, ALICE), client(broker, ZERO)
        assert refusal(alice.list_streams)[0] == 200
        new = Key("AKIANEW", "new-secret")
        text = KEYS.replace("AKIAALICE", "AKIANEW").replace("alice/secret+1", "new-secret")
        write(broker, text)
        wait_until(lambda: refusal(client(broker, new).list_streams)[0] == 200)
        # Each core has its own keys, and takes the new ones a moment after the other.
        wait_until(lambda: refusal(alice.list_streams)[1] == "UnrecognizedClientException")
        # The same key with another secret: what was derived from the old one is forgotten.
        assert refusal(zero.list_streams)[0] == 200
        write(broker, text.replace("zero-secret", "other-secret"))
        wait_until(lambda: refusal(client(broker, Key("AKIAZERO", "other-secret")).list_streams)[0] == 200)
        wait_until(lambda: refusal(zero.list_streams)[1] == "InvalidSignatureException")
        write(broker, "[[user]\n")
        wait_until(lambda: 'tidemill_credentials_reloads_total{outcome="failed"} 1' in metrics(broker))
        wait_until(lambda: refusal(client(broker, new).list_streams)[0] == 200)
        broker.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'tidemill_credentials_reloads_total{outcome="failed"} 2' in metrics(broker))
        write(broker, KEYS)
        broker.process.send_signal(signal.SIGHUP)
        wait_until(lambda: refusal(alice.list_streams)[0] == 200)


def starting(program):
    """What a broker refuses to start with."""
    def says(*arguments, config=""):
        with_file = Broker(program, config)
        done = subprocess.run([program, "serve", "--data", os.path.join(with_file.directory, "data"), "--config", with_file.config,
                               *arguments], capture_output=True, text=True, timeout=60)
        with_file.stop()
        assert done.returncode != 0, done
        return done.stderr
    assert "--insecure" in says("--listen", "0.0.0.0:0")
    assert "--insecure" in says("--listen", "0.0.0.0:0", "--auth", "optional")
    assert "credentials new" in says("--listen", "127.0.0.1:0", "--auth", "required")
    assert "no-such-file" in says("--listen", "127.0.0.1:0", "--credentials", "no-such-file")
    broker = with_credentials(program)
    path = os.path.join(broker.directory, "credentials.toml")
    os.chmod(path, 0o644)
    assert "chmod 600" in says("--listen", "127.0.0.1:0", "--credentials", path)


def commands(program):
    broker = Broker(program)
    path = os.path.join(broker.directory, "new.toml")
    made = subprocess.run([program, "credentials", "new", path, "carol", "--account", "123456789012"], capture_output=True,
                          text=True, check=True, timeout=60)
    values = dict(line.split(" = ") for line in made.stdout.splitlines())
    session = subprocess.run([program, "credentials", "new", path, "reader", "--session", "job", "--hours", "1"],
                             capture_output=True, text=True, check=True, timeout=60)
    values_of_session = dict(line.split(" = ") for line in session.stdout.splitlines())
    listed = subprocess.run([program, "credentials", "check", path], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "arn:aws:iam::123456789012:user/carol" in listed and "assumed-role/reader/job" in listed, listed
    assert values["aws_secret_access_key"] not in listed
    with Broker(program, f'[auth]\nmode = "required"\ncredentials_file = "{path}"\n') as broker:
        for v in [values, values_of_session]:
            key = Key(v["aws_access_key_id"], v["aws_secret_access_key"], v.get("aws_session_token"))
            assert refusal(client(broker, key).list_streams)[0] == 200


def native_protocol(program):
    """Where signatures are required, the protocol that has none serves this machine alone."""
    outside = None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            outside = probe.getsockname()[0]
        except OSError:
            pass
    if outside is None or outside.startswith("127."):
        print("skipped: native protocol from elsewhere: this machine has no other address")
        return
    for more, is_served in [("", False), ("insecure = true\n", True)]:
        broker = with_credentials(program, "required", more=more)
        broker.listen = "0.0.0.0:0"
        with broker:
            port = broker.url.rsplit(":", 1)[1]
            for host, is_expected in [("127.0.0.1", True), (outside, is_served)]:
                done = subprocess.run([program, "stream", "list", "--connect", f"{host}:{port}"], capture_output=True, text=True,
                                      timeout=60)
                assert (done.returncode == 0) == is_expected, (host, more, done)
                assert is_expected or "its own machine alone" in done.stderr, done.stderr


def by_curl(program):
    """curl signs by itself, over HTTP/1.1 and HTTP/2: there the host is :authority."""
    curl = shutil.which("curl")
    if curl is None or "HTTP2" not in subprocess.run([curl, "--version"], capture_output=True, text=True).stdout:
        print("skipped: curl: not there, or without HTTP/2")
        return
    with with_credentials(program, "required") as broker:
        for version in ["--http1.1", "--http2-prior-knowledge"]:
            for secret, status in [(ALICE.secret, "200"), ("wrong", "400")]:
                done = subprocess.run([curl, "-sS", version, "--aws-sigv4", "aws:amz:eu-west-1:kinesis", "--user", f"{ALICE.key_id}:{secret}",
                                       "-H", "X-Amz-Target: Kinesis_20131202.ListStreams", "-H", f"Content-Type: {JSON}", "-d", "{}",
                                       "-w", "\n%{http_version} %{http_code}", broker.url + "/"],
                                      capture_output=True, text=True, check=True, timeout=60)
                last = done.stdout.splitlines()[-1]
                assert last == ("1.1" if version == "--http1.1" else "2") + " " + status, done.stdout


def main(program):
    os.environ.update(client_environment())
    without_a_file(program)
    required(program)
    optional(program)
    reload(program)
    starting(program)
    commands(program)
    native_protocol(program)
    by_curl(program)
    print("auth: passed")


if __name__ == "__main__":
    main(sys.argv[1])
