"""Enhanced fan-out as consumers with boto3 use it."""

import hashlib
import json
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, eventually

MIDDLE = str(2**127)


@pytest.fixture(scope="module")
def kinesis(weir):
    # Every subscription holds a connection.
    return weir.client("kinesis", retries=1, max_pool_connections=50)


@pytest.fixture
def stream(kinesis, request):
    name = request.node.name
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    yield name
    kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)


def arn_of(stream):
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"


def register(kinesis, stream, name="consumer"):
    consumer = kinesis.register_stream_consumer(StreamARN=arn_of(stream), ConsumerName=name)["Consumer"]

    def active():
        found = kinesis.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
        assert found["ConsumerStatus"] == "ACTIVE"

    eventually(active)
    return consumer["ConsumerARN"]


class Subscription:
    """Collects the events of a subscription in a thread of its own."""

    def __init__(self, kinesis, consumer, shard="shardId-000000000000", **position):
        answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=position)
        self.stream, self.events, self.error = answer["EventStream"], [], None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for event in self.stream:
                self.events.append((time.monotonic(), event["SubscribeToShardEvent"]))
        except Exception as e:  # the test looks at it
            self.error = e

    def data(self):
        return [r["Data"].decode() for _, event in list(self.events) for r in event["Records"]]

    def expect(self, *data):
        def arrived():
            assert self.data() == list(data)

        eventually(arrived, 10)

    def ended(self):
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self.error


def put(kinesis, stream, *data, key="k"):
    for d in data:
        kinesis.put_record(StreamName=stream, PartitionKey=key, Data=d)


def refused(call, code, message=None):
    with pytest.raises(ClientError) as info:
        call()
    error = info.value.response["Error"]
    assert error["Code"] == code and (message is None or error["Message"] == message), error


def test_a_consumers_life(kinesis, stream):
    arn = arn_of(stream)
    tagged = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="b", Tags={"team": "blue"})["Consumer"]
    assert tagged["ConsumerName"] == "b" and tagged["ConsumerStatus"] == "CREATING"
    assert tagged["ConsumerARN"] == f"{arn}/consumer/b:{int(tagged['ConsumerCreationTimestamp'].timestamp())}"
    refused(
        lambda: kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="b"),
        "ResourceInUseException", f"Consumer b under stream {stream} already exists for account {ACCOUNT}.",
    )
    for name in ("c", "a"):
        register(kinesis, stream, name)
    pages = kinesis.get_paginator("list_stream_consumers").paginate(StreamARN=arn, PaginationConfig={"PageSize": 2})
    assert [[c["ConsumerName"] for c in page["Consumers"]] for page in pages] == [["a", "b"], ["c"]]
    assert kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["ConsumerCount"] == 3
    described = kinesis.describe_stream_consumer(StreamARN=arn, ConsumerName="b")["ConsumerDescription"]
    assert described["StreamARN"] == arn and described["ConsumerStatus"] == "ACTIVE"
    refused(
        lambda: kinesis.delete_stream(StreamName=stream),
        "ResourceInUseException",
        f"DeleteStream can't delete {ACCOUNT}:{stream} because there are consumers associated with this data stream. To delete {stream} anyway, "
        "set the EnforceConsumerDeletion parameter to true to force the deletion of all the consumers that are associated with it.",
    )
    kinesis.deregister_stream_consumer(StreamARN=arn, ConsumerName="a")
    kinesis.deregister_stream_consumer(ConsumerARN=tagged["ConsumerARN"])
    refused(
        lambda: kinesis.describe_stream_consumer(ConsumerARN=tagged["ConsumerARN"]),
        "ResourceNotFoundException", f"Consumer b, account {ACCOUNT} not found.",
    )
    assert register(kinesis, stream, "b") != tagged["ConsumerARN"]


def test_records_are_pushed(kinesis, stream):
    consumer = register(kinesis, stream)
    put(kinesis, stream, "one", "two")
    all_of_it = Subscription(kinesis, consumer, Type="TRIM_HORIZON")
    all_of_it.expect("one", "two")
    sent = time.monotonic()
    put(kinesis, stream, "three")
    all_of_it.expect("one", "two", "three")
    arrived = next(at for at, event in all_of_it.events if event["Records"] and event["Records"][-1]["Data"] == b"three")
    assert arrived - sent < 1
    event = all_of_it.events[-1][1]
    assert event["MillisBehindLatest"] == 0
    assert int(event["ContinuationSequenceNumber"]) > int(event["Records"][-1]["SequenceNumber"])
    # Its own place in the shard: another consumer disturbs neither.
    other = Subscription(kinesis, register(kinesis, stream, "other"), Type="LATEST")
    put(kinesis, stream, "four")
    other.expect("four")
    all_of_it.expect("one", "two", "three", "four")


