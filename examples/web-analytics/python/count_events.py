"""Counts the events of a Kinesis stream in a DynamoDB table.

Settings come from the environment: TABLE_NAME, and BUCKET_MINUTES (60 unless
given). The same as the function count-events in Go.
"""

import base64
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import boto3

NONE = "NULL"  # stands for an event or a time that a record does not have
MAX_NAME = 255  # a kind of event becomes the name of a metric
WRITERS = 8  # counters written at a time

bucket_minutes = int(os.environ.get("BUCKET_MINUTES", "60"))
table_name = os.environ.get("TABLE_NAME", "event-counters")
dynamodb = None


def handler(event, context):
    """Counts a batch in memory and adds each count to its counter.

    When it fails, the whole batch comes again, so counters are at least the
    truth.
    """
    counts = Counter(key_of(record["kinesis"]) for record in event["Records"])
    with ThreadPoolExecutor(WRITERS) as writers:
        # list() raises the first error of a writer
        list(writers.map(lambda item: add(*item), sorted(counts.items())))


def key_of(record):
    """Returns the counter that a record counts in: event and start of bucket."""
    try:
        fields = json.loads(base64.b64decode(record["data"]))
        if fields is None:
            fields = {}
        if not isinstance(fields, dict):
            raise ValueError("it is not an object")
    except ValueError as error:
        print(f"record {record.get('sequenceNumber')} is not JSON: {error}")
        return NONE, NONE
    name = fields.get("event")
    if not isinstance(name, str) or not 0 < len(name.encode()) <= MAX_NAME:
        name = NONE
    return name, bucket_of(fields.get("utc_timestamp"))


def bucket_of(text):
    """Returns the start of the bucket of a time, which is in UTC unless it says otherwise."""
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        return NONE
    if time.tzinfo:
        time = time.astimezone(timezone.utc)
    time = time.replace(minute=time.minute - time.minute % bucket_minutes, second=0, microsecond=0)
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def add(key, count):
    client().update_item(
        TableName=table_name,
        Key={"EventName": {"S": key[0]}, "EventHour": {"S": key[1]}},
        UpdateExpression="ADD EventCount :n",
        ExpressionAttributeValues={":n": {"N": str(count)}},
    )


def client():
    """Returns the client, made when it is first needed so that tests need none."""
    global dynamodb
    if dynamodb is None:
        dynamodb = boto3.client("dynamodb")
    return dynamodb
