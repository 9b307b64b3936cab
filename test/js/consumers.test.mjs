// Enhanced fan-out as consumers with the SDK for JavaScript use it: HTTP/2 to an
// http:// URL, event streams as async iterators.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CreateStreamCommand, DescribeStreamConsumerCommand, KinesisClient, paginateListStreamConsumers, PutRecordCommand, RegisterStreamConsumerCommand, SplitShardCommand, SubscribeToShardCommand } from "@aws-sdk/client-kinesis";
import { collect, start } from "./weir.mjs";

let weir;
before(async () => { weir = await start(); });
after(() => weir?.stop());

const StreamName = "s";
const StreamARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const ShardId = "shardId-000000000000";

test("a subscriber follows a shard to its end", async () => {
  const client = weir.client(KinesisClient);
  assert.equal(client.config.requestHandler.metadata.handlerProtocol, "h2");
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
  const { Consumer: { ConsumerARN } } = await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "c" }));
  const { ConsumerDescription } = await client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
  assert.equal(ConsumerDescription.ConsumerStatus, "ACTIVE");
  assert.deepEqual(await collect(paginateListStreamConsumers({ client }, { StreamARN }), (page) => page.Consumers.map((c) => c.ConsumerARN)), [ConsumerARN]);

  const put = (text) => client.send(new PutRecordCommand({ StreamName, PartitionKey: "k", Data: new TextEncoder().encode(text) }));
  await put("0");
  const { EventStream } = await client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: "TRIM_HORIZON" } }));
  await assert.rejects(
    client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: "LATEST" } })),
    { name: "ResourceInUseException", message: "Another active subscription exists for this consumer: 000000000000:s:shardId-000000000000:c" },
  );
  const texts = [];
  let last;
  for await (const { SubscribeToShardEvent: event } of EventStream) {
    last = event;
    for (const { Data } of event.Records) texts.push(new TextDecoder().decode(Data));
    if (event.Records.length === 0) continue;
    if (texts.length < 5) await put(String(texts.length));
    else await client.send(new SplitShardCommand({ StreamName, ShardToSplit: ShardId, NewStartingHashKey: String(2n ** 127n) }));
  }
  assert.deepEqual(texts, ["0", "1", "2", "3", "4"]);
  assert.equal(last.ContinuationSequenceNumber, undefined);
  assert.deepEqual(last.ChildShards.map((c) => c.ShardId), ["shardId-000000000001", "shardId-000000000002"]);
});

test("many shards are followed at once", async () => {
  const client = weir.client(KinesisClient);
  await client.send(new CreateStreamCommand({ StreamName: "wide", ShardCount: 16 }));
  const { Consumer: { ConsumerARN } } = await client.send(new RegisterStreamConsumerCommand({ StreamARN: StreamARN.replace(/s$/, "wide"), ConsumerName: "c" }));
  const seen = new Set();
  const followers = Array.from({ length: 16 }, async (_, i) => {
    const shard = `shardId-${String(i).padStart(12, "0")}`;
    const { EventStream } = await client.send(new SubscribeToShardCommand({ ConsumerARN, ShardId: shard, StartingPosition: { Type: "TRIM_HORIZON" } }));
    for await (const { SubscribeToShardEvent: event } of EventStream) {
      for (const { PartitionKey } of event.Records) seen.add(PartitionKey);
      if (seen.size === 200) return; // at the latest when the shard says that it has no more
    }
  });
  await Promise.all(Array.from({ length: 200 }, (_, i) =>
    client.send(new PutRecordCommand({ StreamName: "wide", PartitionKey: `key-${i}`, Data: Uint8Array.of(1) }))));
  await Promise.all(followers);
});
