// The views of metrics that are not charts over time.
import type { AxisLimits } from "../chart/chart";
import { quantity, withUnit } from "../format";
import { Empty } from "../ui/parts";
import { total } from "./body";
import type { NamedSeries } from "./query";

type Colored = NamedSeries & { color: string };

const nothing = <Empty small title="No data in this time range." />;

// SingleValues shows the last value of each series, or the one of all the range.
export function SingleValues(props: { series: Colored[]; wholeRange: boolean; sparkline: boolean; start: number; end: number }) {
  if (props.series.length === 0) return nothing;
  return (
    <div class="single-values">
      {props.series.map((s) => {
        const value = props.wholeRange ? total(s.values, s.statistic) : s.values.at(-1);
        const q = value === undefined ? { value: "–", unit: "" } : quantity(value, s.unit);
        return (
          <div class="single-value" key={s.label}>
            <div class="single-value-label">
              <span class="swatch" style={{ background: s.color }} />
              {s.label}
            </div>
            <div class="single-value-number num" data-value={value}>
              {q.value}
              {q.unit && <span class="figure-unit">{q.unit}</span>}
            </div>
            {props.sparkline && s.values.length > 1 && (
              <div class="single-value-line">
                <Line series={s} start={props.start} end={props.end} />
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}

function Line(props: { series: Colored; start: number; end: number }) {
  const { times, values, color } = props.series;
  const top = Math.max(...values, 0);
  const low = Math.min(...values, 0);
  const x = (t: number) => ((t - props.start) / (props.end - props.start)) * 100;
  const y = (v: number) => 23 - ((v - low) / (top - low || 1)) * 22;
  const line = times.map((t, i) => `${i === 0 ? "M" : "L"}${x(t).toFixed(2)} ${y(values[i]!).toFixed(1)}`).join("");
  return (
    <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" style={{ color }}>
      <path class="sparkline-area" d={`${line}L${x(times.at(-1)!).toFixed(2)} 24L${x(times[0]!).toFixed(2)} 24Z`} />
      <path class="sparkline-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

// Bars compares the series by one value each of all the range.
export function Bars(props: { series: Colored[]; share: boolean }) {
  const rows = props.series
    .map((s) => ({ s, value: total(s.values, s.statistic) }))
    .filter((r): r is { s: Colored; value: number } => r.value !== undefined)
    .sort((a, b) => b.value - a.value);
  if (rows.length === 0) return nothing;
  const top = Math.max(...rows.map((r) => Math.abs(r.value))) || 1;
  const sum = rows.reduce((t, r) => t + r.value, 0) || 1;
  return (
    <table class="bars">
      <tbody>
        {rows.map(({ s, value }) => (
          <tr key={s.label}>
            <th scope="row">{s.label}</th>
            <td class="bars-track" aria-hidden="true">
              <div class="bars-bar" style={{ width: `${(Math.abs(value) / top) * 100}%`, background: s.color }} />
            </td>
            <td class="num right" data-value={value}>{withUnit(value, s.unit)}</td>
            {props.share && <td class="num right quiet">{Math.round((value / sum) * 100)}%</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// Gauge shows the last values within the limits of the axis.
export function Gauge(props: { series: Colored[]; limits: AxisLimits }) {
  const low = props.limits.min ?? 0;
  const high = props.limits.max ?? 100;
  if (props.series.length === 0) return nothing;
  return (
    <div class="single-values">
      {props.series.map((s) => {
        const value = s.values.at(-1);
        const part = value === undefined ? 0 : Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
        return (
          <div class="single-value" key={s.label}>
            <div class="single-value-label">{s.label}</div>
            <div class="single-value-number num">{value === undefined ? "–" : withUnit(value, s.unit)}</div>
            <div class="gauge" role="meter" aria-label={s.label} aria-valuemin={low} aria-valuemax={high} aria-valuenow={value}>
              <div class="gauge-fill" style={{ width: `${part * 100}%`, background: s.color }} />
            </div>
            <div class="gauge-limits num quiet">
              <span>{withUnit(low, s.unit)}</span>
              <span>{withUnit(high, s.unit)}</span>
            </div>
          </div>
        );
      })}
    </div>
  );
}

// ValueTable lists the series with what there is to say about their values.
export function ValueTable(props: { series: Colored[] }) {
  if (props.series.length === 0) return nothing;
  const columns: [string, (v: number[]) => number | undefined][] = [
    ["Min", (v) => total(v, "Minimum")], ["Max", (v) => total(v, "Maximum")], ["Average", (v) => total(v, "Average")], ["Last", (v) => v.at(-1)],
  ];
  return (
    <div class="scroll" tabIndex={0}>
      <table class="list list-dense">
        <thead>
          <tr>
            <th>Metric</th>
            {columns.map(([name]) => <th class="right" key={name}>{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {props.series.map((s) => (
            <tr key={s.label}>
              <td>{s.label}</td>
              {columns.map(([name, of]) => {
                const v = of(s.values);
                return <td class="num right" key={name}>{v === undefined ? "–" : withUnit(v, s.unit)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
