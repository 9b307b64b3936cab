import assert from "node:assert/strict";
import { test } from "node:test";
import { metricRows, parseBoard, total } from "./body";

test("rows repeat the cells above", () => {
  const rows = metricRows([
    ["AWS/Lambda", "Duration", "FunctionName", "a", { stat: "p99", label: "slow" }],
    [".", "Errors", ".", "."],
    ["...", "b", { yAxis: "right", color: "#ff0000", visible: false }],
    [{ expression: "m1/m2", id: "e1" }],
    ["EventCounter", "page view"],
  ], "Sum", 60);
  assert.deepEqual(rows.map((r) => [r.namespace, r.metric, r.dimensions.map((d) => d.name + "=" + d.value).join()]), [
    ["AWS/Lambda", "Duration", "FunctionName=a"],
    ["AWS/Lambda", "Errors", "FunctionName=a"],
    ["AWS/Lambda", "Errors", "FunctionName=b"],
    ["", "", ""],
    ["EventCounter", "page view", ""],
  ]);
  assert.deepEqual(rows.map((r) => r.statistic), ["p99", "Sum", "Sum", "Sum", "Sum"]);
  assert.deepEqual([rows[2]!.right, rows[2]!.hidden, rows[2]!.color], [true, true, "#ff0000"]);
  assert.deepEqual([rows[3]!.id, rows[3]!.expression], ["e1", "m1/m2"]);
});

test("a body with nonsense in it is read as far as it makes sense", () => {
  const board = parseBoard(JSON.stringify({
    start: "later",
    widgets: [null, 7, { type: "log", properties: { title: "Log" } }, { type: "metric", x: -3, width: 99, properties: { metrics: "no", annotations: { horizontal: [{ value: "x" }, { value: 3 }] } } },
      { type: "text", x: 20, width: 12, properties: { markdown: 5 } }],
  }));
  assert.equal(board.range, null);
  assert.deepEqual(board.widgets.map((w) => w.type), ["other", "other", "other", "metric", "text"]);
  const metric = board.widgets[3]!;
  assert.ok(metric.type === "metric" && metric.levels.length === 1 && metric.rows.length === 0 && metric.x === 0 && metric.width === 24);
  assert.deepEqual([board.widgets[4]!.x, board.widgets[4]!.width], [20, 4]);
  assert.throws(() => parseBoard("{"));
  assert.throws(() => parseBoard("null"));
});

test("widgets without a place get the next one that is free", () => {
  const board = parseBoard(JSON.stringify({
    widgets: [{ width: 12 }, { width: 12 }, { width: 24, height: 3 }, { x: 0, y: 9, width: 6, height: 2 }, { width: 8, height: 2 }, {}],
  }));
  assert.deepEqual(board.widgets.map((w) => [w.x, w.y]), [[0, 0], [12, 0], [0, 6], [0, 9], [6, 9], [14, 9]]);
});

test("a whole range becomes one value by its statistic", () => {
  assert.deepEqual(["Sum", "Average", "Minimum", "Maximum", "p99"].map((s) => total([1, 2, 6], s)), [9, 3, 1, 6, 6]);
  assert.equal(total([], "Sum"), undefined);
});
