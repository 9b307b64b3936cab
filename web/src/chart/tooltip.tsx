import { count, dateTime, withUnit, zoneName } from "../format";
import type { Aligned } from "./align";
import type { Series } from "./chart";
import type { Hover } from "./plot";

const most = 12; // values that are listed; more do not help

// Tooltip lists the values at the cross hair, largest first, or in the order of
// the stack.
export function Tooltip(props: { hover: Hover; series: (Series & { color: string })[]; aligned: Aligned; stacked: boolean }) {
  const { hover, series, aligned } = props;
  const at = aligned.times[hover.index];
  if (at === undefined) return null;
  const rows = series
    .map((s, i) => ({ s, value: aligned.columns[i]?.[hover.index] }))
    .filter((r): r is { s: (typeof series)[number]; value: number } => typeof r.value === "number");
  if (props.stacked) rows.reverse();
  else rows.sort((a, b) => b.value - a.value);
  const rightHalf = hover.left > hover.width / 2;
  const side = rightHalf ? { right: `${hover.width - hover.left + 12}px` } : { left: `${hover.left + 12}px` };
  return (
    <div class="tooltip" style={side} role="status">
      <div class="tooltip-time">
        {dateTime(new Date(at * 1000), at % 60 === 0 ? "minute" : "second")} <span class="quiet">{zoneName()}</span>
      </div>
      {rows.length === 0 && <div class="quiet">No data</div>}
      {rows.slice(0, most).map(({ s, value }) => (
        <div class="tooltip-row" key={s.label}>
          <span class="swatch" style={{ background: s.color }} />
          <span class="tooltip-label">{s.label}</span>
          <span class="num">{exact(value, s.unit)}</span>
        </div>
      ))}
      {props.stacked && rows.length > 1 && (
        <div class="tooltip-row tooltip-total">
          <span />
          <span class="tooltip-label">Total</span>
          <span class="num">{exact(rows.reduce((sum, r) => sum + r.value, 0), rows[0]!.s.unit)}</span>
        </div>
      )}
      {rows.length > most && <div class="quiet">and {rows.length - most} more</div>}
    </div>
  );
}

// exact writes counts in full, as there is room for it here.
function exact(v: number, unit: string): string {
  return Number.isInteger(v) && (unit === "" || unit === "Count" || unit === "None") ? count(v) : withUnit(v, unit);
}
