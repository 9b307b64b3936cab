"""The web-analytics application, built by hand with boto3 alone.

Events go through the stream, the counting function, the table, the stream of
its changes and the publishing function into metrics. What comes out must be
what another program counted, with the functions in Go and with those in Python.
"""

import json
from collections import Counter, defaultdict
from datetime import timedelta

import pytest

import events
from conftest import ROLE, build_go, eventually, zipped

STREAM, TABLE, NAMESPACE = "web-analytics", "event-counters", "EventCounter"
COUNT, PUBLISH = "count-events", "publish-metrics"


def go_functions(tmp_path_factory):
    directory = tmp_path_factory.mktemp("functions")
    for name in (COUNT, PUBLISH):
        program = build_go(f"./examples/web-analytics/{name}", directory / name)
        yield dict(
            FunctionName=name, Runtime="provided.al2023", Handler="bootstrap",
            Code={"ZipFile": zipped({"bootstrap": program.read_bytes()})},
        )


def python_functions(_):
    code = zipped({f.name: f.read_bytes() for f in (events.EXAMPLE / "python").glob("*.py")})
    for name in (COUNT, PUBLISH):
        handler = name.replace("-", "_") + ".handler"
        yield dict(FunctionName=name, Runtime="python3.12", Handler=handler, Code={"ZipFile": code})


@pytest.fixture(scope="module", params=[go_functions, python_functions], ids=["go", "python"])
def pipeline(request, start, tmp_path_factory):
    """A server with the application, through which all events went."""
    weir = start()
    build(weir, request.param(tmp_path_factory))
    weir.events, weir.expected = events.load()
    weir.sent = put(weir.client("kinesis"), weir.events)
    yield weir
    weir.stop()


def build(weir, functions):
    kinesis, functions_api = weir.client("kinesis"), weir.client("lambda")
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName=STREAM)
    stream = kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamARN"]

    table = weir.resource("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "EventName", "AttributeType": "S"},
            {"AttributeName": "EventHour", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "EventName", "KeyType": "HASH"},
            {"AttributeName": "EventHour", "KeyType": "RANGE"},
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    table.wait_until_exists()
    table.reload()

    variables = {"TABLE_NAME": TABLE, "BUCKET_MINUTES": "60", "METRIC_NAMESPACE": NAMESPACE}
    for function in functions:
        functions_api.create_function(
            Role=ROLE, Timeout=60, MemorySize=256, Environment={"Variables": variables}, **function
        )
        functions_api.get_waiter("function_active_v2").wait(FunctionName=function["FunctionName"])
    for source, function, size in [(stream, COUNT, 300), (table.latest_stream_arn, PUBLISH, 1000)]:
        functions_api.create_event_source_mapping(
            EventSourceArn=source, FunctionName=function, BatchSize=size, StartingPosition="TRIM_HORIZON"
        )


def put(kinesis, data):
    """Puts the events, and returns what was put into each shard, in order."""
    sent = defaultdict(list)
    for records in events.batches(data):
        answer = kinesis.put_records(StreamName=STREAM, Records=records)
        assert answer["FailedRecordCount"] == 0
        for record, result in zip(records, answer["Records"], strict=True):
            sent[result["ShardId"]].append((result["SequenceNumber"], record["Data"]))
    return sent


def counters(weir):
    pages = weir.client("dynamodb").get_paginator("scan").paginate(
        TableName=TABLE, PaginationConfig={"PageSize": 100}
    )
    items = [item for page in pages for item in page["Items"]]
    return {(i["EventName"]["S"], i["EventHour"]["S"]): int(i["EventCount"]["N"]) for i in items}


def metric_sums(weir):
    """Returns the sums per metric and hour."""
    names = sorted({event for event, _ in weir.expected})
    hours = [events.parse(hour) for _, hour in weir.expected]
    pages = weir.client("cloudwatch").get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            {"Id": f"m{i}", "Label": name, "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": name}, "Period": 3600, "Stat": "Sum"}}
            for i, name in enumerate(names)
        ],
        StartTime=min(hours), EndTime=max(hours) + timedelta(hours=1), ScanBy="TimestampAscending",
    )
    return {
        (result["Label"], at.strftime(events.FORMAT)): value
        for page in pages for result in page["MetricDataResults"]
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
    }


