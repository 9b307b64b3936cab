import { withUnit } from "../format";

export interface LegendEntry {
  label: string;
  color: string;
  unit: string;
  value?: number;
  hidden: boolean;
}

// Legend names the series with their last values. A click hides or shows one, a
// click with Alt or a double click leaves it alone on the chart.
export function Legend(props: { entries: LegendEntry[]; onToggle: (label: string, only: boolean) => void }) {
  return (
    <ul class="legend">
      {props.entries.map((e) => (
        <li key={e.label}>
          <button type="button" aria-pressed={!e.hidden} class={e.hidden ? "legend-off" : ""} title={`${e.label} – click to hide or show, double-click to see it alone`}
            onClick={(ev) => ev.detail < 2 && props.onToggle(e.label, ev.altKey)} onDblClick={() => props.onToggle(e.label, true)}>
            <span class="swatch" style={{ background: e.color }} />
            <span class="legend-label">{e.label}</span>
            <span class="num legend-value">{e.value === undefined ? "–" : withUnit(e.value, e.unit)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
