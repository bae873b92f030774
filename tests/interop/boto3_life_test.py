"""The whole life of a stream through boto3, Debian's or the newest: boto3_life_test.py PROGRAM FOLDER debian|newest"""
import os
import subprocess
import sys

import install
from broker import SEALS, SKIPPED, Broker, client_environment, skip


def main(program, folder, which):
    python, client = sys.executable, "boto3"
    if which == "newest":
        python, client = install.boto3(folder), "boto3-current"
    elif subprocess.run([python, "-c", "import boto3"], capture_output=True).returncode != 0:
        skip("boto3 is not installed (Debian: python3-boto3)")
    life = os.path.join(install.HERE, "boto3_life.py")
    with Broker(program, SEALS) as broker:
        done = subprocess.run([python, life, broker.url, client], env=client_environment(), timeout=180)
    assert done.returncode != SKIPPED
    sys.exit(done.returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