def equal(got, want):
    """Fails with a short text: a comparison of hundreds of counters is none to read."""
    wrong = [(k, got.get(k), want.get(k)) for k in sorted({*got, *want}) if got.get(k) != want.get(k)]
    total = f"total {sum(got.values())} of {sum(want.values())}"
    assert not wrong, f"{total}; {len(wrong)} differ (key, got, want): {wrong[:3]}"


def test_counters(pipeline):
    eventually(lambda: equal(counters(pipeline), pipeline.expected))
    assert len(counters(pipeline)) == 467 and sum(counters(pipeline).values()) == 10_000


def test_metric_sums(pipeline):
    eventually(lambda: equal(metric_sums(pipeline), pipeline.expected))


def test_metrics_are_listed(pipeline):
    eventually(lambda: equal(metric_sums(pipeline), pipeline.expected))
    pages = pipeline.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
    names = [metric["MetricName"] for page in pages for metric in page["Metrics"]]
    assert sorted(names) == sorted({event for event, _ in pipeline.expected})


def test_records_are_read_in_order(pipeline):
    """A consumer reads what was acknowledged, in the order of sequence numbers."""
    kinesis = pipeline.client("kinesis")
    for shard, sent in pipeline.sent.items():
        iterator = kinesis.get_shard_iterator(
            StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        read, behind = [], 1
        while behind:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=1000)
            read += [(r["SequenceNumber"], r["Data"].decode()) for r in answer["Records"]]
            iterator, behind = answer["NextShardIterator"], answer["MillisBehindLatest"]
        assert read == sent
        numbers = [int(number) for number, _ in read]
        assert numbers == sorted(set(numbers))


def test_changes_add_up(pipeline):
    """The stream of the table's changes tells how the counters came about."""
    eventually(lambda: equal(counters(pipeline), pipeline.expected))
    streams = pipeline.client("dynamodbstreams")
    arn = streams.list_streams(TableName=TABLE)["Streams"][0]["StreamArn"]
    description = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert description["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    growth = Counter()
    for shard in description["Shards"]:
        for change in changes(streams, arn, shard["ShardId"]):
            keys, new, old = change["Keys"], change.get("NewImage"), change.get("OldImage")
            grew = int(new["EventCount"]["N"]) - int(old["EventCount"]["N"] if old else 0)
            growth[keys["EventName"]["S"], keys["EventHour"]["S"]] += grew
    equal(growth, pipeline.expected)


def changes(streams, arn, shard):
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            return
        yield from (record["dynamodb"] for record in answer["Records"])
        iterator = answer.get("NextShardIterator")


def test_functions_logged(pipeline):
    eventually(lambda: equal(counters(pipeline), pipeline.expected))
    logs = pipeline.client("logs")
    for name in (COUNT, PUBLISH):
        group = f"/aws/lambda/{name}"
        assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        messages = [event["message"] for page in pages for event in page["events"]]
        for word in ("START RequestId: ", "END RequestId: ", "REPORT RequestId: "):
            assert any(message.startswith(word) for message in messages), (name, word)


def test_mappings_tell_their_state(pipeline):
    eventually(lambda: equal(counters(pipeline), pipeline.expected))
    pages = pipeline.client("lambda").get_paginator("list_event_source_mappings").paginate()
    mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    states = {m["FunctionArn"].split(":")[-1]: (m["State"], m["LastProcessingResult"]) for m in mappings}
    assert states == {COUNT: ("Enabled", "OK"), PUBLISH: ("Enabled", "OK")}


def test_dashboard(pipeline):
    cloudwatch = pipeline.client("cloudwatch")
    body = json.dumps({"widgets": [{
        "type": "metric", "x": 0, "y": 0, "width": 24, "height": 8,
        "properties": {"region": "us-east-1", "stat": "Sum", "period": 3600, "title": "Events over time",
                       "metrics": [[NAMESPACE, "page view"], [NAMESPACE, "error"]]},
    }]})
    assert cloudwatch.put_dashboard(DashboardName=STREAM, DashboardBody=body)["DashboardValidationMessages"] == []
    assert cloudwatch.get_dashboard(DashboardName=STREAM)["DashboardBody"] == body
    assert [d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]] == [STREAM]
    cloudwatch.delete_dashboards(DashboardNames=[STREAM])
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
