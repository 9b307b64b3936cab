"""Events that nobody waits for: they survive the server, and their ends are reported."""

import json
import re
import signal
import time

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, ROLE, eventually, zipped

# What each function gets goes to a table, by the id of its invocation.
COLLECT = """
import boto3, json

table = boto3.resource("dynamodb").Table("got")

def handler(event, context):
    table.put_item(Item={"function": context.function_name, "id": context.aws_request_id, "event": json.dumps(event)})
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError(event["fail"])
    return {"echo": event}
"""


def arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def prepare(weir, *names):
    weir.client("dynamodb").create_table(
        TableName="got", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("function", "id")],
        KeySchema=[{"AttributeName": "function", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    )
    for name in names:
        create(weir, name)


def create(weir, name, **options):
    weir.client("lambda").create_function(
        FunctionName=name, Role=ROLE, Runtime="python3.12", Handler="f.handler", Timeout=20,
        Code={"ZipFile": zipped({"f.py": COLLECT})}, **options)


def got(weir, name):
    items = weir.resource("dynamodb").Table("got").query(
        KeyConditionExpression="#f = :f", ExpressionAttributeNames={"#f": "function"},
        ExpressionAttributeValues={":f": name}, ConsistentRead=True)["Items"]
    return [json.loads(item["event"]) for item in items]


def send(weir, name, event):
    answer = weir.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    return answer["ResponseMetadata"]["RequestId"]


def records(weir, name, number):
    def arrived():
        found = got(weir, name)
        assert len(found) == number, found
        return found

    return eventually(arrived)


@pytest.fixture(scope="module")
def world(start):
    weir = start()
    prepare(weir, "works", "ends", "other")
    yield weir
    weir.stop()


def configure(weir, name, **settings):
    weir.client("lambda").put_function_event_invoke_config(FunctionName=name, **settings)


def test_records_of_success_and_failure(world):
    configure(world, "works", MaximumRetryAttempts=0,
              DestinationConfig={"OnSuccess": {"Destination": arn("ends")}, "OnFailure": {"Destination": arn("ends")}})
    good, bad = send(world, "works", {"n": 1}), send(world, "works", {"fail": "no luck"})
    found = {r["requestContext"]["requestId"]: r for r in records(world, "ends", 2)}
    common = {"functionArn": arn("works") + ":$LATEST", "approximateInvokeCount": 1}
    assert found[good]["requestContext"] == common | {"requestId": good, "condition": "Success"}
    assert found[good]["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert (found[good]["requestPayload"], found[good]["responsePayload"]) == ({"n": 1}, {"echo": {"n": 1}})
    assert found[bad]["requestContext"] == common | {"requestId": bad, "condition": "RetriesExhausted"}
    assert found[bad]["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert found[bad]["responsePayload"]["errorMessage"] == "no luck"
    assert list(found[bad]) == ["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"]


def test_no_concurrency_at_all(world):
    client = world.client("lambda")
    create(world, "stopped")
    create(world, "told")
    configure(world, "stopped", DestinationConfig={"OnFailure": {"Destination": arn("told")}})
    client.put_function_concurrency(FunctionName="stopped", ReservedConcurrentExecutions=0)
    send(world, "stopped", {"n": 1})
    (record,) = records(world, "told", 1)
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record and "responsePayload" not in record
    assert got(world, "stopped") == []


def test_records_go_to_queues_and_buckets(world):
    sqs, s3 = world.client("sqs"), world.client("s3")
    queue = sqs.create_queue(QueueName="lost")["QueueUrl"]
    s3.create_bucket(Bucket="lost-events")
    create(world, "loses")
    configure(world, "loses", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::lost-events"}})
    world.client("lambda").update_function_configuration(
        FunctionName="loses", DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost"})
    before = time.gmtime()
    request = send(world, "loses", {"fail": "lost for ever"})
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(message["Body"]) == {"fail": "lost for ever"}
    assert {k: (v["DataType"], v["StringValue"]) for k, v in message["MessageAttributes"].items()} == {
        "RequestID": ("String", request), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "lost for ever")}

    def stored():
        listed = s3.list_objects_v2(Bucket="lost-events")
        assert listed["KeyCount"] == 1
        return listed["Contents"][0]["Key"]

    key = eventually(stored)
    assert re.fullmatch(r"aws/lambda/async/loses/\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}", key)
    assert key.startswith(time.strftime("aws/lambda/async/loses/%Y/", before))
    record = json.loads(s3.get_object(Bucket="lost-events", Key=key)["Body"].read())
    assert record["requestContext"]["requestId"] == request and record["responsePayload"]["errorMessage"] == "lost for ever"


def test_dead_letters_to_a_topic(world):
    sns = world.client("sns")
    topic = sns.create_topic(Name="dead")["TopicArn"]
    create(world, "buried")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn("buried"))
    create(world, "dies", DeadLetterConfig={"TargetArn": topic})
    assert world.client("lambda").get_function_configuration(FunctionName="dies")["DeadLetterConfig"] == {"TargetArn": topic}
    configure(world, "dies", MaximumRetryAttempts=0)
    request = send(world, "dies", {"fail": "too bad"})
    (event,) = records(world, "buried", 1)
    message = event["Records"][0]["Sns"]
    assert json.loads(message["Message"]) == {"fail": "too bad"}
    assert {k: (v["Type"], v["Value"]) for k, v in message["MessageAttributes"].items()} == {
        "RequestID": ("String", request), "ErrorCode": ("Number", "200"), "ErrorMessage": ("String", "too bad")}


def test_settings_are_checked(world):
    client = world.client("lambda")
    for settings, code, text in [
        ({}, "InvalidParameterValueException", "You must specify at least one of error handling or destination setting."),
        ({"DestinationConfig": {"OnSuccess": {"Destination": arn("works")}}}, "InvalidParameterValueException",
         "You can't specify the function as a destination for itself."),
        ({"DestinationConfig": {"OnSuccess": {"Destination": arn("none")}}}, "InvalidParameterValueException",
         f"The destination ARN {arn('none')} is invalid."),
        ({"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/b"}}},
         "InvalidParameterValueException", "event buses"),
    ]:
        with pytest.raises(ClientError) as refusal:
            client.put_function_event_invoke_config(FunctionName="works", **settings)
        error = refusal.value.response["Error"]
        assert error["Code"] == code and text in error["Message"], error
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_event_invoke_config(FunctionName="other")
    client.put_function_event_invoke_config(FunctionName="other", MaximumEventAgeInSeconds=60)
    client.update_function_event_invoke_config(FunctionName="other", MaximumRetryAttempts=1)
    (config,) = client.list_function_event_invoke_configs(FunctionName="other")["FunctionEventInvokeConfigs"]
    assert (config["MaximumEventAgeInSeconds"], config["MaximumRetryAttempts"]) == (60, 1)
    assert config["FunctionArn"] == arn("other") + ":$LATEST"
    client.delete_function_event_invoke_config(FunctionName="other")
    assert client.list_function_event_invoke_configs(FunctionName="other")["FunctionEventInvokeConfigs"] == []


def test_accepted_events_survive_a_kill(start):
    weir = start()
    prepare(weir, "works")
    for n in range(5):
        send(weir, "works", {"n": n})
    weir.process.send_signal(signal.SIGKILL)
    weir.process.wait(30)
    time.sleep(1)  # functions die with their server, which releases the directory
    weir = start(directory=weir.directory)

    def all_ran():
        assert {e["n"] for e in got(weir, "works")} == set(range(5))

    eventually(all_ran)
    weir.stop()
