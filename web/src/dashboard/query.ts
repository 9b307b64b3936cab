import { useMemo } from "preact/hooks";
import { get } from "../api";
import { fitPeriod } from "../chart/range";
import type { Series } from "../chart/chart";
import type { MetricQueries, MetricResult } from "../data";
import type { MetricRow } from "./body";
import { usePolled, type Loaded } from "../poll";

export interface NamedSeries extends Series {
  statistic: string;
}

export interface MetricData {
  series: NamedSeries[];
  problems: string[];
}

// useMetrics asks for the rows' metrics between start and end, again with every
// tick, and keeps the data of before until there is other.
export function useMetrics(rows: MetricRow[], start: number, end: number, tick: number): Loaded<MetricData> {
  const queries = useMemo(() => toQueries(rows, end - start), [rows, end - start]);
  // A range that moves with the present is not another question, only a later one.
  const question = JSON.stringify([queries, end - start]);
  return usePolled(question, `${tick} ${start} ${end}`, async (signal) => {
    if (queries.length === 0) return { series: [], problems: [] };
    const longest = Math.max(...queries.map((q) => q.period));
    const body: MetricQueries = {
      // Whole periods, so that the first point is not a part of one.
      start: Math.floor(start / longest) * longest,
      end: Math.ceil(end / longest) * longest,
      queries,
    };
    const results = await get<MetricResult[]>("metrics", {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" }, signal,
    });
    return toData(rows, queries, results);
  });
}

function toQueries(rows: MetricRow[], seconds: number): MetricQueries["queries"] {
  return rows.map((r) => ({
    id: r.id,
    namespace: r.namespace || undefined,
    metric: r.metric || undefined,
    dimensions: r.dimensions.length > 0 ? r.dimensions : undefined,
    statistic: r.expression ? undefined : r.statistic,
    period: fitPeriod(r.period, seconds),
    expression: r.expression || undefined,
    label: r.label || undefined,
    hidden: r.hidden || undefined,
  }));
}

// toData gives the series of a widget labels of their own: by them the legend
// hides and shows them.
function toData(rows: MetricRow[], queries: MetricQueries["queries"], results: MetricResult[]): MetricData {
  const problems = new Set<string>();
  const taken = new Map<string, number>();
  const series: NamedSeries[] = [];
  for (const result of results) {
    const index = rows.findIndex((r) => r.id === result.id);
    const row = rows[index];
    if (result.error) problems.add(result.error);
    if (!row || row.hidden || result.error && result.times.length === 0) continue;
    const name = result.label || row.label || row.metric || result.id;
    const n = (taken.get(name) ?? 0) + 1;
    taken.set(name, n);
    series.push({
      label: n === 1 ? name : `${name} (${n})`,
      unit: !result.unit || result.unit === "None" ? "" : result.unit,
      times: result.times,
      values: result.values,
      period: queries[index]!.period,
      color: row.color,
      right: row.right,
      statistic: row.statistic,
    });
  }
  return { series, problems: [...problems] };
}
