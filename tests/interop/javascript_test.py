"""The whole life of a stream through the AWS SDK for JavaScript v3, over HTTP/2 by prior knowledge as it does unless told
otherwise, and over HTTP/1.1: javascript_test.py PROGRAM FOLDER"""
import sys

import install
from broker import SEALS, Broker
from transports import speaks_http2
from program import facts_of


def main(program, directory):
    seen = []
    folder = install.javascript(directory)
    for version in ("http1", "http2"):
        with Broker(program, SEALS) as broker:
            if version == "http2" and not speaks_http2(broker):
                print("skipped: HTTP/2, which the broker does not speak")
                continue
            facts = facts_of(["node", "life.mjs", broker.url, version], "javascript", cwd=folder)
            seen.append(facts)
    for facts in seen[1:]:
        seen[0].join(facts)
    seen[0].settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
