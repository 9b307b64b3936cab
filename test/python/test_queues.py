"""Queues, and functions that get their messages, through boto3."""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, ROLE, eventually, zipped
from mappings import create_function, printed

HANDLER = """
import json, os, time, boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        table.update_item(
            Key={"id": body["id"]}, UpdateExpression="ADD tries :one SET record_ = :r",
            ExpressionAttributeValues={":one": 1, ":r": json.dumps(record)},
        )
        if body.get("slow"):
            time.sleep(body["slow"])
        if body.get("poison"):
            failed.append({"itemIdentifier": record["messageId"]})
        if body.get("raise"):
            raise ValueError("no")
    return {"batchItemFailures": failed}
"""


@pytest.fixture(scope="module")
def sqs(weir):
    return weir.client("sqs")


@pytest.fixture
def make(sqs, request):
    """Makes a queue that is named for the test and returns its URL."""

    def create(name="q", **attributes):
        name = f"{request.node.name.split('[')[0]}-{name}"
        if attributes.get("FifoQueue"):
            name += ".fifo"
        return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    return create


def arn(url):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[1]}"


def receive(sqs, url, **options):
    options = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]} | options
    return sqs.receive_message(QueueUrl=url, **options).get("Messages", [])


def test_messages(sqs, make):
    url = make(VisibilityTimeout="1")
    sent = sqs.send_message(
        QueueUrl=url, MessageBody="héllo", MessageAttributes={"MyAttribute": {"DataType": "String", "StringValue": "foobar"}}
    )
    assert sent["MD5OfMessageAttributes"] == "adb59cd4678ea5a855436b949cd07ab6"
    batch = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": f"m{i}", "DelaySeconds": 900 if i == 2 else 0} for i in range(3)]
    )
    assert [e["Id"] for e in batch["Successful"]] == ["0", "1", "2"] and "Failed" not in batch
    first = receive(sqs, url)
    assert [m["Body"] for m in first] == ["héllo", "m0", "m1"]
    assert first[0]["MessageAttributes"]["MyAttribute"]["StringValue"] == "foobar"
    assert first[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert [counts[f"ApproximateNumberOfMessages{kind}"] for kind in ("", "NotVisible", "Delayed")] == ["0", "3", "1"]
    assert counts["QueueArn"] == arn(url)
    again = receive(sqs, url, WaitTimeSeconds=10)
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in again} == {"2"}
    # A handle whose time is over still deletes.
    for message in first:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    time.sleep(1.1)
    assert receive(sqs, url) == []
    answer = sqs.receive_message(QueueUrl=url)
    assert "Messages" not in answer


def test_long_poll_returns_when_a_message_arrives(sqs, weir, make):
    url = make()
    other = weir.client("sqs")
    threading.Timer(0.5, lambda: other.send_message(QueueUrl=url, MessageBody="now")).start()
    began = time.monotonic()
    assert [m["Body"] for m in receive(sqs, url, WaitTimeSeconds=20)] == ["now"]
    assert time.monotonic() - began < 5


