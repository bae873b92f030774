"""Runs a client's program against a broker and takes the facts that it prints."""
import subprocess
import sys

from broker import client_environment
from facts import Facts

SECONDS = 120


def facts_of(command, client, cwd=None, **environment):
    done = subprocess.run(command, cwd=cwd, env=client_environment() | environment, stdout=subprocess.PIPE, text=True,
                          timeout=SECONDS)
    said = [line for line in done.stdout.splitlines() if not line.startswith("fact: ")]
    print("\n".join(said))
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:2])} ended with {done.returncode}")
    facts = Facts(client)
    facts.parse(done.stdout)
    return facts
