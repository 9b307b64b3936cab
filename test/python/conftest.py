"""What the suites share: a server of their own, clients for it, packages of code."""

import io
import os
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

REPOSITORY = Path(__file__).parents[2]
ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
# The SDKs and functions must need nothing of the machine's own configuration.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}


class Weir:
    """A running server with its own data directory."""

    def __init__(self, binary, directory, *args):
        self.directory = directory
        self.log = open(directory / "log", "ab")
        # Functions in Python find boto3 beside the interpreter, which is this one.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.process = subprocess.Popen(
            [binary, "up", "--listen", "127.0.0.1:0", "--data-dir", directory / "data", *args],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=ENVIRONMENT | {"PATH": path},
        )
        ready = self.process.stdout.readline().split()
        assert ready and ready[0] == "ready", f"the server did not start:\n{self.read_log()}"
        self.endpoint = ready[1]
        self.session = boto3.Session("test", "test", region_name=REGION)

    def client(self, service, retries=3, **config):
        options = Config(retries={"total_max_attempts": retries}, read_timeout=90, **config)
        return self.session.client(service, endpoint_url=self.endpoint, config=options)

    def resource(self, service):
        return self.session.resource(service, endpoint_url=self.endpoint)

    def healthy(self):
        with urllib.request.urlopen(self.endpoint + "/_weir/health", timeout=10) as answer:
            return answer.status == 200 and self.process.poll() is None

    def read_log(self):
        return (self.directory / "log").read_text(errors="replace")[-10_000:]

    def stop(self):
        """Ends the server and checks that it ends cleanly and leaves no process."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(30)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.log.close()
        assert status == 0, f"the server ended with status {status}:\n{self.read_log()}"
        left = processes_of(self.directory)
        assert not left, f"the server left processes behind: {left}"


def processes_of(directory):
    """Returns the command lines of processes that run in or from a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(directory) in command or os.readlink(process / "cwd").startswith(str(directory)):
                found.append(command)
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def eventually(check, seconds=60):
    """Calls check until it no longer fails, and returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def zipped(files):
    """Returns a zip with the files, given as a mapping from name to content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def build_go(package, output):
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", output, package],
        cwd=REPOSITORY, env=os.environ | {"CGO_ENABLED": "0"}, check=True,
    )
    return output


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    """The program under test: WEIR_BIN, or one built now."""
    if "WEIR_BIN" in os.environ:
        return os.environ["WEIR_BIN"]
    return build_go("./cmd/weir", tmp_path_factory.mktemp("bin") / "weir")


@pytest.fixture(scope="session")
def start(binary, tmp_path_factory):
    """Starts servers; the one who starts a server stops it."""
    return lambda *args, directory=None: Weir(binary, directory or tmp_path_factory.mktemp("weir"), *args)


@pytest.fixture(scope="session")
def numbers_code(tmp_path_factory):
    """The function of functions/numbers by language, as arguments of CreateFunction."""
    folder = Path(__file__).parent / "functions" / "numbers"
    program = build_go("./test/python/functions/numbers", tmp_path_factory.mktemp("numbers") / "bootstrap")
    return {
        language: {"Runtime": runtime, "Handler": "reader.handler", "Code": {"ZipFile": zipped({f.name: f.read_bytes()})}}
        for language, runtime, f in [
            ("go", "provided.al2023", program),
            ("python", "python3.12", folder / "reader.py"),
            ("node", "nodejs20.x", folder / "reader.mjs"),
        ]
    }


@pytest.fixture(scope="module")
def weir(start):
    """A server for the tests of a module."""
    server = start()
    yield server
    server.stop()
