import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { zone } from "../format";
import { dark } from "../theme";
import { align, last, stack, type Aligned, type Column, type Points } from "./align";
import { Legend } from "./legend";
import { seriesColor } from "./palette";
import { plot, type Hover, type Plotted } from "./plot";
import { Tooltip } from "./tooltip";

export interface Series extends Points {
  label: string;
  unit: string; // of CloudWatch; "" when there is none
  color?: string;
  right?: boolean; // drawn against the right axis
}

export interface Level {
  value: number;
  label: string;
  color?: string;
  fill?: "above" | "below";
  right?: boolean;
}

export interface Moment {
  at: number; // Unix seconds
  label: string;
  color?: string;
  fill?: "before" | "after";
}

export interface AxisLimits {
  min?: number;
  max?: number;
  label?: string;
}

export interface ChartProps {
  name: string; // says what the chart shows to those who cannot see it
  series: Series[];
  start: number; // Unix seconds
  end: number;
  stacked?: boolean;
  levels?: Level[];
  moments?: Moment[];
  left?: AxisLimits;
  right?: AxisLimits;
  legend?: "bottom" | "right" | "hidden";
  onZoom?: (start: number, end: number) => void;
}

// DrawnChart is what tests read from the element of a chart.
export interface DrawnChart {
  drawn: number; // times that it was drawn
  series: { label: string; points: [number, number][] }[];
}

// Chart draws series over time, with a legend of their last values, a cross hair
// that names all values at one time (by pointer or arrow keys), and gaps where
// data is missing.
export function Chart(props: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const current = useRef<Plotted | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [hover, setHover] = useState<Hover | null>(null);
  const night = dark.value;
  const utc = zone.value === "UTC";

  const series = useMemo(
    () => props.series.map((s, i) => ({ ...s, color: s.color ?? seriesColor(i, night) })),
    [props.series, night],
  );
  const shown = useMemo(() => series.filter((s) => !hidden.has(s.label)), [series, hidden]);
  const aligned = useMemo(() => align(shown), [shown]);
  // Pages hand in another function on each drawing; that must not redraw the plot.
  const zoom = useRef(props.onZoom);
  zoom.current = props.onZoom;
  const onZoom = props.onZoom && ((from: number, until: number) => zoom.current?.(from, until));
  const latest = { ...props, series: shown, onZoom };

  // What the plot is made of, without the data: another plot is made when this changes.
  const structure = JSON.stringify([
    night, utc, shown.map((s) => [s.label, s.unit, s.color, s.right]), props.stacked, props.levels, props.moments, props.left, props.right, !!props.onZoom,
  ]);
  const plotData = (): uPlot.AlignedData => toData(aligned, props.stacked ?? false);

  useEffect(() => {
    const plotted = plot(root.current!, latest, plotData(), { night, utc, onHover: setHover });
    current.current = plotted;
    return () => {
      current.current = null;
      plotted.destroy();
      setHover(null);
    };
  }, [structure]);

  useEffect(() => {
    current.current?.update(plotData(), latest);
  }, [aligned, props.start, props.end]);

  useEffect(() => {
    const element = root.current as (HTMLDivElement & { drawnChart?: () => DrawnChart }) | null;
    if (element) element.drawnChart = () => drawn(current.current, aligned.columns, props.start, props.end);
  });

  const toggle = (label: string, only: boolean) => {
    const others = series.map((s) => s.label).filter((l) => l !== label);
    setHidden((was) => {
      if (only) return others.every((l) => was.has(l)) ? new Set() : new Set(others);
      const next = new Set(was);
      if (!next.delete(label)) next.add(label);
      return next;
    });
  };

  const nothing = (shown.length > 0 || series.length === 0) && !shown.some((s) => s.times.some((t) => t >= props.start && t <= props.end));
  const legend = props.legend ?? "bottom";
  const caption = (right: boolean) => axisCaption(shown.filter((s) => (s.right ?? false) === right), right ? props.right : props.left);
  return (
    <div class={`chart chart-legend-${legend}`}>
      <div class="chart-plot" ref={root} tabIndex={0} role="group" aria-label={describe(props)} onKeyDown={(e) => current.current?.key(e)} onBlur={() => current.current?.leave()}>
        <span class="axis-caption">{caption(false)}</span>
        <span class="axis-caption axis-caption-right">{caption(true)}</span>
        {nothing && <div class="chart-empty"><span>No data in this time</span></div>}
        {hover && <Tooltip hover={hover} series={shown} aligned={aligned} stacked={props.stacked ?? false} />}
      </div>
      {legend !== "hidden" && (
        <Legend
          entries={series.map((s) => ({ label: s.label, color: s.color, unit: s.unit, value: last(s, props.end), hidden: hidden.has(s.label) }))}
          onToggle={toggle}
        />
      )}
    </div>
  );
}

// axisCaption says what an axis measures: its label, or the unit that the series
// have in common.
function axisCaption(series: Series[], limits?: AxisLimits): string {
  if (limits?.label) return limits.label;
  const unit = series[0]?.unit ?? "";
  return series.every((s) => s.unit === unit) ? unit.replace("/Second", " per second") : "";
}

// toData orders stacked columns from the top of the stack down, so that each
// area is drawn over the part of the one before that it covers.
function toData(a: Aligned, stacked: boolean): uPlot.AlignedData {
  const columns = stacked ? stack(a.columns).reverse() : a.columns;
  return [a.times, ...columns] as uPlot.AlignedData;
}

function describe(p: ChartProps): string {
  return `${p.name}: chart of ${p.series.map((s) => s.label).join(", ") || "no data"}. Arrow keys read the values.`;
}

// drawn reads what the plot holds; stacked series, which it holds added up, are
// read from what they were made of.
function drawn(p: Plotted | null, columns: Column[], start: number, end: number): DrawnChart {
  if (!p) return { drawn: 0, series: [] };
  const { times, data, labels, stacked } = p.read();
  return {
    drawn: p.drawn(),
    series: labels.map((label, i) => {
      const column = stacked ? columns[labels.length - 1 - i]! : data[i]!;
      const points: [number, number][] = [];
      times.forEach((t, k) => {
        const v = column[k];
        if (typeof v === "number" && t >= start && t <= end) points.push([t, v]);
      });
      return { label, points };
    }),
  };
}
