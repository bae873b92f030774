"""The whole life of a stream through the AWS SDK for Java v2, which speaks CBOR: the URL-connection client over HTTP/1.1,
the Netty client over HTTP/2 (as KCL has it), and that once more over TLS: java_test.py PROGRAM FOLDER"""
import sys

import install
from broker import Broker
from program import facts_of


def main(program, directory):
    path = install.java(directory)
    for client, scheme in (("sync", "http"), ("async", "http"), ("async", "https")):
        with Broker(program) as broker:
            url = broker.url.replace("http:", scheme + ":")
            facts = facts_of(["java", "-XX:TieredStopAtLevel=1", "-cp", path, "Life", url, client], "java")
        facts.settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
