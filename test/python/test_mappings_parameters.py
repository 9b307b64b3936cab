"""Filters, batches, lanes, and changes of a mapping that is at work."""

import json
import subprocess
import threading
import time
from collections import defaultdict

import pytest

from conftest import ACCOUNT, REGION, eventually
from mappings import create_function, create_stream, create_table, delivered, expect, map_source, printed, put, settled, status

SEE = "def handler(event, context):\n    saw(texts(event))\n"
CHANGES = """
def handler(event, context):
    saw([[r["eventName"], r["dynamodb"]["Keys"]["id"]["S"]] for r in event["Records"]])
"""


def flat(calls):
    return [text for call in calls for text in call]


def sees(weir, function, want, seconds=60):
    """Waits until a function has got what is wanted, in whatever batches."""
    def same():
        got = flat(printed(weir, function))
        assert got == want, f"{len(got)} of {len(want)}: {got[:20]}"

    eventually(same, seconds)


def test_filters_of_a_stream(weir):
    """A record must match one of the patterns; others do not count to a batch."""
    source = create_stream(weir, "filtered")
    create_function(weir, "filtered", SEE)
    events = [{"kind": "order", "total": n, "from": {"country": "de" if n % 2 else "fr"}} for n in range(20)]
    events += [{"kind": "return", "total": 1}, {"kind": "visit"}]
    texts = [json.dumps(e) for e in events]
    put(weir, "filtered", texts + ["not JSON"])
    patterns = [
        {"data": {"kind": ["order"], "total": [{"numeric": [">=", 10]}], "from": {"country": ["de"]}}},
        {"data": {"kind": [{"prefix": "ret"}]}},
    ]
    uuid = map_source(weir, source, "filtered", BatchSize=6, FilterCriteria={"Filters": [{"Pattern": json.dumps(p)} for p in patterns]})
    wanted = [t for t, e in zip(texts, events) if e["total" if "total" in e else "kind"] == 1 and e["kind"] == "return"
              or e["kind"] == "order" and e["total"] >= 10 and e["total"] % 2]
    expect(weir, "filtered", [wanted])
    # Without filters, what comes from then on is sent, whatever it is.
    client = weir.client("lambda")
    client.update_event_source_mapping(UUID=uuid, FilterCriteria={})
    settled(weir, uuid)
    put(weir, "filtered", ["not JSON"])
    expect(weir, "filtered", [wanted, ["not JSON"]])


