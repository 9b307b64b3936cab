// The web-analytics application that the console is tested with: what it counted,
// and a way to put one more event into it.
import { existsSync, readFileSync } from "node:fs";
import { endpoint } from "./browser.mjs";

export const names = {
  stream: process.env.WEIR_STREAM ?? "web-analytics",
  counter: process.env.WEIR_COUNTER_FUNCTION ?? "count-events",
  publisher: process.env.WEIR_METRICS_FUNCTION ?? "publish-metrics",
  table: process.env.WEIR_TABLE ?? "event-counters",
};

export const hour = 3600;

// expectedCounts reads the file with the counts by event and hour: rows of event,
// time in Unix seconds as in the file, count.
export function expectedCounts() {
  const example = new URL("../../examples/web-analytics/", import.meta.url);
  const file = [process.env.WEIR_COUNTS, new URL("web-events-hourly.csv", example), new URL("data/web-events-hourly.csv", example)]
    .find((f) => f && existsSync(f));
  if (!file) throw new Error("Set WEIR_COUNTS to the file web-events-hourly.csv.");
  return readFileSync(file, "utf8").trim().split("\n").slice(1).map((line) => {
    const [event, at, count] = line.trim().split(",");
    return { event, at: Date.parse(at + "Z") / 1000, count: Number(count) };
  });
}

// countsByHour adds up the points of all charts, by event and hour. A series that
// several charts show is taken once.
export function countsByHour(charts, events) {
  const counts = new Map();
  for (const event of events) {
    const series = charts.flatMap((c) => c.series).filter((s) => s.label.toLowerCase() === event.toLowerCase());
    const most = series.sort((a, b) => b.points.length - a.points.length)[0];
    for (const [at, value] of most?.points ?? []) {
      const key = `${event} ${Math.floor(at / hour) * hour}`;
      counts.set(key, (counts.get(key) ?? 0) + value);
    }
  }
  return counts;
}

// findShift returns by how many seconds the replay moved the events, as the shift
// with which most of the expected counts are found.
export function findShift(expected, counts) {
  const times = [...new Set([...counts.keys()].map((k) => Number(k.split(" ").at(-1))))];
  const first = Math.min(...expected.map((e) => e.at));
  let best = { shift: 0, found: -1 };
  for (const t of times) {
    const shift = t - first;
    const found = expected.filter((e) => counts.get(`${e.event} ${e.at + shift}`) === e.count).length;
    if (found > best.found) best = { shift, found };
  }
  return best.shift;
}

// mappingOf returns the UUID of the event source mapping of a function.
export async function mappingOf(name) {
  const response = await fetch(endpoint + "/_weir/console/api/status");
  const { mappings } = await response.json();
  return mappings.find((m) => m.function === name).uuid;
}

// putEvent puts one event into the stream, through the Kinesis API.
export async function putEvent(event, seconds) {
  const record = { event, utc_timestamp: new Date(seconds * 1000).toISOString().slice(0, 19), page: "/console-test", status: 200, bytes: 1, visitor: "test" };
  const response = await fetch(endpoint + "/", {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": "Kinesis_20131202.PutRecord",
      Authorization: "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify({ StreamName: names.stream, PartitionKey: "console-test", Data: Buffer.from(JSON.stringify(record)).toString("base64") }),
  });
  if (!response.ok) throw new Error(`PutRecord: ${response.status} ${await response.text()}`);
}
