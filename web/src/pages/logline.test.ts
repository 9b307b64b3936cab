import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, matches, shown } from "./logline";

test("lines are known by what they say", () => {
  const kinds = {
    "START RequestId: 1 Version: $LATEST": "platform",
    "REPORT RequestId: 1\tDuration: 3.2 ms": "platform",
    "[ERROR] KeyError: 'event'": "error",
    'Traceback (most recent call last):': "error",
    'panic: runtime error: index out of range': "error",
    '{"level":"ERROR","msg":"no"}': "error",
    "2026-05-20T20:00:00Z 1 Task timed out after 3.00 seconds": "error",
    '{"level":"warn","msg":"slow"}': "warning",
    "counted 300 records, 0 terrors": "output",
  };
  for (const [line, kind] of Object.entries(kinds)) assert.equal(kindOf(line), kind, line);
});

test("a filter is words in any order", () => {
  assert.ok(matches("counted 300 Records", "records count"));
  assert.ok(!matches("counted 300 records", "records failed"));
  assert.ok(matches("anything", ""));
});

test("colors of terminals are left out, and what turns text is seen", () => {
  assert.equal(shown("\x1b[1;31mred\x1b[0m\n"), "red");
  assert.equal(shown("a\u202eb\u2069 [31m"), "a\\u202eb\\u2069 [31m");
});
