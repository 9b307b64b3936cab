"""Functions that fail get the documented error, and the server keeps serving."""

import base64
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ROLE, eventually, zipped

RUNTIME_CLIENT = """#!/usr/bin/env python3
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(urllib.request.Request(api + request + "/response", data=ANSWER)).close()
"""


@pytest.fixture(autouse=True)
def keeps_serving(weir):
    yield
    assert weir.healthy()


@pytest.fixture
def create(weir, request):
    """Creates a function whose handler is given, and returns its name."""
    client, name = weir.client("lambda"), re.sub(r"\W+", "-", request.node.name)[:64]

    def make(body, **options):
        options = {"Runtime": "python3.12", "Handler": "f.handler", "Timeout": 10} | options
        code = body if isinstance(body, dict) else {"f.py": "import os, sys, time\n" + body}
        client.create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": zipped(code)}, **options)
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    yield make
    client.delete_function(FunctionName=name)


def invoke(weir, name, **arguments):
    """Returns the kind of error, if any, and the payload."""
    answer = weir.client("lambda", retries=1).invoke(FunctionName=name, **arguments)
    assert answer["StatusCode"] == 200
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def handler(*lines):
    return "def handler(event, context):\n" + "".join(f"    {line}\n" for line in lines)


def test_handler_that_throws(weir, create):
    name = create(handler("raise ValueError('boom')"))
    for _ in range(2):
        error, report = invoke(weir, name)
        assert error == "Unhandled"
        assert (report["errorType"], report["errorMessage"]) == ("ValueError", "boom")
        assert "raise ValueError('boom')" in "".join(report["stackTrace"])


def test_node_handler_that_throws(weir, create):
    name = create({"f.mjs": "export const handler = async () => { throw new RangeError('boom'); };"}, Runtime="nodejs20.x")
    error, report = invoke(weir, name)
    assert error == "Unhandled"
    assert (report["errorType"], report["errorMessage"]) == ("RangeError", "boom")
    assert report["trace"][0] == "RangeError: boom"


def test_handler_that_hangs(weir, create):
    """It is ended when its time is over; the next invocation gets a fresh process."""
    name = create(handler("if event: time.sleep(600)", "return 'well'"), Timeout=1)
    error, report = invoke(weir, name, Payload="true")
    assert (error, report["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert re.fullmatch(r"RequestId: \S+ Error: Task timed out after 1\.00 seconds", report["errorMessage"])
    assert invoke(weir, name, Payload="false") == (None, "well")


@pytest.mark.parametrize("statement,reason", [
    ("os._exit(3)", "Runtime exited with error: exit status 3"),
    ("os._exit(0)", "Runtime exited without providing a reason"),
    ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
])
def test_handler_that_exits(weir, create, statement, reason):
    name = create(handler(f"if event: {statement}", "return 'well'"))
    error, report = invoke(weir, name, Payload="true")
    assert (error, report["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert re.fullmatch(rf"RequestId: \S+ Error: {re.escape(reason)}", report["errorMessage"])
    assert invoke(weir, name, Payload="false") == (None, "well")


def test_handler_that_prints_a_megabyte_a_second(weir, create):
    """Others are served meanwhile, the caller gets the last 4 KB, the log is kept."""
    loop = handler("for i in range(30):", "    print('x' * 102_400); time.sleep(0.1)", "print('the end')", "return 'well'")
    name = create(loop, Timeout=30)
    client = weir.client("lambda")
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(client.invoke, FunctionName=name, LogType="Tail")
        slowest = 0
        while not answer.done():
            start = time.monotonic()
            assert weir.healthy()
            weir.client("dynamodb").list_tables()
            slowest = max(slowest, time.monotonic() - start)
    answer = answer.result()
    assert answer["Payload"].read() == b'"well"' and slowest < 2
    tail = base64.b64decode(answer["LogResult"])
    assert len(tail) <= 4096 and b"the end" in tail and b"REPORT RequestId: " in tail
    logs = weir.client("logs")

    def logged():
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern='"the end"')
        assert len(found["events"]) == 1
    eventually(logged)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    size = sum(len(event["message"]) for page in pages for event in page["events"])
    assert size > 30 * 102_400


def test_result_that_is_not_json(weir, create):
    name = create(handler("return {1, 2}"))
    error, report = invoke(weir, name)
    assert (error, report["errorType"]) == ("Unhandled", "Runtime.MarshalError")
    assert report["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"


def test_runtime_that_answers_with_what_is_not_json(weir, create):
    """A program of one's own can answer anything; the caller gets it as it is."""
    program = RUNTIME_CLIENT.replace("ANSWER", 'b"{not json"')
    name = create({"bootstrap": program}, Runtime="provided.al2023", Handler="none")
    answer = weir.client("lambda").invoke(FunctionName=name)
    assert answer["Payload"].read() == b"{not json" and "FunctionError" not in answer


def test_result_that_is_too_large(weir, create):
    name = create(handler("return 'x' * (7 << 20)"))
    error, report = invoke(weir, name)
    assert (error, report["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")


@pytest.mark.parametrize("code,options,kind", [
    ({"f.py": "import no_such_module\n"}, {}, "Runtime.ImportModuleError"),
    ({"f.py": "x = 1\n"}, {}, "Runtime.HandlerNotFound"),
    ({"f.py": "def handler(:\n"}, {}, "Runtime.UserCodeSyntaxError"),
    ({"f.mjs": "export const other = 1;"}, {"Runtime": "nodejs20.x"}, "Runtime.HandlerNotFound"),
    ({"f.py": "raise ValueError('at the start')\n"}, {}, "ValueError"),
    ({"readme": "no program"}, {"Runtime": "provided.al2023"}, "Runtime.InvalidEntrypoint"),
    ({"bootstrap": "#!/bin/sh\nexit 7\n"}, {"Runtime": "provided.al2023"}, "Runtime.ExitError"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_code_that_does_not_start(weir, create, code, options, kind):
    error, report = invoke(weir, create(code, **options))
    assert (error, report["errorType"]) == ("Unhandled", kind)


def test_failing_function_of_a_mapping(weir, create):
    """Its records come again, and nothing is skipped, until its code is mended."""
    broken = "raise RuntimeError('not yet')"
    name = create(handler(broken))
    kinesis, client, logs = weir.client("kinesis"), weir.client("lambda"), weir.client("logs")
    kinesis.create_stream(StreamName="mended", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="mended")
    arn = kinesis.describe_stream_summary(StreamName="mended")["StreamDescriptionSummary"]["StreamARN"]
    mapping = client.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, StartingPosition="TRIM_HORIZON", BatchSize=2)["UUID"]
    for i in range(5):
        kinesis.put_record(StreamName="mended", PartitionKey="a", Data=f"record {i}".encode())

    def result(text):
        assert client.get_event_source_mapping(UUID=mapping)["LastProcessingResult"] == text
    eventually(lambda: result("PROBLEM: Function call failed"))
    mended = handler("import base64", "for r in event['Records']: print('saw', base64.b64decode(r['kinesis']['data']).decode())")
    client.update_function_code(FunctionName=name, ZipFile=zipped({"f.py": mended}))
    eventually(lambda: result("OK"), 90)

    def logged():
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="saw")["events"]
        assert [e["message"].strip() for e in found] == [f"saw record {i}" for i in range(5)]
    eventually(logged)
    client.delete_event_source_mapping(UUID=mapping)
