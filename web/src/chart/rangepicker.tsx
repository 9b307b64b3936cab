import { useEffect, useRef, useState } from "preact/hooks";
import { chooseZone, clock, date, zone, zoneName } from "../format";
import { Icon } from "../ui/icons";
import { Choice, Switch } from "../ui/parts";
import { parseLast, writeLast, type Range } from "./range";

const usual = ["1h", "3h", "12h", "1d", "3d", "1w", "2w"];

// RangePicker chooses what time the charts of a page show, and whether they
// follow the present.
export function RangePicker(props: { range: Range; usual: Range; live: boolean; onRange: (r: Range) => void; onLive: (on: boolean) => void }) {
  const { range } = props;
  const last = "last" in range ? writeLast(range.last) : "";
  const own = "last" in props.usual ? writeLast(props.usual.last) : "";
  const options = own !== "" && !usual.includes(own) ? [...usual, own].sort((a, b) => parseLast(a) - parseLast(b)) : usual;
  return (
    <div class="range">
      <div class="range-wide">
        <Choice label="Time range" value={last} options={options.map((o) => ({ value: o, label: o }))} onChange={(o) => props.onRange({ last: parseLast(o) })} />
      </div>
      <label class="range-narrow">
        <span class="sr-only">Time range</span>
        <select class="input" value={last} onChange={(e) => props.onRange({ last: parseLast(e.currentTarget.value) })}>
          {last === "" && <option value="">Custom</option>}
          {!options.includes(last) && last !== "" && <option value={last}>{last}</option>}
          {options.map((o) => (
            <option key={o} value={o}>
              Last {o}
            </option>
          ))}
        </select>
      </label>
      <Custom range={range} onRange={props.onRange} />
      <Switch label="Live" on={props.live && "last" in range} title="Follow the present"
        onChange={(on) => {
          if (on && "from" in range) props.onRange(props.usual);
          props.onLive(on);
        }} />
    </div>
  );
}

// Custom is a range from one time to another.
function Custom(props: { range: Range; onRange: (r: Range) => void }) {
  const { range } = props;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (e: Event) => root.current?.contains(e.target as Node) || setOpen(false);
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const chosen = "from" in range;
  const label = chosen ? `${moment(range.from)} – ${moment(range.until)}` : "Custom";
  return (
    <div class="popover-root" ref={root} onKeyDown={(e) => e.key === "Escape" && setOpen(false)}>
      <button type="button" class={"button" + (chosen ? " button-chosen" : "")} aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
        <Icon name="down" size={12} />
      </button>
      {open && <CustomForm range={range} onRange={props.onRange} onDone={() => setOpen(false)} />}
    </div>
  );
}

function moment(seconds: number): string {
  const d = new Date(seconds * 1000);
  return `${date(d)} ${clock(d, "minute")}`;
}

function CustomForm(props: { range: Range; onRange: (r: Range) => void; onDone: () => void }) {
  const { range } = props;
  const nowSeconds = Date.now() / 1000;
  const [from, setFrom] = useState(toField("from" in range ? range.from : nowSeconds - range.last));
  const [until, setUntil] = useState(toField("from" in range ? range.until : nowSeconds));
  const start = fromField(from);
  const end = fromField(until);
  const valid = start < end;
  const apply = (e: Event) => {
    e.preventDefault();
    if (!valid) return;
    props.onRange({ from: start, until: end });
    props.onDone();
  };
  return (
    <form class="popover" onSubmit={apply}>
      <label class="field">
        From
        <input class="input" type="datetime-local" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
      </label>
      <label class="field">
        To
        <input class="input" type="datetime-local" value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
      </label>
      <Choice label="Time zone" value={zone.value} options={[{ value: "UTC", label: "UTC" }, { value: "local", label: zone.value === "local" ? zoneName() : "Local" }]} onChange={chooseZone} />
      <button type="submit" class="button button-primary" disabled={!valid}>
        Show
      </button>
    </form>
  );
}

function toField(seconds: number): string {
  const ms = Math.floor(seconds / 60) * 60_000;
  const shift = zone.value === "UTC" ? 0 : new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - shift).toISOString().slice(0, 16);
}

function fromField(text: string): number {
  return Date.parse(text + (zone.value === "UTC" ? "Z" : "")) / 1000;
}
