// The clients of the SDK for JavaScript, each on its own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricStatisticsCommand, PutMetricAlarmCommand, PutMetricDataCommand, SetAlarmStateCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { CreateStreamCommand, DeleteStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient, paginateListStreams, PutRecordCommand, waitUntilStreamExists, waitUntilStreamNotExists } from "@aws-sdk/client-kinesis";
import { CreateFunctionCommand, InvokeCommand, LambdaClient, paginateListFunctions, UpdateFunctionCodeCommand, waitUntilFunctionActiveV2, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { CreateTopicCommand, paginateListTopics, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand, paginateQuery, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { inBatches } from "./events.mjs";
import { collect, role, start, zip } from "./weir.mjs";

let weir;
before(async () => { weir = await start(); });
after(() => weir?.stop());

test("STS says who is calling", async () => {
  const { Account, Arn } = await weir.client(STSClient).send(new GetCallerIdentityCommand());
  assert.equal(Account, "000000000000");
  assert.match(Arn, /^arn:aws:/);
});

test("Kinesis: a stream's life", async () => {
  const client = weir.client(KinesisClient);
  assert.equal(client.config.requestHandler.metadata.handlerProtocol, "h2"); // to an http:// URL, without asking first
  for (const StreamName of ["a", "b", "c"]) {
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    await waitUntilStreamExists({ client, maxWaitTime: 30 }, { StreamName });
  }
  assert.deepEqual(await collect(paginateListStreams({ client, pageSize: 2 }, {}), (page) => page.StreamNames), ["a", "b", "c"]);

  const { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName: "a", ShardId: "shardId-000000000000", ShardIteratorType: "LATEST" }));
  const Data = Uint8Array.from([0, 1, 254, 255]);
  const before = Date.now() - 1000;
  const { SequenceNumber, ShardId } = await client.send(new PutRecordCommand({ StreamName: "a", PartitionKey: "ключ", Data }));
  assert.equal(ShardId, "shardId-000000000000");
  const { Records, MillisBehindLatest } = await client.send(new GetRecordsCommand({ ShardIterator }));
  assert.equal(MillisBehindLatest, 0);
  assert.equal(Records.length, 1);
  assert.deepEqual({ ...Records[0], Data: [...Records[0].Data], ApproximateArrivalTimestamp: undefined },
    { SequenceNumber, PartitionKey: "ключ", Data: [...Data], ApproximateArrivalTimestamp: undefined });
  assert.ok(Records[0].ApproximateArrivalTimestamp >= before && Records[0].ApproximateArrivalTimestamp <= Date.now() + 1000);

  await assert.rejects(client.send(new CreateStreamCommand({ StreamName: "a", ShardCount: 1 })), { name: "ResourceInUseException", message: "Stream a under account 000000000000 already exists." });
  await client.send(new DeleteStreamCommand({ StreamName: "a" }));
  await waitUntilStreamNotExists({ client, maxWaitTime: 30 }, { StreamName: "a" });
});

test("DynamoDB: documents", async () => {
  const dynamodb = weir.client(DynamoDBClient);
  const client = DynamoDBDocumentClient.from(dynamodb);
  const TableName = "documents";
  await dynamodb.send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }, { AttributeName: "n", AttributeType: "N" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }, { AttributeName: "n", KeyType: "RANGE" }],
  }));
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 30 }, { TableName });

  const Item = { id: "a", n: -1.5, text: "naïve ✓", empty: "", list: [1, ["two", { three: null }]], set: new Set(["x"]), bytes: Uint8Array.from([0, 255]), yes: true };
  await client.send(new PutCommand({ TableName, Item }));
  assert.deepEqual((await client.send(new GetCommand({ TableName, Key: { id: "a", n: -1.5 } }))).Item, Item);
  await assert.rejects(client.send(new PutCommand({ TableName, Item, ConditionExpression: "attribute_not_exists(id)" })),
    { name: "ConditionalCheckFailedException", message: "The conditional request failed" });
  const { Attributes } = await client.send(new UpdateCommand({
    TableName, Key: { id: "a", n: -1.5 }, UpdateExpression: "SET #l[1][0] = :v REMOVE bytes ADD hits :one", ReturnValues: "UPDATED_NEW",
    ExpressionAttributeNames: { "#l": "list" }, ExpressionAttributeValues: { ":v": 2, ":one": 1 },
  }));
  assert.equal(Attributes.hits, 1);

  const items = Array.from({ length: 200 }, (_, n) => ({ id: "b", n, text: "x".repeat(100) }));
  for (const batch of inBatches(items, 25)) {
    await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: batch.map((i) => ({ PutRequest: { Item: i } })) } }));
  }
  const pages = paginateQuery({ client, pageSize: 17 }, {
    TableName, ScanIndexForward: false, KeyConditionExpression: "id = :id AND n >= :n", ExpressionAttributeValues: { ":id": "b", ":n": 100 },
  });
  assert.deepEqual(await collect(pages, (page) => page.Items), items.slice(100).reverse());
});

