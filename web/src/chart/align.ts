// Brings series onto one common axis of time, as uPlot draws them. There, null
// in a series is a gap and undefined means that only another series has a point
// at that time, so that the line goes on.

export interface Points {
  times: number[]; // Unix seconds, ascending
  values: number[];
  period: number; // seconds between two points when none is missing
}

export type Column = (number | null | undefined)[];

export interface Aligned {
  times: number[];
  columns: Column[];
}

export function align(series: Points[]): Aligned {
  const times = new Set<number>();
  for (const s of series) {
    s.times.forEach((t, i) => {
      times.add(t);
      // A missing period needs a place where its gap can be.
      if (isGap(s, i)) times.add(t + s.period);
    });
  }
  const xs = [...times].sort((a, b) => a - b);
  return { times: xs, columns: series.map((s) => column(s, xs)) };
}

function isGap(s: Points, i: number): boolean {
  const next = s.times[i + 1];
  return next !== undefined && next - s.times[i]! > 1.5 * s.period;
}

function column(s: Points, xs: number[]): Column {
  let i = -1; // the newest of the series' points that is not after x
  return xs.map((x) => {
    while (i + 1 < s.times.length && s.times[i + 1]! <= x) i++;
    if (i < 0 || i === s.times.length - 1 && s.times[i]! < x) return null;
    if (s.times[i] === x) return s.values[i]!;
    return isGap(s, i) ? null : undefined;
  });
}

// stack adds up columns from the first on. A series without a point counts as
// zero, where any has one.
export function stack(columns: Column[]): Column[] {
  const sum: Column = [];
  columns.forEach((c) => c.forEach((v, i) => { if (typeof v === "number") sum[i] = 0; else sum[i] ??= null; }));
  return columns.map((c) =>
    c.map((v, i) => {
      const below = sum[i];
      if (typeof below !== "number") return null;
      return (sum[i] = below + (v ?? 0));
    }),
  );
}

// isolated returns the indices of points that no line reaches, which have to be
// drawn as dots to be seen at all.
export function isolated(c: Column): number[] {
  const neighbour = (from: number, dir: 1 | -1): number | null | undefined => {
    let i = from + dir;
    while (i >= 0 && i < c.length && c[i] === undefined) i += dir;
    return c[i];
  };
  const found: number[] = [];
  c.forEach((v, i) => {
    if (typeof v === "number" && typeof neighbour(i, -1) !== "number" && typeof neighbour(i, 1) !== "number") found.push(i);
  });
  return found;
}

// last returns the newest value of a series up to a time.
export function last(p: Points, until: number): number | undefined {
  for (let i = p.times.length - 1; i >= 0; i--) if (p.times[i]! <= until) return p.values[i];
  return undefined;
}
