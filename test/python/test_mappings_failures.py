"""Limits of retries and of age, throttles, and destinations that are not there."""

import re
import time

import pytest

from conftest import ACCOUNT, REGION, eventually
from mappings import Topic, create_function, create_stream, expect, map_source, printed, put, settled, status

FAIL = """
def handler(event, context):
    saw(texts(event))
    if "good" not in texts(event)[0]:
        raise ValueError("no")
"""


@pytest.fixture(scope="module")
def topic(weir):
    topic = Topic(weir, "failures")
    yield topic
    topic.close()


@pytest.fixture(scope="module")
def old(weir):
    """A record that is there from the start of the tests, to be too old at their end."""
    source = create_stream(weir, "old")
    put(weir, "old", ["old"])
    return source, time.monotonic()


@pytest.fixture
def failing(weir, topic, old, request):
    """Makes a stream with records, and a mapping of it to a function that fails."""
    topic.messages.clear()

    def make(texts, body=FAIL, **options):
        name = re.sub(r"\W+", "-", request.node.name)[:64].strip("-")
        source = create_stream(weir, name)
        create_function(weir, name, body)
        put(weir, name, texts)
        uuid = map_source(weir, source, name, **({"DestinationConfig": {"OnFailure": {"Destination": topic.arn}}} | options))
        return name, uuid

    return make


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_retry_limit(weir, topic, failing, limit):
    """A batch is tried once and so many times more, then reported; the next one comes."""
    name, _ = failing(["bad", "bad", "good"], BatchSize=2, MaximumRetryAttempts=limit)
    expect(weir, name, [["bad", "bad"]] * (limit + 1) + [["good"]])
    [report] = topic.reports(1)
    context = report["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetryAttemptsExhausted", limit + 1)
    assert report["KinesisBatchInfo"]["batchSize"] == 2


def test_progress_restarts_the_count(weir, topic, failing):
    """The last record of six fails: it is sent five times with a limit of three."""
    name, _ = failing(list("123456"), """
def handler(event, context):
    saw(texts(event))
    failed = [r["kinesis"]["sequenceNumber"] for r, text in zip(event["Records"], texts(event)) if text == "6"]
    return {"batchItemFailures": [{"itemIdentifier": id} for id in failed]}
""", BatchSize=3, MaximumRetryAttempts=3, FunctionResponseTypes=["ReportBatchItemFailures"])
    expect(weir, name, [list("123"), list("456")] + [["6"]] * 4)
    [report] = topic.reports(1)
    assert report["requestContext"]["approximateInvokeCount"] == 4
    assert report["responseContext"]["functionError"] is None
    assert report["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.parametrize("answer,fails", [
    ("None", False), ("{}", False), ("[]", False), ('{"batchItemFailures": []}', False), ('{"batchItemFailures": None}', False),
    ('{"batchItemFailures": [{"itemIdentifier": ""}]}', True), ('{"batchItemFailures": [{"itemIdentifier": None}]}', True),
    ('{"batchItemFailures": [{"foo": 123}]}', True), ('{"batchItemFailures": [{"itemIdentifier": "123"}]}', True),
], ids=map(str, range(9)))
def test_answers(weir, topic, failing, answer, fails):
    name, _ = failing(["a", "b"], f"def handler(event, context):\n    saw(texts(event))\n    return {answer}\n",
                      MaximumRetryAttempts=1, FunctionResponseTypes=["ReportBatchItemFailures"])
    expect(weir, name, [["a", "b"]] * (2 if fails else 1))
    topic.reports(1 if fails else 0)


@pytest.mark.parametrize("statement", ["time.sleep(60)", "os._exit(1)"], ids=["hangs", "exits"])
def test_a_function_that_does_not_answer(weir, topic, failing, statement):
    """Timeouts and crashes are failures as any other."""
    name, _ = failing(["a"], f"def handler(event, context):\n    saw(texts(event))\n    {statement}\n", Enabled=False, MaximumRetryAttempts=1)
    client = weir.client("lambda")
    client.update_function_configuration(FunctionName=name, Timeout=1)
    [mapping] = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    [report] = topic.reports(1)
    assert report["responseContext"]["functionError"] == "Unhandled"
    expect(weir, name, [["a"]] * 2)


