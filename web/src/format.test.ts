import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, date, dateTime, digits, duration, rate, short, span, withUnit } from "./format";

test("numbers keep three significant digits", () => {
  assert.deepEqual([0, 1, 1.234, 12.34, 123.4, 1234, 9999, 12345, 1.5e6, 2e9].map(short),
    ["0", "1", "1.23", "12.3", "123", "1,234", "9,999", "12.3k", "1.5M", "2G"]);
  assert.deepEqual([0, 0.01, 0.5, 9.96, 12.4, 123456].map(rate), ["0", "<0.1", "0.5", "10", "12", "123k"]);
});

test("sizes and durations choose their unit", () => {
  assert.deepEqual([0, 999, 1000, 8_650_000].map(bytes), ["0 B", "999 B", "1 kB", "8.65 MB"]);
  assert.deepEqual([0, 0.42, 12.34, 1500, 90_000, 7_200_000, 172_800_000].map(duration),
    ["0 ms", "0.42 ms", "12.3 ms", "1.5 s", "1.5 min", "2 h", "2 days"]);
});

test("units of CloudWatch are written short", () => {
  assert.equal(withUnit(1500, "Milliseconds"), "1.5 s");
  assert.equal(withUnit(250, "Microseconds"), "250 µs");
  assert.equal(withUnit(2, "Kilobytes/Second"), "2 kB/s");
  assert.equal(withUnit(1e6, "Bits"), "1 Mbit");
  assert.equal(withUnit(99.5, "Percent"), "99.5%");
  assert.equal(withUnit(3, "Count/Second"), "3 /s");
  assert.equal(withUnit(3, "None"), "3");
});

test("digits are grouped in numbers of any length", () => {
  assert.equal(digits("12345678901234567890123456789012345678"), "12,345,678,901,234,567,890,123,456,789,012,345,678");
  assert.equal(digits("-1234.56789"), "-1,234.56789");
  assert.equal(digits("1E+40"), "1E+40");
});

test("times are UTC unless chosen otherwise", () => {
  const d = new Date("2026-05-20T20:01:07.042Z");
  assert.equal(date(d), "20 May");
  assert.equal(dateTime(d, "ms"), "20 May 2026 20:01:07.042");
  assert.deepEqual([0, 59, 61, 3600, 5000, 90_000].map(span), ["0 s", "59 s", "1 min 1 s", "1 h", "1 h 23 min", "1 d 1 h"]);
});
