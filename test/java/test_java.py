"""Functions in Java and Scala, deployed from a Maven project; see template.yaml."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import ACCOUNT, ENVIRONMENT, REGION, eventually

HERE = Path(__file__).parent


def command(binary, *args):
    run = subprocess.run([binary, *args], cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, f"{args}\n{run.stdout}\n{run.stderr}"
    return run.stdout


@pytest.fixture(scope="module")
def newest(binary, weir):
    """The newest of the runtimes that there is a virtual machine for."""
    listed = json.loads(command(binary, "runtimes", "--json", "--data-dir", weir.directory / "data"))
    versions = [int(i["Version"].split(".")[0]) for i in listed["Interpreters"] if i["Language"] == "java"]
    return max(v for v in (17, 21) if v <= max(versions))


@pytest.fixture(scope="module")
def deployed(binary, weir, newest):
    command(binary, "runtimes", "install", "java", "--data-dir", weir.directory / "data")
    command(binary, "deploy", "template.yaml", "--stack-name", "java", "--endpoint", weir.endpoint,
            "--parameter", f"NewestRuntime=java{newest}")
    yield weir
    command(binary, "destroy", "java", "--endpoint", weir.endpoint)


def invoke(weir, name, event):
    answer = weir.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log, answer["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize("name, memory", [("from-jar", 512), ("from-folder", 256)])
def test_what_a_handler_sees(deployed, newest, name, memory):
    event = {"greeting": "h\u00e9llo \u2603", "list": [1, 2.5, None]}
    result, error, log, request = invoke(deployed, name, event)
    assert error is None, result
    assert (result["event"], result["function"], result["request"]) == (event, name, request)
    assert result["arn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    assert (result["memory"], result["time"]) == (memory, True)
    assert memory * 0.6 < result["heap"] < memory
    assert result["java"] >= (17 if name == "from-jar" else newest)
    assert "\nheard {greeting=h\u00e9llo \u2603" in log
    assert re.search(r"\nREPORT RequestId: \S+\tDuration: .*\tInit Duration: ", log)


def test_scala_handler_of_streams(deployed):
    result, error, _, _ = invoke(deployed, "words", {"to": "be or", "not": "to be"})
    assert error is None and result == ["BE", "BE", "NOT", "OR", "TO", "TO"], result


def test_failures(deployed):
    result, error, _, _ = invoke(deployed, "from-jar", {"fail": "no luck"})
    assert error == "Unhandled" and result["errorMessage"] == "no luck"
    assert result["errorType"] == "java.lang.IllegalArgumentException" and "stream.Echo.handle" in result["stackTrace"][0]

    def logged():  # the client prints the stack trace after it has reported the error
        found = deployed.client("logs").filter_log_events(logGroupName="/aws/lambda/from-jar", filterPattern='"stream.Echo.handle"')
        assert found["events"]

    eventually(logged)
    result, error, _, _ = invoke(deployed, "from-jar", {"exit": 7})
    assert error == "Unhandled" and result["errorType"] == "Runtime.ExitError" and result["errorMessage"].endswith("exit status 7")
    assert invoke(deployed, "from-jar", {})[1] is None


def test_records_of_a_stream_are_counted(deployed):
    words = [f"word{n % 7}" for n in range(700)]
    for begin in range(0, len(words), 100):
        deployed.client("kinesis").put_records(StreamName="words", Records=[
            {"Data": w.encode(), "PartitionKey": str(n)} for n, w in enumerate(words[begin : begin + 100])])

    def counted():
        items = deployed.resource("dynamodb").Table("counters").scan(ConsistentRead=True)["Items"]
        assert {i["word"]: i["n"] for i in items} == {f"word{n}": 100 for n in range(7)}

    eventually(counted)


def test_without_the_client_the_error_names_the_remedy(start):
    weir = start()
    with open(HERE / "target" / "functions.jar", "rb") as jar:
        weir.client("lambda").create_function(
            FunctionName="f", Runtime="java17", Handler="stream.Echo::handle", Role=f"arn:aws:iam::{ACCOUNT}:role/r",
            Code={"ZipFile": jar.read()})
    result, error, _, _ = invoke(weir, "f", {})
    assert error == "Unhandled" and result["errorType"] == "Runtime.InvalidEntrypoint"
    assert "weir runtimes install java" in result["errorMessage"]
    weir.stop()
