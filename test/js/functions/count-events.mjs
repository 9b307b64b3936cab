// Counts the events of a Kinesis stream in a DynamoDB table, by kind of event and
// by hour. The SDK is the one that the runtime includes.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, UpdateCommand } from "@aws-sdk/lib-dynamodb";

const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = async ({ Records }) => {
  const counts = new Map();
  for (const { kinesis } of Records) {
    const { event, utc_timestamp: at } = JSON.parse(Buffer.from(kinesis.data, "base64"));
    const key = JSON.stringify({ EventName: event, EventHour: at.slice(0, 13) + ":00:00" });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  await Promise.all([...counts].map(([key, n]) => table.send(new UpdateCommand({
    TableName: process.env.TABLE_NAME,
    Key: JSON.parse(key),
    UpdateExpression: "ADD EventCount :n",
    ExpressionAttributeValues: { ":n": n },
  }))));
};
