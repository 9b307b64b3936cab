"""Deploys templates as people write them: loops, conditions and tags."""

import json
import subprocess

from conftest import ENVIRONMENT, eventually

LOOPS = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Names: {Type: CommaDelimitedList, Default: "clicks,views"}
Resources:
  Fn::ForEach::Streams:
  - Name
  - !Ref Names
  - "Stream${Name}":
      Type: AWS::Kinesis::Stream
      Properties: {ShardCount: !Length [!Ref Names]}
    "Count${Name}":
      Type: AWS::Serverless::Function
      Properties:
        Runtime: python3.12
        Handler: index.handler
        CodeUri: src
        Environment:
          Variables: {NAME: !Ref Name, SETTINGS: !ToJsonString {table: !Ref Counts, names: !Ref Names}}
        Events:
          In:
            Type: Kinesis
            Properties: {Stream: !GetAtt ["Stream${Name}", Arn], StartingPosition: TRIM_HORIZON}
  Counts:
    Type: AWS::Serverless::SimpleTable
Outputs:
  Counts: {Value: !Ref Counts}
  Fn::ForEach::Made: [Name, !Ref Names, {"Stream${Name}": {Value: !Ref "Stream${Name}"}}]
"""

COUNT = """
import json, os, boto3
settings = json.loads(os.environ["SETTINGS"])
table = boto3.resource("dynamodb").Table(settings["table"])
def handler(event, context):
    table.update_item(Key={"id": os.environ["NAME"]}, UpdateExpression="ADD n :n",
                      ExpressionAttributeValues={":n": len(event["Records"]) * len(settings["names"])})
"""

TAGGED = """
Parameters: {Value: {Type: String}}
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/any
      Code: {ZipFile: "def handler(event, context): pass"}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Stream.Arn, FunctionName: !Ref Function, StartingPosition: LATEST}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: N
      MetricName: M
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanThreshold
      Tags: [{Key: own, Value: !Ref Value}, {Key: !Ref Value, Value: any}]
  Logs: {Type: AWS::Logs::LogGroup}
Outputs:
  Alarm: {Value: !GetAtt Alarm.Arn}
  Mapping: {Value: !GetAtt Mapping.EventSourceMappingArn}
  Logs: {Value: !GetAtt Logs.Arn}
"""

CONDITIONAL = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Listen: {Type: String}}
Conditions: {Listens: !Equals [!Ref Listen, "yes"]}
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Function:
    Type: AWS::Serverless::Function
    Condition: Listens
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): print('came', event['Records'][0]['s3']['object']['key'])"
      Events: {Put: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Function: {Value: !Ref Function, Condition: Listens}
"""


def command(weir, binary, *arguments):
    done = subprocess.run([binary, *arguments, "--endpoint", weir.endpoint],
                          capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deploy(weir, binary, template, name, *arguments):
    text = command(weir, binary, "deploy", str(template), "--json", "--stack-name", name, *arguments)
    return {o["Key"]: o["Value"] for o in json.loads(text).get("Outputs", [])}


def test_loops_make_streams_and_functions(weir, binary, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.py").write_text(COUNT)
    template = tmp_path / "template.yaml"
    template.write_text(LOOPS)
    made = deploy(weir, binary, template, "loops")
    kinesis = weir.client("kinesis")
    table = weir.resource("dynamodb").Table(made["Counts"])
    for name in ("clicks", "views"):
        kinesis.put_record(StreamName=made["Stream" + name], Data=b"x", PartitionKey="a")
    eventually(lambda: {i["id"]: int(i["n"]) for i in table.scan()["Items"]} == {"clicks": 2, "views": 2})

    changed = deploy(weir, binary, template, "loops", "--parameter", "Names=clicks,searches")
    assert changed["Streamclicks"] == made["Streamclicks"] and changed["Counts"] == made["Counts"]
    assert sorted(kinesis.list_streams()["StreamNames"]) == sorted([changed["Streamclicks"], changed["Streamsearches"]])
    command(weir, binary, "destroy", "loops")
    assert kinesis.list_streams()["StreamNames"] == []


def test_tags_follow_the_template(weir, binary, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(TAGGED)
    cloudwatch, functions = weir.client("cloudwatch"), weir.client("lambda")
    for value in ("one", "two"):
        made = deploy(weir, binary, template, "tagged", "--parameter", f"Value={value}", "--tag", f"stage={value}")
        tags = {t["Key"]: t["Value"] for t in cloudwatch.list_tags_for_resource(ResourceARN=made["Alarm"])["Tags"]}
        assert {k: v for k, v in tags.items() if not k.startswith("aws:")} == {"own": value, value: "any", "stage": value}
        assert functions.list_tags(Resource=made["Mapping"])["Tags"]["stage"] == value
        assert made["Logs"].endswith(":*")
    command(weir, binary, "destroy", "tagged")


def test_bucket_of_a_function_with_a_condition(weir, binary, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(CONDITIONAL)
    made = deploy(weir, binary, template, "conditional", "--parameter", "Listen=no")
    objects, logs = weir.client("s3"), weir.client("logs")
    objects.put_object(Bucket=made["Bucket"], Key="unheard", Body=b"x")
    made = deploy(weir, binary, template, "conditional", "--parameter", "Listen=yes")
    objects.put_object(Bucket=made["Bucket"], Key="heard", Body=b"x")
    group = "/aws/lambda/" + made["Function"]

    def came():
        return [e["message"].strip() for e in logs.filter_log_events(logGroupName=group, filterPattern="came")["events"]]

    eventually(lambda: came() == ["came heard"])
    made = deploy(weir, binary, template, "conditional", "--parameter", "Listen=no")
    assert "LambdaFunctionConfigurations" not in objects.get_bucket_notification_configuration(Bucket=made["Bucket"])
    for key in ("unheard", "heard"):
        objects.delete_object(Bucket=made["Bucket"], Key=key)
    command(weir, binary, "destroy", "conditional")
