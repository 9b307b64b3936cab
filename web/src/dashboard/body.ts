// Reads the body of a CloudWatch dashboard. What is not understood is left out
// or named in the widget; nothing in a body can make the page fail.
import type { AxisLimits, Level, Moment } from "../chart/chart";
import { isColor } from "../chart/palette";
import { parseStart, type Range } from "../chart/range";
import type { Dimension } from "../data";

export interface Board {
  range: Range | null;
  widgets: Widget[];
}

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type View = "timeSeries" | "singleValue" | "bar" | "pie" | "gauge" | "table";

export interface MetricWidget {
  type: "metric";
  title: string;
  view: View;
  stacked: boolean;
  rows: MetricRow[];
  alarms: string[]; // ARNs of alarms that are drawn with their metric
  levels: Level[];
  moments: Moment[];
  left: AxisLimits;
  right: AxisLimits;
  legend: "bottom" | "right" | "hidden";
  sparkline: boolean;
  wholeRange: boolean; // one value for all of the range
}

export interface MetricRow {
  id: string;
  namespace: string;
  metric: string;
  dimensions: Dimension[];
  expression: string;
  statistic: string;
  period: number;
  label: string;
  color?: string;
  right: boolean;
  hidden: boolean;
}

export type Widget = Place & (
  | MetricWidget
  | { type: "text"; markdown: string; transparent: boolean }
  | { type: "alarm"; title: string; alarms: string[]; states: string[] }
  | { type: "other"; title: string; reason: string }
);

type Json = Record<string, unknown>;

const object = (v: unknown): Json => (typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Json) : {});
const list = (v: unknown): unknown[] => (Array.isArray(v) ? v : []);
const str = (v: unknown, usual = ""): string => (typeof v === "string" ? v : usual);
const num = (v: unknown): number | undefined => (typeof v === "number" && Number.isFinite(v) ? v : undefined);
const strings = (v: unknown): string[] => list(v).filter((s): s is string => typeof s === "string");

// parseBoard throws when the body is no JSON object.
export function parseBoard(text: string): Board {
  const body = JSON.parse(text) as unknown;
  if (typeof body !== "object" || body === null) throw new Error("The body is not a JSON object.");
  const { start, end, widgets } = body as Json;
  const board = { range: parseStart(start, end), widgets: list(widgets).map(widget) };
  const placeless = list(widgets).map(object).map((w) => num(w["x"]) === undefined && num(w["y"]) === undefined);
  place(board.widgets, placeless);
  return board;
}

// place gives widgets that say nothing about it the next free place, by rows.
function place(widgets: Place[], placeless: boolean[]): void {
  const placed = widgets.filter((_, i) => !placeless[i]);
  const taken = (at: Place) => placed.some((p) => at.x < p.x + p.width && p.x < at.x + at.width && at.y < p.y + p.height && p.y < at.y + at.height);
  let row = 0;
  widgets.forEach((w, i) => {
    if (!placeless[i]) return;
    w.y = row;
    while (taken(w)) {
      if (w.x + w.width < 24) {
        w.x++;
      } else {
        w.x = 0;
        w.y++;
      }
    }
    row = w.y;
    placed.push(w);
  });
}

function widget(v: unknown): Widget {
  const w = object(v);
  const p = object(w["properties"]);
  const at: Place = {
    x: clamp(num(w["x"]) ?? 0, 0, 23),
    y: clamp(num(w["y"]) ?? 0, 0, 1000),
    width: clamp(num(w["width"]) ?? 6, 1, 24),
    height: clamp(num(w["height"]) ?? 6, 1, 100),
  };
  at.width = Math.min(at.width, 24 - at.x);
  const title = str(p["title"]);
  switch (w["type"]) {
    case "text":
      return { ...at, type: "text", markdown: str(p["markdown"]), transparent: p["background"] === "transparent" };
    case "alarm":
      return { ...at, type: "alarm", title: title || "Alarms", alarms: strings(p["alarms"]), states: strings(p["states"]) };
    case "metric":
      return { ...at, ...metricWidget(p, title) };
    default:
      return { ...at, type: "other", title, reason: `Widgets of type “${str(w["type"], "?")}” are not shown.` };
  }
}

