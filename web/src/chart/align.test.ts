import assert from "node:assert/strict";
import { test } from "node:test";
import { align, isolated, last, stack } from "./align";

const series = (period: number, ...points: [number, number][]) => ({ period, times: points.map(([t]) => t), values: points.map(([, v]) => v) });

test("a missing period is a gap, in every series on its own", () => {
  const { times, columns } = align([series(60, [0, 1], [60, 2], [240, 3]), series(60, [0, 5], [60, 6], [120, 7], [180, 8], [240, 9])]);
  assert.deepEqual(times, [0, 60, 120, 180, 240]);
  assert.deepEqual(columns, [[1, 2, null, null, 3], [5, 6, 7, 8, 9]]);
});

test("a lone series gets a place for its gap", () => {
  const { times, columns } = align([series(60, [0, 1], [600, 2])]);
  assert.deepEqual(times, [0, 60, 600]);
  assert.deepEqual(columns, [[1, null, 2]]);
});

test("a coarse series goes on between the points of a fine one, but not before and after its own", () => {
  const { columns } = align([series(120, [60, 1], [180, 2]), series(60, [0, 1], [60, 1], [120, 1], [180, 1], [240, 1])]);
  assert.deepEqual(columns[0], [null, 1, undefined, 2, null]);
});

test("a stack counts missing points as zero where another series has one", () => {
  assert.deepEqual(stack([[1, null, null], [2, 3, null], [undefined, 4, undefined]]), [[1, 0, null], [3, 3, null], [3, 7, null]]);
});

test("points that no line reaches are found", () => {
  assert.deepEqual(isolated([1, null, 2, 3, null, 4, undefined, null]), [0, 5]);
});

test("the last value is the newest one in range", () => {
  assert.equal(last(series(60, [0, 1], [60, 2]), 30), 1);
  assert.equal(last(series(60), 30), undefined);
});
