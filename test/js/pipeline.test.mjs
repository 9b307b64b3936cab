// The web-analytics application, built with the SDK for JavaScript and with
// functions for Node.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { CloudWatchClient, paginateGetMetricData } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand as GetChangesCommand, GetShardIteratorCommand as GetChangesIteratorCommand } from "@aws-sdk/client-dynamodb-streams";
import { CreateStreamCommand, DescribeStreamSummaryCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand, PutRecordsCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { CreateEventSourceMappingCommand, CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import { DynamoDBDocumentClient, paginateScan } from "@aws-sdk/lib-dynamodb";
import { inBatches, load } from "./events.mjs";
import { collect, eventually, role, start, zip } from "./weir.mjs";

const stream = "web-analytics", table = "event-counters", namespace = "EventCounter";
const { events, expected } = load();
const sent = events.map((e) => JSON.stringify(e));

let weir, kinesis, dynamodb, changesArn;
before(async () => {
  weir = await start();
  kinesis = weir.client(KinesisClient);
  dynamodb = weir.client(DynamoDBClient);
  await build();
  for (const batch of inBatches(events, 500)) {
    const Records = batch.map((e) => ({ PartitionKey: e.visitor, Data: Buffer.from(JSON.stringify(e)) }));
    const answer = await kinesis.send(new PutRecordsCommand({ StreamName: stream, Records }));
    assert.equal(answer.FailedRecordCount, 0);
  }
});
after(() => weir?.stop());

async function build() {
  await kinesis.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 2 }));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 30 }, { StreamName: stream });
  const { StreamDescriptionSummary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: stream }));

  await dynamodb.send(new CreateTableCommand({
    TableName: table, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "EventName", AttributeType: "S" }, { AttributeName: "EventHour", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "EventName", KeyType: "HASH" }, { AttributeName: "EventHour", KeyType: "RANGE" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  }));
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 30 }, { TableName: table });
  changesArn = (await dynamodb.send(new DescribeTableCommand({ TableName: table }))).Table.LatestStreamArn;

  const lambda = weir.client(LambdaClient);
  for (const [name, source, size] of [["count-events", StreamDescriptionSummary.StreamARN, 300], ["publish-metrics", changesArn, 1000]]) {
    await lambda.send(new CreateFunctionCommand({
      FunctionName: name, Runtime: "nodejs20.x", Handler: `${name}.handler`, Role: role, Timeout: 60, MemorySize: 256,
      Environment: { Variables: { TABLE_NAME: table, METRIC_NAMESPACE: namespace } },
      Code: { ZipFile: zip({ [`${name}.mjs`]: readFileSync(new URL(`functions/${name}.mjs`, import.meta.url)) }) },
    }));
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName: name });
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: name, EventSourceArn: source, BatchSize: size, StartingPosition: "TRIM_HORIZON" }));
  }
}

async function counters() {
  const client = DynamoDBDocumentClient.from(dynamodb);
  const items = await collect(paginateScan({ client }, { TableName: table }), (page) => page.Items);
  return Object.fromEntries(items.map((i) => [`${i.EventName} ${i.EventHour}`, i.EventCount]));
}

async function metricSums() {
  const names = [...new Set(events.map((e) => e.event))];
  const hours = Object.keys(expected).map((key) => Date.parse(key.slice(-19) + "Z"));
  const results = await collect(paginateGetMetricData({ client: weir.client(CloudWatchClient) }, {
    StartTime: new Date(Math.min(...hours)), EndTime: new Date(Math.max(...hours) + 3600_000),
    MetricDataQueries: names.map((MetricName, i) => ({
      Id: `m${i}`, Label: MetricName, MetricStat: { Metric: { Namespace: namespace, MetricName }, Period: 3600, Stat: "Sum" },
    })),
  }), (page) => page.MetricDataResults);
  return Object.fromEntries(results.flatMap((r) => r.Timestamps.map((t, i) => [`${r.Label} ${t.toISOString().slice(0, 19)}`, r.Values[i]])));
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

// same compares counts with the expected ones; the text of a failure stays short.
function same(got) {
  const wrong = Object.keys({ ...got, ...expected }).filter((key) => got[key] !== expected[key]);
  assert.equal(wrong.length, 0, `total ${sum(got)} of ${sum(expected)}; ${wrong.length} differ, first ${wrong[0]}: ${got[wrong[0]]} instead of ${expected[wrong[0]]}`);
}

test("the counters are the expected ones", async () => {
  await eventually(async () => same(await counters()));
  const got = await counters();
  assert.equal(Object.keys(got).length, 467);
  assert.equal(sum(got), 10_000);
});

test("the metrics have the same sums", () => eventually(async () => same(await metricSums())));

test("a consumer reads all records, those of a visitor in order", async () => {
  const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName: stream }));
  const read = [];
  for (const { ShardId } of Shards) {
    let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    for (let behind = 1; behind > 0;) {
      const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 2000 }));
      read.push(...answer.Records.map((r) => Buffer.from(r.Data).toString()));
      ({ NextShardIterator: ShardIterator, MillisBehindLatest: behind } = answer);
    }
  }
  assert.deepEqual(byVisitor(read), byVisitor(sent));
});

function byVisitor(lines) {
  const lists = {};
  for (const line of lines) (lists[JSON.parse(line).visitor] ??= []).push(line);
  return lists;
}

test("the changes of the table add up to the counters", async () => {
  await eventually(async () => same(await counters()));
  const streams = weir.client(DynamoDBStreamsClient);
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: changesArn }));
  const growth = {};
  for (const { ShardId } of StreamDescription.Shards) {
    let { ShardIterator } = await streams.send(new GetChangesIteratorCommand({ StreamArn: changesArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    for (let more = true; more && ShardIterator;) {
      const { Records, NextShardIterator } = await streams.send(new GetChangesCommand({ ShardIterator }));
      for (const { dynamodb: { Keys, NewImage, OldImage } } of Records) {
        const key = `${Keys.EventName.S} ${Keys.EventHour.S}`;
        growth[key] = (growth[key] ?? 0) + Number(NewImage.EventCount.N) - Number(OldImage?.EventCount.N ?? 0);
      }
      [ShardIterator, more] = [NextShardIterator, Records.length > 0];
    }
  }
  same(growth);
});

test("the functions logged", async () => {
  const client = weir.client(CloudWatchLogsClient);
  for (const name of ["count-events", "publish-metrics"]) {
    const messages = await collect(paginateFilterLogEvents({ client }, { logGroupName: `/aws/lambda/${name}` }), (page) => page.events.map((e) => e.message));
    for (const word of ["START", "END", "REPORT"]) assert.ok(messages.some((m) => m.startsWith(`${word} RequestId: `)), `${name} ${word}`);
  }
});