def test_a_destination_that_is_gone(weir, failing):
    """It does not hold up the shard."""
    name, uuid = failing(["bad", "good"], BatchSize=1, MaximumRetryAttempts=0, DestinationConfig={
        "OnFailure": {"Destination": f"arn:aws:sns:{REGION}:{ACCOUNT}:none"}})
    expect(weir, name, [["bad"], ["good"]])
    assert status(weir, uuid)[0]["discarded"] == 1


def test_a_batch_that_is_given_up_while_the_mapping_stops(weir, topic, failing):
    """Its report is sent, and it does not come again."""
    name, uuid = failing(["bad"], FAIL.replace("saw(", "time.sleep(2); saw("), BatchSize=1, MaximumRetryAttempts=0)

    def at_work():
        assert [s["activity"] for s in status(weir, uuid)] == ["invoking"]

    eventually(at_work)
    functions = weir.client("lambda")
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    settled(weir, uuid, "Disabled")
    functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    put(weir, name, ["good"])
    expect(weir, name, [["bad"], ["good"]])
    [report] = topic.reports(1)
    assert report["requestContext"]["approximateInvokeCount"] == 1


def test_throttles_do_not_count(weir, topic, failing):
    """A function that may not run is waited for, whatever the retry limit is."""
    client = weir.client("lambda")
    name, uuid = failing(["good"], Enabled=False, MaximumRetryAttempts=0)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    client.update_event_source_mapping(UUID=uuid, Enabled=True)

    def throttled():
        [shard] = status(weir, uuid)
        assert shard["activity"] == "throttled" and shard["retries"] >= 3 and shard["behindMs"] > 0, shard

    eventually(throttled)
    assert printed(weir, name) == [] and topic.messages == []
    client.delete_function_concurrency(FunctionName=name)
    expect(weir, name, [["good"]])


def test_reserved_concurrency_bounds_the_shards(weir, failing):
    """Two shards, one invocation at a time: slower, but all is processed."""
    client = weir.client("lambda")
    source = create_stream(weir, "bounded", shards=4)
    create_function(weir, "bounded", "def handler(event, context):\n    start = time.time()\n    time.sleep(0.3)\n    saw([start, time.time(), texts(event)])\n")
    client.put_function_concurrency(FunctionName="bounded", ReservedConcurrentExecutions=1)
    put(weir, "bounded", [str(n) for n in range(12)], key=str)
    map_source(weir, source, "bounded", MaximumRetryAttempts=0)

    def done():
        calls = sorted(printed(weir, "bounded"))
        assert sorted(int(text) for _, _, got in calls for text in got) == list(range(12))
        return calls

    calls = eventually(done)
    assert len(calls) >= 4 and all(first[1] <= second[0] for first, second in zip(calls, calls[1:]))


def test_records_that_are_too_old(weir, topic, old):
    """They are reported without being sent; younger ones of the batch are sent."""
    source, since = old
    topic.messages.clear()
    create_function(weir, "old", FAIL)
    time.sleep(max(0, since + 61 - time.monotonic()))
    put(weir, "old", ["good"])
    map_source(weir, source, "old", MaximumRecordAgeInSeconds=60, MaximumRetryAttempts=0,
               DestinationConfig={"OnFailure": {"Destination": topic.arn}})
    expect(weir, "old", [["good"]])
    [report] = topic.reports(1)
    assert "responseContext" not in report
    assert (report["requestContext"]["condition"], report["requestContext"]["approximateInvokeCount"]) == ("RecordAgeExceeded", 1)
    assert report["KinesisBatchInfo"]["batchSize"] == 1
