"""The whole life of a stream through the AWS SDK for JavaScript v3, over HTTP/2 by prior knowledge as it does unless told
otherwise, and over HTTP/1.1: javascript_test.py PROGRAM FOLDER"""
import sys

import install
from broker import Broker
from program import facts_of


def main(program, directory):
    folder = install.javascript(directory)
    for version in ("http2", "http1"):
        with Broker(program) as broker:
            facts = facts_of(["node", "life.mjs", broker.url, version], "javascript", cwd=folder)
        facts.settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
