#!/usr/bin/env python3
"""What connections that do nothing cost the broker: idle_connections_test.py PROGRAM [COUNT]. Its resident memory is asked of the
kernel before and after 5,000 connections have each made one request and wait for the next."""
import http.client
import os
import resource
import socket
import ssl
import sys

from broker import Broker, skip
from http2_test import DATA, HEADERS, PREFACE, SETTINGS, frame, post
from tls_test import development_certificate, port_of

MEGABYTES = 100  # what 5,000 may cost, and 100 more in TLS


def resident(broker):
    with open(f"/proc/{broker.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def by_http1(peer):
    peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Kinesis_20131202.ListStreams\r\n"
                 b"Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}")
    answer = http.client.HTTPResponse(peer)
    answer.begin()
    assert answer.status == 200 and answer.read()


def by_http2(peer):
    peer.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 4, 1, post(b"ListStreams")) + frame(DATA, 1, 1, b"{}"))
    data = b""
    while b"StreamNames" not in data:
        more = peer.recv(1 << 16)
        assert more, data
        data += more


def cost(program, count, make, ask):
    """(megabytes that `count` connections cost, megabytes at the end)."""
    with Broker(program) as broker:
        def connect():
            peer = make(broker, socket.create_connection(("127.0.0.1", port_of(broker))))
            ask(peer)
            return peer

        first = [connect() for _ in range(100)]  # what the first ones cost is not theirs alone
        before = resident(broker)
        peers = [connect() for _ in range(count)]
        after = resident(broker)
        connect().close()  # it serves on
        for peer in peers + first:
            peer.close()
        return after - before, after


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        skip(f"no more than {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def plain(_, peer):
        return peer

    def secure(broker, peer):
        if secure.context is None or secure.of != broker.url:
            secure.context, secure.of = ssl.create_default_context(cafile=development_certificate(broker)), broker.url
        return secure.context.wrap_socket(peer, server_hostname="localhost")

    secure.context = secure.of = None
    for name, make, ask in (("HTTP/1.1", plain, by_http1), ("HTTP/2", plain, by_http2),
                            ("HTTP/1.1 in TLS", secure, by_http1), ("HTTP/2 in TLS", secure, by_http2)):
        megabytes, whole = cost(sys.argv[1], count, make, ask)
        print(f"{count} idle connections, {name}: {megabytes:.1f} MB, {megabytes * 1024 / count:.1f} KB each; "
              f"the whole broker {whole:.0f} MB")
        # Two megabytes for the noise of a small number.
        allowed = MEGABYTES + (100 if make is secure else 0)
        assert megabytes < allowed * count / 5000 + 2, name


if __name__ == "__main__":
    main()
