import { historyLength, stepSeconds } from "../live";

// Sparkline draws the last five minutes of a figure.
export function Sparkline(props: { values: number[]; label: string; tone?: "bad"; fill?: boolean }) {
  const width = historyLength - 1;
  const height = 28;
  const top = Math.max(...props.values);
  const y = (v: number) => (top <= 0 ? height - 1 : height - 1 - (v / top) * (height - 4));
  const line = props.values.map((v, i) => `${i === 0 ? "M" : "L"}${i} ${y(v).toFixed(1)}`).join("");
  return (
    <svg class={"sparkline" + (props.tone ? " sparkline-" + props.tone : "") + (top <= 0 ? " sparkline-flat" : "")} role="img"
      aria-label={`${props.label}, last ${(historyLength * stepSeconds) / 60} minutes`} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none">
      {top > 0 && <path class="sparkline-area" d={`${line}L${width} ${height}L0 ${height}Z`} />}
      <path class="sparkline-line" d={line} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
