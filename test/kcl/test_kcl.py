"""The Kinesis Client Library follows a stream by enhanced fan-out."""

import subprocess
import threading
from pathlib import Path

import pytest

from conftest import ENVIRONMENT, eventually
from test_consumers import aggregated

HERE = Path(__file__).parent


class Consumer:
    """A process of Consumer.java and the lines that it printed."""

    def __init__(self, weir, stream):
        path = f"{HERE / 'target/classes'}:{(HERE / 'target/classpath').read_text()}"
        self.log = open(weir.directory / "kcl.log", "ab")
        self.process = subprocess.Popen(
            ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", path, "stream.weir.test.Consumer", weir.endpoint, stream],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=ENVIRONMENT,
        )
        self.lines = []
        self.thread = threading.Thread(target=lambda: self.lines.extend(iter(self.read, None)))
        self.thread.start()

    def read(self):
        return self.process.stdout.readline().split() or None

    def records(self):
        return [line[1:] for line in list(self.lines) if line[0] == "record"]

    def of(self, kind):
        return {line[1] for line in list(self.lines) if line[0] == kind}

    def stop(self):
        self.process.stdin.close()
        try:
            assert self.process.wait(60) == 0
        finally:
            self.process.kill()
            self.thread.join()
            self.process.stdout.close()
            self.log.close()


@pytest.fixture
def kinesis(weir):
    return weir.client("kinesis")


def put(kinesis, numbers):
    for n in numbers:
        kinesis.put_record(StreamName="s", PartitionKey=f"key-{n % 7}", Data=str(n))


def values(consumer, count):
    def arrived():
        assert len(consumer.records()) >= count
        return consumer.records()

    return eventually(arrived, 90)


def test_every_record_once_and_in_order(weir, kinesis):
    kinesis.create_stream(StreamName="s", ShardCount=3)
    put(kinesis, range(30))
    consumer = Consumer(weir, "s")
    values(consumer, 30)
    kinesis.update_shard_count(StreamName="s", TargetShardCount=5, ScalingType="UNIFORM_SCALING")
    put(kinesis, range(30, 100))
    values(consumer, 100)
    packed = [("key-0", b"100"), ("key-0", b"107"), ("key-0", b"114")]
    kinesis.put_record(StreamName="s", PartitionKey="key-0", Data=aggregated(*packed))
    records = values(consumer, 103)
    assert sorted(int(data) for *_, data in records) == [*range(100), 100, 107, 114]
    for key in range(7):
        of_key = [int(data) for _, k, _, data in records if k == f"key-{key}"]
        assert of_key == sorted(of_key)
    assert [sub for *_, sub, data in records if int(data) >= 100] == ["0", "1", "2"]
    assert consumer.of("end") >= {f"shardId-{i:012}" for i in range(3)}
    names = [c["ConsumerName"] for c in kinesis.list_stream_consumers(
        StreamARN=kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"])["Consumers"]]
    assert names == ["kcl-s"]
    consumer.stop()
    # Another worker takes over and goes on at the checkpoints.
    put(kinesis, range(200, 210))
    again = Consumer(weir, "s")
    assert sorted(int(data) for *_, data in values(again, 10)) == [*range(200, 210)]
    again.stop()
