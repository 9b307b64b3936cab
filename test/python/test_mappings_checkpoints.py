"""Partial batches and bisecting, as the documentation of AWS Lambda describes them."""

import re

import pytest

from conftest import eventually
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
    """Of a batch of ten, messages 4, 7 and 10 fail: four invocations."""
    name = f"checkpoints-{kind}-{language}"
    source = fill(weir, kind, name, range(1, 11))
    create_function(weir, name, Environment={"Variables": {"FAILING": "4 7 10"}}, **numbers_code[language])
    map_source(weir, source, name, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    batches = [range(first, 11) for first in (1, 4, 7, 10)]
    expect(weir, name, [{"numbers": list(batch)} for batch in batches], "numbers")


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


def test_one_poison_record_in_ten_thousand(weir):
    """Bisecting isolates it in 30 invocations, and the report names it alone."""
    source = create_stream(weir, "poisoned")
    put(weir, "poisoned", ["poison" if i == 6_789 else str(i) for i in range(10_000)])
    function = create_function(weir, "poisoned", POISON, MemorySize=512)
    topic = Topic(weir, "poisoned")
    uuid = map_source(
        weir, source, "poisoned", BatchSize=10_000, BisectBatchOnFunctionError=True, MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": topic.arn}})
    [report] = topic.reports(1)
    put(weir, "poisoned", ["the next"])

    sequence = poisoned_sequence_number(weir)
    info = report["KinesisBatchInfo"]
    assert re.fullmatch(TIME, report.pop("timestamp")) and re.fullmatch(r"[0-9a-f-]{36}", report["requestContext"].pop("requestId"))
    assert re.fullmatch(TIME, info["approximateArrivalOfFirstRecord"])
    assert info.pop("approximateArrivalOfFirstRecord") == info.pop("approximateArrivalOfLastRecord")
    assert report == {
        "requestContext": {"functionArn": function, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000", "startSequenceNumber": sequence, "endSequenceNumber": sequence,
            "batchSize": 1, "streamArn": source,
        },
    }
    # Each record was in an invocation that succeeded, but for the poisoned one.
    def done():
        [shard] = status(weir, uuid)
        assert shard["activity"] == "waiting" and shard["discarded"] == 1, shard
        saw = printed(weir, "poisoned")
        assert len(saw) == shard["invocations"] <= 31, saw  # the last is of the record that came later
        assert delivered(weir, uuid) == 10_000

    eventually(done)
    topic.close()


def poisoned_sequence_number(weir):
    kinesis = weir.client("kinesis")
    iterator = kinesis.get_shard_iterator(
        StreamName="poisoned", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    while True:
        answer = kinesis.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if record["Data"] == b"poison":
                return record["SequenceNumber"]
        iterator = answer["NextShardIterator"]
