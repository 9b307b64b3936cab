"""Partial batches and bisecting, as the documentation of AWS Lambda describes them."""

import json
import re
from datetime import timezone

import pytest

from conftest import ACCOUNT, REGION, eventually
from mappings import (
    Topic, create_function, create_stream, create_table, delivered, expect, map_source, printed, put, status,
)

POISON = """
def handler(event, context):
    got = texts(event)
    saw(len(got))
    if "poison" in got:
        raise ValueError("poison")
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def fill(weir, kind, name, numbers):
    """Puts numbers into a new stream or table, and returns the ARN to read from."""
    if kind == "kinesis":
        arn = create_stream(weir, name)
        put(weir, name, map(str, numbers))
        return arn
    arn = create_table(weir, name)
    table = weir.resource("dynamodb").Table(name)
    for n in numbers:  # one item, so that all changes are in one shard and in order
        table.put_item(Item={"id": "the", "number": n})
    return arn


@pytest.mark.parametrize("language", ["go", "python", "node"])
@pytest.mark.parametrize("kind", ["kinesis", "dynamodb"])
def test_checkpoints_of_a_batch(weir, numbers_code, kind, language):
    """Of a batch of ten, messages 4, 7 and 10 fail until they are the first: four invocations."""
    name = f"checkpoints-{kind}-{language}"
    source = fill(weir, kind, name, range(1, 11))
    create_function(weir, name, Environment={"Variables": {"FAILING": "4 7 10"}}, **numbers_code[language])
    map_source(weir, source, name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"],
               BisectBatchOnFunctionError=True)
    batches = [range(first, 11) for first in (1, 4, 7, 10)]
    expect(weir, name, [{"numbers": list(batch)} for batch in batches], "numbers")


@pytest.mark.parametrize("reports", [True, False])
def test_what_always_fails_is_isolated(weir, reports):
    """Bisecting, with reports or without, takes messages 4, 7 and 10 out and nothing else."""
    name = f"isolated-{reports}"
    source = fill(weir, "kinesis", name, range(1, 11))
    queue = Queue(weir, name)
    create_function(weir, name, f"""
def handler(event, context):
    got = texts(event)
    failed = [i for i, text in enumerate(got) if text in ("4", "7", "10")]
    if failed and not {reports}:
        raise ValueError("poison")
    saw(got[:failed[0]] if failed else got)
    numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
    return {{"batchItemFailures": [{{"itemIdentifier": numbers[i]}} for i in failed]}}
""")
    map_source(weir, source, name, BatchSize=10, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0,
               FunctionResponseTypes=["ReportBatchItemFailures"] if reports else [],
               DestinationConfig={"OnFailure": {"Destination": queue.arn}})
    found = queue.reports(3)
    assert [report["KinesisBatchInfo"]["batchSize"] for report in found] == [1, 1, 1]
    assert len({report["KinesisBatchInfo"]["startSequenceNumber"] for report in found}) == 3

    def all_others_once():
        assert [text for seen in printed(weir, name) for text in seen] == list("1235689")
    eventually(all_others_once)


def test_a_failure_without_report_repeats_the_batch(weir):
    """By default the whole batch comes again, whatever the function answers."""
    source = fill(weir, "kinesis", "whole", range(5))
    create_function(weir, "whole", """
tried = []
def handler(event, context):
    saw(texts(event))
    tried.append(0)
    if len(tried) < 3:
        raise ValueError("not yet")
    return {"batchItemFailures": [{"itemIdentifier": "nonsense"}]}
""")
    map_source(weir, source, "whole", BatchSize=5)
    expect(weir, "whole", [["0", "1", "2", "3", "4"]] * 3)


@pytest.fixture(scope="module")
def poisoned(weir):
    """A stream of ten thousand records, one of which no function can take, and that one."""
    arn = create_stream(weir, "poisoned")
    put(weir, "poisoned", ["poison" if i == 6_789 else str(i) for i in range(10_000)])
    kinesis = weir.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="poisoned", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while True:
        answer = kinesis.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if record["Data"] == b"poison":
                return arn, record
        iterator = answer["NextShardIterator"]


class Queue:
    """A queue, and the reports that come to it."""

    def __init__(self, weir, name):
        self.sqs = weir.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def reports(self, number):
        found = []
        while len(found) < number:
            messages = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=20).get("Messages", [])
            assert messages, "no report came"
            found += [json.loads(message["Body"]) for message in messages]
        return found

    def close(self):
        pass


class Bucket:
    """A bucket, and the reports that come to it, with their keys."""

    def __init__(self, weir, name):
        self.s3, self.name, self.keys = weir.client("s3", s3={"addressing_style": "path"}), name, []
        self.s3.create_bucket(Bucket=name)
        self.arn = f"arn:aws:s3:::{name}"

    def reports(self, number):
        def arrived():
            found = [o["Key"] for o in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
            assert len(found) == number, found
            return found

        self.keys = eventually(arrived)
        objects = [self.s3.get_object(Bucket=self.name, Key=key) for key in self.keys]
        assert {o["ContentType"] for o in objects} == {"application/octet-stream"}
        return [json.loads(o["Body"].read()) for o in objects]

    def close(self):
        pass


@pytest.mark.parametrize("kind", [Topic, Queue, Bucket], ids=["sns", "sqs", "s3"])
def test_one_poison_record_in_ten_thousand(weir, poisoned, request, kind):
    """Bisecting isolates it in 30 invocations, and the report names it alone."""
    source, record = poisoned
    name = f"poisoned-{request.node.callspec.id}"
    function, destination = create_function(weir, name, POISON, MemorySize=512), kind(weir, name)
    uuid = map_source(
        weir, source, name, BatchSize=10_000, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": destination.arn}})
    [report] = destination.reports(1)

    at = report.pop("timestamp")
    assert re.fullmatch(TIME, at) and re.fullmatch(r"[0-9a-f-]{36}", report["requestContext"].pop("requestId"))
    info = report["KinesisBatchInfo"]
    arrived = record["ApproximateArrivalTimestamp"].astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
    assert info.pop("approximateArrivalOfFirstRecord") == info.pop("approximateArrivalOfLastRecord") == arrived
    payload = report.pop("payload", None)
    assert report == {
        "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000", "startSequenceNumber": record["SequenceNumber"],
            "endSequenceNumber": record["SequenceNumber"], "batchSize": 1, "streamArn": source,
        },
    }
    assert (payload is not None) == (kind is Bucket)  # only a bucket gets the records themselves
    if kind is Bucket:
        [kept] = json.loads(payload)["Records"]
        assert kept["kinesis"]["sequenceNumber"] == record["SequenceNumber"] and kept["kinesis"]["data"] == "cG9pc29u"
        day, second = at[:10].replace("-", "/"), at[:19].replace(":", ".")
        assert re.fullmatch(rf"aws/lambda/{uuid}/shardId-000000000000/{day}/{second}-[0-9a-f-]{{36}}", destination.keys[0])

    # Each record was in an invocation that succeeded, but for the poisoned one.
    def done():
        [shard] = status(weir, uuid)
        assert shard["activity"] == "waiting" and shard["discarded"] == 1, shard
        saw = printed(weir, name)
        assert len(saw) == shard["invocations"] <= 30, saw
        assert delivered(weir, uuid) == 9_999

    eventually(done)
    destination.close()
