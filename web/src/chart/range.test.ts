import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, fitPeriod, parseLast, parseStart, writeLast } from "./range";

test("ranges are written short and read back", () => {
  for (const [seconds, text] of [[3600, "1h"], [302_400, "84h"], [604_800, "1w"], [90, "90s"]] as const) {
    assert.equal(writeLast(seconds), text);
    assert.equal(parseLast(text), seconds);
  }
  assert.equal(parseLast("h"), 0);
});

test("a dashboard's start is a duration or a time", () => {
  assert.deepEqual(parseStart("-PT84H", undefined), { last: 302_400 });
  assert.deepEqual(parseStart("-P1DT12H", undefined), { last: 129_600 });
  assert.deepEqual(parseStart("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"), { from: 1777593600, until: 1777680000 });
  for (const bad of ["-P", "PT6H", "soon", 6, null]) assert.equal(parseStart(bad, undefined), null);
  assert.deepEqual(bounds({ last: 60 }, 100_500), { start: 41, end: 101 });
});

test("a period is made longer only when there were too many points", () => {
  assert.equal(fitPeriod(3600, 302_400), 3600);
  assert.equal(fitPeriod(60, 86_400), 60);
  assert.equal(fitPeriod(60, 604_800), 900);
  assert.equal(fitPeriod(420, 14 * 86_400), 840);
});
