"""Kinesis as producers and consumers with boto3 use it."""

import hashlib
import time
from datetime import datetime, timedelta, timezone

import pytest

from conftest import ACCOUNT, REGION


@pytest.fixture(scope="module")
def kinesis(weir):
    return weir.client("kinesis")


@pytest.fixture
def stream(kinesis, request):
    name = request.node.name
    kinesis.create_stream(StreamName=name, ShardCount=3)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    yield name
    kinesis.delete_stream(StreamName=name)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=name)


def iterator(kinesis, stream, kind, shard="shardId-000000000000", **position):
    return kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard, ShardIteratorType=kind, **position
    )["ShardIterator"]


def read(kinesis, position):
    return [r["Data"] for r in kinesis.get_records(ShardIterator=position)["Records"]]


def test_description(kinesis, stream):
    pages = kinesis.get_paginator("describe_stream").paginate(StreamName=stream, PaginationConfig={"PageSize": 2})
    shards = [shard for page in pages for shard in page["StreamDescription"]["Shards"]]
    assert [s["ShardId"] for s in shards] == [f"shardId-{i:012}" for i in range(3)]
    assert shards[0]["HashKeyRange"]["StartingHashKey"] == "0"
    assert shards[2]["HashKeyRange"]["EndingHashKey"] == str(2**128 - 1)
    for lower, upper in zip(shards, shards[1:]):
        assert int(lower["HashKeyRange"]["EndingHashKey"]) + 1 == int(upper["HashKeyRange"]["StartingHashKey"])
    listed = kinesis.get_paginator("list_shards").paginate(StreamName=stream).build_full_result()["Shards"]
    assert listed == shards
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    assert arn == f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}"


def test_names_are_listed_in_pages(kinesis, stream):
    for i in range(5):
        kinesis.create_stream(StreamName=f"listed-{i}", ShardCount=1)
    pages = kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 2})
    names = [name for page in pages for name in page["StreamNames"]]
    assert names == sorted(names) and {stream, *(f"listed-{i}" for i in range(5))} <= set(names)
    for i in range(5):
        kinesis.delete_stream(StreamName=f"listed-{i}")


def test_records_go_where_the_hash_of_their_key_says(kinesis, stream):
    for key in ("a", "b", "e", "ключ", "🔑" * 64):
        answer = kinesis.put_record(StreamName=stream, PartitionKey=key, Data=b"x")
        shard = int(hashlib.md5(key.encode()).hexdigest(), 16) * 3 >> 128
        assert answer["ShardId"] == f"shardId-{shard:012}"
    answer = kinesis.put_record(StreamName=stream, PartitionKey="a", Data=b"x", ExplicitHashKey=str(2**128 - 1))
    assert answer["ShardId"] == "shardId-000000000002"


def test_positions(kinesis, stream):
    latest = iterator(kinesis, stream, "LATEST")
    put = [
        kinesis.put_record(StreamName=stream, PartitionKey="a", Data=data, ExplicitHashKey="0")
        for data in (b"", b"\0\xff", b"third")
    ]
    second = put[1]["SequenceNumber"]
    assert read(kinesis, latest) == [b"", b"\0\xff", b"third"]
    assert read(kinesis, latest) == [b"", b"\0\xff", b"third"]  # again, from the same position
    assert read(kinesis, iterator(kinesis, stream, "TRIM_HORIZON")) == [b"", b"\0\xff", b"third"]
    at = iterator(kinesis, stream, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=second)
    assert read(kinesis, at) == [b"\0\xff", b"third"]
    after = iterator(kinesis, stream, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=second)
    assert read(kinesis, after) == [b"third"]
    ago = datetime.now(timezone.utc) - timedelta(hours=1)
    assert len(read(kinesis, iterator(kinesis, stream, "AT_TIMESTAMP", Timestamp=ago))) == 3
    assert read(kinesis, iterator(kinesis, stream, "LATEST")) == []