def test_filters_of_a_table(weir):
    source = create_table(weir, "filtered")
    create_function(weir, "filtered-changes", CHANGES)
    pattern = {"eventName": ["REMOVE", "MODIFY"], "dynamodb": {"OldImage": {"state": {"S": ["open"]}}}}
    map_source(weir, source, "filtered-changes", FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    table = weir.resource("dynamodb").Table("filtered")
    for state in ("open", "open", "closed", "closed"):
        table.put_item(Item={"id": "a", "state": state, "at": time.time_ns()})
    table.put_item(Item={"id": "b", "state": "open"})
    table.delete_item(Key={"id": "b"})
    table.delete_item(Key={"id": "a"})

    def same():
        got = flat(printed(weir, "filtered-changes"))
        assert sorted(got) == [["MODIFY", "a"], ["MODIFY", "a"], ["REMOVE", "b"]]

    eventually(same)


def test_a_batching_window(weir):
    """A batch waits for company, but no longer than it is told, nor when it is full."""
    source = create_stream(weir, "gathered")
    create_function(weir, "gathered", SEE)
    map_source(weir, source, "gathered", BatchSize=3, MaximumBatchingWindowInSeconds=2)
    for text in "abcd":
        put(weir, "gathered", [text])
    expect(weir, "gathered", [["a", "b", "c"], ["d"]])


LANES = """
def handler(event, context):
    start = time.time()
    time.sleep(0.25)
    saw({"start": start, "end": time.time(), "got": [[r["kinesis"]["partitionKey"], text] for r, text in zip(event["Records"], texts(event))]})
"""


def test_ten_lanes_keep_the_order_of_each_key(weir):
    """Ten batches of a shard at a time, but never two with records of one key."""
    source = create_stream(weir, "lanes")
    create_function(weir, "lanes", LANES)
    keys = [f"key-{n}" for n in range(40)]
    for n in range(10):
        kinesis = weir.client("kinesis")
        kinesis.put_records(StreamName="lanes", Records=[{"Data": str(n).encode(), "PartitionKey": key} for key in keys])
    uuid = map_source(weir, source, "lanes", ParallelizationFactor=10, BatchSize=10)

    def done():
        assert delivered(weir, uuid) == 400
        calls = printed(weir, "lanes")
        assert sum(len(call["got"]) for call in calls) == 400
        return calls

    calls = sorted(eventually(done), key=lambda call: call["start"])
    got, busy = defaultdict(list), defaultdict(float)
    for call in calls:
        for key in {key for key, _ in call["got"]}:
            assert busy[key] <= call["start"], f"{key} is in two invocations at a time"
            busy[key] = call["end"]
        for key, text in call["got"]:
            got[key].append(text)
    assert got == {key: [str(n) for n in range(10)] for key in keys}
    most = max(sum(other["start"] <= call["start"] < other["end"] for other in calls) for call in calls)
    assert 5 <= most <= 10, most
    lanes = status(weir, uuid)
    assert [lane["lane"] for lane in lanes] == list(range(10)) and len({lane["shard"] for lane in lanes}) == 1


def test_ten_lanes_of_a_table(weir):
    """Changes of one item stay in order, those of others are processed beside them."""
    source = create_table(weir, "lanes")
    create_function(weir, "lanes-changes", """
def handler(event, context):
    start = time.time()
    time.sleep(0.25)
    saw({"start": start, "end": time.time(), "got": [[r["dynamodb"]["Keys"]["id"]["S"], r["dynamodb"]["NewImage"]["n"]["N"]] for r in event["Records"]]})
""")
    table = weir.resource("dynamodb").Table("lanes")
    for n in range(5):
        for item in range(20):
            table.put_item(Item={"id": f"item-{item}", "n": n})
    uuid = map_source(weir, source, "lanes-changes", ParallelizationFactor=10, BatchSize=5)

    def done():
        calls = printed(weir, "lanes-changes")
        assert sum(len(call["got"]) for call in calls) == 100 == delivered(weir, uuid)
        return calls

    calls, got = sorted(eventually(done), key=lambda call: call["start"]), defaultdict(list)
    for call in calls:
        for item, n in call["got"]:
            got[item].append(n)
    assert got == {f"item-{item}": [str(n) for n in range(5)] for item in range(20)}
    shards = len({lane["shard"] for lane in status(weir, uuid)})
    assert max(sum(other["start"] <= call["start"] < other["end"] for other in calls) for call in calls) > shards


def test_a_key_that_fails_holds_up_its_lane_alone(weir):
    source = create_stream(weir, "blocked")
    create_function(weir, "blocked", """
def handler(event, context):
    if any(text == "bad" for text in texts(event)):
        raise ValueError("bad")
    saw(texts(event))
""")
    uuid = map_source(weir, source, "blocked", ParallelizationFactor=4, BatchSize=1)
    put(weir, "blocked", ["bad"], key="the bad one")
    put(weir, "blocked", [str(n) for n in range(40)], key=str)

    def others():
        lanes = status(weir, uuid)
        stuck = [lane for lane in lanes if lane["activity"] in ("retrying", "invoking")]
        assert len(stuck) == 1 and stuck[0]["problem"] == "ValueError: bad" and stuck[0]["retries"] > 0
        done = {int(text) for text in flat(printed(weir, "blocked"))}
        assert len(done) >= 25 and sum(lane["activity"] == "waiting" for lane in lanes) == 3

    eventually(others)


def test_changes_of_a_mapping_at_work(weir):
    """Batch size, function, pause: nothing is lost, nothing comes twice."""
    source = create_stream(weir, "changed")
    create_function(weir, "first", SEE)
    create_function(weir, "second", SEE)
    client = weir.client("lambda")
    uuid = map_source(weir, source, "first", BatchSize=1)
    stop, sent = threading.Event(), []

    def produce():
        while not stop.is_set():
            sent.append(str(len(sent)))
            put(weir, "changed", [sent[-1]])
            time.sleep(0.01)

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        for change in [{"BatchSize": 50}, {"ParallelizationFactor": 5}, {"Enabled": False}, {"Enabled": True, "ParallelizationFactor": 1},
                       {"MaximumBatchingWindowInSeconds": 1}, {"FunctionName": "second"}]:
            time.sleep(0.6)
            answer = client.update_event_source_mapping(UUID=uuid, **change)
            assert answer["State"] == {False: "Disabling", True: "Enabling", None: "Updating"}[change.get("Enabled")]
            settled(weir, uuid, "Disabled" if change.get("Enabled") is False else "Enabled")
            if change.get("Enabled") is False:
                assert {shard["activity"] for shard in status(weir, uuid)} == {"stopped"}
        time.sleep(1)
    finally:
        stop.set()
        producer.join()

    def all_of_them():
        got = flat(printed(weir, "first")) + flat(printed(weir, "second"))
        assert got == sent, f"{len(got)} of {len(sent)}"

    eventually(all_of_them)
    assert printed(weir, "second") and client.get_event_source_mapping(UUID=uuid)["FunctionArn"].endswith(":second")


@pytest.mark.parametrize("split", [True, False], ids=["split", "merge"])
def test_children_wait_for_their_parents(weir, split):
    """Records of a key stay in order when its shard is split or merged."""
    name = "split" if split else "merged"
    source = create_stream(weir, name, shards=1 if split else 2)
    create_function(weir, name, "def handler(event, context):\n    time.sleep(0.2)\n    saw(texts(event))\n")
    keys = [f"key {n}" for n in range(8)]
    for n in range(5):
        put(weir, name, [f"{key} {n}" for key in keys], key=lambda text: text.rsplit(" ", 1)[0])
    kinesis = weir.client("kinesis")
    if split:
        kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    else:
        kinesis.merge_shards(StreamName=name, ShardToMerge="shardId-000000000000", AdjacentShardToMerge="shardId-000000000001")
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    uuid = map_source(weir, source, name, BatchSize=4)
    for n in range(5, 10):
        put(weir, name, [f"{key} {n}" for key in keys], key=lambda text: text.rsplit(" ", 1)[0])

    def ordered():
        got = flat(printed(weir, name))
        assert len(got) == 80
        for key in keys:
            assert [text for text in got if text.startswith(key)] == [f"{key} {n}" for n in range(10)]

    eventually(ordered)
    done = sum(shard["activity"] == "done" for shard in status(weir, uuid))
    assert done == (1 if split else 2)


def test_lists_by_version_and_alias(weir):
    """A qualifier selects the mappings of that version or alias; without one all are listed."""
    source = create_stream(weir, "listed")
    arn = create_function(weir, "listed", SEE)
    client = weir.client("lambda")
    client.publish_version(FunctionName="listed")
    client.create_alias(FunctionName="listed", Name="live", FunctionVersion="1")
    made = {name: map_source(weir, source, name, Enabled=False) for name in ("listed", "listed:1", "listed:live")}

    def listed(function):
        return {m["UUID"] for m in client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]}

    for unqualified in ("listed", arn, f"{ACCOUNT}:function:listed"):
        assert listed(unqualified) == set(made.values())
    for qualifier in ("1", "live"):
        for function in (f"listed:{qualifier}", f"{arn}:{qualifier}", f"{ACCOUNT}:function:listed:{qualifier}"):
            assert listed(function) == {made[f"listed:{qualifier}"]}
    assert listed("listed:2") == listed("liste") == listed(arn.replace(REGION, "eu-west-1")) == set()


