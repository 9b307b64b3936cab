import type { Level } from "../chart/chart";
import type { Alarm } from "../data";
import type { MetricRow } from "./body";

// alarmRow is the metric that an alarm watches.
export function alarmRow(a: Alarm, index: number): MetricRow {
  return {
    id: `weir${index}`,
    namespace: a.namespace,
    metric: a.metric,
    dimensions: a.dimensions ?? [],
    expression: "",
    statistic: a.statistic,
    period: a.periodSeconds,
    label: "",
    right: false,
    hidden: false,
  };
}

const signs: Record<string, string> = {
  GreaterThanThreshold: ">", GreaterThanOrEqualToThreshold: "≥", LessThanThreshold: "<", LessThanOrEqualToThreshold: "≤",
};

// alarmLevel is the threshold of an alarm, shaded where it is crossed.
export function alarmLevel(a: Alarm): Level {
  return { value: a.threshold, label: `${a.name} ${sign(a)} ${a.threshold}`, fill: a.comparison.startsWith("Less") ? "below" : "above" };
}

export function sign(a: Alarm): string {
  return signs[a.comparison] ?? a.comparison;
}
