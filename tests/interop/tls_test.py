#!/usr/bin/env python3
"""TLS on the one port: its certificates, who speaks what in it, and peers that break it: tls_test.py PROGRAM."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time

from broker import Broker
from http2_test import DATA, GOAWAY, HEADERS, PREFACE, SETTINGS, frame, post

LIMITS = """
[http]
header_time = "1s"
body_time = "1s"
idle_time = "3s"
write_time = "2s"
"""


def port_of(broker):
    return int(broker.url.rsplit(":", 1)[1])


def development_certificate(broker):
    return os.path.join(broker.directory, "data", "tls", "certificate.pem")


def connect(broker, certificate, protocols=(), name="localhost", **versions):
    context = ssl.create_default_context(cafile=certificate)
    for key, value in versions.items():
        setattr(context, key, value)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port_of(broker)), timeout=30), server_hostname=name)


def ask(peer):
    """The status of a GET /healthz by HTTP/1.1."""
    peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = http.client.HTTPResponse(peer)
    answer.begin()
    answer.read()
    return answer.status


def ask_http2(peer):
    """True when a request by HTTP/2 is answered."""
    peer.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 4, 1, post(b"ListStreams")) + frame(DATA, 1, 1, b"{}"))
    data = b""
    while True:
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            length, kind, stream = int.from_bytes(data[:3], "big"), data[3], int.from_bytes(data[5:9], "big")
            if kind == GOAWAY:
                return False
            if kind == HEADERS and stream == 1:
                return True
            data = data[9 + length:]
        more = peer.recv(1 << 16)
        if not more:
            return False
        data += more


def clients(broker, scratch):
    certificate = development_certificate(broker)
    assert stat.S_IMODE(os.stat(os.path.join(os.path.dirname(certificate), "key.pem")).st_mode) == 0o600
    for name in ("localhost", "127.0.0.1"):
        with connect(broker, certificate, ("h2", "http/1.1"), name) as peer:
            assert peer.selected_alpn_protocol() == "h2" and peer.version() == "TLSv1.3" and ask_http2(peer)
    with connect(broker, certificate, ("http/1.1",)) as peer:
        assert peer.selected_alpn_protocol() == "http/1.1" and ask(peer) == 200 and ask(peer) == 200
    # HTTP/2 without ALPN, as older Java clients have it; what is spoken counts, not what was offered.
    with connect(broker, certificate) as peer:
        assert peer.selected_alpn_protocol() is None and ask_http2(peer)
    with connect(broker, certificate, ("h2", "http/1.1")) as peer:
        assert ask(peer) == 200
    with connect(broker, certificate, ("spdy/3",)) as peer:
        assert ask(peer) == 200
    with connect(broker, certificate, maximum_version=ssl.TLSVersion.TLSv1_2) as peer:
        assert peer.version() == "TLSv1.2" and ask(peer) == 200
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        context.wrap_socket(socket.create_connection(("127.0.0.1", port_of(broker))))
        raise AssertionError("TLS 1.1 was accepted")
    except (ssl.SSLError, ConnectionError):
        pass

    url = broker.url.replace("http://127.0.0.1", "https://localhost")
    records = os.path.join(scratch, "records")
    with open(records, "w") as file:
        json.dump({"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": "QUJD" * 300000}] * 4}, file)

    def curl(operation, body, *more):
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "60", "--cacert", certificate, "-w", "\n%{http_code} %{http_version}",
             "-H", f"X-Amz-Target: Kinesis_20131202.{operation}", "-H", "Content-Type: application/x-amz-json-1.1",
             "--data-binary", body, *more, url], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.rsplit("\n", 1)

    assert curl("CreateStream", '{"StreamName":"s","ShardCount":1}') == ["", "200 2"]
    for version in ("--http1.1", "--http2", "--http2-prior-knowledge"):
        text, codes = curl("PutRecords", "@" + records, version)
        assert '"FailedRecordCount":0' in text and codes == ("200 1.1" if version == "--http1.1" else "200 2"), codes
    iterator = json.loads(curl("GetShardIterator", json.dumps({"StreamName": "s", "ShardId": "shardId-000000000000",
                                                               "ShardIteratorType": "TRIM_HORIZON"}))[0])["ShardIterator"]
    for version in ("--http1.1", "--http2"):
        got = json.loads(curl("GetRecords", json.dumps({"ShardIterator": iterator}), version)[0])["Records"]
        assert len(got) == 8 and all(record["Data"] == "QUJD" * 300000 for record in got), len(got)
    print("curl: passed")
    if shutil.which("node") is None:
        print("node: skipped, there is none")
        return
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "http2_client.mjs")
    done = subprocess.run(["node", script, url, certificate], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    got = json.loads(done.stdout)
    assert got == {"made": 200, "put": True, "numbers": 100, "large": 0, "got": 105, "last": 900000, "protocol": "h2"}, got
    print("node: passed, 100 streams at once")


def breaches(broker):
    """Handshakes that are wrong, slow or never end harm nobody."""
    address = ("127.0.0.1", port_of(broker))
    for wrong in (b"\x16", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x16" * 300):
        peer = socket.create_connection(address, timeout=30)
        before = time.monotonic()
        try:
            peer.sendall(wrong)
            while peer.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        assert time.monotonic() - before < 20  # cut after `header_time`, not held for ever
    # A body that stops half way, in TLS; and a client that goes without a word.
    certificate = development_certificate(broker)
    with connect(broker, certificate) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        try:
            assert peer.recv(1 << 16) == b""
        except ConnectionError:
            pass
    peer = connect(broker, certificate)
    peer.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    peer.detach()
    with connect(broker, certificate) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 100000 + b"\r\n\r\n")
        assert b" 431 " in peer.recv(1 << 16)
    with connect(broker, certificate) as peer:
        assert ask(peer) == 200
    print("breaches: passed")


def make_pair(directory, name, host):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={host}",
                    "-addext", f"subjectAltName=DNS:{host}", "-keyout", os.path.join(directory, f"{name}.key"),
                    "-out", os.path.join(directory, f"{name}.pem")], check=True, stderr=subprocess.DEVNULL)


def replace(directory, name, what):
    """Puts pair `name` in place, each file by rename."""
    for ending in what:
        draft = os.path.join(directory, "draft")
        shutil.copy(os.path.join(directory, name + ending), draft)
        os.rename(draft, os.path.join(directory, "live" + ending))


def serves(broker, directory, name, host):
    """Whether new connections get that certificate."""
    try:
        with connect(broker, os.path.join(directory, name + ".pem"), name=host) as peer:
            return ask(peer) == 200
    except ssl.SSLError:
        return False


def until(is_it):
    deadline = time.monotonic() + 30
    while not is_it():
        assert time.monotonic() < deadline, "the certificate did not change"
        time.sleep(0.1)  # for the broker's own look at the files


def real_certificates(program, directory):
    make_pair(directory, "one", "one.example")
    make_pair(directory, "two", "two.example")
    replace(directory, "one", (".pem", ".key"))
    settings = f'[tls]\ncertificate_file = "{directory}/live.pem"\nkey_file = "{directory}/live.key"\n'
    with Broker(program, settings + LIMITS.replace('"3s"', '"60s"')) as broker:
        assert serves(broker, directory, "one", "one.example")
        standing = connect(broker, os.path.join(directory, "one.pem"), name="one.example")
        assert ask(standing) == 200
        # Half a change is a bad pair: the old one stays. The other half completes it.
        replace(directory, "two", (".pem",))
        broker.process.send_signal(signal.SIGHUP)
        for _ in range(20):
            assert serves(broker, directory, "one", "one.example")
        replace(directory, "two", (".key",))
        until(lambda: serves(broker, directory, "two", "two.example"))
        assert ask(standing) == 200  # connections that stand are left alone
        with open(os.path.join(directory, "live.pem"), "w") as file:
            file.write("no certificate")
        broker.process.send_signal(signal.SIGHUP)
        for _ in range(20):
            assert serves(broker, directory, "two", "two.example")
        replace(directory, "one", (".pem", ".key"))
        until(lambda: serves(broker, directory, "one", "one.example"))
        assert not os.path.exists(development_certificate(broker))
    for bad in ('certificate_file = "/nowhere"\nkey_file = "/nowhere"', f'certificate_file = "{directory}/one.pem"',
                f'certificate_file = "{directory}/one.pem"\nkey_file = "{directory}/two.key"'):
        try:
            with Broker(program, "[tls]\n" + bad):
                raise SystemError("started with " + bad)
        except AssertionError:
            pass
    print("real certificates: passed")


def modes(program):
    with Broker(program, '[tls]\nmode = "off"') as broker:
        assert not os.path.exists(development_certificate(broker))
        peer = socket.create_connection(("127.0.0.1", port_of(broker)))
        assert ask(peer) == 200
        try:
            ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", port_of(broker))))
            raise AssertionError("TLS, though it is off")
        except (ssl.SSLError, ConnectionError):
            pass
    with Broker(program, '[tls]\nmode = "required"') as broker:
        assert ask(socket.create_connection(("127.0.0.1", port_of(broker)))) == 403
        certificate = development_certificate(broker)
        with open(certificate) as file:
            first = file.read()
        with connect(broker, certificate) as peer:
            assert ask(peer) == 200
        broker.restart()  # the same certificate: who trusts it need not do so again
        with open(certificate) as file:
            assert file.read() == first
        os.unlink(certificate)
        broker.restart()
        with connect(broker, certificate) as peer:
            assert ask(peer) == 200
    print("modes: passed")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        with Broker(program) as broker:
            clients(broker, scratch)
        with Broker(program, LIMITS) as broker:
            breaches(broker)
        real_certificates(program, scratch)
    modes(program)
    print("tls: passed")


if __name__ == "__main__":
    main()
