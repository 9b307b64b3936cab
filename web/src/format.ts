import { signal } from "@preact/signals";
import { remember, remembered } from "./storage";

// Everything that turns a figure into text. Numbers are written with "," between
// thousands and "." before decimals, times on a 24-hour clock.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

// Quantity is a number with the unit to write after it, so that both can be set
// in different type.
export interface Quantity {
  value: string;
  unit: string;
}

const text = (q: Quantity): string => (q.unit === "" ? q.value : q.unit === "%" ? q.value + "%" : `${q.value} ${q.unit}`);

// significant writes at least three significant digits and no needless ones.
function significant(v: number): string {
  const size = Math.abs(v);
  if (size >= 1000) return grouped.format(v);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(v.toFixed(digits)));
}

// count writes a whole number in full: 12,345.
export function count(v: number): string {
  return grouped.format(v);
}

// short writes a number in little room: 12.3k.
export function short(v: number): string {
  const size = Math.abs(v);
  for (const [scale, suffix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]] as const) {
    if (size >= scale) return significant(v / (suffix === "k" ? 1e3 : scale)) + suffix;
  }
  if (size > 0 && size < 0.01) return v.toExponential(1);
  return significant(v);
}

// rate writes a number of something per second.
export function rate(v: number): string {
  if (v > 0 && v < 0.05) return "<0.1";
  return v < 10 ? String(Number(v.toFixed(1))) : short(Math.round(v));
}

export function bytesOf(v: number): Quantity {
  for (const [scale, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const) {
    if (Math.abs(v) >= scale) return { value: significant(v / scale), unit };
  }
  return { value: significant(v), unit: "B" };
}

export const bytes = (v: number): string => text(bytesOf(v));

export function durationOf(ms: number): Quantity {
  if (ms < 1000) return { value: significant(ms), unit: "ms" };
  if (ms < 60_000) return { value: significant(ms / 1000), unit: "s" };
  if (ms < 3_600_000) return { value: significant(ms / 60_000), unit: "min" };
  if (ms < 86_400_000) return { value: significant(ms / 3_600_000), unit: "h" };
  return { value: significant(ms / 86_400_000), unit: "days" };
}

export const duration = (ms: number): string => text(durationOf(ms));

// scales are the factors to the base unit of CloudWatch's units of size.
const scales: Record<string, number> = { Kilo: 1e3, Mega: 1e6, Giga: 1e9, Tera: 1e12 };

// withUnit writes a value of a CloudWatch unit (Count, Milliseconds,
// Kilobytes/Second, ...).
export function withUnit(v: number, unit: string): string {
  return text(quantity(v, unit));
}

export function quantity(v: number, unit: string): Quantity {
  const perSecond = unit.endsWith("/Second") ? "/s" : "";
  const plain = unit.replace("/Second", "");
  switch (plain) {
    case "Microseconds":
      return v < 1000 ? { value: significant(v), unit: "µs" } : durationOf(v / 1000);
    case "Milliseconds":
      return durationOf(v);
    case "Seconds":
      return durationOf(v * 1000);
    case "Percent":
      return { value: significant(v), unit: "%" };
  }
  const size = /^(Kilo|Mega|Giga|Tera)?(bytes|bits)$/i.exec(plain);
  if (size) {
    const q = bytesOf(v * (scales[size[1] ?? ""] ?? 1));
    return { value: q.value, unit: (size[2]!.toLowerCase() === "bits" ? q.unit.replace("B", "bit") : q.unit) + perSecond };
  }
  return { value: short(v), unit: perSecond };
}

// digits groups the digits of a decimal number that is given as text, of any
// length.
export function digits(number: string): string {
  const m = /^(-?)(\d+)(\.\d+)?$/.exec(number);
  if (!m) return number;
  return m[1] + m[2]!.replace(/\B(?=(\d{3})+$)/g, ",") + (m[3] ?? "");
}

// Times are shown in UTC, as the cloud's consoles do and as events are stamped,
// or in the time zone of the browser.
export type Zone = "UTC" | "local";
export const zone = signal<Zone>(remembered("zone") === "local" ? "local" : "UTC");

export function chooseZone(z: Zone): void {
  zone.value = z;
  remember("zone", z === "UTC" ? "" : z);
}

export function zoneName(): string {
  if (zone.value === "UTC") return "UTC";
  return new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts().find((p) => p.type === "timeZoneName")?.value ?? "local time";
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
}

function parts(d: Date): Parts {
  const utc = zone.value === "UTC";
  return {
    year: utc ? d.getUTCFullYear() : d.getFullYear(),
    month: utc ? d.getUTCMonth() : d.getMonth(),
    day: utc ? d.getUTCDate() : d.getDate(),
    hour: utc ? d.getUTCHours() : d.getHours(),
    minute: utc ? d.getUTCMinutes() : d.getMinutes(),
    second: utc ? d.getUTCSeconds() : d.getSeconds(),
    ms: d.getUTCMilliseconds(),
  };
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number): string => String(n).padStart(2, "0");

export function date(d: Date): string {
  const p = parts(d);
  return `${p.day} ${months[p.month]}`;
}

export function clock(d: Date, precision: "minute" | "second" | "ms" = "second"): string {
  const p = parts(d);
  const minutes = `${two(p.hour)}:${two(p.minute)}`;
  if (precision === "minute") return minutes;
  return `${minutes}:${two(p.second)}` + (precision === "ms" ? "." + String(p.ms).padStart(3, "0") : "");
}

export function dateTime(d: Date, precision: "minute" | "second" | "ms" = "second"): string {
  return `${date(d)} ${parts(d).year} ${clock(d, precision)}`;
}

// when writes a time in little room: the clock today, the date before.
export function when(d: Date, now: Date): string {
  return date(d) === date(now) && parts(d).year === parts(now).year ? clock(d, "minute") : `${date(d)} ${clock(d, "minute")}`;
}

// now is the present, coarse, for what is written relative to it.
export const now = signal(new Date());
if (typeof document !== "undefined") setInterval(() => (now.value = new Date()), 10_000);

// ago writes how long before the present something was.
export function ago(d: Date): string {
  const s = Math.max(0, (now.value.getTime() - d.getTime()) / 1000);
  if (s < 45) return "just now";
  if (s < 90 * 60) return `${Math.round(s / 60)} min ago`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} days ago`;
}

// span writes a length of time in its two largest units: 1 h 23 min.
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const units: [number, string][] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => s >= size);
  if (first < 0) return "0 s";
  const [size, name] = units[first]!;
  const next = units[first + 1];
  const rest = next ? Math.floor((s % size) / next[0]) : 0;
  return `${Math.floor(s / size)} ${name}` + (next && rest > 0 ? ` ${rest} ${next[1]}` : "");
}

// retention writes how long a stream keeps its records.
export function retention(hours: number): string {
  return hours <= 72 ? `${hours} h` : `${Number((hours / 24).toFixed(1))} days`;
}

export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// Characters that turn the direction of the text after them, and those that break
// lines unseen: with them a text can look like another one.
const turning = /[\u2028-\u202e\u2066-\u2069]/g;

// unturned writes such characters as JSON does, so that they are seen.
export function unturned(text: string): string {
  return text.replace(turning, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}