def test_as_many_as_a_request_takes(kinesis, stream):
    records = [{"PartitionKey": str(i), "Data": b"x" * 20_000} for i in range(500)]
    answer = kinesis.put_records(StreamName=stream, Records=records)
    assert answer["FailedRecordCount"] == 0
    assert len({(r["ShardId"], r["SequenceNumber"]) for r in answer["Records"]}) == 500
    count = 0
    for shard in range(3):
        position, behind = iterator(kinesis, stream, "TRIM_HORIZON", f"shardId-{shard:012}"), 1
        while behind:
            page = kinesis.get_records(ShardIterator=position)
            count += len(page["Records"])
            position, behind = page["NextShardIterator"], page["MillisBehindLatest"]
    assert count == 500
    with pytest.raises(kinesis.exceptions.ClientError) as refused:
        kinesis.put_records(StreamName=stream, Records=records + records[:1])
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_resharding(kinesis, stream):
    """A split or merged shard is read to its end, which names the shards that go on."""
    def shards():
        return kinesis.list_shards(StreamName=stream)["Shards"]

    def put(data):
        kinesis.put_record(StreamName=stream, PartitionKey="a", Data=data, ExplicitHashKey="0")

    def drain(shard):
        position, data = iterator(kinesis, stream, "TRIM_HORIZON", shard), []
        while True:
            page = kinesis.get_records(ShardIterator=position)
            data += [r["Data"] for r in page["Records"]]
            if "NextShardIterator" not in page:
                return data, [child["ShardId"] for child in page["ChildShards"]]
            position = page["NextShardIterator"]

    first = shards()[0]
    put(b"before")
    middle = int(first["HashKeyRange"]["EndingHashKey"]) // 2
    kinesis.split_shard(StreamName=stream, ShardToSplit=first["ShardId"], NewStartingHashKey=str(middle))
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    put(b"between")
    lower, upper = shards()[3:]
    assert lower["ParentShardId"] == upper["ParentShardId"] == first["ShardId"]
    assert drain(first["ShardId"]) == ([b"before"], [lower["ShardId"], upper["ShardId"]])
    kinesis.merge_shards(StreamName=stream, ShardToMerge=lower["ShardId"], AdjacentShardToMerge=upper["ShardId"])
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    put(b"after")
    merged = shards()[-1]
    assert merged["HashKeyRange"] == first["HashKeyRange"]
    assert drain(lower["ShardId"]) == ([b"between"], [merged["ShardId"]])
    assert read(kinesis, iterator(kinesis, stream, "TRIM_HORIZON", merged["ShardId"])) == [b"after"]


def test_errors_have_their_types(kinesis, stream):
    with pytest.raises(kinesis.exceptions.ResourceInUseException):
        kinesis.create_stream(StreamName=stream, ShardCount=1)
    with pytest.raises(kinesis.exceptions.ResourceNotFoundException) as missing:
        kinesis.put_record(StreamName="none", PartitionKey="a", Data=b"")
    assert missing.value.response["Error"]["Message"] == f"Stream none under account {ACCOUNT} not found."
    with pytest.raises(kinesis.exceptions.InvalidArgumentException) as invalid:
        kinesis.get_records(ShardIterator="nonsense")
    assert invalid.value.response["Error"]["Message"] == "Invalid ShardIterator."


def test_settings_change(kinesis, stream):
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    before = kinesis.describe_limits()
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    after = kinesis.describe_limits()
    assert after["OnDemandStreamCount"] == before["OnDemandStreamCount"] + 1
    assert after["OpenShardCount"] == before["OpenShardCount"] >= 3
    with pytest.raises(kinesis.exceptions.ClientError, match="records.1.member.data"):
        kinesis.put_records(StreamName=stream, Records=[{"PartitionKey": "k", "Data": bytes(2 << 20)}])
    kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=4096)
    kinesis.put_records(StreamName=stream, Records=[{"PartitionKey": "k", "Data": bytes(2 << 20)}])
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"} and summary["MaxRecordSizeInKiB"] == 4096


def test_shards_are_measured_if_asked(weir, kinesis, stream):
    answer = kinesis.enable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["ALL"])
    assert answer["CurrentShardLevelMetrics"] == [] and len(answer["DesiredShardLevelMetrics"]) == 7
    answer = kinesis.disable_enhanced_monitoring(StreamName=stream, ShardLevelMetrics=["OutgoingBytes"])
    assert len(answer["DesiredShardLevelMetrics"]) == 6
    description = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert description["EnhancedMonitoring"][0]["ShardLevelMetrics"] == answer["DesiredShardLevelMetrics"]


def test_encryption_is_told(kinesis, stream):
    managed = {"StreamName": stream, "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    put = lambda: kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"x", ExplicitHashKey="0")
    assert "EncryptionType" not in put()
    time.sleep(0.01)
    kinesis.start_stream_encryption(**managed)
    assert put()["EncryptionType"] == "KMS"
    description = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert (description["EncryptionType"], description["KeyId"]) == ("KMS", "alias/aws/kinesis")
    records = kinesis.get_records(ShardIterator=iterator(kinesis, stream, "TRIM_HORIZON"))["Records"]
    assert [r.get("EncryptionType") for r in records] == [None, "KMS"]
    kinesis.stop_stream_encryption(**managed)
    assert "EncryptionType" not in put()
    with pytest.raises(kinesis.exceptions.KMSNotFoundException):
        kinesis.start_stream_encryption(**managed | {"KeyId": "alias/mine"})
