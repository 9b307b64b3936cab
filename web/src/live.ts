import { signal } from "@preact/signals";
import { base } from "./api";
import type {
  Alarm, Dashboard, FunctionView, LogUpdate, MailSummary, MappingView, ServerInfo, Stack, StreamView, TableView, Topic, Update,
} from "./data";

// historyLength is the number of points of a sparkline, stepSeconds the time
// between two, as in internal/console.
export const historyLength = 150;
export const stepSeconds = 2;

// Live is what every page knows, as the server last told.
export interface Live {
  loaded: boolean;
  server?: ServerInfo;
  mail?: MailSummary;
  metrics: number; // grows when there is new metric data
  streams: StreamView[];
  functions: FunctionView[];
  tables: TableView[];
  mappings: MappingView[];
  alarms: Alarm[];
  topics: Topic[];
  stacks: Stack[];
  dashboards: Dashboard[];
}

export type Connection = "connecting" | "open" | "lost";
type Kind = "streams" | "functions" | "tables" | "mappings";
type Point = [number, number];

export const live = signal<Live>(empty());
export const connection = signal<Connection>("connecting");

function empty(): Live {
  return {
    loaded: false, metrics: 0, streams: [], functions: [], tables: [], mappings: [], alarms: [], topics: [], stacks: [], dashboards: [],
  };
}

// Everything that was told, by kind and name.
let known: Record<string, Record<string, unknown>> = {};
let histories: Record<string, Record<string, Point[]>> = {};
let step = 0;

// history returns the points of a resource, oldest first, always historyLength
// of them.
export function history(kind: Kind, id: string, which: 0 | 1 = 0): number[] {
  const points = histories[kind]?.[id];
  const values = new Array<number>(historyLength).fill(0);
  if (points) points.forEach((p, i) => (values[historyLength - points.length + i] = p[which]));
  return values;
}

function apply(u: Update): void {
  if (u.full) {
    known = {};
    histories = {};
  }
  for (const [kind, entries] of Object.entries(u.put ?? {})) known[kind] = { ...known[kind], ...entries };
  for (const [kind, ids] of Object.entries(u.gone ?? {})) {
    for (const id of ids) {
      delete known[kind]?.[id];
      delete histories[kind]?.[id];
    }
  }
  advance(u);
  const list = <T>(kind: string): T[] =>
    Object.entries(known[kind] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, v]) => v as T);
  live.value = {
    loaded: true,
    server: known["server"]?.[""] as ServerInfo | undefined,
    mail: known["mail"]?.[""] as MailSummary | undefined,
    metrics: (known["metrics"]?.[""] as number | undefined) ?? 0,
    streams: list("streams"),
    functions: list("functions"),
    tables: list("tables"),
    mappings: list("mappings"),
    alarms: list("alarms"),
    topics: list("topics"),
    stacks: list("stacks"),
    dashboards: list("dashboards"),
  };
}

// advance moves all histories to the update's step; points that it does not
// name are zero.
function advance(u: Update): void {
  const steps = u.full ? historyLength : Math.min(u.step - step, historyLength);
  step = u.step;
  if (steps <= 0) return;
  const kinds = new Set([...Object.keys(histories), ...Object.keys(u.points ?? {})]);
  for (const kind of kinds) {
    const had = histories[kind] ?? {};
    const got = u.points?.[kind] ?? {};
    const next: Record<string, Point[]> = {};
    for (const id of new Set([...Object.keys(had), ...Object.keys(got)])) {
      const news = (got[id] ?? []).slice(-steps) as Point[];
      const padding = new Array<Point>(steps - news.length).fill([0, 0]);
      next[id] = [...(had[id] ?? []), ...padding, ...news].slice(-historyLength);
    }
    histories[kind] = next;
  }
}

// The event stream. There is one per page, as browsers allow few connections to
// one server; a log that is followed comes through it too.

const silence = 25_000; // without a sign of life for so long, the connection is dead
const hiddenGrace = 60_000; // a page that nobody sees lets go of its connection after so long
const retryAfter = 2_000;

let source: EventSource | null = null;
let watchdog: ReturnType<typeof setTimeout> | undefined;
let hiding: ReturnType<typeof setTimeout> | undefined;
let followed: { name: string; onUpdate: (u: LogUpdate) => void } | null = null;

function open(): void {
  close();
  const es = new EventSource(base + "api/events" + (followed ? "?log=" + encodeURIComponent(followed.name) : ""));
  source = es;
  const alive = () => {
    connection.value = "open";
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      connection.value = "lost";
      open();
    }, silence);
  };
  es.addEventListener("state", (e) => {
    alive();
    apply(JSON.parse(e.data) as Update);
  });
  es.addEventListener("log", (e) => {
    alive();
    followed?.onUpdate(JSON.parse(e.data) as LogUpdate);
  });
  es.addEventListener("ping", alive);
  es.onerror = () => {
    connection.value = "lost";
    if (es.readyState !== EventSource.CLOSED) return; // the browser tries again
    clearTimeout(watchdog);
    watchdog = setTimeout(open, retryAfter);
  };
}

function close(): void {
  clearTimeout(watchdog);
  source?.close();
  source = null;
}

export function connect(): void {
  open();
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(close, hiddenGrace);
    else if (!source) open();
  });
}

// followLog has the log of a function sent to onUpdate until the returned
// function is called.
export function followLog(name: string, onUpdate: (u: LogUpdate) => void): () => void {
  const mine = { name, onUpdate };
  followed = mine;
  open();
  return () => {
    if (followed !== mine) return;
    followed = null;
    if (source) open();
  };
}
