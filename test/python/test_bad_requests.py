"""Requests that are wrong get the documented answer, and the server keeps serving."""

import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest

from conftest import ACCOUNT, REGION, ROLE, zipped

JSON_TARGETS = {  # service: target prefix, content type, namespace of general errors
    "kinesis": ("Kinesis_20131202", "application/x-amz-json-1.1", ""),
    "dynamodb": ("DynamoDB_20120810", "application/x-amz-json-1.0", "com.amazon.coral.service#"),
    "logs": ("Logs_20140328", "application/x-amz-json-1.1", ""),
    "cloudwatch": ("GraniteServiceVersion20100801", "application/x-amz-json-1.0", "com.amazon.coral.service#"),
}


@pytest.fixture(autouse=True)
def keeps_serving(weir):
    yield
    assert weir.healthy()


def send(weir, method, path, body=b"", **headers):
    """Sends a request as it is, and returns the status and the body."""
    connection = http.client.HTTPConnection(urlsplit(weir.endpoint).netloc, timeout=60)
    try:
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has answered before it read all of the body
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def call(weir, service, operation, body):
    prefix, content_type, _ = JSON_TARGETS[service]
    status, answer = send(weir, "POST", "/", body, X_Amz_Target=f"{prefix}.{operation}", Content_Type=content_type)
    return status, json.loads(answer)


def query(weir, version, **parameters):
    body = urlencode(parameters | {"Version": version})
    return send(weir, "POST", "/", body, Content_Type="application/x-www-form-urlencoded")


def refused(weir, service, operation, **arguments):
    """Returns the status, code and message with which a well-formed call is refused."""
    client = weir.client(service, retries=1)
    with pytest.raises(client.exceptions.ClientError) as error:
        getattr(client, operation)(**arguments)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message", "")


OPERATIONS = [("kinesis", "PutRecord"), ("dynamodb", "PutItem"), ("logs", "GetLogEvents"), ("cloudwatch", "PutMetricData")]


@pytest.mark.parametrize("body", [b"{", b"nonsense", b"[]", b"\xff\xfe", b'{"a":' * 5000])
@pytest.mark.parametrize("service,operation", OPERATIONS)
def test_malformed_json(weir, service, operation, body):
    status, answer = call(weir, service, operation, body)
    assert (status, answer["__type"]) == (400, JSON_TARGETS[service][2] + "SerializationException")


@pytest.mark.parametrize("service,operation", [("kinesis", "PutRecord"), ("dynamodb", "PutItem")])
def test_no_body(weir, service, operation):
    status, answer = call(weir, service, operation, b"")
    assert (status, answer) == (400, {"__type": JSON_TARGETS[service][2] + "SerializationException"})


@pytest.mark.parametrize("service", JSON_TARGETS)
def test_unknown_operation(weir, service):
    status, answer = call(weir, service, "MakeCoffee", b"{}")
    assert (status, answer["__type"]) == (400, JSON_TARGETS[service][2] + "UnknownOperationException")