const views: View[] = ["timeSeries", "singleValue", "bar", "pie", "gauge", "table"];

function metricWidget(p: Json, title: string): MetricWidget {
  const axis = object(p["yAxis"]);
  const notes = object(p["annotations"]);
  const position = object(p["legend"])["position"];
  return {
    type: "metric",
    title,
    view: views.find((v) => v === p["view"]) ?? "timeSeries",
    stacked: p["stacked"] === true,
    rows: metricRows(list(p["metrics"]), str(p["stat"], "Average"), num(p["period"]) ?? 300),
    alarms: strings(notes["alarms"]),
    levels: list(notes["horizontal"]).flatMap(levels),
    moments: list(notes["vertical"]).flatMap(moments),
    left: limits(axis["left"]),
    right: limits(axis["right"]),
    legend: position === "right" || position === "hidden" ? position : "bottom",
    sparkline: p["sparkline"] !== false,
    wholeRange: p["setPeriodToTimeRange"] === true,
  };
}

// metricRows expands the short forms of the rows: "." repeats the cell above,
// "..." all that the row does not say itself.
export function metricRows(rows: unknown[], stat: string, period: number): MetricRow[] {
  let above: string[] = [];
  return rows.map((r, index) => {
    const cells = list(r);
    const options = object(cells.at(-1));
    let words = cells.filter((c): c is string => typeof c === "string");
    const dots = words.indexOf("...");
    if (dots >= 0) {
      const own = words.slice(dots + 1);
      words = [...above.slice(0, Math.max(0, above.length - own.length)), ...own];
    }
    words = words.map((w, i) => (w === "." ? (above[i] ?? "") : w));
    const expression = str(options["expression"]);
    if (expression === "") above = words;
    return {
      id: str(options["id"]) || `weir${index}`,
      namespace: expression ? "" : (words[0] ?? ""),
      metric: expression ? "" : (words[1] ?? ""),
      dimensions: expression ? [] : pairs(words.slice(2)),
      expression,
      statistic: str(options["stat"], stat),
      period: Math.max(1, num(options["period"]) ?? period),
      label: str(options["label"]),
      color: isColor(options["color"]) ? options["color"] : undefined,
      right: options["yAxis"] === "right",
      hidden: options["visible"] === false,
    };
  });
}

function pairs(words: string[]): Dimension[] {
  const found: Dimension[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) found.push({ name: words[i]!, value: words[i + 1]! });
  return found;
}

// levels reads a horizontal annotation; two in an array are the edges of a band.
function levels(v: unknown): Level[] {
  if (Array.isArray(v)) return v.flatMap(levels);
  const o = object(v);
  const value = num(o["value"]);
  if (value === undefined || o["visible"] === false) return [];
  const fill = o["fill"] === "above" || o["fill"] === "below" ? o["fill"] : undefined;
  return [{ value, label: str(o["label"]), color: isColor(o["color"]) ? o["color"] : undefined, fill, right: o["yAxis"] === "right" }];
}

function moments(v: unknown): Moment[] {
  if (Array.isArray(v)) return v.flatMap(moments);
  const o = object(v);
  const at = Date.parse(str(o["value"])) / 1000;
  if (!Number.isFinite(at) || o["visible"] === false) return [];
  const fill = o["fill"] === "before" || o["fill"] === "after" ? o["fill"] : undefined;
  return [{ at, label: str(o["label"]), color: isColor(o["color"]) ? o["color"] : undefined, fill }];
}

function limits(v: unknown): AxisLimits {
  const o = object(v);
  return { min: num(o["min"]), max: num(o["max"]), label: str(o["label"]) || undefined };
}

function clamp(v: number, low: number, high: number): number {
  return Math.min(Math.max(Math.floor(v), low), high);
}

// totals makes one value of the points of a series, as its statistic asks for.
export function total(values: number[], statistic: string): number | undefined {
  if (values.length === 0) return undefined;
  switch (statistic) {
    case "Sum":
    case "SampleCount":
      return values.reduce((a, b) => a + b, 0);
    case "Average":
      return values.reduce((a, b) => a + b, 0) / values.length;
    case "Minimum":
      return Math.min(...values);
    case "Maximum":
      return Math.max(...values);
  }
  return values.at(-1);
}
