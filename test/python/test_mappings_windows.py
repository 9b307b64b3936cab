"""Tumbling windows: sums over time, with state that the function hands on."""

import signal
import time
from collections import Counter
from datetime import datetime, timezone

import pytest

from conftest import eventually
from mappings import Topic, create_function, create_stream, create_table, expect, map_source, printed, put, status, stay_in_a_window

LENGTH = 30  # seconds, as in the example of the documentation
ADD = """
def handler(event, context):
    saw({k: v for k, v in event.items() if k != "Records"} | {"texts": texts(event)})
    return {"state": {"all": event["state"].get("all", []) + texts(event)}}
"""


@pytest.fixture(scope="module")
def sums(start, numbers_code):
    """A server on which integers flow for a while into a stream and a table, and
    functions in three languages add up those of each window."""
    weir = start()
    stream, changes = create_stream(weir, "numbers", shards=2), create_table(weir, "numbers")
    for language, code in numbers_code.items():
        for kind, source in (("kinesis", stream), ("dynamodb", changes)):
            create_function(weir, f"sum-{kind}-{language}", **code)
            map_source(weir, source, f"sum-{kind}-{language}", TumblingWindowInSeconds=LENGTH, BatchSize=10)
    kinesis, table = weir.client("kinesis"), weir.resource("dynamodb").Table("numbers")
    # A little over one window, so that a boundary lies between two integers.
    end, number = time.monotonic() + LENGTH + 2, 0
    while time.monotonic() < end:
        number += 1
        kinesis.put_record(StreamName="numbers", PartitionKey=str(number), Data=str(number).encode())
        table.put_item(Item={"id": str(number % 7), "number": number})
        time.sleep(0.2)
    yield weir
    weir.stop()


