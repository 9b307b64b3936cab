"""The program's own commands on a running server: deploy, put, tail, destroy."""

import json
import re
import subprocess
from collections import Counter

import pytest

import events
from conftest import ENVIRONMENT, eventually
from test_pipeline import counters, equal

TEMPLATE = events.EXAMPLE / "template-python.yaml"


@pytest.fixture(scope="module")
def command(weir, binary):
    def run(*args, status=0):
        done = subprocess.run(
            [binary, *args], env=ENVIRONMENT | {"WEIR_ENDPOINT": weir.endpoint}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def quarter_hours():
    """Counts the recorded events by quarter of an hour, at the times they have."""
    counts = Counter()
    for line in (events.EXAMPLE / "data" / "web-events.jsonl").read_text().splitlines():
        event = json.loads(line)
        at = events.parse(event["utc_timestamp"])
        at = at.replace(minute=at.minute // 15 * 15, second=0)
        counts[event["event"], at.strftime(events.FORMAT)] += 1
    return counts


def test_an_applications_life(weir, command):
    data = str(events.EXAMPLE / "data" / "web-events.jsonl")
    deployed = command("deploy", str(TEMPLATE), "--stack-name", "web", "--parameter", "BucketMinutes=15")
    assert "CREATE_COMPLETE" in deployed and "web-analytics" in deployed
    command("put", "web-analytics", data, "--partition-key", "visitor")
    eventually(lambda: equal(counters(weir), quarter_hours()))

    for name, count, text in [("web-analytics", 10_000, "utc_timestamp"), ("count-events", 3, "REPORT RequestId: ")]:
        tail = command("tail", name, "--from-start", "--once").splitlines()
        assert len(tail) >= count and any(text in line for line in tail), tail[:3]

    updated = command("deploy", str(TEMPLATE), "--stack-name", "web", "--parameter", "BucketMinutes=15", "--parameter", "MaxErrors=50")
    assert "UPDATE_COMPLETE" in updated
    alarm = weir.client("cloudwatch").describe_alarms(AlarmNames=["web-analytics-too-many-errors"])["MetricAlarms"][0]
    assert (alarm["Threshold"], alarm["Period"]) == (50, 900)
    equal(counters(weir), quarter_hours())  # what is in the table stays

    command("destroy", "web")
    assert weir.client("kinesis").list_streams()["StreamNames"] == []
    assert weir.client("dynamodb").list_tables()["TableNames"] == []
    assert weir.client("lambda").list_functions()["Functions"] == []
    assert weir.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_a_template_that_cannot_be_deployed(weir, command, tmp_path):
    """All that is wrong is told at once, with its line, and nothing is created."""
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n"
        "  Stream:\n    Type: AWS::Kinesis::Stream\n    Properties:\n      Name: never\n      ShardCount: 1\n"
        "  Car:\n    Type: AWS::Garage::Car\n"
        "  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      Colour: red\n"
    )
    told = command("deploy", str(template), "--stack-name", "wrong", status=1)
    assert re.search(r"template\.yaml:7: Car: ", told) and re.search(r"template\.yaml:12: Topic: .*Colour", told)
    assert weir.client("kinesis").list_streams()["StreamNames"] == []


def test_a_topic_calls_a_function_whose_log_group_is_declared(weir, command, tmp_path):
    """The group is the template's, although the function may have written before it is made."""
    template = tmp_path / "template.yaml"
    template.write_text(
        """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: also, ShardCount: 1}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: called}}
  Listener:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: listener
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): print('told', event['Records'][0]['Sns']['Message'])"
      Events:
        Told: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Read: {Type: Kinesis, Properties: {Stream: !GetAtt Stream.Arn, StartingPosition: LATEST}}
  Log:
    Type: AWS::Logs::LogGroup
    DependsOn: ListenerRead
    Properties: {LogGroupName: !Sub "/aws/lambda/${Listener}", RetentionInDays: 3}
"""
    )
    command("deploy", str(template), "--stack-name", "called")
    weir.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:000000000000:called", Message="hello")
    logs = weir.client("logs")

    def told():
        lines = logs.filter_log_events(logGroupName="/aws/lambda/listener")["events"]
        assert any(e["message"].startswith("told hello") for e in lines), lines

    eventually(told)

    def groups():
        return logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/listener")["logGroups"]

    assert groups()[0]["retentionInDays"] == 3
    command("destroy", "called")
    assert groups() == []


def test_a_server_whose_log_nobody_reads(binary, tmp_path):
    server = subprocess.Popen(
        [binary, "up", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    )
    server.stdout.readline()
    server.stderr.close()
    server.terminate()  # which it logs
    assert server.wait(30) == 0
    server.stdout.close()
