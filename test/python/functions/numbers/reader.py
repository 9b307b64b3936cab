"""Reads numbers from the records of a stream, or from the items of a table's changes.

In a tumbling window it adds them up, as the documentation of AWS Lambda shows it.
Otherwise it stops at the first record whose number is in FAILING and reports it. A
record that is the first of its batch always succeeds, as one that is tried again.
"""

import base64
import json
import os

FAILING = {int(n) for n in os.environ.get("FAILING", "").split()}


def number(record):
    if "kinesis" in record:
        return int(base64.b64decode(record["kinesis"]["data"]))
    return int(record["dynamodb"]["NewImage"]["number"]["N"])


def sequence_number(record):
    return record["kinesis" if "kinesis" in record else "dynamodb"]["sequenceNumber" if "kinesis" in record else "SequenceNumber"]


def handler(event, context):
    numbers = [number(r) for r in event["Records"]]
    print("numbers", json.dumps({"numbers": numbers, **{k: v for k, v in event.items() if k != "Records"}}))
    if "window" in event:
        return {"state": {"sum": str(int(event["state"].get("sum", 0)) + sum(numbers))}}
    for i, record in enumerate(event["Records"]):
        if i > 0 and numbers[i] in FAILING:
            return {"batchItemFailures": [{"itemIdentifier": sequence_number(record)}]}
    return {"batchItemFailures": []}
