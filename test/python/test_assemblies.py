"""Deploys what the AWS CDK and the Serverless Framework write: code that lies beside the
template, values that stacks use of each other. The files are shaped as these tools
write them."""

import json
import subprocess

from conftest import ACCOUNT, ENVIRONMENT, eventually, zipped

COUNT = """
import base64, json, os, boto3
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    for record in event["Records"]:
        kind = json.loads(base64.b64decode(record["kinesis"]["data"]))["kind"]
        table.update_item(Key={"id": kind}, UpdateExpression="ADD n :n", ExpressionAttributeValues={":n": %d})
"""

BOOTSTRAP = {
    "Parameters": {"BootstrapVersion": {
        "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"}},
    "Rules": {"CheckBootstrapVersion": {"Assertions": [{
        "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3", "4", "5"], {"Ref": "BootstrapVersion"}]}]},
        "AssertDescription": "CDK bootstrap stack version 6 required."}]}},
}
METADATA = {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:x"}}


def deploy(weir, binary, *arguments):
    done = subprocess.run([binary, "deploy", "--endpoint", weir.endpoint, *arguments],
                          capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    return done.returncode, done.stdout + done.stderr


def outputs(weir, binary, *arguments):
    code, text = deploy(weir, binary, "--json", *arguments)
    assert code == 0, text
    return {o["Key"]: o["Value"] for o in json.loads(text)["Outputs"]}


def function(code, table, **properties):
    return {"Type": "AWS::Lambda::Function", "Properties": {
        "Runtime": "python3.12", "Handler": "index.handler", "Role": f"arn:aws:iam::{ACCOUNT}:role/any",
        "Code": code, "Environment": {"Variables": {"TABLE": table}}, **properties}}


def mapping(source, target):
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
        "EventSourceArn": source, "FunctionName": target, "StartingPosition": "TRIM_HORIZON"}}


def write_assembly(folder, per_record):
    """Writes a cdk.out with a stack of data and one that uses it."""
    asset = f"aa{per_record}"
    (folder / f"asset.{asset}").mkdir(exist_ok=True)
    (folder / f"asset.{asset}" / "index.py").write_text(COUNT % per_record)
    data = {**BOOTSTRAP, "Resources": {
        "Clicks": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Counts": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST", "Replicas": [{"Region": {"Ref": "AWS::Region"}}]}},
        "CDKMetadata": METADATA,
    }, "Outputs": {
        "Stream": {"Value": {"Ref": "Clicks"}},
        "ExportsOutputFnGetAttClicksArn": {
            "Value": {"Fn::GetAtt": ["Clicks", "Arn"]}, "Export": {"Name": "Data:ExportsOutputFnGetAttClicksArn"}},
        "ExportsOutputRefCounts": {"Value": {"Ref": "Counts"}, "Export": {"Name": "Data:ExportsOutputRefCounts"}},
    }}
    bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
    use = {**BOOTSTRAP, "Resources": {
        "Count": function({"S3Bucket": {"Fn::Sub": bucket}, "S3Key": f"{asset}.zip"},
                          {"Fn::ImportValue": "Data:ExportsOutputRefCounts"}),
        "Mapping": mapping({"Fn::ImportValue": "Data:ExportsOutputFnGetAttClicksArn"}, {"Ref": "Count"}),
        "CDKMetadata": METADATA,
    }}
    assets = {"version": "55.0.0", "dockerImages": {}, "files": {asset: {
        "source": {"path": f"asset.{asset}", "packaging": "zip"},
        "destinations": {"current_account-current_region": {"bucketName": bucket, "objectKey": f"{asset}.zip"}}}}}
    artifacts = {name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{name}.template.json"}}
                 for name in ("Data", "Use")}
    for name, content in {"Data.template.json": data, "Use.template.json": use, "Use.assets.json": assets,
                          "manifest.json": {"version": "55.0.0", "artifacts": artifacts}}.items():
        (folder / name).write_text(json.dumps(content, indent=1))


def put(weir, stream, kinds):
    weir.client("kinesis").put_records(StreamName=stream, Records=[
        {"Data": json.dumps({"kind": kind}).encode(), "PartitionKey": kind} for kind in kinds])


def expect(weir, table, counts):
    def check():
        items = weir.client("dynamodb").scan(TableName=table)["Items"]
        assert {i["id"]["S"]: int(i["n"]["N"]) for i in items} == counts
    eventually(check)


def test_assembly_of_the_cdk(weir, binary, tmp_path):
    write_assembly(tmp_path, 1)
    code, text = deploy(weir, binary, tmp_path / "Use.template.json")
    assert code != 0 and "No export named Data:ExportsOutputRefCounts found." in text
    made = outputs(weir, binary, tmp_path / "Data.template.json")
    code, text = deploy(weir, binary, tmp_path / "Use.template.json")
    assert code == 0, text
    put(weir, made["Stream"], ["click", "click", "view"])
    expect(weir, made["ExportsOutputRefCounts"], {"click": 2, "view": 1})

    code, text = deploy(weir, binary, tmp_path / "Use.template.json")
    assert code == 0 and "stack Use is up to date" in text
    write_assembly(tmp_path, 10)
    code, text = deploy(weir, binary, tmp_path / "Use.template.json")
    assert code == 0 and "stack Use deployed" in text
    put(weir, made["Stream"], ["click"])
    expect(weir, made["ExportsOutputRefCounts"], {"click": 12, "view": 1})

    destroy = [binary, "destroy", "--endpoint", weir.endpoint]
    refused = subprocess.run([*destroy, "Data"], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert refused.returncode != 0
    assert "Delete canceled. Cannot delete export Data:ExportsOutputFnGetAttClicksArn as it is in use by Use." in refused.stderr
    for stack in "Use", "Data":
        subprocess.run([*destroy, stack], check=True, env=ENVIRONMENT, timeout=60)


def test_package_of_the_serverless_framework(weir, binary, tmp_path):
    (tmp_path / "clicks.zip").write_bytes(zipped({"index.py": COUNT % 1}))
    (tmp_path / "serverless-state.json").write_text(json.dumps(
        {"service": {"service": "clicks", "provider": {"name": "aws", "stage": "dev"}}}))
    key = "serverless/clicks/dev/1795302584171-2026-11-21T23:09:44.171Z/clicks.zip"
    (tmp_path / "cloudformation-template-update-stack.json").write_text(json.dumps({"Resources": {
        "ServerlessDeploymentBucket": {"Type": "AWS::S3::Bucket"},
        "Clicks": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Counts": {"Type": "AWS::DynamoDB::Table", "Properties": {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}},
        "CountLambdaFunction": function({"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": key}, {"Ref": "Counts"}),
        "Mapping": mapping({"Fn::GetAtt": ["Clicks", "Arn"]}, {"Fn::GetAtt": ["CountLambdaFunction", "Arn"]}),
    }, "Outputs": {"Stream": {"Value": {"Ref": "Clicks"}}, "Table": {"Value": {"Ref": "Counts"}}}}))
    made = outputs(weir, binary, tmp_path)
    assert made["Stream"].startswith("clicks-dev-Clicks-")
    put(weir, made["Stream"], ["click", "view", "click"])
    expect(weir, made["Table"], {"click": 2, "view": 1})
