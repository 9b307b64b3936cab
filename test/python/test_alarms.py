"""Alarms: from a metric to the people and programs that are told.

The mail server and the HTTP endpoint that are told run in the test.
"""

import base64
import email
import email.policy
import json
import re
import threading
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from conftest import ACCOUNT, REGION, eventually, zipped, ROLE

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"


class OnFreePort(Controller):
    """Learns its port before it tries whether it can be reached."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    """Keeps the mail that it gets."""

    def __init__(self):
        self.mail = []
        self.controller = OnFreePort(self, hostname="127.0.0.1", port=0)
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, server, session, envelope):
        self.mail.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        assert envelope.rcpt_tos == ["ops@example.com"]
        return "250 OK"

    def with_subject(self, subject):
        found = [mail for mail in self.mail if mail["Subject"] == subject]
        assert found, f"no mail with the subject {subject!r}, but {[m['Subject'] for m in self.mail]}"
        return found[-1].get_body().get_content()


class Subscriber:
    """An HTTP endpoint that keeps what is posted to it, headers and JSON."""

    def __init__(self):
        self.posts = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.posts.append((handler.headers, json.loads(body)))
                handler.send_response(200)
                handler.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alarms"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of_type(self, kind):
        return [(headers, post) for headers, post in self.posts if post["Type"] == kind]


@pytest.fixture(scope="module")
def mail():
    server = MailServer()
    yield server
    server.controller.stop()


@pytest.fixture(scope="module")
def subscriber():
    endpoint = Subscriber()
    yield endpoint
    endpoint.server.shutdown()


@pytest.fixture(scope="module")
def weir(start, mail):
    server = start("--smtp", f"127.0.0.1:{mail.port}")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def sns(weir, mail, subscriber):
    """SNS with a topic that has a confirmed mail address and HTTP endpoint."""
    client = weir.client("sns")
    assert client.create_topic(Name="alarms")["TopicArn"] == TOPIC
    for protocol, endpoint in [("email", "ops@example.com"), ("http", subscriber.url)]:
        answer = client.subscribe(TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)
        assert answer["SubscriptionArn"] == "pending confirmation"
    text = eventually(lambda: mail.with_subject("AWS Notification - Subscription Confirmation"))
    get(re.search(r"https?://\S*Token=[^\s\"<>]+", text).group().replace("&amp;", "&"))
    headers, post = eventually(lambda: one(subscriber.of_type("SubscriptionConfirmation")))
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    verify(post)
    assert b"ConfirmSubscriptionResult" in get(post["SubscribeURL"])
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=TOPIC)
    arns = [s["SubscriptionArn"] for page in pages for s in page["Subscriptions"]]
    assert len(arns) == 2 and all(arn.startswith(TOPIC + ":") for arn in arns)
    return client


def one(found):
    assert len(found) == 1, found
    return found[0]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def verify(post):
    """Checks a message's signature as subscribers of SNS do."""
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{post[name]}\n" for name in names if name in post)
    certificate = x509.load_pem_x509_certificate(get(post["SigningCertURL"]))
    digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[post["SignatureVersion"]]
    certificate.public_key().verify(
        base64.b64decode(post["Signature"]), text.encode(), padding.PKCS1v15(), digest
    )


def alarm_posts(subscriber, name):
    posts = [json.loads(p["Message"]) for _, p in subscriber.of_type("Notification") if p["Message"].startswith("{")]
    return [post for post in posts if post["AlarmName"] == name]


def put_alarm(cloudwatch, name, **other):
    cloudwatch.put_metric_alarm(
        AlarmName=name, AlarmDescription="Too many errors", Namespace="Test", MetricName=name, Statistic="Sum",
        Period=10, EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching", AlarmActions=[TOPIC], OKActions=[TOPIC], **other,
    )


def put_datum(cloudwatch, name, value):
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{
        "MetricName": name, "Value": value, "Unit": "Count", "StorageResolution": 1,
        "Timestamp": datetime.now(timezone.utc),
    }])


