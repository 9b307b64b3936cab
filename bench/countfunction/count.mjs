// Counts the records of a batch by key and adds the counts to a table, one
// UpdateItem for each key, all at a time. After each has been acknowledged it tells
// so, in a line "key count", to the address in NOTICE.
import net from "node:net";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

const dynamodb = new DynamoDBClient({});
const [host, port] = process.env.NOTICE.split(":");
const notice = net.connect(Number(port), host);

export async function handler(event) {
  const counts = new Map();
  for (const record of event.Records) {
    const { key } = JSON.parse(Buffer.from(record.kinesis.data, "base64").toString());
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  await Promise.all([...counts].map(async ([key, count]) => {
    await dynamodb.send(new UpdateItemCommand({
      TableName: process.env.TABLE,
      Key: { EventName: { S: key } },
      UpdateExpression: "ADD EventCount :n",
      ExpressionAttributeValues: { ":n": { N: String(count) } },
    }));
    notice.write(`${key} ${count}\n`);
  }));
}
