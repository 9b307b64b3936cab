import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, keyText, plainItem, plainJSON, textOf } from "./item";

const item = {
  Id: { S: "a" }, N: { N: "12345678901234567890123456789012345678" }, Small: { N: "1200" }, Flag: { BOOL: false }, Nothing: { NULL: true },
  Data: { B: "AAEC" }, Set: { NS: ["1", "2.50"] }, Map: { M: { x: { L: [{ S: "y" }, { N: "1" }] } } },
};

test("values are written by their type, numbers with all digits", () => {
  assert.deepEqual(Object.values(item).map(textOf), [
    "a", "12,345,678,901,234,567,890,123,456,789,012,345,678", "1,200", "false", "null", "binary, 3 bytes", '[1,"2.50"]', '{"x":["y",1]}',
  ]);
  assert.deepEqual(plainItem(item), {
    Id: "a", N: "12345678901234567890123456789012345678", Small: 1200, Flag: false, Nothing: null, Data: "AAEC", Set: [1, "2.50"], Map: { x: ["y", 1] },
  });
});

test("columns are keys, then what most items have", () => {
  assert.deepEqual(columnsOf([{ k: { S: "1" }, rare: { S: "" }, b: { S: "" } }, { k: { S: "2" }, b: { S: "" }, a: { S: "" } }], ["k"]), ["k", "b", "a", "rare"]);
  assert.equal(keyText(item, ["Id", "Small", "None"]), "a · 1200 · ");
});

test("what turns text is seen", () => {
  assert.equal(textOf({ S: "a\u202eb" }), "a\\u202eb");
  assert.equal(plainJSON({ a: { S: "\u2066" } }), '{\n  "a": "\\u2066"\n}');
});
