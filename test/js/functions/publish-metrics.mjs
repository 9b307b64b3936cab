// Publishes by how much the counters of a table grew, at their hours.
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";

const cloudwatch = new CloudWatchClient({});

export const handler = async ({ Records }) => {
  const growth = new Map();
  for (const { dynamodb: { Keys, NewImage, OldImage } } of Records) {
    const key = JSON.stringify([Keys.EventName.S, Keys.EventHour.S]);
    const grew = Number(NewImage?.EventCount.N ?? 0) - Number(OldImage?.EventCount.N ?? 0);
    if (grew > 0) growth.set(key, (growth.get(key) ?? 0) + grew);
  }
  const data = [...growth].map(([key, Value]) => {
    const [MetricName, hour] = JSON.parse(key);
    return { MetricName, Value, Timestamp: new Date(hour + "Z"), Unit: "Count" };
  });
  if (data.length) await cloudwatch.send(new PutMetricDataCommand({ Namespace: process.env.METRIC_NAMESPACE, MetricData: data }));
};
