"""The whole life of a stream through the newest boto3: boto3_current_test.py PROGRAM FOLDER"""
import os
import subprocess
import sys

import install
from broker import Broker, client_environment


def main(program, folder):
    python = install.boto3(folder)
    life = os.path.join(install.HERE, "boto3_life.py")
    with Broker(program) as broker:
        sys.exit(subprocess.run([python, life, broker.url, "boto3-current"], env=client_environment(),
                                timeout=180).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
