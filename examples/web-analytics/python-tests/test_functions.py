"""Tests of the Python functions. They need no boto3: clients are stand-ins."""

import base64
import json
import sys
import types
import unittest
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.modules.setdefault("boto3", types.ModuleType("boto3"))
sys.path.insert(0, str(Path(__file__).parent.parent / "python"))

import count_events  # noqa: E402
import publish_metrics  # noqa: E402

EXAMPLE = Path(__file__).parent.parent


def record(line):
    return {"kinesis": {"data": base64.b64encode(line.encode()).decode(), "sequenceNumber": "1"}}


class Table:
    """A DynamoDB table that only counts."""

    def __init__(self):
        self.counts = Counter()
        self.calls = 0

    def update_item(self, TableName, Key, UpdateExpression, ExpressionAttributeValues):
        self.calls += 1
        assert UpdateExpression == "ADD EventCount :n"
        self.counts[Key["EventName"]["S"], Key["EventHour"]["S"]] += int(ExpressionAttributeValues[":n"]["N"])


class Metrics:
    def __init__(self):
        self.calls = []

    def put_metric_data(self, Namespace, MetricData):
        self.calls.append([(Namespace, d["MetricName"], d["Timestamp"], d["Value"], d["Unit"]) for d in MetricData])


class CountEvents(unittest.TestCase):
    def test_keys(self):
        for line, minutes, want in [
            ('{"event":"page view","utc_timestamp":"2015-05-17T10:05:03"}', 60, ("page view", "2015-05-17T10:00:00")),
            ('{"event":"page view","utc_timestamp":"2015-05-17T10:59:59"}', 15, ("page view", "2015-05-17T10:45:00")),
            ('{"event":"page view","utc_timestamp":"2015-05-17T10:05:03Z"}', 1, ("page view", "2015-05-17T10:05:00")),
            ('{"event":"page view","utc_timestamp":"2015-05-17T12:05:03+02:00"}', 60, ("page view", "2015-05-17T10:00:00")),
            ('{"utc_timestamp":"2015-05-17T10:05:03"}', 60, ("NULL", "2015-05-17T10:00:00")),
            ('{"event":7,"utc_timestamp":"2015-05-17T10:05:03"}', 60, ("NULL", "2015-05-17T10:00:00")),
            ('{"event":"%s"}' % ("x" * 256), 60, ("NULL", "NULL")),
            ('{"event":"error"}', 60, ("error", "NULL")),
            ('{"event":"error","utc_timestamp":"yesterday"}', 60, ("error", "NULL")),
            ('{"event":"error","utc_timestamp":1431857103}', 60, ("error", "NULL")),
            ("null", 60, ("NULL", "NULL")),
            ("GET / HTTP/1.0", 60, ("NULL", "NULL")),
            ("[1]", 60, ("NULL", "NULL")),
        ]:
            count_events.bucket_minutes = minutes
            self.assertEqual(count_events.key_of(record(line)["kinesis"]), want, line)

    def test_recorded_events(self):
        """The recorded events come out as the counts that another program made."""
        count_events.bucket_minutes = 60
        count_events.dynamodb = table = Table()
        lines = (EXAMPLE / "data/web-events.jsonl").read_text().splitlines()
        for start in range(0, len(lines), 300):
            count_events.handler({"Records": [record(line) for line in lines[start : start + 300]]}, None)
        want = {}
        for line in (EXAMPLE / "data/web-events-hourly.csv").read_text().splitlines()[1:]:
            event, hour, n = line.split(",")
            want[event, hour] = int(n)
        self.assertEqual(dict(table.counts), want)
        self.assertLess(table.calls, len(lines) / 10)


class PublishMetrics(unittest.TestCase):
    def change(self, event, hour, before, after):
        def image(n):
            return {"EventCount": {"N": str(n)}} if n else None

        keys = {"EventName": {"S": event}, "EventHour": {"S": hour}}
        return {"dynamodb": {"Keys": keys, "OldImage": image(before), "NewImage": image(after)}}

    def test_growth(self):
        publish_metrics.cloudwatch = metrics = Metrics()
        now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
        hour = now.strftime("%Y-%m-%dT%H:%M:%S")
        old = (now - timedelta(days=15)).strftime("%Y-%m-%dT%H:%M:%S")
        records = [
            self.change("page view", hour, 0, 7),
            self.change("page view", hour, 7, 12),
            self.change("error", hour, 3, 4),
            self.change("removed", hour, 3, 0),
            self.change("set back", hour, 9, 5),
            self.change("old", old, 0, 5),
            self.change("NULL", "NULL", 0, 5),
        ]
        publish_metrics.handler(json.loads(json.dumps({"Records": records})), None)
        want = [("EventCounter", "error", now, 1, "Count"), ("EventCounter", "page view", now, 12, "Count")]
        self.assertEqual(metrics.calls, [want])

    def test_limit(self):
        publish_metrics.cloudwatch = metrics = Metrics()
        hour = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:00:00")
        publish_metrics.handler({"Records": [self.change(f"e{i}", hour, 0, 1) for i in range(1500)]}, None)
        self.assertEqual([len(call) for call in metrics.calls], [1000, 500])
        publish_metrics.handler({"Records": [self.change("e", hour, 1, 0)]}, None)
        self.assertEqual(len(metrics.calls), 2)


if __name__ == "__main__":
    unittest.main()