def test_tags_of_a_mapping(weir):
    """Requests on tags at the same time do not undo each other, and there are at most 50."""
    source = create_stream(weir, "tagged")
    create_function(weir, "tagged", SEE)
    client = weir.client("lambda")
    many = {f"tag-{n}": str(n) for n in range(51)}
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Number of tags exceeds resource tag limit."):
        map_source(weir, source, "tagged", Tags=many)
    mapping = client.create_event_source_mapping(EventSourceArn=source, FunctionName="tagged", StartingPosition="LATEST")
    arn = mapping["EventSourceMappingArn"]
    many.popitem()
    threads = [threading.Thread(target=client.tag_resource, kwargs={"Resource": arn, "Tags": {k: v}}) for k, v in many.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.list_tags(Resource=arn)["Tags"] == many
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Number of tags exceeds resource tag limit."):
        client.tag_resource(Resource=arn, Tags={"one": "more"})
    client.tag_resource(Resource=arn, Tags={"tag-0": "again"})
    client.untag_resource(Resource=arn, TagKeys=["tag-1", "none"])
    many |= {"tag-0": "again"}
    del many["tag-1"]
    assert client.list_tags(Resource=arn)["Tags"] == many


TEMPLATE = """
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: described, ShardCount: 1}}
  Function:
    Type: AWS::Lambda::Function
    Properties: {Runtime: python3.12, Handler: index.handler, Role: "arn:aws:iam::000000000000:role/any", Code: {ZipFile: ""}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Stream.Arn
      FunctionName: !Ref Function
      StartingPosition: TRIM_HORIZON
      TumblingWindowInSeconds: 5
      Tags: [{Key: kept, Value: a}, {Key: gone, Value: b}]
"""


def test_a_template_changes_a_mapping(weir, binary, tmp_path):
    """What a changed template says of parameters and tags holds, and only that."""
    client = weir.client("lambda")

    def deployed(template):
        (tmp_path / "template.yaml").write_text(template)
        subprocess.run([binary, "deploy", "template.yaml", "--stack-name", "described", "--endpoint", weir.endpoint], cwd=tmp_path, check=True, timeout=120)
        [m] = client.list_event_source_mappings(EventSourceArn=f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/described")["EventSourceMappings"]
        tags = client.list_tags(Resource=m["EventSourceMappingArn"])["Tags"]
        assert tags.pop("aws:cloudformation:stack-name") == "described"
        own = {k: v for k, v in tags.items() if not k.startswith("aws:")}
        return m["UUID"], m["TumblingWindowInSeconds"], m["ParallelizationFactor"], own

    uuid, *described = deployed(TEMPLATE)
    assert described == [5, 1, {"kept": "a", "gone": "b"}]
    changed = TEMPLATE.replace("TumblingWindowInSeconds: 5", "ParallelizationFactor: 2").replace("Key: gone", "Key: new").replace("Value: a", "Value: c")
    assert deployed(changed) == (uuid, 0, 2, {"kept": "c", "new": "b"})
