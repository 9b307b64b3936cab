"""A server that is stopped cleanly goes on where it was: nothing is lost or done twice."""

import threading
import time

import events
from botocore.exceptions import BotoCoreError, ClientError
from conftest import eventually
from test_pipeline import build, counters, equal, go_functions, metric_sums, put


def test_pipeline_goes_on_after_restarts(start, tmp_path_factory):
    weir = start()
    build(weir, go_functions(tmp_path_factory))
    data, expected = events.load()
    third = len(data) // 3 + 1
    for begin in range(0, len(data), third):
        put(weir.client("kinesis"), data[begin : begin + third])
        time.sleep(0.1)  # stop it in the midst of its work
        weir.stop()
        weir = start(directory=weir.directory)
    weir.expected = expected
    eventually(lambda: equal(counters(weir), expected))
    eventually(lambda: equal(metric_sums(weir), expected))
    weir.stop()


def test_what_is_declared_stays(start):
    weir = start()
    topic = weir.client("sns").create_topic(Name="kept")["TopicArn"]
    weir.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    weir.client("cloudwatch").put_metric_alarm(
        AlarmName="kept", Namespace="Test", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic],
    )
    weir.client("cloudwatch").set_alarm_state(AlarmName="kept", StateValue="ALARM", StateReason="by hand")
    weir.client("cloudwatch").put_dashboard(DashboardName="kept", DashboardBody='{"widgets":[]}')
    weir.client("kinesis").create_stream(StreamName="kept", ShardCount=2)
    put_before = weir.client("kinesis").put_record(StreamName="kept", PartitionKey="a", Data=b"before", ExplicitHashKey="0")

    def declared():
        sns, cloudwatch, kinesis = (weir.client(s) for s in ("sns", "cloudwatch", "kinesis"))
        alarm = cloudwatch.describe_alarms(AlarmNames=["kept"])["MetricAlarms"][0]
        for member in ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp"):
            alarm.pop(member, None)  # evaluations change them
        history = cloudwatch.describe_alarm_history(AlarmName="kept", HistoryItemType="ConfigurationUpdate")
        return (
            sns.list_topics()["Topics"], sns.list_subscriptions()["Subscriptions"], alarm, history["AlarmHistoryItems"],
            cloudwatch.get_dashboard(DashboardName="kept")["DashboardBody"],
            kinesis.describe_stream(StreamName="kept")["StreamDescription"],
        )

    before = declared()
    weir.stop()
    weir = start(directory=weir.directory)
    assert declared() == before
    kinesis = weir.client("kinesis")
    put_after = kinesis.put_record(StreamName="kept", PartitionKey="a", Data=b"after", ExplicitHashKey="0")
    assert int(put_after["SequenceNumber"]) > int(put_before["SequenceNumber"])
    position = kinesis.get_shard_iterator(
        StreamName="kept", ShardId=put_before["ShardId"], ShardIteratorType="AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber=put_before["SequenceNumber"])["ShardIterator"]
    assert [r["Data"] for r in kinesis.get_records(ShardIterator=position)["Records"]] == [b"after"]
    weir.stop()


def test_two_servers_do_not_share_a_directory(start):
    weir = start()
    try:
        second = start(directory=weir.directory)
    except AssertionError as e:
        assert "did not start" in str(e)
    else:
        second.stop()
        raise AssertionError("a second server opened the directory")
    weir.stop()


def test_what_is_acknowledged_while_the_server_stops_is_kept(start):
    """A sender that is told of success has sent, also in the moment when the server stops."""
    weir = start()
    weir.client("sqs").create_queue(QueueName="kept")
    kept, strange = set(), []

    def send(sender):
        client, n = weir.client("sqs", retries=1), 0
        while True:
            try:
                answer = client.send_message(QueueUrl=f"{weir.endpoint}/000000000000/kept", MessageBody=f"{sender}-{n}")
            except (BotoCoreError, ClientError):
                return
            n += 1
            if "MessageId" not in answer:
                strange.append(answer)
                return
            kept.add(answer["MessageId"])

    for _ in range(5):
        senders = [threading.Thread(target=send, args=(n,)) for n in range(6)]
        for sender in senders:
            sender.start()
        time.sleep(0.5)
        weir.stop()
        for sender in senders:
            sender.join()
        weir = start(directory=weir.directory)
    assert not strange
    sqs, found = weir.client("sqs"), set()
    url = sqs.get_queue_url(QueueName="kept")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found |= {m["MessageId"] for m in messages}
    assert kept and kept <= found
    weir.stop()
