"""Topics with filter policies, access policies and dead letters, through boto3."""

import itertools
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, ENVIRONMENT, REGION, eventually

numbers = itertools.count()


@pytest.fixture(scope="module")
def sns(weir):
    return weir.client("sns")


@pytest.fixture(scope="module")
def sqs(weir):
    return weir.client("sqs")


@pytest.fixture
def topic(sns):
    return sns.create_topic(Name=f"topic-{next(numbers)}")["TopicArn"]


@pytest.fixture
def subscribe(sns, sqs, topic):
    """Subscribes a new queue with raw delivery and returns its URL and the subscription."""

    def create(**attributes):
        name = f"queue-{next(numbers)}"
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            Attributes={"RawMessageDelivery": "true"} | attributes,
        )["SubscriptionArn"]
        return url, arn

    return create


def received(sqs, url, count):
    """Returns the bodies of the messages of a queue once there are so many."""
    bodies = []

    def check():
        for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            bodies.append(m["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
        assert len(bodies) >= count, bodies

    eventually(check)
    return sorted(bodies)


def text(value):
    return {"DataType": "String", "StringValue": value}


def number(value):
    return {"DataType": "Number", "StringValue": str(value)}


def array(*values):
    return {"DataType": "String.Array", "StringValue": json.dumps(values)}


ATTRIBUTE_POLICIES = [
    ({"a": ["x", 7, {"prefix": "pre"}, {"suffix": "fix"}]},
     [{"a": text("x")}, {"a": number("7.0")}, {"a": text("prefer")}, {"a": text("suffix")}, {"a": array("no", "x")}],
     [{}, {"a": text("X")}, {"a": text("7")}, {"b": text("x")}, {"a": array()}]),
    ({"a": [{"anything-but": ["x", "y"]}]}, [{"a": text("z")}, {"a": array("x", "z")}], [{}, {"a": text("x")}, {"a": array("x", "y")}]),
    ({"a": [{"anything-but": {"prefix": "p"}}]}, [{"a": text("x")}], [{"a": text("px")}]),
    ({"a": [{"numeric": [">", 0, "<=", 100]}]}, [{"a": number(100)}, {"a": number("1e1")}], [{"a": number(0)}, {"a": text("5")}]),
    ({"a": [{"numeric": ["=", 1.000001]}]}, [{"a": number(1)}, {"a": number("1.000009")}], [{"a": number("1.00001")}]),
    ({"a": [{"exists": False}], "b": [{"exists": True}]}, [{"b": text("x")}], [{"a": text("x"), "b": text("x")}, {}]),
    ({"a": [{"equals-ignore-case": "tEn"}], "b": [{"cidr": "10.0.0.0/24"}]},
     [{"a": text("TEN"), "b": text("10.0.0.255")}], [{"a": text("ten"), "b": text("10.0.1.0")}, {"a": text("ten")}]),
    ({"$or": [{"a": ["x"]}, {"b": [1]}], "c": ["y"]},
     [{"a": text("x"), "c": text("y")}, {"b": number(1), "c": text("y")}], [{"c": text("y")}, {"a": text("x")}]),
]


@pytest.mark.parametrize("policy, wanted, unwanted", ATTRIBUTE_POLICIES)
def test_filters_on_attributes(sns, sqs, topic, subscribe, policy, wanted, unwanted):
    url, _ = subscribe(FilterPolicy=json.dumps(policy))
    for i, attributes in enumerate(unwanted):
        sns.publish(TopicArn=topic, Message=f"unwanted {i}", MessageAttributes=attributes)
    for i, attributes in enumerate(wanted):
        sns.publish(TopicArn=topic, Message=f"wanted {i}", MessageAttributes=attributes)
    assert received(sqs, url, len(wanted)) == [f"wanted {i}" for i in range(len(wanted))]


def test_filters_on_the_body(sns, sqs, topic, subscribe):
    url, arn = subscribe(
        FilterPolicyScope="MessageBody",
        FilterPolicy=json.dumps({"order": {"price": [{"numeric": [">=", 10]}], "tags": ["new", None]}, "gone": [{"exists": False}]}),
    )
    everything, _ = subscribe()
    wanted = ['{"order":{"price":10,"tags":["old","new"]}}', '{"order":{"price":1e3,"tags":null},"x":1}', '{"order.tags":"new","order.price":11}']
    unwanted = ['{"order":{"price":9,"tags":"new"}}', '{"order":{"price":10}}', '{"order":{"price":10,"tags":"new"},"gone":0}', "plain", '["new"]', "{"]
    batch = [{"Id": str(i), "Message": body} for i, body in enumerate(unwanted + wanted)]
    assert len(sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=batch)["Successful"]) == 9
    assert received(sqs, url, 3) == sorted(wanted)
    assert received(sqs, everything, 9) == sorted(wanted + unwanted)

    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["FilterPolicyScope"] == "MessageBody" and "price" in attributes["FilterPolicy"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert "FilterPolicyScope" not in attributes and "FilterPolicy" not in attributes
    sns.publish(TopicArn=topic, Message="plain")
    assert received(sqs, url, 1) == ["plain"]


@pytest.mark.parametrize("policy, reason", [
    ('{"a":"b"}', 'FilterPolicy: "a" must be an object or an array\n at [Source: (String)"{"a":"b"}"; line: 1, column: 7]'),
    ('{"a": [{"suffix": 100}]}', 'FilterPolicy: suffix match pattern must be a string\n at [Source: (String)"{"a":[{"suffix":100}]}"; line: 1, column: 20]'),
    ('{"a":{"b":["c"]}}', "Filter policy scope MessageAttributes does not support nested filter policy"),
    (json.dumps({k: ["v"] for k in "abcdef"}), "FilterPolicy: Filter policy can not have more than 5 keys"),
    (json.dumps({k: list(range(13)) for k in "ab"}), "FilterPolicy: Filter policy is too complex"),
    ('{"a":[{"numeric":["<",1000000001]}]}', "FilterPolicy: Value must be between -1.0E9 and 1.0E9, inclusive"),
    ("{no}", "FilterPolicy: failed to parse JSON. Unexpected character ('n' (code 110)): was expecting double-quote to start field name\n"
             " at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"),
])
def test_wrong_policies(sns, topic, subscribe, policy, reason):
    with pytest.raises(ClientError) as wrong:
        subscribe(FilterPolicy=policy)
    assert wrong.value.response["Error"]["Message"] == "Invalid parameter: Attributes Reason: " + reason
    _, arn = subscribe()
    with pytest.raises(ClientError) as wrong:
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=policy)
    assert wrong.value.response["Error"] == {"Type": "Sender", "Code": "InvalidParameter", "Message": "Invalid parameter: " + reason}


def test_permissions(sns, topic):
    def statements():
        document = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        return {s["Sid"]: s for s in document["Statement"]}

    sns.add_permission(TopicArn=topic, Label="them", AWSAccountId=["123456789012"], ActionName=["Publish"])
    assert statements()["them"] == {
        "Sid": "them", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "SNS:Publish", "Resource": topic,
    }
    with pytest.raises(ClientError, match="Invalid parameter: Statement already exists"):
        sns.add_permission(TopicArn=topic, Label="them", AWSAccountId=["123456789012"], ActionName=["Publish"])
    sns.remove_permission(TopicArn=topic, Label="them")
    assert list(statements()) == ["__default_statement_ID"]


def test_dead_letters(sns, sqs, topic, subscribe):
    dead, _ = subscribe(FilterPolicy='{"never":[true]}')
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead.rsplit('/', 1)[1]}"
    policy = json.dumps({"deadLetterTargetArn": target})
    url, arn = subscribe(RedrivePolicy=policy)
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["RedrivePolicy"] == policy
    sqs.delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="lost", MessageAttributes={"a": text("b")})
    assert received(sqs, dead, 1) == ["lost"]
    with pytest.raises(ClientError) as wrong:
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue='{"deadLetterTargetArn": "fake-arn"}')
    assert wrong.value.response["Error"]["Message"] == "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn"


