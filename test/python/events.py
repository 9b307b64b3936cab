"""The recorded events of the web-analytics example, moved to recent times.

As a program it writes what the AWS CLI sends and what must come out:

    python events.py DIR    # records-NN.json for put-records, expected.tsv
"""

import json
import sys
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "web-analytics"
FORMAT = "%Y-%m-%dT%H:%M:%S"
BATCH = 500  # records that one PutRecords takes


def parse(text):
    return datetime.strptime(text, FORMAT).replace(tzinfo=timezone.utc)


def load():
    """Returns the events in the order of the log, and the counts by event and hour.

    All times are moved by a whole number of hours so that the last event is
    recent: CloudWatch refuses metric data older than two weeks.
    """
    lines = (EXAMPLE / "data" / "web-events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    last = max(parse(e["utc_timestamp"]) for e in events)
    shift = timedelta(hours=(datetime.now(timezone.utc) - last) // timedelta(hours=1))
    for event in events:
        event["utc_timestamp"] = (parse(event["utc_timestamp"]) + shift).strftime(FORMAT)
    expected = Counter()
    for line in (EXAMPLE / "data" / "web-events-hourly.csv").read_text().splitlines()[1:]:
        event, hour, count = line.split(",")
        expected[event, (parse(hour) + shift).strftime(FORMAT)] = int(count)
    return events, expected


def batches(events):
    """Returns the events as lists of records, each as large as PutRecords takes."""
    records = [{"Data": json.dumps(e), "PartitionKey": e["visitor"]} for e in events]
    return [records[i : i + BATCH] for i in range(0, len(records), BATCH)]


def write(directory):
    events, expected = load()
    for i, records in enumerate(batches(events)):
        (directory / f"records-{i:02}.json").write_text(json.dumps(records))
    rows = sorted(f"{event}\t{hour}\t{count}\n" for (event, hour), count in expected.items())
    (directory / "expected.tsv").write_text("".join(rows))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