def state(cloudwatch, name):
    return one(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"])["StateValue"]


def becomes(cloudwatch, name, value):
    def check():
        assert state(cloudwatch, name) == value
    eventually(check, 90)


def test_an_alarm_goes_off_and_back(weir, sns, mail, subscriber):
    """The metric crosses the threshold and falls below it again."""
    cloudwatch, name = weir.client("cloudwatch"), "errors"
    put_alarm(cloudwatch, name)
    becomes(cloudwatch, name, "OK")
    put_datum(cloudwatch, name, 6)
    becomes(cloudwatch, name, "ALARM")
    becomes(cloudwatch, name, "OK")

    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(AlarmName=name, ScanBy="TimestampAscending")
    history = [item for page in pages for item in page["AlarmHistoryItems"]]
    updates = [item["HistorySummary"] for item in history if item["HistoryItemType"] == "StateUpdate"]
    assert updates == [
        "Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK",
    ]
    actions = [item["HistorySummary"] for item in history if item["HistoryItemType"] == "Action"]
    assert actions == [f"Successfully executed action {TOPIC}"] * 3

    text = eventually(lambda: mail.with_subject(f'ALARM: "{name}" in US East (N. Virginia)'))
    assert f'your Amazon CloudWatch Alarm "{name}" in the US East (N. Virginia) region' in text.replace("\n", " ")
    assert "has entered the ALARM state" in text.replace("\n", " ")
    eventually(lambda: mail.with_subject(f'OK: "{name}" in US East (N. Virginia)'))

    def posted():
        posts = alarm_posts(subscriber, name)
        assert [p["NewStateValue"] for p in posts] == ["OK", "ALARM", "OK"]
        return posts[1]
    alarm = eventually(posted)
    assert alarm["OldStateValue"] == "OK" and alarm["Region"] == "US East (N. Virginia)"
    assert alarm["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
    assert re.fullmatch(
        r"Threshold Crossed: 1 datapoint \[6\.0 \(\d\d/\d\d/\d\d \d\d:\d\d:\d\d\)\]"
        r" was greater than the threshold \(5\.0\)\.", alarm["NewStateReason"])
    trigger = alarm["Trigger"]
    assert (trigger["MetricName"], trigger["Statistic"], trigger["Threshold"]) == (name, "SUM", 5.0)


def test_posts_are_signed(sns, subscriber):
    for version in ("1", "2"):
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="SignatureVersion", AttributeValue=version)
        for subject in ({}, {"Subject": "hello"}):
            message = f"version {version}, {subject}"
            sent = sns.publish(TopicArn=TOPIC, Message=message, **subject)
            headers, post = eventually(lambda: one(
                [(h, p) for h, p in subscriber.of_type("Notification") if p["MessageId"] == sent["MessageId"]]))
            assert post["Message"] == message and post["SignatureVersion"] == version
            assert headers["x-amz-sns-topic-arn"] == TOPIC
            verify(post)


def test_a_state_that_is_set_acts_once(weir, sns, subscriber):
    cloudwatch, name = weir.client("cloudwatch"), "set by hand"
    put_alarm(cloudwatch, name, ActionsEnabled=False)
    becomes(cloudwatch, name, "OK")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="unheard")
    becomes(cloudwatch, name, "OK")
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="heard")
    becomes(cloudwatch, name, "OK")

    def posted():
        posts = alarm_posts(subscriber, name)
        assert [p["NewStateReason"] for p in posts if p["NewStateValue"] == "ALARM"] == ["heard"]
        assert [p["NewStateValue"] for p in posts] == ["ALARM", "OK"]
    eventually(posted)
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_a_function_is_told(weir, sns):
    """A topic invokes a function; no confirmation is needed."""
    functions, logs = weir.client("lambda"), weir.client("logs")
    code = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"
    arn = functions.create_function(
        FunctionName="told", Runtime="python3.12", Handler="told.handler", Role=ROLE,
        Code={"ZipFile": zipped({"told.py": code})},
    )["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName="told")
    subscription = sns.subscribe(TopicArn=TOPIC, Protocol="lambda", Endpoint=arn)["SubscriptionArn"]
    sns.publish(TopicArn=TOPIC, Message="for the function")

    def logged():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/told", filterPattern='"for the function"')
        except logs.exceptions.ResourceNotFoundException as e:
            raise AssertionError("no log yet") from e
        return json.loads(one(events["events"])["message"])["Records"][0]
    record = eventually(logged)
    assert record["EventSource"] == "aws:sns" and record["EventSubscriptionArn"] == subscription
    assert record["Sns"]["Message"] == "for the function" and "SigningCertUrl" in record["Sns"]
    sns.unsubscribe(SubscriptionArn=subscription)


def test_who_unsubscribes_is_left_alone(sns, subscriber):
    """By the link that every post carries."""
    sns.publish(TopicArn=TOPIC, Message="the last one")
    post = eventually(lambda: one([p for _, p in subscriber.of_type("Notification") if p["Message"] == "the last one"]))
    get(post["UnsubscribeURL"])
    eventually(lambda: one(subscriber.of_type("UnsubscribeConfirmation")))
    pages = sns.get_paginator("list_subscriptions").paginate()
    assert "http" not in [s["Protocol"] for page in pages for s in page["Subscriptions"]]
