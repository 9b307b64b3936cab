"""Functions tagged exactly-once: what an invocation does counts as a whole, once."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from conftest import ROLE, eventually, zipped

HANDLER = """
import json, os, threading, time, boto3
from botocore.config import Config
once = Config(retries={"total_max_attempts": 1})
table = boto3.resource("dynamodb", config=once).Table("once")
client = lambda name: boto3.client(name, config=once)

def add(key, n=1, **more):
    return table.update_item(Key={"id": key}, UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": n}, **more)

def get(key):
    return int(table.get_item(Key={"id": key}).get("Item", {"n": 0})["n"])

def handler(event, context):
"""


@pytest.fixture(scope="module")
def table(weir):
    t = weir.resource("dynamodb").create_table(
        TableName="once", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    t.wait_until_exists()
    return t


@pytest.fixture
def create(weir, table):
    client, names = weir.client("lambda"), []

    def make(name, *lines, tags=None, **options):
        body = HANDLER + "".join(f"    {line}\n" for line in lines)
        options = {"Runtime": "python3.12", "Handler": "f.handler", "Timeout": 10, "Tags": tags or {"weir:delivery": "exactly-once"}} | options
        client.create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": zipped({"f.py": body})}, **options)
        names.append(name)
        return name

    yield make
    for name in names:
        client.delete_function(FunctionName=name)


def invoke(weir, name, event=None):
    answer = weir.client("lambda", retries=1).invoke(FunctionName=name, Payload=json.dumps(event))
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def count(table, key):
    return int(table.get_item(Key={"id": key}, ConsistentRead=True).get("Item", {"n": -1})["n"])


def test_effects_count_when_the_function_succeeds(weir, table, create):
    name = create("succeeds", "add('s')", "add('s')", "return get('s')")
    assert invoke(weir, name) == (None, 2)
    assert count(table, "s") == 2


@pytest.mark.parametrize("end", ["raise ValueError()", "os._exit(3)", "time.sleep(9)"])
def test_nothing_counts_when_it_fails(weir, table, create, end):
    name = create("fails", "add('f')", "assert get('f') == 1", end, Timeout=3)
    error, _ = invoke(weir, name)
    assert error == "Unhandled"
    assert count(table, "f") == -1


def test_nobody_sees_effects_early(weir, table, create):
    name = create("waits", "add('w')", "time.sleep(2)")
    thread = threading.Thread(target=invoke, args=(weir, name))
    thread.start()
    time.sleep(1.2)
    assert count(table, "w") == -1
    thread.join()
    assert count(table, "w") == 1


def test_read_modify_write_loses_nothing(weir, table, create):
    name = create("changes", "n = get('rmw')", "time.sleep(0.01)", "table.put_item(Item={'id': 'rmw', 'n': n + 1})")
    def run():
        for _ in range(10):
            assert invoke(weir, name)[0] is None
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert count(table, "rmw") == 40


def test_a_contradiction_is_no_failure(weir, table, create):
    name = create("contradicted", "x = get('x')", "time.sleep(2)", "y = get('y')", "assert x == y", "return y")
    both = lambda n: [table.put_item(Item={"id": key, "n": n}) for key in "xy"]
    both(1)
    assert invoke(weir, name) == (None, 1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(invoke(weir, name)))
    thread.start()
    time.sleep(1)
    both(2)
    thread.join()
    assert answers == [(None, 2)]


def test_adding_never_conflicts(weir, table, create):
    name = create("adds", "add('hot', 1)", "time.sleep(0.5)", "add('hot', 1)")
    threads = [threading.Thread(target=invoke, args=(weir, name)) for _ in range(6)]
    begun = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert count(table, "hot") == 12
    assert time.monotonic() - begun < 30


def test_streams_and_metrics_are_held_back_too(weir, table, create):
    kinesis = weir.client("kinesis")
    kinesis.create_stream(StreamName="out", ShardCount=2)
    kinesis.get_waiter("stream_exists").wait(StreamName="out")
    name = create(
        "emits",
        "k = client('kinesis')",
        "k.put_record(StreamName='out', PartitionKey='a', Data=b'1')",
        "r = k.put_records(StreamName='out', Records=[{'PartitionKey': 'a', 'Data': b'2'}, {'PartitionKey': 'b', 'Data': b'3'}])",
        "client('cloudwatch').put_metric_data(Namespace='once', MetricData=[{'MetricName': 'm', 'Value': 1}])",
        "assert r['FailedRecordCount'] == 0",
        "if event: raise ValueError()",
    )
    def records():
        found = []
        for shard in kinesis.list_shards(StreamName="out")["Shards"]:
            it = kinesis.get_shard_iterator(StreamName="out", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            found += [r["Data"] for r in kinesis.get_records(ShardIterator=it)["Records"]]
        return sorted(found)
    metrics = weir.client("cloudwatch")
    assert invoke(weir, name, {"fail": True})[0] == "Unhandled"
    assert records() == [] and metrics.list_metrics(Namespace="once")["Metrics"] == []
    assert invoke(weir, name)[0] is None
    assert records() == [b"1", b"2", b"3"] and len(metrics.list_metrics(Namespace="once")["Metrics"]) == 1


def test_messages_and_objects(weir, table, create):
    sqs, s3 = weir.client("sqs"), weir.client("s3")
    url = sqs.create_queue(QueueName="once")["QueueUrl"]
    s3.create_bucket(Bucket="once")
    s3.put_object(Bucket="once", Key="settings", Body=b"7")
    name = create(
        "sends",
        f"client('sqs').send_message(QueueUrl='{url}', MessageBody='one')",
        f"client('sqs').send_message_batch(QueueUrl='{url}', Entries=[dict(Id='a', MessageBody='two')])",
        "body = client('s3').get_object(Bucket='once', Key='settings')['Body'].read().decode()",
        "if event == 'put': client('s3').put_object(Bucket='once', Key='o', Body=b'')",
        "return body",
    )
    error, report = invoke(weir, name, "put")
    assert error == "Unhandled" and "AccessDenied" in report["errorMessage"] and "weir:outside" in report["errorMessage"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert invoke(weir, name, "get") == (None, "7")
    received = [m["Body"] for _ in range(3) for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]
    assert sorted(received) == ["one", "two"]


def test_what_cannot_be_held_back_is_refused(weir, table, create):
    arn = weir.client("sns").create_topic(Name="once")["TopicArn"]
    body = [
        "add('o')",
        f"client('sns').publish(TopicArn='{arn}', Message='m')",
        "client('dynamodb').list_tables()",
        "return client('sts').get_caller_identity()['Account']",
    ]
    refused = create("refused", *body)
    error, report = invoke(weir, refused)
    assert error == "Unhandled" and "AccessDenied" in report["errorType"] + report["errorMessage"] and "weir:outside" in report["errorMessage"]
    assert count(table, "o") == -1
    passes = create("passes", *body, tags={"weir:delivery": "exactly-once", "weir:outside": "pass"})
    assert invoke(weir, passes) == (None, "000000000000")
    assert count(table, "o") == 1


def test_a_write_that_the_sdk_sends_again_counts_once(weir, table, create):
    kinesis = weir.client("kinesis")
    kinesis.create_stream(StreamName="again", ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName="again")
    name = create(
        "again",
        "import botocore.httpsession as http",
        "sent, calls = http.URLLib3Session.send, []",
        "def send(self, request):",
        "    answer = sent(self, request)",
        "    calls.append(request.url)",
        "    if len(calls) % 2: raise http.ConnectionClosedError(endpoint_url=request.url)  # the answer is lost",
        "    return answer",
        "http.URLLib3Session.send = send",
        "tries = Config(retries={'mode': 'standard', 'total_max_attempts': 3})",
        "table = boto3.resource('dynamodb', config=tries).Table('once')",
        "table.put_item(Item={'id': 'again', 'n': 0}, ConditionExpression='attribute_not_exists(id)')",
        "told = [table.update_item(Key={'id': 'again'}, UpdateExpression='ADD n :n', ExpressionAttributeValues={':n': 1}, ReturnValues='UPDATED_NEW') for _ in range(3)]",
        "boto3.client('kinesis', config=tries).put_records(StreamName='again', Records=[{'PartitionKey': 'a', 'Data': b'1'}])",
        "http.URLLib3Session.send = sent",
        "return [[int(t['Attributes']['n']) for t in told], len(calls)]",
    )
    assert invoke(weir, name) == (None, [[1, 2, 3], 10])
    assert count(table, "again") == 3
    shard = kinesis.list_shards(StreamName="again")["Shards"][0]["ShardId"]
    it = kinesis.get_shard_iterator(StreamName="again", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    assert len(kinesis.get_records(ShardIterator=it)["Records"]) == 1


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_uploads_to_signed_urls_are_refused(weir, create, signature):
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="signed-" + signature)
    name = create(
        "signs-" + signature,
        "import urllib.error, urllib.request",
        f"signer = boto3.client('s3', config=Config(signature_version='{signature}'))",
        f"url = signer.generate_presigned_url('put_object', Params=dict(Bucket='signed-{signature}', Key='k'))",
        "try: return urllib.request.urlopen(urllib.request.Request(url, data=b'1', method='PUT')).status",
        "except urllib.error.HTTPError as e: return e.read().decode()",
    )
    error, answer = invoke(weir, name)
    assert error is None and "weir:outside" in str(answer)
    assert s3.list_objects_v2(Bucket="signed-" + signature)["KeyCount"] == 0


def test_writes_between_invocations_are_refused(weir, table, create):
    name = create(
        "late",
        "def later():",
        "    time.sleep(0.5)",
        "    try: add('late')",
        "    except Exception as e: open(os.environ['OUT'], 'w').write(str(e))",
        "threading.Thread(target=later).start()",
        Environment={"Variables": {"OUT": str(weir.directory / "late")}},
    )
    assert invoke(weir, name)[0] is None
    def told():
        path = weir.directory / "late"
        assert path.exists() and "AccessDenied" in path.read_text()
    eventually(told, 20)
    assert count(table, "late") == -1


def test_tags_are_checked_and_can_change(weir, table, create):
    with pytest.raises(ClientError, match="weir:delivery"):
        create("bad", "pass", tags={"weir:delivery": "twice"})
    name = create("retagged", "add('r')", "raise ValueError()", tags={"weir:delivery": "at-least-once"})
    client = weir.client("lambda")
    assert invoke(weir, name)[0] == "Unhandled" and count(table, "r") == 1
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"weir:delivery": "exactly-once"})
    assert invoke(weir, name)[0] == "Unhandled" and count(table, "r") == 1
    with pytest.raises(ClientError, match="weir:outside"):
        client.tag_resource(Resource=arn, Tags={"weir:outside": "perhaps"})
