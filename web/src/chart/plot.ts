import uPlot from "uplot";
import { clock, date, withUnit } from "../format";
import { isolated, type Column } from "./align";
import { annotate } from "./annotations";
import type { ChartProps, Series } from "./chart";
import { inkOf, mix, translucent, type Ink } from "./palette";
import { segments } from "./segments";

type ColoredSeries = Series & { color: string };
type Props = Omit<ChartProps, "series"> & { series: ColoredSeries[] };

// Hover is where the cross hair stands.
export interface Hover {
  index: number; // of the point in time
  left: number; // pixels in the plot
  width: number; // of the plot
}

interface Style {
  night: boolean;
  utc: boolean;
  onHover: (h: Hover | null) => void;
}

// Plotted is a plot on the page.
export interface Plotted {
  update(data: uPlot.AlignedData, props: Props): void;
  key(e: KeyboardEvent): void;
  leave(): void;
  destroy(): void;
  drawn(): number;
  read(): { times: number[]; data: Column[]; labels: string[]; stacked: boolean };
}

const font = '11px "Inter Variable", ui-sans-serif, system-ui, sans-serif';
// cursors of all charts of a page move together.
const cursors = uPlot.sync("page");

// plot draws into root. Its data and range can be updated; anything else needs
// another plot.
export function plot(root: HTMLElement, first: Props, data: uPlot.AlignedData, style: Style): Plotted {
  let props = first;
  let pointed = false; // the pointer or the keys are in this chart, not in one beside it
  let draws = 0;
  const hovered = (u: uPlot) => {
    const { idx, left } = u.cursor;
    const at = idx != null && left != null && left >= 0 && u.data[0].length > 0;
    style.onHover(at && pointed ? { index: idx, left: u.valToPos(u.data[0][idx]!, "x") + u.over.offsetLeft, width: root.clientWidth } : null);
  };
  const options: uPlot.Options = {
    ...size(root),
    tzDate: (seconds) => (style.utc ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
    ms: 1e-3,
    legend: { show: false },
    padding: [20, props.series.some((s) => s.right) ? 0 : 12, 0, 0],
    cursor: {
      y: false,
      sync: { key: cursors.key, setSeries: false, scales: ["x", null] },
      drag: { x: props.onZoom !== undefined, y: false, setScale: false },
      points: { size: 7, width: 2, stroke: (u, i) => strokeOf(u, i), fill: inkOf(style.night).surface },
    },
    scales: {
      x: { time: true, range: () => [props.start, props.end] },
      y: { range: (_, min, max) => limits(props, min, max, false) },
      r: { range: (_, min, max) => limits(props, min, max, true) },
    },
    axes: axes(props, inkOf(style.night)),
    series: [{}, ...seriesOptions(props, style.night)],
    hooks: {
      draw: [() => void draws++],
      drawAxes: [(u) => annotate(u, props, "under")],
      setCursor: [hovered],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width < 4) return;
          const from = u.posToVal(left, "x");
          const until = u.posToVal(left + width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          props.onZoom?.(Math.floor(from), Math.ceil(until));
        },
      ],
    },
  };
  options.hooks!.draw!.push((u) => annotate(u, props, "over"));
  const u = new uPlot(options, data, root);
  const enter = () => (pointed = true);
  const leave = () => {
    pointed = false;
    style.onHover(null);
  };
  u.over.addEventListener("mouseenter", enter);
  u.over.addEventListener("mouseleave", leave);
  const resize = new ResizeObserver(() => u.setSize(size(root)));
  resize.observe(root);
  void document.fonts.ready.then(() => u.redraw(false, true));
  return {
    update(next, nextProps) {
      props = nextProps;
      u.setData(next);
    },
    key(e) {
      const index = moved(u, e.key);
      if (index === null) return;
      e.preventDefault();
      pointed = index >= 0;
      u.setCursor(index < 0 ? { left: -10, top: -10 } : { left: u.valToPos(u.data[0][index]!, "x"), top: u.over.clientHeight / 2 });
    },
    leave,
    destroy() {
      resize.disconnect();
      u.destroy();
    },
    drawn: () => draws,
    read: () => ({
      times: u.data[0] as number[],
      data: u.data.slice(1) as Column[],
      labels: u.series.slice(1).map((s) => String(s.label)),
      stacked: props.stacked ?? false,
    }),
  };
}

function size(root: HTMLElement): { width: number; height: number } {
  return { width: Math.max(root.clientWidth, 60), height: Math.max(root.clientHeight, 60) };
}

