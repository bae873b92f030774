"""The whole life of a stream through the AWS SDK for Rust: rust_test.py PROGRAM FOLDER"""
import sys

import install
from broker import SEALS, Broker
from program import facts_of


def main(program, directory):
    life = install.rust(directory)
    with Broker(program, SEALS) as broker:
        facts = facts_of([life, broker.url], "rust")
    facts.settle()


if __name__ == "__main__":
    main(*sys.argv[1:])
