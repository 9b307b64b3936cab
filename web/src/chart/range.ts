// Range is what time charts show: the last so many seconds, or from one time to
// another (Unix seconds).
export type Range = { last: number } | { from: number; until: number };

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

// parseLast reads "3h" or "2w"; 0 means that it is none.
export function parseLast(text: string): number {
  const m = /^(\d{1,6})([smhdw])$/.exec(text);
  return m ? Number(m[1]) * units[m[2]!]! : 0;
}

export function writeLast(seconds: number): string {
  for (const unit of ["w", "d", "h", "m"]) if (seconds % units[unit]! === 0) return seconds / units[unit]! + unit;
  return seconds + "s";
}

// parseStart reads the start of a dashboard: a duration of ISO 8601 before now
// ("-PT6H", "-P3D") or a time.
export function parseStart(start: unknown, end: unknown): Range | null {
  if (typeof start !== "string") return null;
  const m = /^-P(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(start);
  if (m) {
    const [months, weeks, days, hours, minutes, seconds] = m.slice(1).map((v) => Number(v ?? 0)) as [number, number, number, number, number, number];
    const last = months * 30 * 86400 + weeks * 604800 + days * 86400 + hours * 3600 + minutes * 60 + seconds;
    return last > 0 ? { last } : null;
  }
  const from = Date.parse(start) / 1000;
  const until = typeof end === "string" ? Date.parse(end) / 1000 : Date.now() / 1000;
  return from < until ? { from: Math.floor(from), until: Math.ceil(until) } : null;
}

// bounds returns the range in Unix seconds as of now.
export function bounds(r: Range, nowMs: number): { start: number; end: number } {
  if ("from" in r) return { start: r.from, end: r.until };
  const end = Math.ceil(nowMs / 1000);
  return { start: end - r.last, end };
}

// rangeOf reads the range from the address, where it is kept so that a page can
// be passed on.
export function rangeOf(query: URLSearchParams, usual: Range): Range {
  const from = Number(query.get("from"));
  const until = Number(query.get("until"));
  if (from > 0 && until > from) return { from, until };
  const last = parseLast(query.get("last") ?? "");
  return last > 0 ? { last } : usual;
}

const fitting = [1, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 86400];
const mostPoints = 1440;

// fitPeriod returns the period to ask for: the wanted one, or the next longer
// usual one with which the range has not too many points.
export function fitPeriod(wanted: number, seconds: number): number {
  if (seconds / wanted <= mostPoints) return wanted;
  const next = fitting.find((p) => p > wanted && p % wanted === 0 && seconds / p <= mostPoints);
  return next ?? Math.ceil(seconds / mostPoints / wanted) * wanted;
}