def span(seconds):
    """Returns a window as events and clocks write it."""
    first = int(seconds) // LENGTH * LENGTH
    return tuple(datetime.fromtimestamp(t, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for t in (first, first + LENGTH))


def sums_of_stream(weir):
    kinesis, sums = weir.client("kinesis"), Counter()
    for shard in kinesis.list_shards(StreamName="numbers")["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName="numbers", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
            sums[shard["ShardId"], span(record["ApproximateArrivalTimestamp"].timestamp())] += int(record["Data"])
    return sums


def sums_of_changes(weir):
    streams, sums = weir.client("dynamodbstreams"), Counter()
    arn = streams.list_streams(TableName="numbers")["Streams"][0]["StreamArn"]
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for record in streams.get_records(ShardIterator=iterator)["Records"]:
            change = record["dynamodb"]
            sums[shard["ShardId"], span(change["ApproximateCreationDateTime"].timestamp())] += int(change["NewImage"]["number"]["N"])
    return sums


@pytest.mark.parametrize("language", ["go", "python", "node"])
@pytest.mark.parametrize("kind,count", [("kinesis", sums_of_stream), ("dynamodb", sums_of_changes)], ids=["kinesis", "dynamodb"])
def test_sums_of_integers(sums, kind, count, language):
    """Each window ends with one final invocation that has the sum of its integers."""
    want = count(sums)
    assert len({window for _, window in want}) >= 2

    def finals():
        calls = printed(sums, f"sum-{kind}-{language}", "numbers")
        last = [c for c in calls if c["isFinalInvokeForWindow"]]
        found = {(c["shardId"], (c["window"]["start"], c["window"]["end"])): int(c["state"]["sum"]) for c in last}
        assert found == want
        assert len(last) == len(found)
        return calls

    calls = eventually(finals, LENGTH + 30)
    assert all(c["numbers"] == [] for c in calls if c["isFinalInvokeForWindow"])
    assert not any(c["isWindowTerminatedEarly"] for c in calls)
    sizes = [len(c["numbers"]) for c in calls if not c["isFinalInvokeForWindow"]]
    assert 0 < min(sizes) and max(sizes) <= 10
    for (shard, window) in want:  # the state goes from each invocation to the next
        total = 0
        for c in calls:
            if (c["shardId"], (c["window"]["start"], c["window"]["end"])) == (shard, window):
                assert int(c["state"].get("sum", 0)) == total
                total += sum(c["numbers"])


def finals(weir, function):
    return [c for c in printed(weir, function) if c["isFinalInvokeForWindow"]]


def test_an_idle_window_is_closed_by_time(weir):
    """Without any further record, and with nothing to tell of windows without one."""
    source = create_stream(weir, "idle")
    create_function(weir, "idle", ADD)
    map_source(weir, source, "idle", TumblingWindowInSeconds=2, StartingPosition="LATEST")
    put(weir, "idle", ["a", "b"])
    [final] = eventually(lambda: at_least(1, finals(weir, "idle")), 15)
    assert final["state"] == {"all": ["a", "b"]} and final["texts"] == []
    assert final["eventSourceARN"] == source and final["shardId"] == "shardId-000000000000"
    time.sleep(3)  # one empty window
    put(weir, "idle", ["c"])
    second = eventually(lambda: at_least(2, finals(weir, "idle")), 15)[1]
    assert second["state"] == {"all": ["c"]} and second["window"]["start"] > final["window"]["end"]


def at_least(number, found):
    assert len(found) >= number, found
    return found


def test_a_state_that_is_too_large_ends_the_window(weir):
    """The final invocation comes early and says so; the next record begins anew."""
    source = create_stream(weir, "large")
    create_function(weir, "large", """
def handler(event, context):
    saw([texts(event), len(json.dumps(event["state"])), event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"]])
    return {"state": {"x": "x" * (1 << 20)} if texts(event) == ["large"] else {"small": 1}}
""", MemorySize=256)
    stay_in_a_window(900, 20)
    put(weir, "large", ["large", "after"])
    map_source(weir, source, "large", TumblingWindowInSeconds=900, BatchSize=1)
    expect(weir, "large", [
        [["large"], 2, False, False], [[], (1 << 20) + len('{"x": ""}'), True, True], [["after"], 2, False, False],
    ])


def test_a_window_that_fails_is_reported_and_left(weir):
    """An answer without state is a failure like any other."""
    topic = Topic(weir, "no-state")
    source = create_stream(weir, "no-state")
    function = create_function(weir, "no-state", """
def handler(event, context):
    saw([texts(event), event["state"]])
    return {"state": {"n": 1}} if texts(event) == ["good"] else {}
""")
    stay_in_a_window(900, 20)
    put(weir, "no-state", ["good", "bad"])
    map_source(weir, source, "no-state", TumblingWindowInSeconds=900, BatchSize=1, MaximumRetryAttempts=1,
               DestinationConfig={"OnFailure": {"Destination": topic.arn}})
    expect(weir, "no-state", [[["good"], {}], [["bad"], {"n": 1}], [["bad"], {"n": 1}]])
    [report] = topic.reports(1)
    assert report["requestContext"]["functionArn"] == function
    assert (report["requestContext"]["condition"], report["requestContext"]["approximateInvokeCount"]) == ("RetryAttemptsExhausted", 2)
    assert report["responseContext"]["functionError"] is None
    info = report["timeWindowInfo"]
    assert set(info["window"]) == {"start", "end"}
    assert (info["isFinalInvokeForWindow"], info["isWindowTerminatedEarly"]) == (False, False)
    topic.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_window_survives_the_server(start, how):
    """Its state comes back with the position that belongs to it."""
    weir = start()
    source = create_stream(weir, "kept")
    create_function(weir, "kept", ADD)
    uuid = map_source(weir, source, "kept", TumblingWindowInSeconds=10, BatchSize=2)
    stay_in_a_window(10, 8)  # so that the server is back before it ends
    put(weir, "kept", list("abc"))

    def processed():
        [shard] = status(weir, uuid)
        assert shard["records"] >= 3 and shard["activity"] == "waiting" and shard["window"]["stateBytes"] > 10

    eventually(processed)
    time.sleep(0.2)  # a checkpoint may wait for a moment before it is synced
    directory = weir.directory
    if how == signal.SIGTERM:
        weir.stop()
    else:
        weir.process.kill()
        weir.process.wait()
        weir.process.stdout.close()
        weir.log.close()
    weir = start(directory=directory)
    put(weir, "kept", ["d"])

    def told():  # where the server took its time, the last one is in the next window
        states = [final["state"]["all"] for final in finals(weir, "kept")]
        assert states in ([list("abcd")], [list("abc"), ["d"]])

    eventually(told, 30)
    weir.stop()
