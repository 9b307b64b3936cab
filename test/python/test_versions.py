"""Versions, aliases and the concurrency of functions."""

import json
import subprocess
import threading
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, ENVIRONMENT, REGION, ROLE, eventually, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
CODE = """
import os, time

def handler(event, context):
    time.sleep((event or {}).get("sleep", 0))
    return {"code": "CODE", "version": context.function_version, "arn": context.invoked_function_arn,
            "stream": context.log_stream_name, "variable": os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}
"""


def package(text):
    return zipped({"index.py": CODE.replace("CODE", text)})


def create(client, name, **more):
    answer = client.create_function(
        FunctionName=name, Runtime="python3.12", Handler="index.handler", Role=ROLE, Timeout=30, Code={"ZipFile": package("one")}, **more
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return answer


def invoke(client, name, event=None, **more):
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    result = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    assert answer["ExecutedVersion"] == result["version"] == result["variable"]
    assert f"[{result['version']}]" in result["stream"]
    return result["code"], result["version"], result["arn"].removeprefix(ARN + ":")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response


def told(call, **arguments):
    error = refusal(call, **arguments)["Error"]
    return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def client(weir):
    return weir.client("lambda", retries=1)


def test_versions_keep_what_they_were_made_of(client):
    created = create(client, "v", Publish=True)
    assert (created["Version"], created["FunctionArn"]) == ("1", f"{ARN}:v")
    updated = client.update_function_code(FunctionName="v", ZipFile=package("two"), Publish=True)
    assert (updated["Version"], updated["FunctionArn"], updated["State"]) == ("2", f"{ARN}:v:2", "Pending")
    client.get_waiter("published_version_active").wait(FunctionName="v", Qualifier="2")
    client.update_function_code(FunctionName="v", ZipFile=package("three"))
    client.get_waiter("function_updated_v2").wait(FunctionName="v")

    assert invoke(client, "v") == ("three", "$LATEST", "v")
    assert invoke(client, "v", Qualifier="$LATEST") == ("three", "$LATEST", "v:$LATEST")
    assert invoke(client, "v", Qualifier="1") == ("one", "1", "v:1")
    assert invoke(client, f"{ARN}:v:2") == ("two", "2", "v:2")

    published = client.publish_version(FunctionName="v", Description="third")
    assert (published["Version"], published["Description"]) == ("3", "third")
    assert client.publish_version(FunctionName="v", Description="nothing new")["Description"] == "third"
    listed = client.get_paginator("list_versions_by_function").paginate(FunctionName="v", PaginationConfig={"PageSize": 1})
    assert [v["Version"] for v in listed.build_full_result()["Versions"]] == ["$LATEST", "1", "2", "3"]

    client.delete_function(FunctionName="v", Qualifier="1")
    missing = ("ResourceNotFoundException", f"Function not found: {ARN}:v:1")
    assert told(client.get_function, FunctionName="v", Qualifier="1") == missing
    assert told(client.invoke, FunctionName="v:1") == missing
    assert invoke(client, "v:2")[0] == "two"


def test_what_publishing_refuses(client):
    function = create(client, "r")
    right = client.get_function_configuration(FunctionName="r")
    assert told(client.publish_version, FunctionName="r", RevisionId="wrong") == (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )
    assert told(client.publish_version, FunctionName="r", CodeSha256="wrong") == (
        "InvalidParameterValueException",
        f"CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST ({function['CodeSha256']}). "
        "Please try again with the CodeSHA256 in $LATEST.",
    )
    client.publish_version(FunctionName="r", RevisionId=right["RevisionId"], CodeSha256=right["CodeSha256"])
    assert client.get_function_configuration(FunctionName="r")["RevisionId"] != right["RevisionId"]


def measured(weir, metric, **dimensions):
    """Returns the sum of a metric of functions."""
    found = weir.client("cloudwatch").get_metric_data(
        StartTime="2020-01-01T00:00:00Z", EndTime="2100-01-01T00:00:00Z",
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Period": 86400, "Stat": "Sum", "Metric": {
            "Namespace": "AWS/Lambda", "MetricName": metric,
            "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}}}],
    )
    return sum(found["MetricDataResults"][0]["Values"])


def test_an_alias_moves_and_shares_out(weir, client):
    create(client, "a", Publish=True)
    client.update_function_code(FunctionName="a", ZipFile=package("two"), Publish=True)
    alias = client.create_alias(FunctionName="a", Name="live", FunctionVersion="1")
    assert alias["AliasArn"] == f"{ARN}:a:live"
    assert invoke(client, "a", Qualifier="live") == ("one", "1", "a:live")
    assert client.get_function_configuration(FunctionName=alias["AliasArn"])["Version"] == "1"

    client.update_alias(FunctionName="a", Name="live", FunctionVersion="2", RevisionId=alias["RevisionId"])
    assert invoke(client, alias["AliasArn"]) == ("two", "2", "a:live")
    assert refusal(client.update_alias, FunctionName="a", Name="live", RevisionId=alias["RevisionId"])["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert told(client.delete_function, FunctionName="a", Qualifier="2") == (
        "ResourceConflictException", "Unable to delete version because the following aliases reference it: [live]",
    )

    client.update_alias(FunctionName="a", Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
    counts = Counter(invoke(client, "a:live")[1] for _ in range(100))
    assert counts["1"] + counts["2"] == 100 and min(counts.values()) > 15, counts

    def counted():
        assert measured(weir, "Invocations", FunctionName="a", Resource="a:live") == 102
        assert measured(weir, "Invocations", FunctionName="a") == 102

    eventually(counted)
    assert client.list_aliases(FunctionName="a", FunctionVersion="2")["Aliases"][0]["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 0.5}}

    client.add_permission(FunctionName="a", Qualifier="live", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    policy = json.loads(client.get_policy(FunctionName="a", Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Resource"] == f"{ARN}:a:live"
    assert told(client.get_policy, FunctionName="a")[0] == "ResourceNotFoundException"

    client.delete_alias(FunctionName="a", Name="live")
    assert told(client.get_alias, FunctionName="a", Name="live") == ("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:a:live")
    assert told(client.invoke, FunctionName="a:live") == ("ResourceNotFoundException", f"Function not found: {ARN}:a:live")


def test_reserved_concurrency(weir, client):
    create(client, "c", Publish=True)
    client.put_function_concurrency(FunctionName="c", ReservedConcurrentExecutions=1)
    assert client.get_function(FunctionName="c")["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    limits = client.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 999)

    sleeper = threading.Thread(target=invoke, args=(weir.client("lambda"), "c", {"sleep": 8}))
    sleeper.start()

    def throttled():
        with pytest.raises(ClientError) as refused:
            invoke(client, "c:1")  # versions share what their function has
        return refused.value.response

    refused = eventually(lambda: busy(throttled))
    assert refused["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert refused["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 429
    sleeper.join()
    assert invoke(client, "c")[0] == "one"

    client.put_function_concurrency(FunctionName="c", ReservedConcurrentExecutions=0)
    assert told(client.invoke, FunctionName="c")[0] == "TooManyRequestsException"
    client.delete_function_concurrency(FunctionName="c")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="c")
    assert invoke(client, "c")[0] == "one"


def busy(throttled):
    try:
        return throttled()
    except pytest.fail.Exception as early:  # the other invocation has not begun
        raise AssertionError from early


def test_provisioned_concurrency_is_refused(client):
    create(client, "p", Publish=True)
    assert told(client.put_provisioned_concurrency_config, FunctionName="p", Qualifier="1", ProvisionedConcurrentExecutions=1) == (
        "InvalidParameterValueException", "Weir does not implement provisioned concurrency yet.",
    )
    assert told(client.get_provisioned_concurrency_config, FunctionName="p", Qualifier="1")[0] == "ProvisionedConcurrencyConfigNotFoundException"
    assert told(client.get_provisioned_concurrency_config, FunctionName="p", Qualifier="none") == (
        "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:p:none",
    )
    assert client.list_provisioned_concurrency_configs(FunctionName="p")["ProvisionedConcurrencyConfigs"] == []


def test_a_mapping_waits_for_concurrency(weir, client):
    create(client, "m")
    kinesis = weir.client("kinesis")
    kinesis.create_stream(StreamName="m", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="m")["StreamDescriptionSummary"]["StreamARN"]
    client.put_function_concurrency(FunctionName="m", ReservedConcurrentExecutions=0)
    client.create_event_source_mapping(EventSourceArn=stream, FunctionName="m", StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=0)
    kinesis.put_record(StreamName="m", PartitionKey="k", Data=b"1")
    def at_least(metric, count):
        assert measured(weir, metric, FunctionName="m") >= count

    eventually(lambda: at_least("Throttles", 1))
    assert measured(weir, "Invocations", FunctionName="m") == measured(weir, "Errors", FunctionName="m") == 0
    client.delete_function_concurrency(FunctionName="m")
    eventually(lambda: at_least("Invocations", 1))  # the record was not given up


def test_the_limits_of_an_account(start):
    server = start("--limits", "aws")
    try:
        client = server.client("lambda", retries=1)
        create(client, "f")
        create(client, "g")
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=899)
        assert told(client.put_function_concurrency, FunctionName="g", ReservedConcurrentExecutions=2) == (
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
        )
        client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=900)
        assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
        assert invoke(client, "g")[0] == "one"
    finally:
        server.stop()


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Seen:
    Type: AWS::Serverless::SimpleTable
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: reader
      Runtime: python3.12
      Handler: index.handler
      CodeUri: code
      Role: arn:aws:iam::000000000000:role/any
      ReservedConcurrentExecutions: 5
      AutoPublishAlias: live
      Environment: {Variables: {TABLE: !Ref Seen}}
      Events:
        In: {Type: Kinesis, Properties: {Stream: !GetAtt Stream.Arn, StartingPosition: TRIM_HORIZON}}
Outputs:
  Alias: {Value: !Ref Reader.Alias}
  Stream: {Value: !Ref Stream}
  Table: {Value: !Ref Seen}
"""
READER = """
import base64, os, boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"id": base64.b64decode(record["kinesis"]["data"]).decode(), "code": "CODE",
                             "version": context.function_version, "arn": context.invoked_function_arn})
"""


def test_a_template_publishes_what_it_deploys(weir, client, binary, tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def deploy(code):
        (tmp_path / "code" / "index.py").write_text(READER.replace("CODE", code))
        done = subprocess.run(
            [binary, "deploy", tmp_path / "template.yaml", "--stack-name", "published", "--json"],
            env=ENVIRONMENT | {"WEIR_ENDPOINT": weir.endpoint}, capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return {o["Key"]: o["Value"] for o in json.loads(done.stdout.splitlines()[-1])["Outputs"]}

    outputs = deploy("one")
    assert outputs["Alias"] == f"{ARN}:reader:live"
    assert client.get_function_concurrency(FunctionName="reader")["ReservedConcurrentExecutions"] == 5
    table = weir.resource("dynamodb").Table(outputs["Table"])

    def processed(record):
        weir.client("kinesis").put_record(StreamName=outputs["Stream"], PartitionKey="k", Data=record)

        def found():
            item = table.get_item(Key={"id": record}).get("Item")
            assert item
            return item["code"], item["version"], item["arn"]

        return eventually(found)

    assert processed("first") == ("one", "1", f"{ARN}:reader:live")
    deploy("two")
    assert processed("second") == ("two", "2", f"{ARN}:reader:live")
    assert [v["Version"] for v in client.list_versions_by_function(FunctionName="reader")["Versions"]] == ["$LATEST", "1", "2"]