function strokeOf(u: uPlot, i: number): string {
  const stroke = u.series[i]!.stroke;
  return String(typeof stroke === "function" ? stroke(u, i) : stroke);
}

// moved returns the point in time that a key leads to, -1 for none, or null when
// the key means nothing here.
function moved(u: uPlot, key: string): number | null {
  const { min, max } = u.scales["x"]!;
  const times = u.data[0] as number[];
  const first = times.findIndex((t) => t >= min!);
  const last = times.findLastIndex((t) => t <= max!);
  if (first < 0 || last < first) return null;
  const at = u.cursor.idx ?? null;
  switch (key) {
    case "ArrowRight":
      return at === null ? first : Math.min(at + 1, last);
    case "ArrowLeft":
      return at === null ? last : Math.max(at - 1, first);
    case "Home":
      return first;
    case "End":
      return last;
    case "Escape":
      return -1;
  }
  return null;
}

function seriesOptions(props: Props, night: boolean): uPlot.Series[] {
  const surface = inkOf(night).surface;
  const options = props.series.map((s): uPlot.Series => {
    const alone = props.series.length === 1;
    return {
      label: s.label,
      scale: s.right ? "r" : "y",
      stroke: s.color,
      width: props.stacked ? 1.25 : 1.75,
      // Areas of a stack cover each other and so must be opaque.
      fill: props.stacked ? mix(s.color, surface, 0.34) : alone ? translucent(s.color, 0.12) : undefined,
      paths: segments,
      points: {
        size: 5,
        width: 0,
        fill: s.color,
        filter: (u, i) => isolated(u.data[i] as Column),
      },
    };
  });
  return props.stacked ? options.reverse() : options;
}

// limits puts zero at the foot of what is not negative, leaves room above, and
// keeps the levels in sight.
function limits(props: Props, dataMin: number | null, dataMax: number | null, right: boolean): uPlot.Range.MinMax {
  const fixed = (right ? props.right : props.left) ?? {};
  const levels = (props.levels ?? []).filter((l) => (l.right ?? false) === right).map((l) => l.value);
  const low = Math.min(dataMin ?? 0, 0, ...levels);
  const high = Math.max(dataMax ?? 0, ...levels, low === 0 && dataMax === null ? 1 : -Infinity);
  const top = high === low ? low + 1 : high;
  return [fixed.min ?? (low < 0 ? low - (top - low) * 0.08 : 0), fixed.max ?? top + (top - low) * 0.08];
}

function axes(props: Props, ink: Ink): uPlot.Axis[] {
  const line = { stroke: ink.text, font, ticks: { show: false }, border: { show: false } };
  const value = (right: boolean): uPlot.Axis => {
    const of = props.series.filter((s) => (s.right ?? false) === right);
    const unit = of.every((s) => s.unit === of[0]?.unit) ? (of[0]?.unit ?? "") : "";
    return {
      ...line,
      scale: right ? "r" : "y",
      side: right ? 1 : 3,
      grid: { show: !right, stroke: ink.grid, width: 1 },
      space: 28,
      gap: 6,
      values: (_, splits) => splits.map((v) => withUnit(v, unit)),
      size: (u, values) => labelWidth(u, values) + 16,
    };
  };
  const time: uPlot.Axis = {
    ...line,
    grid: { show: false },
    ticks: { show: true, stroke: ink.axis, size: 4, width: 1 },
    border: { show: true, stroke: ink.axis, width: 1 },
    space: 64,
    gap: 4,
    size: (_, values) => (values?.some((v) => v.includes("\n")) ? 38 : 26),
    values: (_, splits, __, ___, step) => timeLabels(splits, step),
  };
  const list = [time, value(false)];
  if (props.series.some((s) => s.right)) list.push(value(true));
  return list;
}

function labelWidth(u: uPlot, values: string[] | null): number {
  u.ctx.save();
  u.ctx.font = font;
  const widest = Math.max(0, ...(values ?? []).map((v) => u.ctx.measureText(v).width));
  u.ctx.restore();
  return Math.ceil(widest);
}

// timeLabels names the day where it begins and otherwise the time of day.
function timeLabels(splits: number[], step: number): string[] {
  let day = "";
  return splits.map((s) => {
    const d = new Date(s * 1000);
    const today = date(d);
    const newDay = today !== day;
    day = today;
    if (step >= 86400) return today;
    const time = clock(d, step < 60 ? "second" : "minute");
    return newDay ? `${time}\n${today}` : time;
  });
}