def test_a_subscription_is_taken_over(kinesis, stream):
    consumer = register(kinesis, stream)
    first = Subscription(kinesis, consumer, Type="LATEST")
    message = f"Another active subscription exists for this consumer: {ACCOUNT}:{stream}:shardId-000000000000:consumer"
    refused(lambda: Subscription(kinesis, consumer, Type="LATEST"), "ResourceInUseException", message)

    def beats():  # nothing to say, but alive
        assert len(first.events) >= 2

    eventually(beats, 10)
    where = first.events[-1][1]["ContinuationSequenceNumber"]
    put(kinesis, stream, "once")
    first.expect("once")
    after = first.events[-1][1]["ContinuationSequenceNumber"]
    second = Subscription(kinesis, consumer, Type="AFTER_SEQUENCE_NUMBER", SequenceNumber=where)
    second.expect("once")
    put(kinesis, stream, "twice")
    third = Subscription(kinesis, register(kinesis, stream, "third"), Type="AT_SEQUENCE_NUMBER", SequenceNumber=after)
    third.expect("twice")
    error = first.ended()
    assert error.response["Error"] == {"Code": "ResourceInUseException", "Message": message}
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)
    assert second.ended().response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_shard_is_split_under_a_subscription(kinesis, stream):
    consumer = register(kinesis, stream)
    parent = Subscription(kinesis, consumer, Type="TRIM_HORIZON")
    put(kinesis, stream, "before")
    kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=MIDDLE)
    put(kinesis, stream, "low", key="a")
    put(kinesis, stream, "high", key="b")
    assert parent.ended() is None
    assert parent.data() == ["before"]
    last = parent.events[-1][1]
    assert "ContinuationSequenceNumber" not in last
    assert [c["ShardId"] for c in last["ChildShards"]] == ["shardId-000000000001", "shardId-000000000002"]
    assert all(c["ParentShards"] == ["shardId-000000000000"] for c in last["ChildShards"])
    children = [Subscription(kinesis, consumer, c["ShardId"], Type="TRIM_HORIZON") for c in last["ChildShards"]]
    children[0].expect("low")
    children[1].expect("high")
    kinesis.merge_shards(StreamName=stream, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002")
    for child in children:
        assert child.ended() is None
        (merged,) = child.events[-1][1]["ChildShards"]
        assert merged["ShardId"] == "shardId-000000000003"
        assert merged["ParentShards"] == ["shardId-000000000001", "shardId-000000000002"]


def test_bad_subscriptions_are_refused(kinesis, stream):
    consumer = register(kinesis, stream)
    refused(
        lambda: Subscription(kinesis, consumer, shard="shardId-000000000007", Type="LATEST"),
        "ResourceNotFoundException", f"Shard shardId-000000000007 in stream {stream} under account {ACCOUNT} does not exist",
    )
    refused(lambda: Subscription(kinesis, consumer + "1", Type="LATEST"), "ResourceNotFoundException")
    refused(lambda: Subscription(kinesis, consumer, Type="AT_SEQUENCE_NUMBER"), "InvalidArgumentException")
    refused(
        lambda: Subscription(kinesis, consumer, Type=""), "ValidationException",
        "1 validation error detected: Value '' at 'startingPosition.type' failed to satisfy constraint: Member must satisfy enum "
        "value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]",
    )


def test_large_records_reach_a_slow_consumer(kinesis, stream):
    consumer = register(kinesis, stream)
    record = b"x" * (1 << 19)
    for _ in range(30):
        kinesis.put_record(StreamName=stream, PartitionKey="k", Data=record)
    answer = kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId="shardId-000000000000", StartingPosition={"Type": "TRIM_HORIZON"}
    )
    taken = []
    for event in answer["EventStream"]:
        time.sleep(0.05)
        taken += event["SubscribeToShardEvent"]["Records"]
        if len(taken) == 30:
            break
    assert all(r["Data"] == record for r in taken)
    answer["EventStream"].close()