TEMPLATE = """
Parameters: {Wanted: {Type: String}}
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: filtered}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: filtered}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: true
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Queue.Arn}
      FilterPolicyScope: MessageBody
      FilterPolicy: {a: {b: [!Ref Wanted]}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement: [{Sid: !Ref Wanted, Effect: Allow, Principal: {Service: s3.amazonaws.com}, Action: sns:Publish, Resource: !Ref Topic}]
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}]
"""


def test_templates(weir, binary, sns, sqs, tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def deploy(wanted):
        command = [binary, "deploy", tmp_path / "template.yaml", "--stack-name", "filtered", "--parameter", f"Wanted={wanted}"]
        subprocess.run(command, env=ENVIRONMENT | {"WEIR_ENDPOINT": weir.endpoint}, check=True, timeout=60)

    def subscriptions():
        return [s["SubscriptionArn"] for s in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]]

    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:filtered"
    deploy("x")
    before, url = subscriptions(), sqs.get_queue_url(QueueName="filtered")["QueueUrl"]
    for wanted in ["x", "y"]:
        deploy(wanted)
        for body in ['{"a":{"b":"x"}}', '{"a":{"b":"y"}}']:
            sns.publish(TopicArn=topic, Message=body)
        assert received(sqs, url, 1) == ['{"a":{"b":"%s"}}' % wanted]
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        assert policy["Statement"][0]["Sid"] == wanted
    assert subscriptions() == before