test("Lambda: a function's life", async () => {
  const client = weir.client(LambdaClient);
  const FunctionName = "greet";
  const code = (greeting) => zip({ "index.js": `exports.handler = async (event) => ({ text: "${greeting}, " + event.name });` });
  await client.send(new CreateFunctionCommand({ FunctionName, Runtime: "nodejs20.x", Handler: "index.handler", Role: role, Code: { ZipFile: code("Hello") } }));
  await waitUntilFunctionActiveV2({ client, maxWaitTime: 30 }, { FunctionName });
  const greet = async (options) => client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ name: "Ada" }), ...options }));
  const answer = await greet({ LogType: "Tail" });
  assert.deepEqual([answer.StatusCode, answer.FunctionError, answer.ExecutedVersion], [200, undefined, "$LATEST"]);
  assert.deepEqual(JSON.parse(answer.Payload.transformToString()), { text: "Hello, Ada" });
  assert.match(Buffer.from(answer.LogResult, "base64").toString(), /REPORT RequestId: /);
  assert.equal((await greet({ InvocationType: "Event" })).StatusCode, 202);
  assert.equal((await greet({ InvocationType: "DryRun" })).StatusCode, 204);
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: code("Goodbye") }));
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 30 }, { FunctionName });
  assert.deepEqual(JSON.parse((await greet()).Payload.transformToString()), { text: "Goodbye, Ada" });
  assert.deepEqual(await collect(paginateListFunctions({ client }, {}), (page) => page.Functions.map((f) => f.FunctionName)), [FunctionName]);
  const { logGroups } = await weir.client(CloudWatchLogsClient).send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "/aws/lambda/" }));
  assert.deepEqual(logGroups.map((g) => g.logGroupName), ["/aws/lambda/greet"]);
});

test("CloudWatch: metrics and an alarm", async () => {
  const client = weir.client(CloudWatchClient);
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  await client.send(new PutMetricDataCommand({
    Namespace: "Test", MetricData: [
      { MetricName: "requests", Timestamp: new Date(now - 60_000), Values: [1, 2.5], Counts: [3, 1], Unit: "Count", Dimensions: [{ Name: "Page", Value: "/" }] },
      ...Array.from({ length: 300 }, (_, i) => ({ MetricName: "many", Timestamp: new Date(now), Value: i })), // large enough to be compressed
    ],
  }));
  const { Label, Datapoints } = await client.send(new GetMetricStatisticsCommand({
    Namespace: "Test", MetricName: "requests", Dimensions: [{ Name: "Page", Value: "/" }], Period: 60,
    StartTime: new Date(now - 3600_000), EndTime: new Date(now + 60_000), Statistics: ["Sum", "SampleCount", "Maximum"],
  }));
  assert.equal(Label, "requests");
  assert.deepEqual(Datapoints, [{ Timestamp: new Date(now - 60_000), Sum: 5.5, SampleCount: 4, Maximum: 2.5, Unit: "Count" }]);

  await client.send(new PutMetricAlarmCommand({
    AlarmName: "many", Namespace: "Test", MetricName: "many", Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1e9, ComparisonOperator: "GreaterThanThreshold",
  }));
  await client.send(new SetAlarmStateCommand({ AlarmName: "many", StateValue: "ALARM", StateReason: "by hand" }));
  const { MetricAlarms } = await client.send(new DescribeAlarmsCommand({ AlarmNames: ["many"] }));
  assert.equal(MetricAlarms.length, 1);
  assert.ok(["ALARM", "OK"].includes(MetricAlarms[0].StateValue), MetricAlarms[0].StateValue);
  await assert.rejects(client.send(new SetAlarmStateCommand({ AlarmName: "none", StateValue: "OK", StateReason: "a" })), { name: "ResourceNotFound" });
});

test("SNS: topics and messages", async () => {
  const client = weir.client(SNSClient);
  const { TopicArn } = await client.send(new CreateTopicCommand({ Name: "news" }));
  assert.equal(TopicArn, "arn:aws:sns:us-east-1:000000000000:news");
  const { SubscriptionArn } = await client.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "ops@example.com" }));
  assert.equal(SubscriptionArn, "pending confirmation");
  const { MessageId } = await client.send(new PublishCommand({ TopicArn, Message: "hello", Subject: "greeting" }));
  assert.match(MessageId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await collect(paginateListTopics({ client }, {}), (page) => page.Topics.map((t) => t.TopicArn)), [TopicArn]);
  await assert.rejects(client.send(new PublishCommand({ TopicArn: TopicArn + "x", Message: "hello" })), { name: "NotFoundException", message: "Topic does not exist" });
});