def test_fifo(sqs, make):
    url = make(FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="30")
    for body, group in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a1", "a")]:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
    first = receive(sqs, url, MaxNumberOfMessages=1)
    assert [m["Body"] for m in first] == ["a1"]
    assert [m["Body"] for m in receive(sqs, url)] == ["b1"]  # a waits for its first
    assert receive(sqs, url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    second = receive(sqs, url)
    assert [m["Body"] for m in second] == ["a2"]
    assert int(second[0]["Attributes"]["SequenceNumber"]) > int(first[0]["Attributes"]["SequenceNumber"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=second[0]["ReceiptHandle"], VisibilityTimeout=0)
    with pytest.raises(ClientError) as refused:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=second[0]["ReceiptHandle"])
    assert refused.value.response["Error"]["Message"].endswith("Reason: The receipt handle has expired.")


def test_dead_letters_and_back(sqs, make):
    dead = make("dead")
    url = make(VisibilityTimeout="0", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 1}))
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert len(receive(sqs, url)) == 1
    assert receive(sqs, url) == []
    [message] = receive(sqs, dead, VisibilityTimeout=0)
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn(url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "2"
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sqs.start_message_move_task(SourceArn=arn(dead))

    def moved():
        [task] = sqs.list_message_move_tasks(SourceArn=arn(dead))["Results"]
        assert task["Status"] == "COMPLETED" and task["ApproximateNumberOfMessagesMoved"] == 1

    eventually(moved)
    assert [m["Body"] for m in receive(sqs, url)] == ["poison"]


@pytest.mark.parametrize(
    "call, code, status, message",
    [
        (lambda c, u: c.receive_message(QueueUrl=u + "x"), "AWS.SimpleQueueService.NonExistentQueue", 400, "The specified queue does not exist."),
        (lambda c, u: c.receive_message(QueueUrl=u, WaitTimeSeconds=21), "InvalidParameterValue", 400, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."),
        (lambda c, u: c.send_message(QueueUrl=u, MessageBody=""), "MissingParameter", 400, "The request must contain the parameter MessageBody."),
        (lambda c, u: c.send_message(QueueUrl=u, MessageBody="x" * (2**20 + 1)), "InvalidParameterValue", 400, "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."),
        (lambda c, u: c.send_message_batch(QueueUrl=u, Entries=[{"Id": str(i), "MessageBody": "x" * 2**19} for i in range(3)]), "AWS.SimpleQueueService.BatchRequestTooLong", 400, "Batch requests cannot be longer than 1048576 bytes. You have sent 1572864 bytes."),
        (lambda c, u: c.create_queue(QueueName=u.rsplit("/", 1)[1], Attributes={"DelaySeconds": "1"}), "QueueAlreadyExists", 400, "A queue already exists with the same name and a different value for attribute DelaySeconds"),
        (lambda c, u: [c.purge_queue(QueueUrl=u), c.purge_queue(QueueUrl=u)], "AWS.SimpleQueueService.PurgeQueueInProgress", 403, "Only one PurgeQueue operation on test_errors-q is allowed every 60 seconds."),
    ],
)
def test_errors(sqs, make, call, code, status, message):
    with pytest.raises(ClientError) as refused:
        call(sqs, make())
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]) == (code, status, message)


def test_query_protocol(weir, make):
    url = make()

    def post(**fields):
        form = urllib.parse.urlencode({"Version": "2012-11-05"} | fields).encode()
        with urllib.request.urlopen(urllib.request.Request(url, form), timeout=30) as answer:
            return answer.read().decode()

    assert "<MD5OfMessageBody>c4ca4238a0b923820dcc509a6f75849b</MD5OfMessageBody>" in post(Action="SendMessage", MessageBody="1")
    assert "<Message><Body>1</Body>" in post(Action="ReceiveMessage")
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(Action="FooBar")
    text = refused.value.read().decode()
    assert "<Code>InvalidAction</Code>" in text and "<Message>The action FooBar is not valid for this endpoint.</Message>" in text


def test_survives_restart(start):
    weir = start()
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    for i in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(i))
    [taken] = receive(sqs, url, MaxNumberOfMessages=1)
    time.sleep(0.5)  # receives are written down a little later
    weir.process.kill()
    weir.process.wait()
    weir = start(directory=weir.directory)
    sqs = weir.client("sqs")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    assert sorted(m["Body"] for m in receive(sqs, url)) == ["1", "2"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])
    weir.stop()


def test_topic_to_queue(weir, sqs, make):
    sns = weir.client("sns")
    url, raw = make(), make("raw")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(url))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(raw), Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=topic, Subject="s", Message="m", MessageAttributes={"a": {"DataType": "Number", "StringValue": "1"}})
    [message] = receive(sqs, url, WaitTimeSeconds=20)
    envelope = json.loads(message["Body"])
    assert (envelope["Type"], envelope["Subject"], envelope["Message"], envelope["TopicArn"]) == ("Notification", "s", "m", topic)
    assert envelope["MessageAttributes"] == {"a": {"Type": "Number", "Value": "1"}}
    [message] = receive(sqs, raw, WaitTimeSeconds=20)
    assert message["Body"] == "m" and message["MessageAttributes"]["a"] == {"DataType": "Number", "StringValue": "1"}


