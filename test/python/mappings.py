"""What the tests of event source mappings share: sources, functions, what these saw."""

import json
import re
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conftest import ACCOUNT, REGION, ROLE, eventually, zipped

# The start of functions in Python that are given as text.
PRELUDE = """import base64, json, os, time
def texts(event):
    return [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
def saw(what):
    print("saw", json.dumps(what))
"""


def create_stream(weir, name, shards=1):
    kinesis = weir.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}"


def create_table(weir, name):
    """Creates a table with a change stream, and returns the ARN of that."""
    table = weir.resource("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    table.wait_until_exists()
    table.reload()
    return table.latest_stream_arn


def create_function(weir, name, body=None, **options):
    """Creates a function of a Python text, or of what options say."""
    if body is not None:
        options["Code"] = {"ZipFile": zipped({"f.py": PRELUDE + body})}
    client = weir.client("lambda")
    client.create_function(**({"FunctionName": name, "Role": ROLE, "Runtime": "python3.12", "Handler": "f.handler", "Timeout": 30} | options))
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def map_source(weir, source, function, **options):
    """Creates a mapping that begins with the oldest record, and returns its UUID."""
    options = {"StartingPosition": "TRIM_HORIZON"} | options
    return weir.client("lambda").create_event_source_mapping(EventSourceArn=source, FunctionName=function, **options)["UUID"]


def put(weir, stream, texts, key="k"):
    """Puts records in order; key is theirs, or makes one of each text."""
    kinesis = weir.client("kinesis")
    records = [{"Data": text.encode(), "PartitionKey": key(text) if callable(key) else key} for text in texts]
    for i in range(0, len(records), 500):
        answer = kinesis.put_records(StreamName=stream, Records=records[i : i + 500])
        assert answer["FailedRecordCount"] == 0


def printed(weir, function, word="saw"):
    """Returns what a function printed after a word, oldest first."""
    logs, found = weir.client("logs"), []
    try:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}", filterPattern=word):
            found += page["events"]
    except logs.exceptions.ResourceNotFoundException:  # it has not run yet
        return []
    found.sort(key=lambda e: e["timestamp"])
    # Node puts the time, the id of the request and the level in front.
    lines = (re.search(rf"(?:^|\t){word} (.*)", e["message"]) for e in found)
    return [json.loads(line[1]) for line in lines if line]


def expect(weir, function, want, word="saw", seconds=60):
    """Waits until a function has printed what is wanted, and no more."""
    def same():
        found = printed(weir, function, word)
        assert found == want, f"{len(found)} of {len(want)}: {found[:20]}"

    eventually(same, seconds)


def stay_in_a_window(length, seconds):
    """Waits, if the tumbling window of this length that is now ends within so many seconds."""
    left = length - time.time() % length
    if left < seconds:
        time.sleep(left)


def settled(weir, uuid, state="Enabled"):
    def reached():
        assert weir.client("lambda").get_event_source_mapping(UUID=uuid)["State"] == state

    eventually(reached, 20)


def ask(weir, path):
    """Asks for what the console shows."""
    with urllib.request.urlopen(f"{weir.endpoint}/_weir/console/api/{path}", timeout=10) as answer:
        return json.load(answer)


def status(weir, uuid):
    """Returns how a mapping stands in its shards."""
    return ask(weir, f"mappings/{uuid}/shards")


def delivered(weir, uuid):
    """Returns how many records a mapping has delivered."""
    return next(m["records"] for m in ask(weir, "status")["mappings"] if m["uuid"] == uuid)


class Topic:
    """A topic with an HTTP endpoint of the test, which keeps the messages."""

    def __init__(self, weir, name):
        self.messages = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                post = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
                if post["Type"] == "SubscriptionConfirmation":
                    urllib.request.urlopen(post["SubscribeURL"], timeout=10).close()
                else:
                    self.messages.append(json.loads(post["Message"]))
                handler.send_response(200)
                handler.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        sns = weir.client("sns")
        self.arn = sns.create_topic(Name=name)["TopicArn"]
        sns.subscribe(TopicArn=self.arn, Protocol="http", Endpoint=f"http://127.0.0.1:{self.server.server_port}/")

        def confirmed():
            found = sns.list_subscriptions_by_topic(TopicArn=self.arn)["Subscriptions"]
            assert found and found[0]["SubscriptionArn"] != "PendingConfirmation"

        eventually(confirmed)

    def close(self):
        self.server.shutdown()

    def reports(self, number, seconds=60):
        """Waits for a number of reports, and returns them."""
        def arrived():
            assert len(self.messages) == number, self.messages

        eventually(arrived, seconds)
        return self.messages
