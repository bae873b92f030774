"""Starts and ends the real broker for the tests of this folder."""
import os
import select
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
START_SECONDS = 60
SEALS = '[encryption]\nmaster_key_file = "@/master.key"\n'


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def client_environment(region="eu-west-1"):
    """The caller's environment without its AWS settings, with the key that a broker knows for development, so that what
    clients sign is verified."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "tidemill",
        "AWS_SECRET_ACCESS_KEY": "tidemill",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
    }


class Broker:
    """`with Broker(program) as broker`: broker.url; broker.restart() keeps the data. In `settings` (TOML) "@" stands for
    the broker's directory. `SEALS` are the settings of one that can encrypt."""

    def __init__(self, program, settings=""):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix="tidemill-interop-")
        self.config = os.path.join(self.directory, "tidemill.toml")
        with open(self.config, "w") as file:
            file.write(settings.replace("@", self.directory))
        if settings.startswith(SEALS):
            key = os.open(os.path.join(self.directory, "master.key"), os.O_CREAT | os.O_WRONLY, 0o600)
            with open(key, "wb") as file:
                file.write(os.urandom(32))
        self.process = None
        self.listen = "127.0.0.1:0"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", os.path.join(self.directory, "data"), "--listen", self.listen,
             "--config", self.config],
            stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the broker did not start; it said {line!r}")
        self.url = "http://" + line.removeprefix("listening on ").strip()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            code = self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the broker did not stop when asked to")
        finally:
            self.process = None
        assert code == 0, f"the broker ended with {code}"

    def restart(self):
        self.stop()
        self.start()