@pytest.fixture(scope="module")
def function(weir):
    """A function that notes the messages it gets in a table."""
    table = weir.resource("dynamodb").create_table(
        TableName="seen", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    weir.client("lambda").create_function(
        FunctionName="seer", Runtime="python3.12", Handler="index.handler", Role=ROLE, Timeout=10,
        Code={"ZipFile": zipped({"index.py": HANDLER})}, Environment={"Variables": {"TABLE": "seen"}},
    )
    return table


@pytest.fixture
def map_(weir, function):
    """Maps a queue to the function for the length of a test."""
    client, made = weir.client("lambda"), []

    def create(url, **options):
        mapping = client.create_event_source_mapping(EventSourceArn=arn(url), FunctionName="seer", **options)
        made.append(mapping["UUID"])
        return mapping

    yield create
    for uuid in made:
        client.delete_event_source_mapping(UUID=uuid)


def seen(function, key, tries=1):
    def look():
        item = function.get_item(Key={"id": key}, ConsistentRead=True).get("Item", {})
        assert item.get("tries", 0) >= tries
        return int(item["tries"]), json.loads(item["record_"])

    return eventually(look)


def empty(sqs, url):
    def look():
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"

    eventually(look)


def test_function_gets_messages(sqs, make, map_, function):
    url = make()
    mapping = map_(url, BatchSize=5)
    assert mapping["StateTransitionReason"] == "USER_INITIATED"
    names = set(mapping) - {"ResponseMetadata"}
    assert names == {
        "BatchSize", "EventSourceArn", "EventSourceMappingArn", "FunctionArn", "FunctionResponseTypes", "LastModified",
        "MaximumBatchingWindowInSeconds", "State", "StateTransitionReason", "UUID",
    }
    sqs.send_message(
        QueueUrl=url, MessageBody='{"id": "plain"}', MessageAttributes={"K": {"DataType": "String", "StringValue": "v"}}
    )
    tries, record = seen(function, "plain")
    assert tries == 1
    assert list(record) == [
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfMessageAttributes", "md5OfBody",
        "eventSource", "eventSourceARN", "awsRegion",
    ]
    assert list(record["attributes"]) == ["ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"]
    assert record["md5OfMessageAttributes"]
    assert record["messageAttributes"] == {"K": {"stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"}}
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", arn(url), REGION)
    empty(sqs, url)


def test_partial_batches_and_dead_letters(sqs, make, map_, function):
    dead = make("dead")
    url = make(VisibilityTimeout="10", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 1}))
    sqs.send_message_batch(
        QueueUrl=url,
        Entries=[{"Id": str(i), "MessageBody": json.dumps({"id": f"part{i}", "poison": i == 1})} for i in range(3)],
    )
    map_(url, FunctionResponseTypes=["ReportBatchItemFailures"])
    for i in range(3):
        assert seen(function, f"part{i}")[0] == 1
    [message] = receive(sqs, dead, WaitTimeSeconds=20)
    assert json.loads(message["Body"])["id"] == "part1"
    empty(sqs, url)


def test_a_failed_batch_comes_again(sqs, make, map_, function):
    url = make(VisibilityTimeout="10")
    map_(url)
    sqs.send_message(QueueUrl=url, MessageBody='{"id": "again", "raise": true}')
    tries, record = seen(function, "again", 2)
    assert tries == 2 and record["attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.parametrize("fifo", [False, True])
def test_messages_wait_for_a_slow_start(weir, sqs, make, fifo):
    options, grouped = {"VisibilityTimeout": "1"}, {}
    if fifo:
        grouped = {"MessageGroupId": "g"}
        options |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    dead = make("dead", **options)
    url = make(**options, RedrivePolicy=json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": 1}))
    name = f"sleeper-{fifo}"
    create_function(weir, name, """
time.sleep(5)
def handler(event, context):
    saw([[r["body"], r["attributes"]["ApproximateReceiveCount"]] for r in event["Records"]])
""", Timeout=1)
    uuid = weir.client("lambda").create_event_source_mapping(EventSourceArn=arn(url), FunctionName=name, BatchSize=2)["UUID"]
    for i in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=str(i), **grouped)
    empty(sqs, url)
    weir.client("lambda").delete_event_source_mapping(UUID=uuid)
    batches = printed(weir, name)
    messages = [message for batch in batches for message in batch]
    assert sorted(messages) == [[str(i), "1"] for i in range(5)]
    assert receive(sqs, dead) == []
    if fifo:
        assert messages == sorted(messages)


def test_filters_delete_what_does_not_match(sqs, make, map_, function):
    url = make()
    map_(url, FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["good"]}}'}]})
    for i, kind in enumerate(["bad", "good"]):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"id": f"filter{i}", "kind": kind}))
    sqs.send_message(QueueUrl=url, MessageBody="not JSON")
    seen(function, "filter1")
    empty(sqs, url)
    assert "Item" not in function.get_item(Key={"id": "filter0"})