def test_a_server_ends_with_subscriptions_open(start):
    weir = start()
    kinesis = weir.client("kinesis", retries=1)
    kinesis.create_stream(StreamName="s", ShardCount=1)
    open_one = Subscription(kinesis, register(kinesis, "s"), Type="LATEST")
    began = time.monotonic()
    weir.stop()
    assert time.monotonic() - began < 5
    assert open_one.ended() is None


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def aggregated(*records):
    """Packs (key, data) pairs as the Kinesis Producer Library does."""
    keys = sorted({key for key, _ in records})
    message = b"".join(field(1, key.encode()) for key in keys)
    for key, data in records:
        message += field(3, b"\x08" + varint(keys.index(key)) + field(3, data))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Events:
    Type: AWS::Kinesis::Stream
    Properties: {Name: packed, ShardCount: 3}
  Reader:
    Type: AWS::Kinesis::StreamConsumer
    Properties: {StreamARN: !GetAtt Events.Arn, ConsumerName: reader}
  Seen:
    Type: AWS::Serverless::SimpleTable
    Properties:
      TableName: seen
      PrimaryKey: {Name: id, Type: String}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: unpacked
      Runtime: python3.12
      Handler: f.handler
      CodeUri: code
      Events:
        FromConsumer:
          Type: Kinesis
          Properties:
            Stream: !GetAtt Reader.ConsumerARN
            StartingPosition: TRIM_HORIZON
            FilterCriteria: {Filters: [{Pattern: '{"data": {"n": [{"numeric": [">", 0]}]}}'}]}
Outputs:
  Consumer: {Value: !Ref Reader}
"""

CODE = """
import base64, boto3

seen = boto3.resource("dynamodb").Table("seen")

def handler(event, context):
    for r in event["Records"]:
        data = base64.b64decode(r["kinesis"]["data"]).decode()
        seen.put_item(Item={"id": data, "key": r["kinesis"]["partitionKey"], "source": r["eventSourceARN"], "event": r["eventID"]})
"""


def test_a_function_gets_the_records_in_records(weir, binary, kinesis, tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "f.py").write_text(CODE)

    def run(*args):
        subprocess.run([binary, *args, "--endpoint", weir.endpoint], cwd=tmp_path, check=True, timeout=120)

    run("deploy", "template.yaml", "--stack-name", "consumers")
    consumer = kinesis.describe_stream_consumer(StreamARN=arn_of("packed"), ConsumerName="reader")["ConsumerDescription"]
    data = [json.dumps({"n": n}).encode() for n in range(6)]
    packed = kinesis.put_record(
        StreamName="packed", PartitionKey="a", Data=aggregated(("x", data[0]), ("y", data[1]), ("x", data[2]))
    )
    kinesis.put_record(StreamName="packed", PartitionKey="z", Data=data[3])
    # Some shards live for this step only; the mapping goes through them all the same.
    kinesis.update_shard_count(StreamName="packed", TargetShardCount=5, ScalingType="UNIFORM_SCALING")
    shards = kinesis.list_shards(StreamName="packed")["Shards"]
    assert sum("EndingSequenceNumber" not in s["SequenceNumberRange"] for s in shards) == 5 and len(shards) > 3 + 5
    kinesis.put_record(StreamName="packed", PartitionKey="a", Data=aggregated(("x", data[4]), ("y", data[5])))
    table = weir.resource("dynamodb").Table("seen")

    def all_of_them():
        items = {i["id"]: i for i in table.scan()["Items"]}
        assert sorted(items) == sorted(d.decode() for d in data[1:])  # the filter looks into what was packed
        return items

    items = eventually(all_of_them)
    assert [items[d.decode()]["key"] for d in data[1:]] == ["y", "x", "z", "x", "y"]
    assert {i["source"] for i in items.values()} == {consumer["ConsumerARN"]}
    assert items[data[1].decode()]["event"] == items[data[2].decode()]["event"] == f"{packed['ShardId']}:{packed['SequenceNumber']}"
    run("destroy", "consumers")
    refused(lambda: kinesis.describe_stream(StreamName="packed"), "ResourceNotFoundException")