@pytest.mark.parametrize("service,operation,body,message", [
    ("kinesis", "DescribeStream", {"StreamName": True}, "class java.lang.Boolean can not be converted to an String"),
    ("kinesis", "CreateStream", {"StreamName": "a", "ShardCount": "1"}, "class java.lang.String can not be converted to an Integer"),
    ("kinesis", "PutRecords", {"Records": "a"}, "Expected list or null"),
    ("kinesis", "PutRecords", {"Records": [1]}, "Expected null"),
    ("kinesis", "PutRecord", {"Data": "23456"},
     "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
    ("dynamodb", "DescribeTable", {"TableName": 23}, "NUMBER_VALUE cannot be converted to String"),
    ("dynamodb", "Scan", {"Limit": "a"}, "STRING_VALUE cannot be converted to Integer"),
    ("dynamodb", "GetItem", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
    ("dynamodb", "GetItem", {"Key": "a"}, "Unexpected field type"),
    ("dynamodb", "GetItem", {"TableName": {}}, "Start of structure or map found where not expected"),
])
def test_wrong_types(weir, service, operation, body, message):
    status, answer = call(weir, service, operation, json.dumps(body))
    assert (status, answer) == (400, {"__type": JSON_TARGETS[service][2] + "SerializationException", "Message": message})


def test_unknown_action_of_a_query(weir):
    for version in ("2010-03-31", "2010-08-01", "2011-06-15"):
        status, body = query(weir, version, Action="MakeCoffee")
        assert status == 400 and b"<Code>InvalidAction</Code>" in body


def test_other_methods_and_paths(weir):
    assert send(weir, "GET", "/2015-03-31/no/such/path")[0] in (403, 404)
    assert send(weir, "DELETE", "/")[0] in (403, 404, 405)
    assert send(weir, "POST", "/", b"{}", Content_Type="text/plain")[0] in (403, 404)


STREAM = f"Stream none under account {ACCOUNT} not found."


@pytest.mark.parametrize("service,operation,arguments,status,code,message", [
    ("kinesis", "describe_stream", {"StreamName": "none"}, 400, "ResourceNotFoundException", STREAM),
    ("kinesis", "put_record", {"StreamName": "none", "Data": b"", "PartitionKey": "a"}, 400, "ResourceNotFoundException", STREAM),
    ("kinesis", "get_shard_iterator", {"StreamName": "none", "ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"},
     400, "ResourceNotFoundException", f"Shard shardId-000000000000 in stream none under account {ACCOUNT} does not exist"),
    ("dynamodb", "describe_table", {"TableName": "none"}, 400, "ResourceNotFoundException", "Requested resource not found: Table: none not found"),
    ("dynamodb", "get_item", {"TableName": "none", "Key": {"a": {"S": "a"}}}, 400, "ResourceNotFoundException", "Requested resource not found"),
    ("lambda", "get_function", {"FunctionName": "none"}, 404, "ResourceNotFoundException",
     f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:none"),
    ("lambda", "invoke", {"FunctionName": "none"}, 404, "ResourceNotFoundException",
     f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:none:$LATEST"),
    ("lambda", "get_event_source_mapping", {"UUID": "a"}, 404, "ResourceNotFoundException", "The resource you requested does not exist."),
    ("logs", "get_log_events", {"logGroupName": "none", "logStreamName": "a"}, 400, "ResourceNotFoundException",
     "The specified log group does not exist."),
    ("sns", "publish", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:none", "Message": "a"}, 404, "NotFound", "Topic does not exist"),
    ("sns", "publish", {"TopicArn": "none", "Message": "a"}, 400, "InvalidParameter",
     "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
    ("cloudwatch", "set_alarm_state", {"AlarmName": "none", "StateValue": "OK", "StateReason": "a"}, 404, "ResourceNotFound", None),
    ("cloudwatch", "get_dashboard", {"DashboardName": "none"}, 404, "ResourceNotFound", None),
])
def test_unknown_resources(weir, service, operation, arguments, status, code, message):
    got = refused(weir, service, operation, **arguments)
    assert got[:2] == (status, code)
    assert message in (None, got[2])


@pytest.fixture(scope="module")
def resources(weir):
    weir.client("kinesis").create_stream(StreamName="stream", ShardCount=1)
    weir.client("dynamodb").create_table(
        TableName="table", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    weir.client("lambda").create_function(
        FunctionName="function", Runtime="python3.12", Handler="f.handler", Role=ROLE,
        Code={"ZipFile": zipped({"f.py": "def handler(event, context):\n    return event\n"})},
    )
    weir.client("lambda").get_waiter("function_active_v2").wait(FunctionName="function")


def item(**attributes):
    return {"TableName": "table", "Item": {"pk": {"S": "a"}} | attributes}


@pytest.mark.parametrize("arguments,message", [
    ({"TableName": "table", "Item": {"a": {"S": "a"}}}, "One or more parameter values were invalid: Missing the key pk in the item"),
    ({"TableName": "table", "Item": {"pk": {"N": "1"}}},
     "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"),
    (item(pk={"S": ""}), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an"
     " empty string value. Key: pk"),
    (item(n={"N": "b"}), "The parameter cannot be converted to a numeric value: b"),
    (item(n={"N": "1" * 39}), "Attempting to store more than 38 significant digits in a Number"),
    (item(n={"N": "1E126"}), "Number overflow. Attempting to store a number with magnitude larger than supported range"),
    (item(v={"SS": ["a", "a"]}), "One or more parameter values were invalid: Input collection [a, a] contains duplicates."),
    (item(v={}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    (item(v={"S": "x" * 409_600}), "Item size has exceeded the maximum allowed size"),
    (item() | {"ConditionExpression": "a ="}, 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'),
    (item() | {"ConditionExpression": "a = :a"}, "Invalid ConditionExpression: An expression attribute value used in expression"
     " is not defined; attribute value: :a"),
    (item() | {"ConditionExpression": "size = :a", "ExpressionAttributeValues": {":a": {"S": ""}}},
     "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: size"),
])
def test_items_that_are_no_items(weir, resources, arguments, message):
    status, answer = call(weir, "dynamodb", "PutItem", json.dumps(arguments))
    assert (status, answer) == (400, {"__type": "com.amazon.coral.validate#ValidationException", "message": message})


def test_deeply_nested_item(weir, resources):
    value = {"S": "bottom"}
    for _ in range(40):
        value = {"L": [value]}
    got = refused(weir, "dynamodb", "put_item", **item(v=value))
    assert got == (400, "ValidationException", "Nesting Levels have exceeded supported limits:"
                   " Attributes in the item have nested levels beyond supported limit")


def test_oversized_requests(weir, resources):
    status, _ = send(weir, "POST", "/", b'{"TableName":"' + b"x" * (17 << 20) + b'"}',
                     X_Amz_Target="DynamoDB_20120810.PutItem", Content_Type="application/x-amz-json-1.0")
    assert status == 413
    record = {"StreamName": "stream", "Data": b"x" * (10 << 20 | 1), "PartitionKey": "a"}
    assert refused(weir, "kinesis", "put_record", **record)[:2] == (400, "ValidationException")
    status, _ = send(weir, "POST", "/", b'{"StreamName":"' + b"x" * (40 << 20) + b'"}',
                     X_Amz_Target="Kinesis_20131202.PutRecord", Content_Type="application/x-amz-json-1.1")
    assert status == 413
    got = refused(weir, "sns", "publish", TopicArn=weir.client("sns").create_topic(Name="t")["TopicArn"], Message="x" * 262_145)
    assert got == (400, "InvalidParameter", "Invalid parameter: Message too long")
    got = refused(weir, "lambda", "invoke", FunctionName="function", Payload=b'"' + b"x" * (6 << 20) + b'"')
    assert got[:2] == (413, "RequestTooLargeException")


@pytest.mark.parametrize("arguments,code,message", [
    ({"MetricData": [{"MetricName": "m", "Value": 1, "Values": [1]}]}, "InvalidParameterCombination",
     "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both."),
    ({"MetricData": [{"MetricName": "m", "Values": [1, 2], "Counts": [1]}]}, "InvalidParameterValue",
     "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."),
    ({"MetricData": [{"MetricName": "m", "Value": 1, "Timestamp": 1_000_000_000}]}, "InvalidParameterValue",
     "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks"),
])
def test_bad_metric_data(weir, arguments, code, message):
    got = refused(weir, "cloudwatch", "put_metric_data", Namespace="Test", **arguments)
    assert got == (400, code, message)


def test_bad_dashboard(weir):
    assert refused(weir, "cloudwatch", "put_dashboard", DashboardName="a", DashboardBody="{")[:2] == (400, "InvalidParameterInput")
    got = refused(weir, "cloudwatch", "put_dashboard", DashboardName="a b", DashboardBody='{"widgets":[]}')
    assert got == (400, "InvalidParameterValue", "The value for field DashboardName contains invalid characters."
                   " It can only contain alphanumerics, dash (-) and underscore (_).\n")


@pytest.mark.parametrize("code", [b"not a zip", b"", zipped({"f.py": "x"})[:-30]], ids=["text", "empty", "cut off"])
def test_broken_zip(weir, code):
    got = refused(weir, "lambda", "create_function", FunctionName="broken", Runtime="python3.12", Handler="f.handler",
                  Role=ROLE, Code={"ZipFile": code})
    assert got[:2] == (400, "InvalidParameterValueException")
    assert refused(weir, "lambda", "get_function", FunctionName="broken")[0] == 404


def test_zip_that_leads_out_of_its_folder(weir, tmp_path):
    outside = tmp_path / "outside"
    code = zipped({"f.py": "def handler(event, context):\n    return 1\n", "../" * 40 + str(outside)[1:]: "x"})
    client = weir.client("lambda", retries=1)
    try:
        client.create_function(FunctionName="leads-out", Runtime="python3.12", Handler="f.handler", Role=ROLE,
                               Code={"ZipFile": code})
        client.invoke(FunctionName="leads-out")
    except client.exceptions.ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not outside.exists()


def test_payload_that_is_not_json(weir, resources):
    status, code, message = refused(weir, "lambda", "invoke", FunctionName="function", Payload=b"{")
    assert (status, code) == (400, "InvalidRequestContentException")
    assert message.startswith("Could not parse request body into json: ")


MAPPING = {"FunctionName": "function", "StartingPosition": "LATEST",
           "EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/stream"}


@pytest.mark.parametrize("changes,status,code,message", [
    ({"EventSourceArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/none"}, 400, "InvalidParameterValueException",
     f"Stream not found: arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/none"),
    ({"FunctionName": "none"}, 400, "InvalidParameterValueException", "Function does not exist"),
    ({"StartingPosition": None}, 400, "InvalidParameterValueException",
     "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."),
    ({"EventSourceArn": None}, 400, "InvalidParameterValueException", "Unrecognized event source."),
    ({"FunctionName": None}, 400, "ValidationException",
     "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null"),
    ({"BatchSize": 10_001}, 400, "ValidationException", "1 validation error detected: Value '10001' at 'batchSize' "
     "failed to satisfy constraint: Member must have value less than or equal to 10000"),
    ({"ParallelizationFactor": 11, "MaximumRetryAttempts": -2}, 400, "ValidationException",
     "2 validation errors detected: Value '11' at 'parallelizationFactor' failed to satisfy constraint: "
     "Member must have value less than or equal to 10; Value '-2' at 'maximumRetryAttempts' failed to satisfy constraint: "
     "Member must have value greater than or equal to -1"),
    ({"FunctionName": "no such:name!"}, 400, "ValidationException", None),
    ({"EventSourceArn": "stream"}, 400, "ValidationException", None),
    ({"DestinationConfig": {"OnFailure": {"Destination": "queue"}}}, 400, "ValidationException", None),
    ({"StartingPosition": "invalid"}, 400, "ValidationException",
     "1 validation error detected: Value 'invalid' at 'startingPosition' failed to satisfy constraint: "
     "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]"),
    ({"MetricsConfig": {"Metrics": ["KafkaMetrics"]}}, 400, "InvalidParameterValueException", None),
    ({"ParallelizationFactor": 2, "TumblingWindowInSeconds": 30}, 400, "InvalidParameterValueException", None),
    ({"MaximumRecordAgeInSeconds": 59}, 400, "InvalidParameterValueException",
     "MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)"),
    ({"FilterCriteria": {"Filters": [{"Pattern": "not json"}]}}, 400, "InvalidParameterValueException",
     "Invalid filter pattern definition."),
])
def test_bad_mappings(weir, resources, changes, status, code, message):
    arguments = {k: v for k, v in (MAPPING | changes).items() if v is not None}
    body = json.dumps(arguments)
    got, answer = send(weir, "POST", "/2015-03-31/event-source-mappings/", body, Content_Type="application/json")
    answer = json.loads(answer)
    assert got == status
    assert message in (None, answer.get("message"), answer.get("Message"))
    if code:
        assert refused_code(weir, arguments) == code


def refused_code(weir, arguments):
    client = weir.client("lambda", retries=1, parameter_validation=False)
    with pytest.raises(client.exceptions.ClientError) as error:
        client.create_event_source_mapping(**arguments)
    return error.value.response["Error"]["Code"]


def test_connections_that_break_off(weir):
    """Half a request, or a body shorter than promised, harms nobody else."""
    for request in (b"POST / HTT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", b"\0\1\2\3\r\n\r\n"):
        connection = http.client.HTTPConnection(urlsplit(weir.endpoint).netloc, timeout=10)
        connection.connect()
        connection.sock.sendall(request)
        connection.close()
        assert weir.healthy()


def test_pages_of_the_outside_are_refused(weir):
    code = zipped({"h.py": "def handler(event, context): pass"})
    create = json.dumps({"FunctionName": "planted", "Code": {"ZipFile": code.hex()}, "Role": ROLE})
    for headers in [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:4566"}]:
        for method, path, body in [
            ("POST", "/2015-03-31/functions", create),
            ("OPTIONS", "/2015-03-31/functions", ""),
            ("GET", "/_weir/console/api/status", ""),
        ]:
            status, answer = send(weir, method, path, body, Content_Type="text/plain", **headers)
            assert status == 403 and b"--allow-host" in answer, (headers, method, path)
    status, _ = send(weir, "GET", "/?Action=CreateTopic&Name=planted&Version=2010-03-31", Sec_Fetch_Site="cross-site")
    assert status == 403
    status, _ = send(weir, "GET", "/_weir/console/api/status", Origin="http://localhost:3000")
    assert status == 200