def test_concurrency_is_bounded(weir, sqs, make, map_, function):
    url = make()
    map_(url, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    for i in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"id": f"slow{i}", "slow": 0.5}))
    most = 0

    def look():
        nonlocal most
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        most = max(most, int(counts["ApproximateNumberOfMessagesNotVisible"]))
        assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"

    eventually(look)
    assert most == 2


def test_fifo_order_in_a_function(sqs, make, map_, function):
    url = make(FifoQueue="true", ContentBasedDeduplication="true")
    map_(url, BatchSize=2)
    for i in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"id": f"fifo{i}"}), MessageGroupId="g")
    records = [seen(function, f"fifo{i}")[1] for i in range(6)]
    numbers = [r["attributes"]["SequenceNumber"] for r in records]
    firsts = [int(r["attributes"]["ApproximateFirstReceiveTimestamp"]) for r in records]
    assert numbers == sorted(numbers) and firsts == sorted(firsts)
    empty(sqs, url)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
        ({"ParallelizationFactor": 2}, "Unsupported ParallelizationFactor parameter for given event source mapping type."),
        ({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:x"}}}, "Unsupported DestinationConfig parameter for given event source mapping type."),
        ({"FilterCriteria": {"Filters": [{"Pattern": "x"}]}}, "Invalid filter pattern definition."),
    ],
)
def test_mappings_that_are_refused(make, map_, options, message):
    with pytest.raises(ClientError) as refused:
        map_(make(), **options)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidParameterValueException", message)


def test_mapping_of_a_queue_that_is_too_quick(make, map_):
    with pytest.raises(ClientError) as refused:
        map_(make(VisibilityTimeout="5"))
    assert refused.value.response["Error"]["Message"] == "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"


def test_a_slower_function_for_a_mapping(weir, make, map_):
    client = weir.client("lambda")
    client.create_function(FunctionName="slow", Runtime="python3.12", Handler="index.handler", Role=ROLE, Timeout=60, Code={"ZipFile": zipped({"index.py": ""})})
    uuid = map_(make(VisibilityTimeout="30"), Enabled=False)["UUID"]
    with pytest.raises(ClientError) as refused:
        client.update_event_source_mapping(UUID=uuid, FunctionName="slow")
    assert refused.value.response["Error"]["Message"] == "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    assert client.get_event_source_mapping(UUID=uuid)["FunctionArn"].endswith(":seer")


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Dead: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      FifoQueue: true
      ContentBasedDeduplication: true
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Jobs]
      PolicyDocument: {Version: "2012-10-17", Statement: []}
  Results: {Type: AWS::SQS::Queue, Properties: {QueueName: results}}
  Copy:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Timeout: 10
      InlineCode: |
        import boto3, os
        def handler(event, context):
            for r in event["Records"]:
                boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=r["body"])
      Environment: {Variables: {RESULTS: !Ref Results}}
      Events:
        In: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 5, ScalingConfig: {MaximumConcurrency: 3}}}
Outputs:
  Jobs: {Value: !Ref Jobs}
  Name: {Value: !GetAtt Jobs.QueueName}
"""


def test_template(weir, binary, sqs, tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def run(*args):
        subprocess.run([binary, *args, "--endpoint", weir.endpoint], cwd=tmp_path, check=True, timeout=120)

    run("deploy", "template.yaml", "--stack-name", "copying")
    [jobs] = [u for u in sqs.list_queues(QueueNamePrefix="copying-Jobs")["QueueUrls"]]
    assert jobs.endswith(".fifo")
    attributes = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 3 and "Statement" in attributes["Policy"]
    [mapping] = weir.client("lambda").list_event_source_mappings(EventSourceArn=arn(jobs))["EventSourceMappings"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 3}
    sqs.send_message(QueueUrl=jobs, MessageBody="x", MessageGroupId="g")
    results = sqs.get_queue_url(QueueName="results")["QueueUrl"]
    assert [m["Body"] for m in receive(sqs, results, WaitTimeSeconds=20)] == ["x"]
    # Attributes that the template leaves out go back to their defaults.
    (tmp_path / "template.yaml").write_text(TEMPLATE.replace("VisibilityTimeout: 60", "DelaySeconds: 1"))
    run("deploy", "template.yaml", "--stack-name", "copying")
    attributes = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("30", "1")
    run("destroy", "copying")
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="copying-")
