"""Turns the changes of the table of counters into metrics.

By how much a counter grew, at the time of its bucket. The namespace of the
metrics comes from the environment, METRIC_NAMESPACE. The same as the function
publish-metrics in Go.
"""

import os
from collections import Counter
from datetime import datetime, timedelta, timezone

import boto3

# Limits of PutMetricData; a minute of each is for the way there.
MAX_DATUMS = 1000
MAX_AGE = timedelta(days=14, minutes=-1)
MAX_AHEAD = timedelta(hours=2, minutes=-1)

namespace = os.environ.get("METRIC_NAMESPACE", "EventCounter")
cloudwatch = None


def handler(event, context):
    """Publishes what a batch of changes adds.

    The mapping's batches are no larger than what one call takes, so a batch is
    published as a whole or not at all; when it fails, it comes again.
    """
    data = datums(event["Records"], datetime.now(timezone.utc))
    for start in range(0, len(data), MAX_DATUMS):
        client().put_metric_data(Namespace=namespace, MetricData=data[start : start + MAX_DATUMS])


def datums(records, now):
    """Returns the datapoints of a batch of changes in a fixed order."""
    growth = Counter()
    skipped = 0
    for record in records:
        change = record["dynamodb"]
        grew = count(change.get("NewImage")) - count(change.get("OldImage"))
        if grew <= 0:  # removed, or set back
            continue
        key = key_of(change.get("Keys") or {}, now)
        if key is None:
            skipped += 1
            continue
        growth[key] += grew
    if skipped:
        print(f"{skipped} changes have no time that metrics can have")
    return [
        {"MetricName": name, "Timestamp": hour, "Value": n, "Unit": "Count"}
        for (name, hour), n in sorted(growth.items())
    ]


def count(image):
    return int(((image or {}).get("EventCount") or {}).get("N", "0"))


def key_of(keys, now):
    """Returns the datapoint of a counter.

    There is none for counters whose time is unknown or one that PutMetricData
    refuses: one such datum would fail the call, and so the batch, for ever.
    """
    name = keys.get("EventName", {}).get("S")
    try:
        hour = datetime.strptime(keys.get("EventHour", {}).get("S", ""), "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    hour = hour.replace(tzinfo=timezone.utc)
    if not name or not -MAX_AHEAD <= now - hour <= MAX_AGE:
        return None
    return name, hour


def client():
    """Returns the client, made when it is first needed so that tests need none."""
    global cloudwatch
    if cloudwatch is None:
        cloudwatch = boto3.client("cloudwatch")
    return cloudwatch
