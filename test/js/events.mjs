// The recorded events of the web-analytics example, moved to recent times by whole
// hours, and the counts that another program made of them.
import { readFileSync } from "node:fs";

const data = new URL("../../examples/web-analytics/data/", import.meta.url);
const hour = 3600_000;
const at = (text) => Date.parse(text + "Z");
const text = (time) => new Date(time).toISOString().slice(0, 19);

export function load() {
  const events = readFileSync(new URL("web-events.jsonl", data), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const last = events.reduce((latest, e) => Math.max(latest, at(e.utc_timestamp)), 0);
  const shift = Math.floor((Date.now() - last) / hour) * hour;
  for (const e of events) e.utc_timestamp = text(at(e.utc_timestamp) + shift);
  const rows = readFileSync(new URL("web-events-hourly.csv", data), "utf8").trim().split("\n").slice(1);
  const expected = Object.fromEntries(rows.map((row) => {
    const [event, start, count] = row.trim().split(",");
    return [`${event} ${text(at(start) + shift)}`, Number(count)];
  }));
  return { events, expected };
}

export function inBatches(list, size) {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
