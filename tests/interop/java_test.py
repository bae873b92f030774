"""The whole life of a stream through the AWS SDK for Java v2, which speaks CBOR: the URL-connection client over HTTP/1.1,
the Netty client over HTTP/2 (as KCL has it), and that once more over TLS: java_test.py PROGRAM FOLDER"""
import sys

import install
from broker import SEALS, Broker
from transports import speaks_http2
from program import facts_of


def main(program, directory):
    seen = []
    path = install.java(directory)
    for client, scheme in (("sync", "http"), ("async", "http"), ("async", "https")):
        with Broker(program, SEALS) as broker:
            if client == "async" and not speaks_http2(broker, scheme == "https"):
                print(f"skipped: HTTP/2 over {scheme}, which the broker does not speak")
                continue
            url = broker.url.replace("http:", scheme + ":")
            facts = facts_of(["java", "-XX:TieredStopAtLevel=1", "-cp", path, "Life", url, client], "java")
            seen.append(facts)
    for facts in seen[1:]:
        seen[0].join(facts)
    seen[0].settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
